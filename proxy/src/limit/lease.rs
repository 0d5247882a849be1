//! What an exchange may use while it streams: it reserves more as it goes, in
//! small parts, so that little is reserved that is not used.

use super::denial::{Cause, Denial};
use super::now::Now;
use super::reservation::Reservation;

/// A reservation that grows with an answer.
#[derive(Debug)]
pub struct Lease {
    reservation: Reservation,
    /// New tokens that are reserved.
    output: u32,
    /// New tokens that the exchange may have at most.
    most: Option<u32>,
    was_short: bool,
    /// The round of asking after which there may be more.
    asked: Option<u64>,
}

impl Lease {
    /// Tokens by which a lease grows.
    pub const STEP: u32 = 64;

    /// A lease over a reservation in which `output` new tokens have their part,
    /// of an exchange that may have `most` of them.
    pub fn new(reservation: Reservation, output: u32, most: Option<u32>) -> Self {
        Self {
            reservation,
            output,
            most,
            was_short: false,
            asked: None,
        }
    }

    /// Whether an exchange may go on that has so many new tokens. Reserves more
    /// for it when what was reserved is used up, and waits for whoever keeps the
    /// whole of a budget that others share, where there is too little here.
    pub async fn goes_on(&mut self, tokens: u32) -> bool {
        let mut until = None;
        loop {
            let goes_on = self.goes_on_at(tokens, Now::read);
            let Some(round) = self.asked.take().filter(|_| !goes_on) else {
                return goes_on;
            };
            let rounds = self.reservation.rounds();
            let until = *until.get_or_insert_with(|| rounds.patience());
            if !rounds.end_of(round, until).await {
                return false;
            }
        }
    }

    /// The clock is looked at only when that is needed.
    pub(super) fn goes_on_at(&mut self, tokens: u32, now: impl FnOnce() -> Now) -> bool {
        if tokens < self.output {
            return true;
        }
        let wanted = tokens.saturating_add(Self::STEP);
        let wanted = self.most.map_or(wanted, |most| wanted.min(most));
        let more = wanted.saturating_sub(self.output);
        // All that it may have is reserved: the model server ends it.
        if more == 0 {
            return true;
        }
        let granted = self.grant(more, now());
        self.output = self.output.saturating_add(granted);
        self.was_short = tokens >= self.output;
        !self.was_short
    }

    /// Reserves more, or what of it there is.
    fn grant(&mut self, more: u32, now: Now) -> u32 {
        self.asked = None;
        let rest = match self.extend(more, now) {
            Ok(()) => return more,
            Err(denial) => u32::try_from(denial.available).unwrap_or(0).min(more),
        };
        let rest_is_there = self.asked.is_none() && rest > 0 && self.extend(rest, now).is_ok();
        if rest_is_there { rest } else { 0 }
    }

    fn extend(&mut self, more: u32, now: Now) -> Result<(), Denial> {
        let extended = self.reservation.extend(more.into(), now);
        if let Err(Denial {
            cause: Cause::NotAsked(round),
            ..
        }) = extended
        {
            self.asked = Some(round);
        }
        extended
    }

    /// Whether the exchange could not have what it would have used.
    pub fn was_short(&self) -> bool {
        self.was_short
    }

    /// The reservation, to be settled.
    pub fn into_reservation(self) -> Reservation {
        self.reservation
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::{Budget, Claim, Cost, Key, Limiter, Period, Unit};
    use super::*;

    /// A lease of 100 new tokens, of a budget with `amount`.
    fn lease(amount: u64, most: Option<u32>) -> Lease {
        let budget = Budget {
            name: "b".into(),
            unit: Unit::Tokens,
            amount,
            period: Period::Rolling(Duration::from_secs(3600)),
            burst: amount,
            shadow: false,
        };
        let claim = Claim {
            budget: Arc::new(budget),
            key: Key::new([]),
        };
        let limiter = Arc::new(Limiter::new(|_, _, _| 0));
        let reserved = limiter.reserve(&[claim], Cost { tokens: 100 }, Now::read());
        Lease::new(reserved.unwrap(), 100, most)
    }

    #[test]
    fn it_grows_by_steps_and_no_further_than_the_most() {
        let mut lease = lease(1000, Some(200));
        assert!(lease.goes_on_at(99, Now::read));
        assert_eq!(lease.reservation.reserved(), 100);
        assert!(lease.goes_on_at(100, Now::read));
        assert_eq!(lease.reservation.reserved(), 164);
        assert!(lease.goes_on_at(170, Now::read));
        assert_eq!(lease.reservation.reserved(), 200);
        assert!(lease.goes_on_at(200, Now::read));
        assert_eq!(lease.into_reservation().reserved(), 200);
    }

    #[test]
    fn an_exchange_goes_on_as_far_as_there_is_room() {
        let mut lease = lease(120, None);
        assert!(
            lease.goes_on_at(99, Now::read)
                && lease.goes_on_at(100, Now::read)
                && lease.goes_on_at(119, Now::read)
        );
        assert!(!lease.was_short());
        assert_eq!(lease.reservation.reserved(), 120);
        assert!(!lease.goes_on_at(120, Now::read));
        assert!(lease.was_short());
        assert_eq!(lease.reservation.reserved(), 120);
    }
}
