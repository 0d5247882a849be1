//! What happens when, in simulated time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The next request of one who asks comes in.
    Comes(usize),
    /// A server looks whether there is something to do.
    Begins(usize),
    /// The pass of a server ends.
    Passes(usize),
    /// A request without its first token looks whether its endpoint has stalled.
    Looks(u64),
    /// A request that waits is asked about though nothing came free.
    Asks(u64),
    /// The gateway reads what servers say of themselves.
    Scrapes,
}

/// Events to come, in order of time; those of one time as they were planned.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    now: Duration,
    planned: u64,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
}

impl Agenda {
    /// Time since the beginning.
    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// Plans an event; what is past happens now.
    pub(super) fn at(&mut self, time: Duration, event: Event) {
        self.planned += 1;
        let time = time.max(self.now);
        self.events.push(Reverse((time, self.planned, event)));
    }

    /// Goes on to the next event, or to `until` if that comes first.
    pub(super) fn next_before(&mut self, until: Duration) -> Option<Event> {
        match self.events.peek() {
            Some(Reverse((time, _, event))) if *time < until => {
                let event = *event;
                self.now = *time;
                self.events.pop();
                Some(event)
            }
            _ => {
                self.now = self.now.max(until);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_happen_in_order_and_time_stops_where_it_should() {
        let ms = Duration::from_millis;
        let mut agenda = Agenda::default();
        for (time, event) in [
            (5, Event::Scrapes),
            (3, Event::Comes(0)),
            (5, Event::Begins(1)),
        ] {
            agenda.at(ms(time), event);
        }
        assert_eq!(agenda.next_before(ms(5)), Some(Event::Comes(0)));
        assert_eq!(agenda.next_before(ms(5)), None);
        assert_eq!(agenda.now(), ms(5));
        agenda.at(ms(1), Event::Begins(2));
        let order = [(); 3].map(|()| agenda.next_before(ms(6)));
        let expected = [Event::Scrapes, Event::Begins(1), Event::Begins(2)];
        assert_eq!(order, expected.map(Some));
    }
}
