//! What runs on an endpoint.

use std::time::Instant;

use super::Need;
use super::pace::Pace;

/// Requests that are followed. An endpoint with so many is lost anyway.
pub(super) const MOST: usize = 4096;

/// A request that was sent, as its endpoint's predictor names it. That of one
/// that is over does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    slot: u32,
    generation: u32,
}

impl Ticket {
    /// The ticket of a request that is not followed.
    const NONE: Self = Self {
        slot: u32::MAX,
        generation: 0,
    };
}

/// A request that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    pub(super) need: Need,
    /// When the answer should be complete.
    pub(super) deadline: Option<Instant>,
    pub(super) began: Instant,
    /// Tokens of prompts that were to be read before its own.
    pub(super) ahead: f64,
    /// There was no room for it when it began: its first token says little.
    pub(super) waits_for_room: bool,
    pub(super) first_expected: Instant,
    /// When even an answer that comes whole should be there.
    pub(super) overdue: Instant,
    /// Tokens that have come.
    pub(super) seen: u32,
    pub(super) last_seen: Instant,
}

impl Flight {
    /// Its prompt has not been read, as far as can be seen.
    pub(super) fn is_pending(&self, now: Instant) -> bool {
        self.seen == 0 && (self.need.streams || now < self.first_expected)
    }

    /// Seconds until its first token; none if that has come.
    pub(super) fn first_token_in(&self, now: Instant) -> f64 {
        if self.seen > 0 {
            return 0.0;
        }
        let left = self.first_expected.saturating_duration_since(now);
        left.as_secs_f64()
    }

    /// New tokens still to come if the answer is `length` long, with
    /// `per_token` seconds for each: one at least.
    pub(super) fn left(&self, length: u32, per_token: f64, now: Instant) -> f64 {
        let seen = match self.need.streams {
            true => f64::from(self.seen),
            false => self.unseen(per_token, now),
        };
        (f64::from(length) - seen).max(1.0)
    }

    /// Tokens that an answer that comes whole should have by now.
    fn unseen(&self, per_token: f64, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.first_expected);
        since.as_secs_f64() / per_token.max(1e-6)
    }
}

/// The requests on an endpoint: each has a slot for as long as it runs, and the
/// slots say where among them it is, so that all can be gone through fast.
#[derive(Debug, Default)]
pub(super) struct Flights {
    running: Vec<(u32, Flight)>,
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    place: Option<u32>,
}

impl Flights {
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Flight> {
        self.running.iter().map(|(_, flight)| flight)
    }

    pub(super) fn add(&mut self, flight: Flight) -> Ticket {
        if self.running.len() >= MOST {
            return Ticket::NONE;
        }
        let slot = self.free.pop().unwrap_or_else(|| self.new_slot());
        let entry = &mut self.slots[slot as usize];
        entry.place = Some(self.running.len() as u32);
        self.running.push((slot, flight));
        Ticket {
            slot,
            generation: entry.generation,
        }
    }

    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Flight> {
        let place = self.place(ticket)?;
        self.running.get_mut(place).map(|(_, flight)| flight)
    }

    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Flight> {
        let place = self.place(ticket)?;
        let (_, flight) = self.running.swap_remove(place);
        if let Some((moved, _)) = self.running.get(place) {
            self.slots[*moved as usize].place = Some(place as u32);
        }
        let slot = &mut self.slots[ticket.slot as usize];
        slot.place = None;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(ticket.slot);
        Some(flight)
    }

    /// Everything that runs should have shown something in so many seconds of
    /// silence: a stream its next token, an answer that comes whole its end.
    pub(super) fn is_overdue(&self, silence: f64, pace: &Pace, now: Instant) -> bool {
        let (mut pending, mut streaming) = (0.0, false);
        for flight in self.iter() {
            if !flight.need.streams && now < flight.overdue {
                return false;
            }
            streaming |= flight.seen > 0;
            if flight.is_pending(now) {
                pending += flight.need.uncached();
            }
        }
        silence > pace.stall(pending, streaming)
    }

    fn new_slot(&mut self) -> u32 {
        self.slots.push(Slot {
            generation: 0,
            place: None,
        });
        (self.slots.len() - 1) as u32
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        let slot = self.slots.get(ticket.slot as usize)?;
        let place = slot.place?;
        (slot.generation == ticket.generation).then_some(place as usize)
    }
}
