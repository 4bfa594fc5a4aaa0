//! From a wish to what the edge serves: ports, addresses, certificate, listeners.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use gatehouse_api::{Code, ErrorEnvelope, OpenRequest, Scope, say};
use gatehouse_certs::acme::Identifier;
use gatehouse_certs::{Ensured, Names};
use gatehouse_edge::{AllowedClients, EdgeSettings, Pause};

use crate::address_plan::{self, AddressesWanted};
use crate::context::{Context, Listeners, Served};
use crate::edge_config::EdgeConfig;
use crate::errors::Explain;
use crate::kept;
use crate::mapping::Wish;
use crate::ports_plan::{self, PortsPlan, PortsWanted};
use crate::settings::OpenSettings;

/// Decides ports and addresses for a wish. Opens nothing for longer than a moment.
pub(crate) async fn settle(
    context: &Context,
    request: &OpenRequest,
    settled: Option<&OpenSettings>,
) -> Result<Served, ErrorEnvelope> {
    let ports = ports(context, request.port, request.redirect_port, settled).await?;
    addresses(context, request, ports).await
}

/// Decides the ports for a wish: HTTPS and plain. Opens nothing for longer than a moment.
pub(crate) async fn ports(
    context: &Context,
    https: Option<u16>,
    redirect: Option<u16>,
    settled: Option<&OpenSettings>,
) -> Result<PortsPlan, ErrorEnvelope> {
    let wanted = PortsWanted {
        https,
        redirect,
        settled: settled.map(|open| (open.port, open.port_reason.clone())),
        ours: context.door.listening(),
    };
    let machine = context.machine.clone();
    off_thread(move || ports_plan::plan(&wanted, machine.as_ref())).await?
}

/// Decides the addresses where the ports are settled.
pub(crate) async fn addresses(
    context: &Context,
    request: &OpenRequest,
    ports: PortsPlan,
) -> Result<Served, ErrorEnvelope> {
    let imported = context.brought.names();
    addresses_with(context, request, ports, &imported).await
}

/// The same as what is open, where the user's certificates are for these names.
pub(crate) async fn with_names(
    context: &Context,
    open: &OpenSettings,
    imported: &Names,
) -> Result<Served, ErrorEnvelope> {
    let ports = settled_ports(context, open).await?;
    addresses_with(context, &open.request, ports, imported).await
}

async fn addresses_with(
    context: &Context,
    request: &OpenRequest,
    ports: PortsPlan,
    imported: &Names,
) -> Result<Served, ErrorEnvelope> {
    let machine = context.machine.clone();
    let (addresses, names) = off_thread(move || (machine.addresses(), machine.names())).await?;
    let addresses = addresses.map_err(|error| {
        ErrorEnvelope::new(
            Code::Failed,
            say!("core.addresses.unlisted"),
            say!("core.system-said", error = error.to_string()),
        )
    })?;
    let stored = context.settings.current();
    let now = context.clock.now();
    let wanted = AddressesWanted {
        scope: request.scope,
        hosts: &request.hosts,
        only: &request.only,
        port: ports.https,
        recent: None,
        imported: Some(imported),
        public_port: request.map_port.map(|asked| Wish::new(asked, ports.https).external_port),
    };
    let plan = address_plan::plan(&wanted, &addresses, &names)?;
    if stored.open.as_ref().is_none_or(|open| open.request.scope != request.scope) {
        return Ok(Served { ports, plan });
    }
    let before = kept::names(&kept::next(&stored, &plan, now), now);
    let mut plan =
        address_plan::plan(&AddressesWanted { recent: Some(&before), ..wanted }, &addresses, &names)?;
    kept::include(&mut plan, &before);
    Ok(Served { ports, plan })
}

/// What the edge is told for a plan.
pub(crate) fn edge_settings(context: &Context, served: &Served) -> EdgeSettings {
    let pause = context.settings.current().pause;
    let mut settings = EdgeSettings {
        names: served.plan.served.clone(),
        clients: served.plan.clients.clone(),
        own: served.plan.own.clone(),
        hsts_names: context.public.remembered(&served.plan.public, served.ports.https),
        paused: pause.map(|pause| Pause { until: pause.until.map(Into::into) }),
        ..EdgeSettings::new(context.link.address())
    };
    EdgeConfig::of(&context.settings.current().edge).0.apply(&mut settings);
    settings
}

/// Puts settings of the user in force.
pub(crate) async fn configure(context: &Context, config: &EdgeConfig) -> Result<(), ErrorEnvelope> {
    match context.door.configure(config).await {
        Ok(()) => Ok(()),
        Err((address, error)) => Err(no_metrics(context, address, &error).await),
    }
}

async fn no_metrics(context: &Context, address: SocketAddr, error: &io::Error) -> ErrorEnvelope {
    let (machine, port) = (context.machine.clone(), address.port());
    let holder = off_thread(move || machine.holder(port)).await.ok().flatten();
    let error = error.to_string();
    let because = match holder.map(|holder| ports_plan::name(&holder)) {
        Some(holder) => {
            say!("core.metrics.held", address = address.to_string(), error = error, holder = holder)
        }
        None => say!("core.metrics.no-port-because", address = address.to_string(), error = error),
    };
    ErrorEnvelope::new(Code::PortTaken, say!("core.metrics.no-port"), because)
        .fix_with(say!("core.metrics.no-port-fix"), "gatehouse config set metrics-port 9464")
}

