//! One file per group of requests. Each runs in a task of its own, on a [`Desk`], and may take as long as it needs.

mod access;
mod acme;
mod address;
mod certificate;
mod changes;
mod clients;
mod configuration;
mod devices;
mod gateway;
mod imports;
mod links;
mod origins;
mod pause;
mod token;
mod trust;

use std::sync::Arc;

use gatehouse_api::{Code, ErrorEnvelope, Reply, Request, Snapshot, say};
use tokio::sync::{mpsc, watch};

use crate::awake::Awakeness;
use crate::context::Context;
use crate::controller::message::{Fact, Message};
use crate::door::Door;
use crate::invite::Invites;
use crate::own::Keeper;
use crate::traffic::{Recent, TurnedAway};
use crate::transaction::Transactions;

pub(crate) use devices::{expire_in_time, listed};
pub(crate) use gateway::look as look_at_service;
pub(crate) use links::{Links, no_program};
pub(crate) use origins::cover;
pub(crate) use pause::end as end_pause;

/// What requests work with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) context: Context,
    pub(crate) transactions: Transactions,
    pub(crate) door: Arc<Door>,
    pub(crate) messages: mpsc::Sender<Message>,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    /// A gateway of our own.
    pub(crate) keeper: Keeper,
    /// The last requests that passed through the edge.
    pub(crate) recent: Recent,
    /// Programs here that passed requests on and were turned away.
    pub(crate) turned_away: TurnedAway,
    /// The invitation to trust the certificate authority.
    pub(crate) invites: Invites,
    /// The owner link that is being made.
    pub(crate) links: Arc<Links>,
    /// Whether the machine is kept awake.
    pub(crate) awake: Awakeness,
}

impl Desk {
    /// Tells the controller. Nothing happens where it has gone.
    pub(crate) async fn tell(&self, fact: Fact) {
        let _ = self.messages.send(Message::Fact(fact)).await;
    }
}

