//! Whether an endpoint can be used, from what checks and exchanges show of it.
//! Pure: times are passed in.

use std::time::{Duration, Instant};

use crate::filter::Health;

/// First and longest time an endpoint that failed is left alone.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The share with which slow start begins.
const LEAST_SHARE: f64 = 0.1;

/// What is known of an endpoint's health.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// `None` while it is not checked.
    checks: Option<Checks>,
    outage: Option<Outage>,
    /// Exchanges that failed in a row.
    failures: u32,
    /// When it joined or came back; `None` if it was there from the start.
    back_since: Option<Instant>,
    /// Ejections that were not counted yet.
    ejections: u32,
}

/// What checks have shown.
#[derive(Debug, Default)]
struct Checks {
    passed_in_row: u32,
    failed_in_row: u32,
    /// Why it is out.
    failure: Option<String>,
}

/// Exchanges have shown that it is better left alone.
#[derive(Debug, Clone, Copy)]
struct Outage {
    cause: Cause,
    until: Instant,
    back_off: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Unreachable,
    Ejected,
}

/// How an endpoint stands at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// It answers.
    Up,
    /// It did not a while ago, and may be tried again. With `probe` only an
    /// exchange can tell whether it does.
    OnTrial { probe: bool },
    /// It could not be connected to.
    Unreachable,
    /// Too many exchanges failed.
    Ejected,
    /// It does not pass its checks.
    Unhealthy,
    /// An operator wants no requests on it.
    Drained,
}

impl Condition {
    /// What filters are told.
    pub(super) fn health(self) -> Health {
        match self {
            Self::Up => Health::Up,
            Self::OnTrial { .. } => Health::Degraded,
            Self::Unreachable | Self::Ejected | Self::Unhealthy | Self::Drained => Health::Down,
        }
    }

    /// What operators are told, where something is amiss.
    pub(super) fn why(self) -> Option<&'static str> {
        match self {
            Self::Up => None,
            Self::OnTrial { .. } => Some("it failed a while ago and is tried again"),
            Self::Unreachable => Some("it could not be connected to"),
            Self::Ejected => Some("exchanges with it failed in a row"),
            Self::Unhealthy => Some("it fails its checks"),
            Self::Drained => Some("an operator drained it"),
        }
    }
}

impl Standing {
    pub(super) fn condition(&self, now: Instant) -> Condition {
        match self.outage {
            _ if self.check_failure().is_some() => Condition::Unhealthy,
            None => Condition::Up,
            Some(outage) if now >= outage.until => Condition::OnTrial {
                probe: outage.cause == Cause::Ejected || self.checks.is_none(),
            },
            Some(outage) if outage.cause == Cause::Ejected => Condition::Ejected,
            Some(_) => Condition::Unreachable,
        }
    }

    /// Why checks keep it out.
    pub(super) fn check_failure(&self) -> Option<&str> {
        self.checks.as_ref()?.failure.as_deref()
    }

    /// Whether it is ejected now.
    pub(super) fn is_ejected(&self, now: Instant) -> bool {
        let ejected = |outage: &Outage| outage.cause == Cause::Ejected && now < outage.until;
        self.outage.as_ref().is_some_and(ejected)
    }

    /// Its part of its full share, from a tenth to 1: it grows over `slow_start`.
    pub(super) fn share(&self, slow_start: Duration, now: Instant) -> f64 {
        let Some(since) = self.back_since.filter(|_| !slow_start.is_zero()) else {
            return 1.0;
        };
        let passed = now.saturating_duration_since(since).as_secs_f64() / slow_start.as_secs_f64();
        (LEAST_SHARE + (1.0 - LEAST_SHARE) * passed).min(1.0)
    }

    /// It passed a check. Whether that brings it back: so many in a row do.
    ///
    /// A check connects, so it ends an outage of connecting. It says nothing of
    /// exchanges, so an endpoint that was ejected has to show by those.
    pub(super) fn passed(&mut self, healthy_after: u32, now: Instant) -> bool {
        let checks = self.checks.get_or_insert_default();
        checks.failed_in_row = 0;
        checks.passed_in_row = checks.passed_in_row.saturating_add(1);
        let is_back = checks.failure.is_some() && checks.passed_in_row >= healthy_after;
        if is_back {
            checks.failure = None;
            self.failures = 0;
            self.outage = None;
            self.comes_back(now);
        }
        self.answered(now);
        is_back
    }

