//! Noticing that the machine slept, or that its clock was set.
//!
//! Guarantees: noticed within one look of the machine being awake again, whatever the system forgot to tell; nothing
//! is noticed where the machine was only busy. Works everywhere alike, because it asks only the two clocks that every
//! system has: one that counts on while the machine sleeps and one that does not.

use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

/// How often the clocks are compared.
const LOOK: Duration = Duration::from_secs(5);
/// A difference below this is a clock being kept right (NTP slews, leap smears).
const JUMP: Duration = Duration::from_secs(15);

/// What was noticed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Noticed {
    /// How often the clock ran ahead of the machine: it slept, or the clock was set forward.
    pub ahead: u64,
    /// How often the clock was set back.
    pub back: u64,
}

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    wall: SystemTime,
    steady: Instant,
}

impl Moment {
    fn now() -> Self {
        Self { wall: SystemTime::now(), steady: Instant::now() }
    }
}

/// Compares the clocks for as long as somebody listens. Each change of the value is one sleep or one jump.
pub fn watch() -> watch::Receiver<Noticed> {
    let (sender, receiver) = watch::channel(Noticed::default());
    tokio::spawn(async move {
        let mut last = Moment::now();
        loop {
            tokio::select! {
                () = sender.closed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            let now = Moment::now();
            let step = jump(last, now);
            last = now;
            if let Some(step) = step {
                sender.send_modify(|noticed| match step {
                    Step::Ahead => noticed.ahead += 1,
                    Step::Back => noticed.back += 1,
                });
            }
        }
    });
    receiver
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Ahead,
    Back,
}

/// What lies between two moments. `Instant` stands still while a Mac or a Linux machine sleeps.
fn jump(before: Moment, now: Moment) -> Option<Step> {
    let steady = now.steady.saturating_duration_since(before.steady);
    match now.wall.duration_since(before.wall) {
        Ok(wall) if wall > steady + JUMP => Some(Step::Ahead),
        Ok(wall) if wall + JUMP < steady => Some(Step::Back),
        Ok(_) => None,
        Err(back) => (back.duration() + steady > JUMP).then_some(Step::Back),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(wall: i64, steady: u64) -> Option<Step> {
        let before = Moment::now();
        let distance = Duration::from_secs(wall.unsigned_abs());
        let wall = if wall < 0 { before.wall - distance } else { before.wall + distance };
        jump(before, Moment { wall, steady: before.steady + Duration::from_secs(steady) })
    }

    #[test]
    fn a_night_asleep_and_a_clock_that_was_set_are_noticed() {
        assert_eq!(after(8 * 3600, 5), Some(Step::Ahead));
        assert_eq!(after(-3600, 5), Some(Step::Back));
        assert_eq!(after(-5, 300), Some(Step::Back));
        assert_eq!(after(60, 300), Some(Step::Back));
    }

    #[test]
    fn a_busy_machine_and_a_clock_that_is_kept_right_are_not() {
        assert_eq!(after(5, 5), None);
        assert_eq!(after(600, 600), None);
        assert_eq!(after(14, 5), None);
        assert_eq!(after(-3, 5), None);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_noticed_where_nothing_happens_and_it_ends_with_the_listener() {
        let receiver = watch();
        tokio::time::sleep(Duration::from_secs(12)).await;
        assert!(!receiver.has_changed().unwrap());
    }
}
