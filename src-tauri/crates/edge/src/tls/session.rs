//! A server's TLS session that works in buffers which it borrows.
//!
//! rustls keeps no buffer of its own here ([`UnbufferedServerConnection`]): ciphertext is decrypted where it was read, and
//! what is left of it while nothing more arrives is the part of a record that came.
//!
//! Guarantees: what the session has to say (its flights, tickets, alerts, key updates) and the caller's records leave in
//! the order in which they were encrypted; after an error nothing is decrypted or encrypted any more, and the alert that
//! says why is ready to be sent.

use crate::buffers::{Buffer, Filled, SIZE};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{CommonState, Error, ServerConfig};
use std::sync::Arc;

/// What the session says itself and that goes out in one write with the caller's data, at most, in bytes.
const LEAD: usize = 3 * 1024;
/// Plaintext of which the records fit in one buffer, with a lead.
pub(super) const ROOM: usize = SIZE - 4 * 1024;
/// Of more plaintext so much is taken at once: whole records.
const WHOLE: usize = 4 * 16 * 1024;
/// Room for an alert.
const ALERT: usize = 128;

/// What the caller would like to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Want<'a> {
    /// See what arrived.
    Read,
    /// Send this.
    Write(&'a [u8]),
    /// Say goodbye.
    Close,
}

/// How far the session got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// Plaintext was handed out; there may be more.
    Plain,
    /// Nothing more arrived. So many bytes of the caller's were taken, or the goodbye.
    Open(usize),
    /// Nothing more arrived, and the caller's bytes cannot be sent: not yet, or not any more.
    Waits,
}

/// Ciphertext that was read and could not be used so far.
enum Input {
    Nothing,
    /// As it was read.
    Borrowed(Filled),
    /// A part of a record, while the rest is waited for.
    Kept(Box<[u8]>),
}

/// A session and what waits in it.
pub(super) struct Session {
    tls: UnbufferedServerConnection,
    input: Input,
    /// The caller's data, encrypted.
    records: Option<Filled>,
    /// What the session itself says, behind [`Self::records`].
    says: Vec<u8>,
    said: usize,
    /// Nobody waits for what the session says: it may go with the next data.
    patient: bool,
    ended: bool,
    failed: bool,
}

impl Session {
    /// A session of which the client has sent these first bytes.
    pub(super) fn new(config: Arc<ServerConfig>, first: Vec<u8>) -> Result<Self, Error> {
        Ok(Self {
            tls: UnbufferedServerConnection::new(config)?,
            input: Input::Kept(first.into_boxed_slice()),
            records: None,
            says: Vec::new(),
            said: 0,
            patient: false,
            ended: false,
            failed: false,
        })
    }

    /// What was agreed on.
    pub(super) fn facts(&self) -> &CommonState {
        &self.tls
    }

    /// Whether the peer said goodbye and everything before it was handed out.
    pub(super) const fn is_over(&self) -> bool {
        self.ended
    }

    /// What it says from now on, or has not sent yet, may wait for data to go with.
    pub(super) fn be_patient(&mut self) {
        self.patient = self.says.len() <= LEAD;
    }

    /// What has to be sent next. Nothing may be read as "not now".
    pub(super) fn output(&mut self) -> Option<&[u8]> {
        match &self.records {
            Some(records) => Some(records.rest()),
            None if self.patient => None,
            None => self.says.get(self.said..).filter(|rest| !rest.is_empty()),
        }
    }

    /// So many bytes of [`Self::output`] were sent.
    pub(super) fn sent(&mut self, count: usize) {
        if let Some(records) = &mut self.records {
            records.advance(count);
            if records.is_empty() {
                self.records = None;
            }
            return;
        }
        self.said += count;
        if self.said >= self.says.len() {
            self.says = Vec::new();
            self.said = 0;
        }
    }

    /// Bytes of ciphertext that wait for more, or to be sent with data.
    #[cfg(test)]
    pub(super) fn holds(&mut self) -> usize {
        self.input.rest_mut().len() + self.records.as_ref().map_or(0, |records| records.rest().len())
    }

    /// A buffer with what could not be used so far, to read more behind it.
    pub(super) fn lend(&mut self) -> Filled {
        match std::mem::replace(&mut self.input, Input::Nothing) {
            Input::Nothing => Filled::empty(),
            Input::Borrowed(filled) => filled,
            Input::Kept(bytes) => {
                let mut filled = Filled::empty();
                filled.append(&bytes);
                filled
            }
        }
    }

    /// The buffer comes back with more in it.
    pub(super) fn give(&mut self, filled: Filled) {
        self.input = if filled.is_empty() { Input::Nothing } else { Input::Borrowed(filled) };
    }

    /// The buffer comes back, and the next bytes are not in sight.
    pub(super) fn keep(&mut self, filled: &Filled) {
        self.input = if filled.is_empty() { Input::Nothing } else { Input::Kept(filled.rest().into()) };
    }

