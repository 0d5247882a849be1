//! Requests that wait for a place in a pool, so many at most. They are asked
//! about one after another, in the order they came unless a filter has some
//! stand behind others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout_at;

/// Requests that are asked about when capacity has come free, before it is left.
const ROUND: usize = 16;

/// How often the first in line is asked about when nothing came free: an
/// endpoint that was down may be back.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How a request waits, as a filter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// It stands in line as if it had come so much later.
    pub behind: Duration,
    /// After this it is asked about in any case.
    pub at_most: Duration,
}

/// The line before a pool. It outlives reloads.
#[derive(Debug, Default)]
pub struct Queue {
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    waiting: BTreeMap<Key, Arc<Notify>>,
    /// Those without a `Hold`: nobody overtakes them.
    strict: usize,
    /// Tells those apart that came at the same time.
    entered: u64,
    round: Option<Round>,
    /// Capacity has come free since the round began.
    freed: bool,
}

/// Those who wait are asked about, one after another.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// Whose turn it is.
    at: Key,
    asked: usize,
}

/// Where a request stands: who would have come earlier, and who did, is first.
type Key = (Instant, u64);

/// A place in the line, left when dropped.
pub struct Ticket {
    queue: Arc<Queue>,
    key: Key,
    is_strict: bool,
    /// When it is asked about in any case.
    until: Option<Instant>,
    called: Arc<Notify>,
}

impl Queue {
    /// Gets in line, unless `depth` requests wait already.
    pub fn enter(
        self: &Arc<Self>,
        depth: usize,
        hold: Option<Hold>,
        now: Instant,
    ) -> Option<Ticket> {
        let mut line = self.line.lock();
        if line.waiting.len() >= depth {
            return None;
        }
        line.entered += 1;
        let behind = hold.map_or(Duration::ZERO, |hold| hold.behind);
        let key = (now + behind, line.entered);
        let called = Arc::new(Notify::new());
        line.waiting.insert(key, called.clone());
        line.strict += usize::from(hold.is_none());
        Some(Ticket {
            queue: self.clone(),
            key,
            is_strict: hold.is_none(),
            until: hold.map(|hold| now + hold.at_most),
            called,
        })
    }

    /// Whether who comes now may be asked about at once: nobody waits who was
    /// not asked to stand behind others.
    pub fn is_open(&self) -> bool {
        self.line.lock().strict == 0
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.line.lock().waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Capacity has come free: those who wait are asked about.
    pub fn free(&self) {
        let mut line = self.line.lock();
        line.freed = true;
        if line.round.is_none() {
            line.begin();
        }
    }
}

impl Line {
    fn begin(&mut self) {
        self.freed = false;
        if let Some((&at, called)) = self.waiting.first_key_value() {
            self.round = Some(Round { at, asked: 1 });
            called.notify_one();
        }
    }

    /// Whose turn it was has been asked about, or has left.
    fn next(&mut self, after: Key) {
        let Some(round) = self.round.filter(|round| round.at == after) else {
            return;
        };
        let beyond = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let next = self.waiting.range(beyond).next();
        match next.filter(|_| round.asked < ROUND) {
            Some((&at, called)) => {
                let asked = round.asked + 1;
                self.round = Some(Round { at, asked });
                called.notify_one();
            }
            None => {
                self.round = None;
                if self.freed {
                    self.begin();
                }
            }
        }
    }
}

impl Ticket {
    /// Waits until it is to be asked about: it is its turn, its time is up, or
    /// it is first and nothing has happened for long.
    pub async fn turn(&self) {
        loop {
            let until = self.patience(Instant::now());
            let called = timeout_at(until.into(), self.called.notified())
                .await
                .is_ok();
            if called || self.until == Some(until) || self.is_first() {
                return;
            }
        }
    }

    /// Whether it is its turn; says so once. For who has a clock of their own
    /// and does not wait for `turn`.
    pub fn is_called(&self) -> bool {
        self.called.notified().now_or_never().is_some()
    }

    /// When it is to be asked about though nothing has come free: its time is up
    /// then, or it may be first in line.
    pub fn patience(&self, now: Instant) -> Instant {
        let again = now + ASK_AGAIN;
        self.until.map_or(again, |until| until.min(again))
    }