/// Makes sure that the served certificate is for every address of the plan.
pub(crate) async fn certificate(context: &Context, served: &Served) -> Result<Ensured, ErrorEnvelope> {
    let (certificates, wanted) = (context.certificates.clone(), served.plan.certificate.clone());
    let now = context.clock.now();
    off_thread(move || certificates.ensure(&wanted, now)).await?.map_err(|error| error.explain())
}

/// Opens the listeners.
pub(crate) async fn listen(context: &Context, served: Served) -> Result<(), ErrorEnvelope> {
    let settings = edge_settings(context, &served);
    let listeners = served.ports.listeners();
    if let Err((address, error)) = context.door.serve(settings, &listeners).await {
        return Err(not_listening(context, address, &error).await);
    }
    let public = served.plan.public.clone();
    context.served.store(Some(Arc::new(served)));
    follow_public(context, public).await
}

/// Wants the public certificates of what is served, and of what the settings name.
pub(crate) async fn follow_public(context: &Context, open: Vec<Identifier>) -> Result<(), ErrorEnvelope> {
    let (public, listeners, now) = (context.public.clone(), context.door.listening(), context.clock.now());
    let scope = context.served.load().as_ref().map(|served| match served.plan.clients {
        AllowedClients::LoopbackOnly => Scope::Mac,
        AllowedClients::Networks(_) => Scope::Lan,
        AllowedClients::Any => Scope::Internet,
    });
    off_thread(move || public.follow(open, &listeners, scope, now)).await?.map_err(|error| error.explain())
}

/// Stops listening.
pub(crate) async fn close(context: &Context) {
    context.served.store(None);
    if context.door.listening() != Listeners::default() {
        context.door.close().await;
    }
    if let Err(error) = follow_public(context, Vec::new()).await {
        tracing::warn!(%error, "public certificates");
    }
}

/// Wants the port of the router that the settings want. One that is not wanted any more is given back at once.
pub(crate) async fn follow_port(context: &Context) {
    match Wish::of(context.settings.current().open.as_ref()) {
        // A router that does not answer now is asked again; what is open meanwhile does not wait for it.
        wish @ Some(_) => context.router_port.follow(wish),
        None => {
            if let Err(error) = context.router_port.want(None).await {
                tracing::warn!(%error, "the router's port");
            }
        }
    }
}

/// Makes edge, certificate and the router's port agree with the settings.
pub(crate) async fn follow_settings(context: &Context) -> Result<(), ErrorEnvelope> {
    let settings = context.settings.current();
    follow_port(context).await;
    let Some(open) = &settings.open else {
        close(context).await;
        return Ok(());
    };
    let ports = settled_ports(context, open).await?;
    let served = addresses(context, &open.request, ports).await?;
    // A keychain that is locked after a reboot closes nothing that can still be served with what is on disk.
    let certified = certificate(context, &served).await.map(drop);
    let now = context.clock.now();
    let still_good = context.certificates.current().is_some_and(|leaf| leaf.not_after > now);
    if certified.is_err() && !still_good && served.plan.public.is_empty() {
        return certified;
    }
    let (stored, now) = (context.settings.current(), context.clock.now());
    let (advertised, kept) = (kept::advertised(&served.plan), kept::next(&stored, &served.plan, now));
    listen(context, served).await?;
    kept::remember(context, advertised, kept).await?;
    certified
}

async fn settled_ports(context: &Context, open: &OpenSettings) -> Result<PortsPlan, ErrorEnvelope> {
    Ok(PortsPlan {
        https: open.port,
        https_reason: open.port_reason.clone(),
        redirect: open.redirect_port,
        redirect_reason: open.redirect_reason.clone(),
        ipv6: has_ipv6(context).await?,
    })
}

async fn has_ipv6(context: &Context) -> Result<bool, ErrorEnvelope> {
    let (machine, ours) = (context.machine.clone(), context.door.listening());
    off_thread(move || ports_plan::has_ipv6(&ours, machine.as_ref())).await
}

async fn not_listening(context: &Context, address: SocketAddr, error: &io::Error) -> ErrorEnvelope {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let machine = context.machine.clone();
            let holder = off_thread(move || machine.holder(port)).await.ok().flatten();
            let by =
                holder.map_or_else(|| say!("core.another-program-lower"), |holder| ports_plan::name(&holder));
            ErrorEnvelope::new(
                Code::PortTaken,
                say!("core.port.taken-by", port = port, holder = by),
                say!("core.port.could-not-listen", address = address, error = error.to_string()),
            )
            .fix_with(say!("core.port.stop-or-choose"), "gatehouse open --to lan --port 8443")
        }
        io::ErrorKind::PermissionDenied => ErrorEnvelope::new(
            Code::Permission,
            say!("core.port.reserved-title", port = port),
            say!("core.port.could-not-listen", address = address, error = error.to_string()),
        )
        .fix_with(say!("core.port.above-1023"), "gatehouse open --to lan --port 8443"),
        _ => ErrorEnvelope::new(
            Code::Failed,
            say!("core.port.not-opened", port = port),
            say!("core.port.could-not-listen", address = address, error = error.to_string()),
        ),
    }
}

/// Runs what blocks where it may.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ErrorEnvelope> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        ErrorEnvelope::new(
            Code::Failed,
            say!("core.internal.title"),
            say!("core.internal.because", error = error.to_string()),
        )
    })
}