    /// It failed a check. Whether that takes it out: so many in a row do.
    pub(super) fn missed(&mut self, unhealthy_after: u32, failure: &str) -> bool {
        let checks = self.checks.get_or_insert_default();
        checks.passed_in_row = 0;
        checks.failed_in_row = checks.failed_in_row.saturating_add(1);
        let was_in = checks.failure.is_none();
        if !was_in || checks.failed_in_row >= unhealthy_after {
            checks.failure = Some(failure.to_owned());
        }
        was_in && checks.failure.is_some()
    }

    /// It is not checked any more: what checks have shown says nothing.
    pub(super) fn unchecked(&mut self) {
        self.checks = None;
    }

    /// It answers, whatever it says.
    pub(super) fn answered(&mut self, now: Instant) {
        if self
            .outage
            .is_some_and(|outage| outage.cause == Cause::Unreachable)
        {
            self.outage = None;
            self.comes_back(now);
        }
    }

    /// An exchange went well.
    pub(super) fn succeeded(&mut self, now: Instant) {
        self.failures = 0;
        if self.outage.take().is_some() {
            self.comes_back(now);
        }
    }

    /// It cannot be connected to.
    pub(super) fn unreachable(&mut self, now: Instant) {
        if self.outage.is_none_or(|outage| now >= outage.until) {
            self.leave_alone(Cause::Unreachable, now);
        }
    }

    /// An exchange failed. Whether that ejects it: `eject_after` in a row do, or
    /// one while it is on trial, where it `may` be ejected at all.
    pub(super) fn failed(&mut self, eject_after: u32, may: bool, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let enough = match self.outage {
            // What ran on it before tells nothing new.
            Some(outage) if now < outage.until => false,
            Some(outage) if outage.cause == Cause::Ejected => true,
            _ => self.failures >= eject_after,
        };
        let ejected = may && eject_after > 0 && enough;
        if ejected {
            self.leave_alone(Cause::Ejected, now);
            self.ejections += 1;
        }
        ejected
    }

    /// How often it was ejected since this was last asked.
    pub(super) fn take_ejections(&mut self) -> u32 {
        std::mem::take(&mut self.ejections)
    }

    /// Leaves it alone for a while, longer each time in a row.
    fn leave_alone(&mut self, cause: Cause, now: Instant) {
        let longer = |last: Outage| (last.back_off * 2).min(BACK_OFF.1);
        let back_off = self.outage.map_or(BACK_OFF.0, longer);
        self.outage = Some(Outage {
            cause,
            until: now + back_off,
            back_off,
        });
    }

    /// It is new, or back after it was kept out: its share grows.
    pub(super) fn comes_back(&mut self, now: Instant) {
        self.back_since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const PROBE: Condition = Condition::OnTrial { probe: true };

    #[test]
    fn checks_failed_in_a_row_take_it_out_and_passed_ones_bring_it_back() {
        let now = Instant::now();
        let mut standing = Standing::default();
        assert!(!standing.missed(2, "status 503"));
        assert_eq!(standing.condition(now), Condition::Up);
        assert!(standing.missed(2, "status 500"));
        assert!(!standing.missed(2, "status 503"));
        assert_eq!(standing.check_failure(), Some("status 503"));
        assert!(!standing.passed(2, now));
        assert_eq!(standing.condition(now), Condition::Unhealthy);
        assert!(standing.passed(2, now));
        assert_eq!(standing.condition(now), Condition::Up);
        assert!(!standing.passed(2, now));
    }

    #[test]
    fn health_that_alternates_does_not_take_it_out() {
        let now = Instant::now();
        let mut standing = Standing::default();
        for _ in 0..10 {
            assert!(!standing.missed(2, "status 503"));
            assert!(!standing.passed(1, now));
        }
        assert_eq!(standing.condition(now), Condition::Up);
    }

    #[test]
    fn what_checks_have_shown_ends_with_them() {
        let mut standing = Standing::default();
        standing.missed(1, "status 503");
        standing.unchecked();
        assert_eq!(standing.condition(Instant::now()), Condition::Up);
    }

    #[test]
    fn who_cannot_be_reached_is_left_alone_longer_each_time_and_an_answer_clears_it() {
        let mut now = Instant::now();
        let mut standing = Standing::default();
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            standing.unreachable(now);
            // What failed at the same time is no further failure.
            standing.unreachable(now);
            now += SECOND * seconds;
            assert_eq!(standing.condition(now - SECOND / 2), Condition::Unreachable);
            assert_eq!(standing.condition(now), PROBE);
        }
        standing.answered(now);
        assert_eq!(standing.condition(now), Condition::Up);
        standing.unreachable(now);
        assert_eq!(standing.condition(now + SECOND), PROBE);
    }

