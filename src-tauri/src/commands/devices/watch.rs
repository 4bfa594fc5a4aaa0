//! `gatehouse devices watch`: devices as they ask; on a terminal, decide about each.

use std::collections::{BTreeMap, VecDeque};

use gatehouse_api::{ApproveAs, Code, DeviceList, ErrorEnvelope, Event, PendingDevice, say, socket::Topic};
use serde_json::json;

use super::{approve, view};
use crate::{
    output::{Form, Page, Tone},
    session::{Outcome, Session, Verdict, ended, line},
};

/// Watches until interrupted.
pub(super) async fn run(bell: bool, session: &mut Session) -> Outcome {
    if session.out.form() == Form::Json {
        return Err(ErrorEnvelope::new(Code::Usage, say!("cli.watch.title"), say!("cli.stream.because"))
            .fix_with(say!("cli.stream.fix"), "gatehouse devices watch --jsonl"));
    }
    let client = session.client().await?;
    // First follow, then look: so no device falls between.
    let mut events = client.events(&[Topic::Devices]).await?;
    let mut waiting = Waiting::default();
    let mut news: VecDeque<News> = waiting.take(super::fetch(session).await?).into();
    if news.is_empty() {
        session.out.remark(&Page::verdict(Tone::Plain, say!("cli.watch.word"), say!("cli.watch.none")));
    }
    while !session.out.closed() {
        if let Some(one) = news.pop_front() {
            tell(&one, bell, session);
            if let News::Waits(device) = one
                && session.can_ask()
            {
                let id = device.device_id.clone();
                if decide(*device, session).await {
                    waiting.0.remove(&id);
                }
                news = waiting.take(super::fetch(session).await?).into_iter().chain(news).collect();
                news.retain(|one| waiting.still(one));
            }
            continue;
        }
        match events.next().await {
            Ok(Event::Devices(devices)) => news.extend(waiting.take(*devices)),
            Ok(Event::Lagged { .. }) => news.extend(waiting.take(super::fetch(session).await?)),
            Ok(_) => {}
            Err(end) => return Err(ended(&end)),
        }
    }
    Ok(Verdict::Done)
}

/// What is new among the devices that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
enum News {
    /// A device waits, or waits for something else than before.
    Waits(Box<PendingDevice>),
    /// It no longer waits: decided elsewhere, or gone.
    Gone {
        /// Which.
        device_id: String,
        /// Its name.
        name: String,
    },
}

/// The devices that wait, by key: request ids change every few seconds and are no news.
#[derive(Debug, Default)]
struct Waiting(BTreeMap<String, PendingDevice>);

impl Waiting {
    /// Takes the newest list and returns what is new in it.
    fn take(&mut self, devices: DeviceList) -> Vec<News> {
        let mut before = std::mem::take(&mut self.0);
        let mut news = Vec::new();
        for device in devices.pending {
            let known = before.remove(&device.device_id);
            let same = known.is_some_and(|known| {
                (known.scopes, known.role) == (device.scopes.clone(), device.role.clone())
            });
            if !same {
                news.push(News::Waits(Box::new(device.clone())));
            }
            self.0.insert(device.device_id.clone(), device);
        }
        news.extend(
            before.into_values().map(|gone| News::Gone { device_id: gone.device_id, name: gone.name }),
        );
        news
    }

    /// Whether it is still worth telling.
    fn still(&self, news: &News) -> bool {
        match news {
            News::Waits(device) => self.0.contains_key(&device.device_id),
            News::Gone { .. } => true,
        }
    }
}

fn tell(news: &News, bell: bool, session: &mut Session) {
    if session.out.form() != Form::Human {
        session.out.object(&match news {
            News::Waits(device) => json!({"event": "waiting", "device": device}),
            News::Gone { device_id, .. } => json!({"event": "gone", "device_id": device_id}),
        });
        return;
    }
    match news {
        News::Waits(device) => {
            let mut page = Page::new();
            view::pending(&mut page, device, session.clock);
            session.out.page(&page);
            if bell && session.out.look().terminal {
                session.out.data(b"\x07");
            }
        }
        News::Gone { device_id, name } => {
            let about = say!("cli.watch.gone", title = view::title(name, device_id));
            session.out.page(&Page::verdict(Tone::Faint, say!("cli.watch.gone-word"), &about));
        }
    }
}

/// Asks what to do with a device and does it; whether it was done. An error is told and the watch goes on.
async fn decide(device: PendingDevice, session: &mut Session) -> bool {
    session.out.question(&say!("cli.watch.ask"));
    let answer = line().await.unwrap_or_default();
    let access = match answer.trim().to_ascii_lowercase().as_str() {
        "a" | "approve" => ApproveAs::Full,
        "c" | "chat" => ApproveAs::Chat,
        "r" | "read" => ApproveAs::Read,
        "d" | "deny" => {
            return match super::deny(&device, session).await {
                Ok(_) => true,
                Err(error) => {
                    session.out.error(&error);
                    false
                }
            };
        }
        _ => return false,
    };
    let title = view::title(&device.name, &device.device_id);
    match approve::approve(device, approve::Terms { access, label: None, expires: None }, true, session).await
    {
        Ok(_) => {
            session.out.page(&Page::verdict(Tone::Good, say!("cli.device.approved"), &title));
            true
        }
        Err(error) => {
            session.out.error(&error);
            false
        }
    }
}

#[cfg(test)]
mod tests;
