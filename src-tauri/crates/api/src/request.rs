//! What a view may ask.

use serde::{Deserialize, Serialize};

use crate::{
    AcmeSetup, ClientForm, ConfigEdit, Desired, GatewayAction, ImportFrom, Scope, SecretText, TokenEdit,
};

/// How an address is to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OpenRequest {
    /// For whom.
    pub scope: Scope,
    /// Names to serve beside those found on the machine.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The HTTPS port; `None` = 443 where it may be had, else 8443.
    #[serde(default)]
    pub port: Option<u16>,
    /// The port that redirects plain HTTP: `None` = 80 where it may be had; `Some(0)` = none.
    #[serde(default)]
    pub redirect_port: Option<u16>,
    /// The port that the home's router is asked to open to the internet and to pass on to the HTTPS port; `Some(0)` = the
    /// same number; `None` = the router is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub map_port: Option<u16>,
    /// Only clients in these CIDR blocks, beside this machine; empty = the scope's own rule.
    #[serde(default)]
    pub only: Vec<String>,
    /// Revert unless confirmed within so many seconds.
    #[serde(default)]
    pub confirm_within: Option<u32>,
}

impl From<&OpenRequest> for Desired {
    fn from(request: &OpenRequest) -> Self {
        Self::Open {
            scope: request.scope,
            hosts: request.hosts.clone(),
            port: request.port,
            redirect_port: request.redirect_port,
            only: request.only.clone(),
        }
    }
}

/// Narrower than what a device asks for, or exactly that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ApproveAs {
    /// What it asks for.
    #[default]
    Full,
    /// Read and write messages, approve actions; no settings, no pairing.
    Chat,
    /// Read only.
    Read,
}

/// How a certificate authority is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum CaFormat {
    /// PEM.
    Pem,
    /// DER.
    Der,
    /// A configuration profile of Apple's: iPhone, iPad, Mac.
    Mobileconfig,
}

