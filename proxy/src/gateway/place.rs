//! Finds an endpoint for an exchange: as a filter says, else the one with the
//! least to do. Where a filter says `wait`, the exchange gets in line.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use pingora_timeout::timeout;

use super::explain::{DECISION, decision};
use super::{Gateway, Step};
use crate::downstream::Downstream;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::filter::{Candidate, Choice, Health};
use crate::upstream::{Pool, Slot};

impl Gateway {
    /// Finds a place in a pool on an endpoint that was not tried yet, and tells a
    /// client who asks why it is that one.
    pub(super) async fn place(
        &self,
        client: &mut Downstream<'_>,
        exchange: Box<Exchange>,
        pool: &Pool,
        tried: &[u32],
    ) -> Step<Slot> {
        let (exchange, placed) = self.find(client, exchange, pool, tried).await;
        let decision = decision(&exchange, placed.as_ref().ok());
        client.announce(decision.map(|decision| (DECISION, decision)));
        (exchange, placed)
    }

    async fn find(
        &self,
        client: &mut Downstream<'_>,
        mut exchange: Box<Exchange>,
        pool: &Pool,
        tried: &[u32],
    ) -> Step<Slot> {
        let started = Instant::now();
        if pool.queue.is_open() {
            let asked;
            (exchange, asked) = ask(exchange, pool, tried, Duration::ZERO, started);
            match asked {
                Ok(None) => {}
                Ok(Some(slot)) => return (exchange, Ok(slot)),
                Err(error) => return (exchange, Err(error)),
            }
        }
        let placed;
        (exchange, placed) = self.wait(client, exchange, pool, tried, started).await;
        exchange.outcome.queued += started.elapsed();
        (exchange, placed)
    }

    /// Gets in line, and asks whenever something may have changed.
    async fn wait(
        &self,
        client: &mut Downstream<'_>,
        mut exchange: Box<Exchange>,
        pool: &Pool,
        tried: &[u32],
        started: Instant,
    ) -> Step<Slot> {
        let hold = exchange.hold.take();
        let Some(mut ticket) = pool
            .queue
            .enter(pool.config.queue.depth, hold, Instant::now())
        else {
            return (exchange, Err(Error::QueueFull(pool.name.clone())));
        };
        let _waiting = self.meters.waiting(&pool.name);
        if ticket.is_first() {
            // What came free since it was asked about woke nobody.
            pool.queue.free();
        }
        let wait = Wait { pool, started };
        loop {
            let turn = wait.at_most(ticket.turn());
            if let Err(error) = client.unless_gone(turn).await {
                return (exchange, Err(error));
            }
            let now = Instant::now();
            let asked;
            (exchange, asked) = ask(exchange, pool, tried, now - started, now);
            match asked {
                Ok(None) => {}
                Ok(Some(slot)) => return (exchange, Ok(slot)),
                Err(error) => return (exchange, Err(error)),
            }
            let hold = exchange.hold.take();
            ticket.stays(hold.map(|hold| hold.at_most), now);
        }
    }
}

/// A wait that ends.
struct Wait<'a> {
    pool: &'a Pool,
    started: Instant,
}

impl Wait<'_> {
    async fn at_most<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let limit = self.pool.config.queue.max_wait;
        let left = limit.saturating_sub(self.started.elapsed());
        timeout(left, work).await.map_err(|_| Error::WaitedTooLong {
            pool: self.pool.name.clone(),
            waited: limit,
        })
    }
}

/// Asks the filter that places; `None` when it says `wait`.
fn ask(
    exchange: Box<Exchange>,
    pool: &Pool,
    tried: &[u32],
    waited: Duration,
    now: Instant,
) -> Step<Option<Slot>> {
    let generation = exchange.generation.clone();
    let candidates = pool.choices(exchange.demand.as_ref(), tried, now);
    let (mut exchange, choice) = generation.chain.place(exchange, &candidates, waited);
    let id = match choice {
        Ok(Choice::At(id)) => id,
        Ok(Choice::Open) => least(&candidates),
        Ok(Choice::Wait) => return (exchange, Ok(None)),
        Err(refusal) => return (exchange, Err(refusal.into())),
    };
    let chosen = candidates.iter().find(|candidate| candidate.id == id);
    exchange.predicted = chosen.and_then(Candidate::predicted);
    let deadline = exchange.deadline();
    if let Some(demand) = &mut exchange.demand {
        demand.deadline = deadline;
    }
    let slot = pool.take(id, exchange.demand.as_ref(), now);
    (exchange, Ok(Some(slot)))
}

