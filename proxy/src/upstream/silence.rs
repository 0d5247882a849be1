//! How long an answer has been silent. A stream has one timer for all of its
//! events: to set one for each costs more than to look at the event.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

/// Silence is noticed after its limit, and before this part more of it.
const PARTS: u32 = 4;

/// The silence of one answer.
#[derive(Default)]
pub(super) struct Silence {
    timer: Option<Pin<Box<Sleep>>>,
    /// Parts of the limit that have passed.
    parts: u32,
}

impl Silence {
    /// Something was heard.
    pub(super) fn ends(&mut self) {
        self.parts = 0;
    }

    /// Waits until it has lasted for `limit`, or the deadline has passed.
    pub(super) async fn lasts(&mut self, limit: Duration, deadline: Instant) {
        let next = || (Instant::now() + limit / PARTS).min(deadline).into();
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(next())));
        loop {
            timer.as_mut().await;
            if Self::part_passed(&mut self.parts) || Instant::now() >= deadline {
                return;
            }
            timer.as_mut().reset(next());
        }
    }

    /// A part passed. The first may have begun before something was heard, so
    /// it takes one more of them.
    fn part_passed(parts: &mut u32) -> bool {
        *parts += 1;
        *parts > PARTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_over_when_all_parts_passed_since_something_was_heard() {
        let mut silence = Silence::default();
        for _ in 0..3 {
            let passed = (0..=PARTS).map(|_| Silence::part_passed(&mut silence.parts));
            let passed: Vec<bool> = passed.collect();
            assert_eq!(passed, [false, false, false, false, true]);
            silence.ends();
        }
    }

    #[tokio::test]
    async fn the_deadline_ends_it_however_long_the_limit_is() {
        let day = Duration::from_secs(86_400);
        let mut silence = Silence::default();
        silence.lasts(day, Instant::now()).await;
        silence.ends();
        silence.lasts(day, Instant::now()).await;
    }
}
