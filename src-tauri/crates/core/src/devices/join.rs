//! The gateway's devices in the words of the api, each with what the edge saw of the same client.
//!
//! The gateway knows a device's address because the edge told it, so equal addresses mean the same client. Where
//! several browsers share an address, the newest sighting is shown: it is a hint for a person, never a decision.

use std::net::IpAddr;

use gatehouse_api::{DeviceList, EdgeSighting, PairedDevice, PendingDevice};
use gatehouse_openclaw::devices::{Devices, Paired, Pending};

/// Joins.
pub(crate) fn join(devices: &Devices, sightings: &[EdgeSighting]) -> DeviceList {
    let mut pending: Vec<PendingDevice> =
        devices.pending.iter().map(|device| waiting(device, sightings)).collect();
    pending.sort_by_key(|device| device.asked_at);
    let mut paired: Vec<PairedDevice> =
        devices.paired.iter().map(|device| self::paired(device, sightings)).collect();
    paired.sort_by_key(|device| (!device.connected, std::cmp::Reverse(device.last_seen)));
    DeviceList { pending, paired, expired: Vec::new() }
}

/// A device that waits.
pub(crate) fn waiting(device: &Pending, sightings: &[EdgeSighting]) -> PendingDevice {
    let via_edge = sighting(device.remote_ip.as_deref(), sightings);
    PendingDevice {
        device_id: device.device_id.clone(),
        request_id: device.request_id.clone(),
        name: name(&[device.display_name.as_deref()], via_edge.as_ref(), device.platform.as_deref()),
        platform: device.platform.clone(),
        role: device.role.clone(),
        scopes: device.scopes.clone(),
        remote_ip: device.remote_ip.clone(),
        via_edge,
        is_repair: device.is_repair,
        asked_at: device.asked_at,
    }
}

/// A device that is paired.
pub(crate) fn paired(device: &Paired, sightings: &[EdgeSighting]) -> PairedDevice {
    let via_edge = sighting(device.remote_ip.as_deref(), sightings);
    let given = [device.label.as_deref(), device.display_name.as_deref()];
    PairedDevice {
        device_id: device.device_id.clone(),
        request_id: None,
        name: name(&given, via_edge.as_ref(), device.platform.as_deref()),
        platform: device.platform.clone(),
        role: device.role.clone(),
        scopes: device.scopes.clone(),
        remote_ip: device.remote_ip.clone(),
        via_edge,
        approved_via: device.approved_via.clone(),
        connected: device.connected,
        last_seen: device.last_seen_at,
        expires_at: None,
    }
}

/// What the edge saw last of whoever comes from this address.
pub(crate) fn sighting(remote_ip: Option<&str>, sightings: &[EdgeSighting]) -> Option<EdgeSighting> {
    let ip: IpAddr = remote_ip?.parse().ok()?;
    let same = |sighting: &&EdgeSighting| {
        sighting.client.parse::<IpAddr>().is_ok_and(|client| client.to_canonical() == ip.to_canonical())
    };
    sightings.iter().filter(same).max_by_key(|sighting| sighting.last_seen).cloned()
}

fn name(given: &[Option<&str>], via_edge: Option<&EdgeSighting>, platform: Option<&str>) -> String {
    let agent = via_edge.and_then(|sighting| sighting.agent.as_deref());
    given
        .iter()
        .copied()
        .chain([agent, platform])
        .flatten()
        .map(str::trim)
        .find(|name| !name.is_empty())
        .unwrap_or("Unnamed device")
        .to_owned()
}

#[cfg(test)]
mod tests;