/// A place on the endpoint of a pool with the least to do, whatever filters say.
pub(super) fn least_busy(pool: &Pool) -> Slot {
    let now = Instant::now();
    pool.take(least(&pool.candidates(None, now)), None, now)
}

/// The candidate that answers and has the least to do for its weight; among
/// equals, one by chance and weight. One that wants a probe gets it, and one that
/// does not answer is better than none.
fn least(candidates: &[Candidate]) -> u32 {
    let ease = |candidate: &Candidate| {
        let health = match candidate.health {
            _ if candidate.wants_probe() => 3,
            Health::Up => 2,
            Health::Degraded => 1,
            Health::Down => 0,
        };
        // Scaled so that weights tell endpoints apart that have little to do.
        let work = u64::from(candidate.outstanding_tokens) + u64::from(candidate.in_flight);
        (
            health,
            Reverse((work << 16) / u64::from(candidate.weight.max(1))),
        )
    };
    let best = candidates.iter().map(ease).max();
    let equals = || {
        let best = best.as_ref();
        candidates.iter().filter(move |it| Some(&ease(it)) == best)
    };
    by_chance(equals).expect("a pool has endpoints, and one is left to try")
}

/// One of some candidates, each as likely as it has weight.
fn by_chance<'a, C: Iterator<Item = &'a Candidate>>(of: impl Fn() -> C) -> Option<u32> {
    let weight = |candidate: &Candidate| u64::from(candidate.weight.max(1));
    let all: u64 = of().map(weight).sum();
    let mut lot = rand::random_range(0..all.max(1));
    let drawn = of().find(|candidate| {
        let is_drawn = lot < weight(candidate);
        lot = lot.saturating_sub(weight(candidate));
        is_drawn
    });
    Some(drawn?.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::candidate::PROBE;

    fn candidate(id: u32, health: Health, outstanding_tokens: u32, weight: u32) -> Candidate {
        Candidate {
            id,
            health,
            in_flight: 0,
            outstanding_tokens,
            free_kv_tokens: u32::MAX,
            weight,
            ..Candidate::default()
        }
    }

    #[test]
    fn the_least_work_for_its_weight_wins_among_those_that_answer() {
        let candidates = [
            candidate(0, Health::Up, 300, 1),
            candidate(1, Health::Up, 400, 2),
            candidate(2, Health::Degraded, 0, 1),
            candidate(3, Health::Down, 0, 1),
        ];
        assert_eq!(least(&candidates), 1);
        assert_eq!(least(&candidates[2..]), 2);
        assert_eq!(least(&candidates[3..]), 3);
    }

    #[test]
    fn equals_share_by_chance_and_weight() {
        let candidates = [
            candidate(0, Health::Up, 0, 1),
            candidate(1, Health::Up, 0, 9),
            candidate(2, Health::Up, 5, 9),
        ];
        let mut picked = [0; 3];
        for _ in 0..1000 {
            picked[least(&candidates) as usize] += 1;
        }
        assert!((40..200).contains(&picked[0]), "{picked:?}");
        assert_eq!((picked[0] + picked[1], picked[2]), (1000, 0));
    }

    #[test]
    fn a_probe_that_is_wanted_is_sent() {
        let mut suspect = candidate(1, Health::Degraded, 0, 1);
        assert_eq!(least(&[candidate(0, Health::Up, 9, 1), suspect]), 0);
        suspect.marks = PROBE;
        assert_eq!(least(&[candidate(0, Health::Up, 9, 1), suspect]), 1);
    }
}
