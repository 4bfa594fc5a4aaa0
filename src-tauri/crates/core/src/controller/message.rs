//! What the controller receives, and what it sets going. Both are closed lists: everything that can happen is here.

use gatehouse_api::{
    DeviceList, ErrorEnvelope, GatewayService, OpenRequest, Problem, Progress, Proof, Reply, Request, Text,
};
use gatehouse_host::ports::PortHolder;
use gatehouse_openclaw::client::Link;
use gatehouse_openclaw::discovery::Gateway;
use gatehouse_openclaw::events::GatewayEvent;
use gatehouse_openclaw::probe::GatewayHealth;
use gatehouse_openclaw::supervise::State as Child;
use time::Duration;
use tokio::sync::oneshot;

/// Something happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// A view asks.
    Ask(Box<Request>, oneshot::Sender<Result<Reply, ErrorEnvelope>>),
    /// The host wants the core to end; told when everything is put away.
    Stop(oneshot::Sender<()>),
    /// Something became known.
    Fact(Fact),
}

/// Something became known.
#[derive(Debug)]
pub(crate) enum Fact {
    /// Five seconds passed.
    Tick,
    /// The time of [`Effect::LookAgain`] is over.
    LookAgain,
    /// The gateway's files were read.
    Discovered(Result<Box<Gateway>, ErrorEnvelope>),
    /// Our connection to the gateway changed; `None` = there is none, for want of a secret.
    Link(Option<Link>),
    /// The gateway's port was asked.
    Health(GatewayHealth, Option<PortHolder>),
    /// The gateway told its process id.
    Pid(Option<u32>),
    /// Who runs the gateway; `None` = that could not be looked at.
    Service(Option<Box<GatewayService>>),
    /// Starting, stopping or mending the gateway moved on.
    GatewayStep(Progress),
    /// The gateway announced something.
    Announced(GatewayEvent),
    /// The devices were listed; `Err` = they could not be.
    Devices(Result<DeviceList, ErrorEnvelope>),
    /// Somebody approved, denied, removed or renamed a device through us.
    DevicesTouched,
    /// Why devices whose time is over are still paired; `None` = none is.
    Expiry(Option<Problem>),
    /// This machine's addresses changed.
    Addresses,
    /// This machine slept, or its clock was set.
    Woke,
    /// Edge and certificate were made to agree with the settings.
    Served(Result<(), ErrorEnvelope>),
    /// A public certificate is another one, or has come or gone.
    Certificates,
    /// The address was tried from outside.
    Probed(Result<Vec<Proof>, Problem>),
    /// New addresses were added to the gateway's origins; `Err` = they could not be.
    OriginsCovered(Result<(), ErrorEnvelope>),
    /// There is to be a gateway of our own.
    OwnGateway,
    /// An installation moved on.
    Installing(Installing),
    /// A gateway of our own could not be installed or started.
    NotSupervised(ErrorEnvelope),
    /// The gateway that is our child changed.
    Child(Child),
    /// A change began.
    ChangeBegan {
        /// Whether its steps are shown as the state of the address.
        shown: bool,
    },
    /// A change moved on.
    Progress(Progress),
    /// A change ended.
    ChangeEnded(Ended),
    /// The opening that was asked for at start ended.
    OpenedAtStart(Result<(), ErrorEnvelope>),
    /// The settings were changed without a transaction: a pause.
    Settings,
    /// A pause was ended because its time was over, or that could not be saved.
    PauseEnded,
}

/// A step of the installation of a gateway of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installing {
    /// From 1 to [`crate::own::INSTALL_STEPS`].
    pub(crate) number: u8,
    /// As a sentence.
    pub(crate) text: Text,
}

/// What a change left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing about the address: origins, a failed or empty change.
    SameAddress,
    /// The address is another one, or is gone.
    OtherAddress,
}

/// Work to set going. Its end comes back as a [`Fact`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Read the gateway's files.
    Discover,
    /// Ask the gateway's port, and who holds it.
    AskHealth,
    /// Ask the gateway for its process id.
    AskPid,
    /// Look at who runs the gateway.
    LookAtService,
    /// List the devices.
    ListDevices,
    /// Tell the views about devices.
    TellDevices(Box<DeviceList>),
    /// Tell the views about a step.
    TellProgress(Progress),
    /// Make edge and certificate agree with the settings.
    Serve,
    /// Try the address from outside.
    Probe,
    /// Look again after a while whether something is due.
    LookAgain(Duration),
    /// Add new addresses to the gateway's origins.
    CoverOrigins,
    /// Open, as was asked for at start.
    Open(OpenRequest),
    /// The pause is over.
    EndPause,
}

impl Effect {
    /// Whether it only tells those who listen.
    pub(crate) fn is_told(&self) -> bool {
        matches!(self, Self::TellDevices(_) | Self::TellProgress(_))
    }
}