/// Answers a request.
pub(crate) async fn answer(desk: &Desk, request: Request) -> Result<Reply, ErrorEnvelope> {
    match request {
        Request::Status => Ok(Reply::Status(Box::new(Snapshot::clone(&desk.snapshots.borrow())))),
        Request::GatewayStatus => gateway::status(desk).await,
        Request::GatewayRepair { dry_run } => gateway::repair(desk, dry_run).await,
        Request::PlanOpen(open) => changes::plan_open(desk, open).await,
        Request::Open(open) => changes::open(desk, open).await,
        Request::CancelChange => changes::cancel(desk),
        Request::PlanClose { purge } => changes::plan_close(desk, purge).await,
        Request::Close { purge } => changes::close(desk, purge).await,
        Request::Confirm => changes::confirm(desk).await,
        Request::PlanUndo { id } => changes::plan_undo(desk, id).await,
        Request::Undo { id, force_drift } => changes::undo(desk, id, force_drift).await,
        Request::History { limit } => Ok(Reply::History(desk.transactions.history(limit))),
        Request::Pause { seconds } => pause::pause(desk, seconds).await,
        Request::Resume => pause::resume(desk).await,
        Request::OriginsList => origins::list(desk).await,
        Request::OriginsAdd { origin } => origins::add(desk, &origin).await,
        Request::OriginsRemove { origin } => origins::remove(desk, origin).await,
        Request::OriginsTest { origin } => origins::test(desk, &origin).await,
        Request::OriginsSeen { refused_only } => Ok(origins::seen(desk, refused_only)),
        Request::DevicesList => devices::list(desk).await,
        Request::DevicesApprove { device, access, label, shown_scopes, expires_in } => {
            let terms = devices::Terms { access, label, shown_scopes, expires_in };
            devices::approve(desk, &device, terms).await
        }
        Request::DevicesDeny { device } => devices::deny(desk, &device).await,
        Request::DevicesRevoke { device, rotate_token } => devices::revoke(desk, &device, rotate_token).await,
        Request::DevicesExpire { device, expires_in } => devices::expire(desk, &device, expires_in).await,
        Request::DevicesRename { device, label } => devices::rename(desk, &device, &label).await,
        Request::CertShow => Ok(Reply::Cert(certificate::summary(&desk.context.certificates))),
        Request::CertExportCa { format, language } => {
            certificate::export(&desk.context.certificates, format, language.as_deref())
        }
        Request::CertRenew { reuse_key } => trust::renew(desk, reuse_key).await,
        Request::CertFingerprints => trust::fingerprints(&desk.context.certificates),
        Request::CertPins => Ok(trust::pins(&desk.context)),
        Request::TrustShow => trust::show(desk).await,
        Request::TrustAdd { place } => trust::add(desk, place).await,
        Request::TrustRemove { place, stale } => trust::remove(desk, place, stale).await,
        Request::CertList => Ok(Reply::Certificates(certificate::all(desk))),
        Request::CertImport { slot, from } => imports::import(desk, slot, from).await,
        Request::CertRemove { slot } => imports::remove(desk, &slot).await,
        Request::ClientsList => Ok(clients::list(desk)),
        Request::ClientsRequire { host, ca, crls } => clients::require(desk, &host, ca, crls).await,
        Request::ClientsOff { host } => clients::release(desk, &host).await,
        Request::ClientsIssue { label, days, form, password } => {
            clients::issue(desk, label, days, form, password).await
        }
        Request::ClientsRevoke { client } => clients::revoke(desk, &client).await,
        Request::AcmeShow => Ok(acme::show(desk)),
        Request::AcmeSetup(setup) => acme::setup(desk, *setup).await,
        Request::AcmeRemove { names } => acme::remove(desk, &names).await,
        Request::AcmeDirectory { authority } => acme::directory(desk, authority.as_deref()).await,
        Request::AcmePreflight { names, open } => acme::preflight(desk, &names, open).await,
        Request::AcmeTest { names } => acme::test(desk, &names).await,
        Request::AcmeRenew { names, force } => acme::renew(desk, &names, force).await,
        Request::AcmeAccount { authority, email, roll_key } => {
            acme::account(desk, authority, email, roll_key).await
        }
        Request::AcmeLog { limit } => Ok(acme::log(desk, limit)),
        Request::GatewayControl { action } => gateway::control(desk, action).await,
        Request::TokenStatus => token::status(desk).await,
        Request::TokenImport { secret } => token::import(desk, secret).await,
        Request::PlanTokenChange(edit) => token::plan(desk, edit).await,
        Request::TokenChange(edit) => token::change(desk, edit).await,
        Request::TokenReveal => token::reveal(desk).await,
        Request::GatewayLog { lines } => gateway::log(desk, lines).await,
        Request::InstallGateway => gateway::install(desk).await,
        Request::DashboardLink { address } => links::dashboard(desk, address).await,
        Request::DashboardLinkCancel => {
            desk.links.cancel();
            Ok(Reply::Done)
        }
        Request::TestAddress { address } => address::test(desk, address).await,
        Request::PhoneSetup { address } => links::phone(desk, address).await,
        Request::PhoneSetupStatus { setup_id } => links::phone_status(desk, &setup_id).await,
        Request::TrustInvite => access::invite(desk).await,
        Request::TrustInviteStatus => Ok(Reply::InviteStatus(desk.invites.progress())),
        Request::TrustInviteEnd => {
            desk.invites.end();
            Ok(Reply::Done)
        }
        Request::Traffic { limit } => Ok(Reply::Traffic(desk.recent.last(limit))),
        Request::Access => access::facts(desk).await,
        Request::ConfigShow => Ok(configuration::show(desk)),
        Request::ConfigSet { edits, replace } => configuration::set(desk, edits, replace).await,
        Request::Metrics => Ok(configuration::metrics(desk)),
        Request::Network { ask } => Ok(Reply::Network(Box::new(crate::network::look(desk, ask).await))),
        Request::RenewMapping => address::renew_mapping(desk).await,
        Request::AlwaysOn => {
            let (environment, awake) = (desk.context.environment.load_full(), desk.awake.state());
            let all =
                blocking(move || Ok(crate::readiness::always_on(&environment.variables, awake))).await?;
            Ok(Reply::AlwaysOn(Box::new(all)))
        }
        // The controller answers it itself: it is the one that stops.
        Request::Shutdown => Ok(Reply::Done),
    }
}

/// Runs what blocks (files, the keychain, short-lived programs) away from the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorEnvelope> + Send + 'static,
) -> Result<T, ErrorEnvelope> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => {
            Err(ErrorEnvelope::new(Code::Failed, say!("core.request.not-finished"), error.to_string()))
        }
    }
}

pub(crate) use certificate::{all as certificates, best as best_certificate};
pub(crate) use clients::problems as client_problems;
pub(crate) use imports::forget_copies;
pub(crate) use trust::{SPOKEN, renewal};
