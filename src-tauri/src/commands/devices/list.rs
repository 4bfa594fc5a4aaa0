//! `gatehouse devices list`.

use gatehouse_api::{DeviceList, say};

use super::view;
use crate::{
    output::{Form, Page, Tone, fields, when::Clock},
    session::{Outcome, Session, Verdict},
};

/// Shows all devices, or only one kind of them.
pub(super) async fn run(pending: bool, paired: bool, session: &mut Session) -> Outcome {
    let mut devices = super::fetch(session).await?;
    if pending {
        devices.paired.clear();
        devices.expired.clear();
    }
    if paired {
        devices.pending.clear();
        devices.expired.clear();
    }
    match session.out.form() {
        Form::Human => session.out.page(&page(&devices, session.clock)),
        Form::Json | Form::Lines => session.out.object(&fields(&devices)),
    }
    Ok(Verdict::Done)
}

fn page(devices: &DeviceList, clock: Clock) -> Page {
    let (waiting, paired) = (devices.pending.len(), devices.paired.len());
    let mut page = match (waiting, paired) {
        (0, 0) => Page::verdict(Tone::Plain, say!("cli.word.none"), say!("cli.device.none")),
        (0, _) => Page::verdict(
            Tone::Good,
            &say!("cli.device.paired-and", paired = paired),
            say!("cli.device.none-waiting"),
        ),
        _ => Page::verdict(
            Tone::Warn,
            &say!("cli.device.waiting-and", waiting = waiting),
            &say!("cli.device.paired-count", paired = paired),
        ),
    };
    for device in &devices.pending {
        view::pending(&mut page, device, clock);
    }
    for device in &devices.paired {
        view::paired(&mut page, device, clock);
    }
    for device in &devices.expired {
        let title = view::title(&device.name, &device.device_id);
        let ended = say!("cli.device.ended", title = title, relative = clock.relative(device.at));
        page.toned(
            2,
            if device.can_return { Tone::Warn } else { Tone::Plain },
            say!("cli.device.expired"),
            ended,
        );
        page.toned(4, Tone::Faint, say!("cli.device.note"), &device.note);
    }
    if waiting > 0 {
        page.text(say!("cli.device.next"));
        page.command("gatehouse devices approve <id>");
    }
    page
}
