//! What tenants have had of the whole lately. Work that is sent counts, with the
//! tokens expected of it; it fades, so that nobody pays for long.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Time in which what a tenant had falls to a third. One that has asked for
/// nothing for so long has no part of the whole.
const REMEMBERS: Duration = Duration::from_secs(10);

/// Tenants that are remembered.
const MOST: usize = 1024;

/// Time between two looks for tenants that ask no more.
const LOOK: Duration = Duration::from_secs(1);

/// Tokens that all have had, below which nobody has more than others.
const NOTHING: f64 = 1.0;

/// What tenants have had lately.
#[derive(Debug, Default)]
pub struct Shares {
    state: Mutex<State>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct State {
    /// By the hash of the tenant's name: two that share one are as rare as
    /// harmless, and no name has to be kept.
    tenants: HashMap<u64, Had>,
    /// Of the tenants that are remembered.
    total: Fading,
    looked: Option<Instant>,
}

/// What a tenant has had.
#[derive(Debug, Clone, Copy)]
struct Had {
    tokens: Fading,
    asked: Instant,
}

/// A number that fades.
#[derive(Debug, Clone, Copy, Default)]
struct Fading {
    value: f64,
    /// When it had that value; none while it is zero.
    at: Option<Instant>,
}

impl Shares {
    /// A tenant asks, which makes it one of those that share: what has it had,
    /// over what is its own? 1 is just that, and 1 is said while nobody has had
    /// anything.
    pub fn share(&self, tenant: &str, now: Instant) -> f64 {
        let id = self.hasher.hash_one(tenant);
        let mut state = self.state.lock();
        let had = state.asks(id, now).tokens.after(now);
        let total = state.total.after(now);
        if total < NOTHING {
            return 1.0;
        }
        had * state.tenants.len() as f64 / total
    }

    /// A tenant gets so many tokens of work.
    pub fn had(&self, tenant: &str, tokens: u32, now: Instant) {
        let id = self.hasher.hash_one(tenant);
        let mut state = self.state.lock();
        state.asks(id, now).tokens.add(f64::from(tokens), now);
        state.total.add(f64::from(tokens), now);
    }

    /// Tenants that share.
    pub fn tenants(&self) -> usize {
        self.state.lock().tenants.len()
    }
}

impl State {
    fn asks(&mut self, id: u64, now: Instant) -> &mut Had {
        self.forget_idle(now);
        if self.tenants.len() >= MOST && !self.tenants.contains_key(&id) {
            self.forget_one(now);
        }
        let had = self.tenants.entry(id).or_insert(Had {
            tokens: Fading::default(),
            asked: now,
        });
        had.asked = had.asked.max(now);
        had
    }

    fn forget_idle(&mut self, now: Instant) {
        let looked = *self.looked.get_or_insert(now);
        if now.saturating_duration_since(looked) < LOOK {
            return;
        }
        self.looked = Some(now);
        let total = &mut self.total;
        self.tenants.retain(|_, had| {
            let stays = now.saturating_duration_since(had.asked) < REMEMBERS;
            if !stays {
                total.take(had.tokens, now);
            }
            stays
        });
    }

    /// Forgets who has asked for nothing longest.
    fn forget_one(&mut self, now: Instant) {
        let oldest = self.tenants.iter().min_by_key(|(_, had)| had.asked);
        let oldest = oldest.map(|(id, _)| *id);
        if let Some(had) = oldest.and_then(|id| self.tenants.remove(&id)) {
            self.total.take(had.tokens, now);
        }
    }
}

impl Fading {
    fn after(&self, now: Instant) -> f64 {
        let since = self.at.map(|at| now.saturating_duration_since(at));
        let lives = since.unwrap_or_default().as_secs_f64() / REMEMBERS.as_secs_f64();
        self.value * (-lives).exp()
    }

    fn add(&mut self, more: f64, now: Instant) {
        self.value = (self.after(now) + more).max(0.0);
        self.at = self.at.max(Some(now));
    }

    fn take(&mut self, other: Self, now: Instant) {
        self.add(-other.after(now), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[track_caller]
    fn check(actual: f64, expected: f64) {
        assert!(
            (actual - expected).abs() < 1e-6,
            "{actual} instead of {expected}"
        );
    }

    #[test]
    fn who_had_as_much_as_others_has_just_its_share() {
        let (shares, now) = (Shares::default(), Instant::now());
        check(shares.share("a", now), 1.0);
        check(shares.share("b", now), 1.0);
        shares.had("a", 100, now);
        shares.had("b", 100, now);
        check(shares.share("a", now), 1.0);
        check(shares.share("b", now), 1.0);
    }

    #[test]
    fn who_is_alone_has_its_share_whatever_it_takes() {
        let (shares, now) = (Shares::default(), Instant::now());
        for second in 0..100 {
            shares.had("a", 5_000, now + second * SECOND);
            check(shares.share("a", now + second * SECOND), 1.0);
        }
    }

    #[test]
    fn who_had_more_has_more_than_its_share() {
        let (shares, now) = (Shares::default(), Instant::now());
        shares.had("a", 300, now);
        shares.had("b", 100, now);
        check(shares.share("a", now), 1.5);
        check(shares.share("b", now), 0.5);
        // One that asks and has had nothing makes the shares of others smaller.
        check(shares.share("c", now), 0.0);
        check(shares.share("a", now), 2.25);
    }

    #[test]
    fn what_was_had_fades() {
        let (shares, now) = (Shares::default(), Instant::now());
        shares.had("a", 1_000, now);
        shares.share("b", now);
        let later = now + 9 * SECOND;
        shares.had("b", 1_000, later);
        let old = (-0.9_f64).exp();
        check(shares.share("a", later), 2.0 * old / (1.0 + old));
    }

    #[test]
    fn who_asks_no_more_is_not_counted_and_nor_is_what_it_had() {
        let (shares, now) = (Shares::default(), Instant::now());
        shares.had("gone", 10_000, now);
        let later = now + 12 * SECOND;
        shares.had("a", 100, later);
        shares.had("b", 300, later);
        check(shares.share("a", later), 0.5);
        assert_eq!(shares.tenants(), 2);
    }

    #[test]
    fn so_many_tenants_are_remembered_and_those_that_asked_last() {
        let (shares, now) = (Shares::default(), Instant::now());
        for tenant in 0..5_000_u32 {
            let now = now + tenant * SECOND / 10_000;
            shares.had(&tenant.to_string(), 7, now);
            assert!(shares.tenants() <= MOST);
        }
        let now = now + SECOND / 2;
        assert!(shares.share("4999", now) > 0.5);
        check(shares.share("0", now), 0.0);
        let sum: f64 = (3_976..5_000)
            .map(|tenant| shares.share(&tenant.to_string(), now))
            .sum();
        assert!((sum / MOST as f64 - 1.0).abs() < 0.01, "{sum}");
    }

    #[test]
    fn a_clock_that_is_read_out_of_order_does_no_harm() {
        let (shares, now) = (Shares::default(), Instant::now());
        shares.had("a", 100, now + SECOND);
        shares.had("b", 100, now);
        let share = shares.share("a", now);
        assert!((0.9..=1.1).contains(&share), "{share}");
        // Nobody has had anything any more.
        check(shares.share("a", now + 1_000 * SECOND), 1.0);
    }
}