/// A request to the core. One variant per thing that a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "method", content = "params", rename_all = "kebab-case")]
pub enum Request {
    /// The whole state.
    Status,
    /// What [`Request::Open`] would do.
    PlanOpen(OpenRequest),
    /// Open an address. Answers when it is proven, or when everything is rolled back.
    Open(OpenRequest),
    /// Stop the change that is being made; it rolls back, and its own request answers with what came of that. A change
    /// that is being taken back cannot be stopped.
    CancelChange,
    /// What [`Request::Close`] would do.
    PlanClose {
        /// Also forget certificates and the certificate authority.
        purge: bool,
    },
    /// Close the address and take back what was added to the gateway's configuration.
    Close {
        /// Also forget certificates and the certificate authority.
        purge: bool,
    },
    /// Answer 503 for a while.
    Pause {
        /// How long, in seconds; `None` = until told.
        seconds: Option<u64>,
    },
    /// End a pause.
    Resume,
    /// Keep a change that waits for confirmation.
    Confirm,
    /// Undo a change.
    Undo {
        /// Which; `None` = the newest.
        id: Option<String>,
        /// Also where somebody changed the value since.
        force_drift: bool,
    },
    /// What [`Request::Undo`] would do.
    PlanUndo {
        /// Which; `None` = the newest.
        id: Option<String>,
    },
    /// What was done, newest first.
    History {
        /// At most so many.
        limit: usize,
    },
    /// The gateway's allowed origins.
    OriginsList,
    /// Allow an origin.
    OriginsAdd {
        /// As a user types it; it is normalised to what a browser sends.
        origin: String,
    },
    /// Stop allowing an origin.
    OriginsRemove {
        /// As it stands in the list.
        origin: String,
    },
    /// Would this origin get in?
    OriginsTest {
        /// As a user types it.
        origin: String,
    },
    /// Origins that browsers sent through the edge.
    OriginsSeen {
        /// Only those that the gateway refused.
        refused_only: bool,
    },
    /// All devices.
    DevicesList,
    /// Approve a waiting device.
    DevicesApprove {
        /// Device id or an unambiguous beginning of it.
        device: String,
        /// With which access.
        access: ApproveAs,
        /// A label for it.
        label: Option<String>,
        /// The scopes that were shown to the user. If the device now asks for more, the answer is `widened`.
        shown_scopes: Option<Vec<String>>,
        /// Revoke it after so many seconds; `None` = when it was set for this key before, else never.
        #[serde(default)]
        expires_in: Option<u64>,
    },
    /// Revoke a paired device later, or never.
    DevicesExpire {
        /// Device id or an unambiguous beginning of it.
        device: String,
        /// After so many seconds from now; `None` = never.
        expires_in: Option<u64>,
    },
    /// Refuse a waiting device.
    DevicesDeny {
        /// Device id or an unambiguous beginning of it.
        device: String,
    },
    /// Take a paired device's key away.
    DevicesRevoke {
        /// Device id or an unambiguous beginning of it.
        device: String,
        /// Also replace the shared token, so that the device cannot come back with it.
        rotate_token: bool,
    },
    /// Label a paired device.
    DevicesRename {
        /// Device id or an unambiguous beginning of it.
        device: String,
        /// The label.
        label: String,
    },
    /// The certificate that is served.
    CertShow,
    /// The local certificate authority.
    CertExportCa {
        /// In which form.
        format: CaFormat,
        /// In which language a profile describes itself (`en`, `zh-Hans`); `None` = English.
        #[serde(default)]
        language: Option<String>,
    },
    /// Make a new local certificate now, for the names of the one that is served.
    CertRenew {
        /// With the key of the one that is served.
        reuse_key: bool,
    },
    /// The fingerprints of the certificate and its authority.
    CertFingerprints,
    /// Apps that remember the certificate they saw.
    CertPins,
    /// Where this machine trusts the authority. Changes nothing.
    TrustShow,
    /// Have this machine trust the authority. Answers when it does or does not; on macOS a person answers a dialog first.
    TrustAdd {
        /// Only this place, by its path; `None` = all.
        place: Option<String>,
    },
    /// Have this machine trust the authority no more.
    TrustRemove {
        /// Only this place, by its path; `None` = all.
        place: Option<String>,
        /// Not the authority in use but those that this Gatehouse used before.
        stale: bool,
    },
    /// All certificates.
    CertList,
    /// Serve a certificate of the user's, and open the names that it is for.
    CertImport {
        /// What to call it; one with the same name is replaced. `None` = by its first name.
        slot: Option<String>,
        /// Where it is taken from.
        from: ImportFrom,
    },
    /// Serve a certificate of the user's no more.
    CertRemove {
        /// What it is called.
        slot: String,
    },
    /// Which names want certificates from their clients, and who has one.
    ClientsList,
    /// Let only clients with a certificate in, at one name.
    ClientsRequire {
        /// The name or address.
        host: String,
        /// A file with the authorities (PEM), absolute; `None` = Gatehouse's own authority for clients.
        ca: Option<String>,
        /// Files with lists of revoked certificates, absolute.
        crls: Vec<String>,
    },
    /// Let clients without a certificate in again, at one name.
    ClientsOff {
        /// The name or address.
        host: String,
    },
    /// Give a client a certificate.
    ClientsIssue {
        /// What to call the client.
        label: String,
        /// For so many days.
        days: u32,
        /// In which form.
        form: ClientForm,
        /// The password of PKCS#12; `None` = one is made up.
        password: Option<SecretText>,
    },
    /// Take a client's certificate back. Who is connected with it is out.
    ClientsRevoke {
        /// Its label, or its serial number or the beginning of that.
        client: String,
    },
    /// How public certificates are got.
    AcmeShow,
    /// Change how public certificates are got. An account is made where there is none; the rest is a change like any
    /// other. A certificate that is new is asked for afterwards; the snapshot tells how far it is.
    AcmeSetup(Box<AcmeSetup>),
    /// Want certificates no more.
    AcmeRemove {
        /// The names of one certificate; none = all, with accounts' settings and secrets. Accounts stay at the authority.
        names: Vec<String>,
    },
    /// What an authority says of itself: where its terms are, what it wants. Asks the authority; changes nothing.
    AcmeDirectory {
        /// A name that Gatehouse knows, or the address of a directory; `None` = the first that is set up, else the usual one.
        authority: Option<String>,
    },
    /// Look at everything that can be seen from here before an attempt is spent.
    AcmePreflight {
        /// For which names; none = for all that are wanted.
        names: Vec<String>,
        /// Judge as if the names were opened to these; `None` = as things are.
        #[serde(default)]
        open: Option<Scope>,
    },
    /// A dry run: the preflight, then the whole way with the authority's staging.
    AcmeTest {
        /// For which names; none = for all that are wanted.
        names: Vec<String>,
    },
    /// Ask for certificates now. Answers when the attempts have ended.
    AcmeRenew {
        /// Which; none = all.
        names: Vec<String>,
        /// Also where none is due. The authority's limits are kept in any case.
        force: bool,
    },
    /// Change an account.
    AcmeAccount {
        /// At which authority; `None` = the first.
        authority: Option<String>,
        /// Where it may write from now on.
        email: Option<String>,
        /// Replace the account's key.
        roll_key: bool,
    },
    /// The last attempts, newest first.
    AcmeLog {
        /// At most so many.
        limit: usize,
    },
    /// The gateway.
    GatewayStatus,
    /// Start, stop or restart the gateway, or have a service run it. Answers when it is done or has failed; the way there
    /// is told as progress of the change `gateway`.
    GatewayControl {
        /// What to do.
        action: GatewayAction,
    },
    /// Mend how the gateway is run: what [`crate::GatewayService::repairs`] says, and nothing else.
    GatewayRepair {
        /// Only show it.
        dry_run: bool,
    },
    /// The end of the gateway's log.
    GatewayLog {
        /// At most so many lines.
        lines: usize,
    },
    /// The gateway's shared token. Asks the keychain, where it is kept there; never gives the token itself.
    TokenStatus,
    /// Take the token into the keychain.
    TokenImport {
        /// Which, where Gatehouse cannot read it; the gateway must take it.
        secret: Option<SecretText>,
    },
    /// What [`Request::TokenChange`] would do.
    PlanTokenChange(TokenEdit),
    /// Change the token, or where it is kept. Answers when the gateway takes it, or when everything is put back.
    TokenChange(TokenEdit),
    /// The token itself: for the person who asked, and for the gateway.
    TokenReveal,
    /// Install OpenClaw into Gatehouse's folder and run it, where there is none: sending this is the consent. Answers
    /// when it runs or could not be installed, after some minutes; the way there is told as progress of the change
    /// `install`, and in the gateway's detail.
    InstallGateway,
    /// A link that makes one browser an owner, once.
    DashboardLink {
        /// At which of our addresses; `None` = the loopback name, for a browser on this machine.
        address: Option<String>,
    },
    /// Stop making the link of [`Request::DashboardLink`], which can take half a minute.
    DashboardLinkCancel,
    /// Reach one address the way a device does, stage by stage. Changes nothing.
    TestAddress {
        /// Which of our addresses; `None` = the best one.
        address: Option<String>,
    },
    /// A setup code for the OpenClaw app on a phone.
    PhoneSetup {
        /// At which of our addresses; `None` = the best one that a phone can reach.
        address: Option<String>,
    },
    /// Whether a setup code was used.
    PhoneSetupStatus {
        /// Which.
        setup_id: String,
    },
    /// Let one device get the certificate authority from the local network, once. An earlier invitation ends.
    TrustInvite,
    /// How far the invitation got.
    TrustInviteStatus,
    /// End the invitation.
    TrustInviteEnd,
    /// The last requests that passed through the edge.
    Traffic {
        /// At most so many; no more than 500 are kept.
        limit: usize,
    },
    /// Who gets to the gateway, and by which rule.
    Access,
    /// The settings of the edge: limits, rates, who passes connections on.
    ConfigShow,
    /// Change settings of the edge. No connection is dropped.
    ConfigSet {
        /// Which, to what.
        edits: Vec<ConfigEdit>,
        /// Whether everything else goes back to its default.
        replace: bool,
    },
    /// The numbers of the edge, in the Prometheus text format.
    Metrics,
    /// Whether the address stays reachable by itself. Asks the system; changes nothing.
    AlwaysOn,
    /// Where this machine is on its network, and what keeps others from reaching it. Changes nothing.
    Network {
        /// Also ask the router, and the echoes that the user named, for the public address. Otherwise nothing is sent.
        ask: bool,
    },
    /// Ask the router for its port again, now.
    RenewMapping,
    /// Stop the core. The address goes away until the next start.
    Shutdown,
}