    #[test]
    fn where_there_are_checks_no_exchange_has_to_find_out_whether_it_connects() {
        let now = Instant::now();
        let mut standing = Standing::default();
        standing.passed(1, now);
        standing.unreachable(now);
        let later = now + SECOND;
        assert_eq!(
            standing.condition(later),
            Condition::OnTrial { probe: false }
        );
        assert!(!standing.passed(1, later));
        assert_eq!(standing.condition(later), Condition::Up);
    }

    #[test]
    fn failures_in_a_row_eject_and_one_success_forgets_them() {
        let now = Instant::now();
        let mut standing = Standing::default();
        assert!(!standing.failed(3, true, now) && !standing.failed(3, true, now));
        standing.succeeded(now);
        assert!(!standing.failed(3, true, now) && !standing.failed(3, true, now));
        assert!(standing.failed(3, true, now));
        assert!(standing.is_ejected(now) && !standing.is_ejected(now + SECOND));
        assert_eq!(
            [standing.take_ejections(), standing.take_ejections()],
            [1, 0]
        );
        assert_eq!(standing.condition(now), Condition::Ejected);
    }

    #[test]
    fn one_failure_on_trial_ejects_for_longer_and_a_passed_check_does_not_help() {
        let mut now = Instant::now();
        let mut standing = Standing::default();
        standing.failed(1, true, now);
        for seconds in [1, 2, 4] {
            // What was running already.
            assert!(!standing.failed(9, true, now));
            now += SECOND * seconds;
            assert!(!standing.passed(1, now));
            assert_eq!(standing.condition(now), PROBE);
            assert!(standing.failed(9, true, now));
        }
        now += SECOND * 8;
        assert_eq!(standing.condition(now), PROBE);
        standing.succeeded(now);
        assert_eq!(standing.condition(now), Condition::Up);
    }

    #[test]
    fn nobody_is_ejected_who_may_not_be() {
        let now = Instant::now();
        let mut standing = Standing::default();
        for _ in 0..9 {
            assert!(!standing.failed(0, true, now));
            assert!(!standing.failed(1, false, now));
        }
        assert_eq!(standing.condition(now), Condition::Up);
    }

    #[test]
    fn a_server_that_was_down_begins_anew() {
        let now = Instant::now();
        let mut standing = Standing::default();
        standing.failed(1, true, now);
        standing.missed(1, "no answer within 2s");
        assert!(standing.passed(1, now));
        assert_eq!(standing.condition(now), Condition::Up);
    }

    #[test]
    fn the_share_grows_from_a_tenth_once_it_is_back() {
        let now = Instant::now();
        let mut standing = Standing::default();
        assert_eq!(standing.share(10 * SECOND, now), 1.0);
        standing.unreachable(now);
        standing.answered(now);
        assert_eq!(standing.share(10 * SECOND, now), 0.1);
        assert_eq!(standing.share(10 * SECOND, now + 5 * SECOND), 0.55);
        assert_eq!(standing.share(10 * SECOND, now + 20 * SECOND), 1.0);
        assert_eq!(standing.share(Duration::ZERO, now), 1.0);
        // What went well all the time changes nothing.
        standing.succeeded(now + 20 * SECOND);
        assert_eq!(standing.share(10 * SECOND, now + 20 * SECOND), 1.0);
    }
}
