//! The system's trust store: it can be read, and it refuses an authority that nobody told it of.

use gatehouse_api::{ErrorEnvelope, say};
use gatehouse_certs::{Judgement, Names, system_judges};
use rustls_pki_types::{CertificateDer, UnixTime};
use time::OffsetDateTime;

use super::room::Room;
use super::{Finding, blocking};
use crate::errors::Explain as _;

pub(super) async fn check(room: &Room) -> Finding {
    match strangers_chain(room) {
        Ok(chain) => blocking(move || judged(&chain)).await,
        Err(error) => Finding::failed(
            say!("core.selftest.edge.failed", title = error.title, because = error.because),
            say!("core.report"),
        ),
    }
}

fn judged(chain: &[CertificateDer<'static>]) -> Finding {
    match system_judges(chain, "localhost", UnixTime::now()) {
        Ok(Judgement::UnknownAuthority) => Finding::passed([say!("core.selftest.trust.saw")]),
        Ok(Judgement::Refused(why)) => Finding::passed([say!("core.selftest.trust.refused", why = why)]),
        Ok(Judgement::Trusted) => {
            Finding::failed(say!("core.selftest.trust.everybody"), say!("core.selftest.trust.everybody-fix"))
        }
        Err(error) => Finding::failed(
            say!("core.selftest.trust.unreadable", error = error),
            say!("core.selftest.trust.fix"),
        ),
    }
}

/// Of an authority made for this one question.
fn strangers_chain(room: &Room) -> Result<Vec<CertificateDer<'static>>, ErrorEnvelope> {
    let certificates = room.certificates("stranger")?;
    certificates.ensure(&Names::loopback(), OffsetDateTime::now_utc()).map_err(|error| error.explain())?;
    Ok(certificates.chain())
}