    /// Goes on until there is plaintext, or nothing more can be done without more input.
    pub(super) fn go_on(&mut self, want: Want<'_>, mut plain: impl FnMut(&[u8])) -> Result<Met, Error> {
        if self.failed {
            return Ok(Met::Waits);
        }
        loop {
            let Self { tls, input, records, says, said, patient, ended, .. } = self;
            let UnbufferedStatus { mut discard, state } = tls.process_tls_records(input.rest_mut());
            let mut failure = None;
            let met = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                discard += record.discard;
                                plain(record.payload);
                            }
                            Err(error) => failure = Some(error),
                        }
                    }
                    Some(Met::Plain)
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    *patient = false;
                    encode(says, |room| data.encode(room));
                    None
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    None
                }
                Ok(ConnectionState::WriteTraffic(traffic)) => match want {
                    Want::Read => Some(Met::Open(0)),
                    Want::Write(bytes) => {
                        let lead = says.get(*said..).unwrap_or_default();
                        if records.is_some() || lead.len() > LEAD {
                            Some(Met::Open(0))
                        } else {
                            match encrypt(traffic, lead, bytes) {
                                Ok((filled, taken)) => {
                                    *records = Some(filled);
                                    *says = Vec::new();
                                    (*said, *patient) = (0, false);
                                    Some(Met::Open(taken))
                                }
                                Err(error) => {
                                    failure = Some(error);
                                    None
                                }
                            }
                        }
                    }
                    Want::Close => {
                        *patient = false;
                        let mut traffic = traffic;
                        let mut alert = [0; ALERT];
                        if let Ok(count) = traffic.queue_close_notify(&mut alert) {
                            says.extend_from_slice(alert.get(..count).unwrap_or_default());
                        }
                        Some(Met::Open(0))
                    }
                },
                Ok(ConnectionState::PeerClosed) => {
                    *ended = true;
                    None
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed) => Some(Met::Waits),
                // Early data is not offered, and there are no other states.
                Ok(_) => {
                    failure = Some(Error::General("a state that nobody asked for".to_owned()));
                    None
                }
                Err(error) => {
                    failure = Some(error);
                    None
                }
            };
            self.input.discard(discard);
            if self.ended {
                // Whatever comes behind a goodbye is nothing.
                self.input = Input::Nothing;
            }
            if let Some(error) = failure {
                self.fail();
                return Err(error);
            }
            if let Some(met) = met {
                return Ok(met);
            }
        }
    }

    /// Takes the alert that says why out of a session that has failed, and lets it look at nothing else.
    fn fail(&mut self) {
        self.failed = true;
        self.patient = false;
        let Self { tls, says, .. } = self;
        while tls.wants_write() {
            let UnbufferedStatus { state: Ok(ConnectionState::EncodeTlsData(mut data)), .. } =
                tls.process_tls_records(&mut [])
            else {
                break;
            };
            encode(says, |room| data.encode(room));
        }
        self.input = Input::Nothing;
    }
}

impl Input {
    fn rest_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Nothing => &mut [],
            Self::Borrowed(filled) => filled.rest_mut(),
            Self::Kept(bytes) => bytes,
        }
    }

    /// So many bytes were used.
    fn discard(&mut self, count: usize) {
        match self {
            Self::Nothing => {}
            Self::Borrowed(filled) => {
                filled.advance(count);
                if filled.is_empty() {
                    *self = Self::Nothing;
                }
            }
            Self::Kept(_) if count == 0 => {}
            Self::Kept(bytes) => {
                let rest = bytes.get(count..).unwrap_or_default();
                *self = if rest.is_empty() { Self::Nothing } else { Self::Kept(rest.into()) };
            }
        }
    }
}

/// Puts a message behind what is said already.
fn encode(says: &mut Vec<u8>, mut message: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>) {
    // Without room it says how much it needs.
    if let Err(EncodeError::InsufficientSize(needs)) = message(&mut []) {
        let start = says.len();
        says.resize(start + needs.required_size, 0);
        let _ = message(says.get_mut(start..).unwrap_or_default());
    }
}

/// Encrypts as much as one buffer takes, behind a lead.
fn encrypt<D>(mut traffic: WriteTraffic<'_, D>, lead: &[u8], bytes: &[u8]) -> Result<(Filled, usize), Error> {
    let taken = if bytes.len() <= ROOM { bytes.len() } else { WHOLE };
    let mut filled = Filled::new(Buffer::borrow(), 0);
    filled.append(lead);
    let written = traffic.encrypt(bytes.get(..taken).unwrap_or_default(), filled.room());
    let count = written.map_err(|error| match error {
        EncryptError::EncryptExhausted => Error::EncryptError,
        EncryptError::InsufficientSize(_) => Error::General("records do not fit in a buffer".to_owned()),
    })?;
    filled.grow(count);
    Ok((filled, taken))
}