    /// It stays in line: the next is asked about. From now on it is asked about
    /// after `at_most`, if that is given, in any case.
    pub fn stays(&mut self, at_most: Option<Duration>, now: Instant) {
        self.until = at_most.map(|at_most| now + at_most);
        self.queue.line.lock().next(self.key);
    }

    /// Whether nobody stands before it.
    pub fn is_first(&self) -> bool {
        let line = self.queue.line.lock();
        line.waiting.first_key_value().map(|(key, _)| *key) == Some(self.key)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut line = self.queue.line.lock();
        line.waiting.remove(&self.key);
        line.strict -= usize::from(self.is_strict);
        line.next(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn behind(behind: Duration) -> Option<Hold> {
        Some(Hold {
            behind,
            at_most: 30 * SECOND,
        })
    }

    fn is_called(ticket: &Ticket) -> bool {
        ticket.is_called()
    }

    #[test]
    fn no_more_wait_than_may() {
        let (queue, now) = (Arc::<Queue>::default(), Instant::now());
        let first = queue.enter(2, None, now);
        let second = queue.enter(2, None, now);
        assert!(first.is_some() && second.is_some() && queue.enter(2, None, now).is_none());
        drop(first);
        assert!(queue.enter(2, None, now).is_some());
    }

    #[test]
    fn who_came_first_is_asked_about_first() {
        let (queue, now) = (Arc::<Queue>::default(), Instant::now());
        let one = queue.enter(9, None, now).unwrap();
        let mut two = queue.enter(9, None, now).unwrap();
        let three = queue.enter(9, None, now).unwrap();
        queue.free();
        assert!(is_called(&one) && !is_called(&two) && !is_called(&three));
        drop(one);
        assert!(is_called(&two) && !is_called(&three));
        two.stays(None, now);
        assert!(is_called(&three));
        // The round is over; the next begins with who is first now.
        drop(three);
        assert!(!is_called(&two));
        queue.free();
        assert!(is_called(&two));
    }

    #[test]
    fn what_comes_free_during_a_round_begins_another() {
        let (queue, now) = (Arc::<Queue>::default(), Instant::now());
        let mut one = queue.enter(9, None, now).unwrap();
        queue.free();
        assert!(is_called(&one));
        queue.free();
        assert!(!is_called(&one));
        one.stays(None, now);
        assert!(is_called(&one));
    }

    #[test]
    fn who_stands_behind_is_overtaken_by_who_comes_before_that_has_passed() {
        let (queue, now) = (Arc::<Queue>::default(), Instant::now());
        let long = queue.enter(9, behind(5 * SECOND), now).unwrap();
        let short = queue.enter(9, behind(SECOND), now + SECOND).unwrap();
        let late = queue.enter(9, behind(SECOND), now + 9 * SECOND).unwrap();
        assert!(queue.is_open());
        queue.free();
        let order = [&short, &long, &late].map(is_called);
        assert_eq!(order, [true, false, false]);
        drop(short);
        assert_eq!([is_called(&long), is_called(&late)], [true, false]);
        let strict = queue.enter(9, None, now);
        assert!(!queue.is_open());
        drop(strict);
        assert!(queue.is_open());
    }

    #[test]
    fn a_round_ends_before_it_takes_long() {
        let (queue, now) = (Arc::<Queue>::default(), Instant::now());
        let mut all: Vec<_> = (0..20)
            .map(|_| queue.enter(99, None, now).unwrap())
            .collect();
        queue.free();
        let mut asked = 0;
        while let Some(ticket) = all.iter_mut().find(|ticket| is_called(ticket)) {
            ticket.stays(None, now);
            asked += 1;
        }
        assert_eq!(asked, ROUND);
    }

    #[tokio::test]
    async fn whose_time_is_up_is_asked_about_though_nothing_came_free() {
        let queue = Arc::<Queue>::default();
        let now = Instant::now();
        let _first = queue.enter(9, None, now).unwrap();
        let hold = Hold {
            behind: SECOND,
            at_most: Duration::ZERO,
        };
        let held = queue.enter(9, Some(hold), now).unwrap();
        held.turn().await;
    }
}
