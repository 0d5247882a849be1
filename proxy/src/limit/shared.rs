//! A bucket that several gateways share. Somebody keeps the whole of it, in
//! Redis; each gateway takes parts of it and lets exchanges in by what it has
//! taken. So all of them together let in no more than the whole has, and most
//! requests wait for nobody.

use std::time::{Duration, Instant};

use super::budget::{Budget, Period};
use super::counted::Counted;
use super::keeper::{Filled, Keeper, Order};
use super::key::Claim;
use super::level::{Fit, Level};
use super::now::Now;

/// For how long a refusal of the whole speaks for it: a flood of requests that
/// do not fit asks no more often than this.
const FRESH: Duration = Duration::from_millis(100);

/// What is not used for so long goes back.
const IDLE: Duration = Duration::from_secs(1);

/// How often a bucket in use is asked about when nothing else is to be said, so
/// that we know what others use, and the keeper that we still hold what we do.
const STILL: Duration = Duration::from_secs(1);

/// For how long a bucket is in use.
const IN_USE: Duration = Duration::from_secs(10);

/// Our part of a bucket.
#[derive(Debug)]
pub(super) struct Shared {
    /// What all gateways have taken, as it was told last, and the time since.
    whole: Counted,
    /// When it was told.
    told_at: Option<Instant>,
    /// The window of a calendar that the numbers below are of.
    window: i64,
    /// What we have taken of the whole; it only grows where time is rolling.
    taken: u64,
    /// What of it the keeper knows.
    known: u64,
    /// What exchanges have used of what we took. More than that is a debt.
    used: u64,
    /// What those need that wait.
    wanted: Vec<u64>,
    /// The last answer did not give all that was wanted.
    is_tight: bool,
    /// The keeper may have forgotten what it knew.
    is_stale: bool,
    now: Instant,
    touched: Instant,
    without: Without,
    /// It is among those that are looked at for orders.
    pub(super) is_listed: bool,
}

/// What counts while nobody keeps the whole.
#[derive(Debug)]
enum Without {
    /// Somebody does.
    Kept,
    /// We go on with a part.
    Part(Part),
    Refuse,
}

/// One of several equal parts of a bucket.
#[derive(Debug)]
struct Part {
    parts: u64,
    budget: Budget,
    level: Counted,
}

impl Shared {
    pub(super) fn new(budget: &Budget, before: impl FnOnce() -> u64, now: &Now) -> Self {
        let whole = Counted::new(budget, before, now);
        Self {
            window: whole.level().window(),
            whole,
            told_at: None,
            taken: 0,
            known: 0,
            used: 0,
            wanted: Vec::new(),
            is_tight: false,
            is_stale: true,
            now: now.instant,
            touched: now.instant,
            without: Without::Kept,
            is_listed: false,
        }
    }

    /// What we have taken and not used.
    fn credit(&self) -> u64 {
        self.taken.saturating_sub(self.used)
    }

    /// Who keeps the whole from now on.
    pub(super) fn keep(&mut self, keeper: Keeper, budget: &Budget, now: &Now) {
        self.pass(now);
        self.wanted.clear();
        self.forget_what_time_paid(budget);
        self.without = match keeper {
            Keeper::Answers => Without::Kept,
            Keeper::Gone { parts: None } => Without::Refuse,
            Keeper::Gone { parts: Some(parts) } => {
                Without::Part(self.part(budget, parts.max(1), now))
            }
        };
        self.is_stale = true;
    }

    /// Of what we took by our part of a rolling period, the keeper is to be told
    /// what time has not paid back.
    fn forget_what_time_paid(&mut self, budget: &Budget) {
        if let (Without::Part(part), Period::Rolling(_)) = (&self.without, budget.period) {
            let by_all = self.whole.level().used().div_ceil(part.parts);
            let by_us = part.level.level().used().saturating_sub(by_all);
            self.known = self.taken.saturating_sub(by_us);
        }
    }

    /// Our part, of which as much is gone as of the whole.
    fn part(&self, budget: &Budget, parts: u64, now: &Now) -> Part {
        let (whole, part) = (self.whole.level(), budget.part(parts));
        let used = match budget.period {
            // What others used is not known: to begin with nothing is soon made good.
            Period::Rolling(_) if self.told_at.is_none() => part.capacity(),
            Period::Rolling(_) => {
                let not_told = self.taken.saturating_sub(self.known);
                whole.used().div_ceil(parts).saturating_add(not_told)
            }
            Period::Day | Period::Month => {
                let remaining = whole.remaining(budget) / parts;
                part.amount.saturating_sub(remaining)
            }
            Period::AtOnce => self.taken,
        };
        let mut level = Counted::new(&part, || 0, now);
        level.level_mut().set(used);
        Part {
            parts,
            budget: part,
            level,
        }
    }

    /// So much is needed by somebody who waits for it.
    pub(super) fn want(&mut self, need: u64) {
        self.wanted.push(need.saturating_sub(self.credit()));
    }

    /// What to say to the keeper, if there is anything: what we took and used,
    /// what we give back, and what is wanted.
    pub(super) fn order(&mut self, claim: &Claim, now: &Now) -> Option<Order> {
        self.pass(now);
        self.taken = self.taken.max(self.used);
        let needs = std::mem::take(&mut self.wanted);
        if needs.is_empty() {
            let spare = self.credit().saturating_sub(self.kept(&claim.budget));
            self.taken -= spare;
        }
        let says = !needs.is_empty() || self.taken != self.known || self.is_stale;
        let is_due = self.told_at.is_none_or(|at| self.now - at >= STILL);
        let reminds = is_due && self.is_in_use(&claim.budget);
        if !says && !reminds {
            return None;
        }
        Some(Order {
            claim: claim.clone(),
            window: self.window,
            taken: self.taken,
            known: self.known,
            whole: self.whole.level().used(),
            window_ends: window_ends(&claim.budget, now),
            more: lease(&claim.budget),
            needs,
        })
    }

    /// What we may keep for those who come next.
    fn kept(&self, budget: &Budget) -> u64 {
        let is_idle = self.now.duration_since(self.touched) >= IDLE;
        if self.is_tight || is_idle {
            0
        } else {
            lease(budget)
        }
    }

    fn is_in_use(&self, budget: &Budget) -> bool {
        let holds = budget.period == Period::AtOnce && self.taken > 0;
        holds || self.now - self.touched < IN_USE
    }

    /// Whether there may be something to say soon.
    pub(super) fn has_more_to_say(&self, budget: &Budget) -> bool {
        self.credit() > 0 || self.taken != self.known || self.is_in_use(budget)
    }

    /// The keeper has answered an order.
    pub(super) fn filled(&mut self, order: &Order, filled: &Filled, now: &Now) {
        self.pass(now);
        self.whole.level_mut().set(filled.used);
        self.told_at = Some(now.instant);
        self.is_tight = !filled.all;
        if order.window != self.window {
            return;
        }
        self.is_stale = false;
        self.known = order.taken + filled.given;
        self.taken += filled.given;
    }

    /// Nobody knows whether the keeper has heard an order. What we gave back is
    /// lost where it counts by what is said, rather than given back twice.
    pub(super) fn unheard(&mut self) {
        self.is_stale = true;
        self.known = self.known.min(self.taken);
    }

    /// Nothing is used from here on: all that we have goes back.
    pub(super) fn leave(&mut self) {
        self.wanted.clear();
        self.taken = self.used;
    }
}

/// In what time a day or a month ends.
fn window_ends(budget: &Budget, now: &Now) -> Duration {
    match budget.period {
        Period::Day => now.until_tomorrow(),
        Period::Month => now.until(now.day.next_month()),
        Period::Rolling(_) | Period::AtOnce => Duration::ZERO,
    }
}

/// What may be taken beyond what is needed: what the whole has in a second.
fn lease(budget: &Budget) -> u64 {
    let span = match budget.period {
        Period::Rolling(span) => span,
        Period::Day => Duration::from_secs(86_400),
        Period::Month => Duration::from_secs(31 * 86_400),
        Period::AtOnce => return 0,
    };
    let nanos = u128::from(budget.amount) * Duration::from_secs(1).as_nanos();
    let a_second = nanos / span.as_nanos().max(1);
    u64::try_from(a_second)
        .unwrap_or(u64::MAX)
        .min(budget.capacity())
}

impl Level for Shared {
    fn declare(&mut self, budget: &Budget) {
        self.whole.level_mut().declare(budget);
        if let Without::Part(part) = &mut self.without {
            part.budget = budget.part(part.parts);
            part.level.level_mut().declare(&part.budget);
        }
    }

    fn pass(&mut self, now: &Now) {
        self.now = self.now.max(now.instant);
        self.whole.level_mut().pass(now);
        if let Without::Part(part) = &mut self.without {
            part.level.level_mut().pass(now);
        }
        let window = self.whole.level().window();
        if window != self.window {
            self.window = window;
            (self.taken, self.known, self.used) = (0, 0, 0);
            self.is_stale = true;
        }
    }

    /// By what we have. Where that is too little the keeper is asked, unless it
    /// has just said that there is no more.
    fn fit(&self, need: u64, budget: &Budget, now: &Now) -> Fit {
        let missing = need.saturating_sub(self.credit());
        if missing == 0 {
            return Fit::Now;
        }
        let level = match &self.without {
            Without::Part(part) => return part.level.level().fit(missing, &part.budget, now),
            Without::Refuse if !budget.shadow => return Fit::Unknown,
            Without::Kept | Without::Refuse => self.whole.level(),
        };
        let is_fresh = self.told_at.is_some_and(|at| self.now - at < FRESH);
        match level.fit(missing, budget, now) {
            fit if budget.shadow => fit,
            Fit::After(wait) if is_fresh => Fit::After(wait),
            _ => Fit::Ask,
        }
    }

    fn charge(&mut self, amount: u64) -> i64 {
        self.used = self.used.saturating_add(amount);
        self.touched = self.now;
        if let Without::Part(part) = &mut self.without {
            let more = self.used.saturating_sub(self.taken);
            part.level.level_mut().charge(more);
            self.taken = self.taken.max(self.used);
        }
        self.window
    }

    fn give_back(&mut self, amount: u64, window: i64) {
        if window == self.window {
            self.used = self.used.saturating_sub(amount);
            self.touched = self.now;
        }
    }

    fn remaining(&self, budget: &Budget) -> u64 {
        let left = match &self.without {
            Without::Part(part) => part.level.level().remaining(&part.budget),
            Without::Kept | Without::Refuse => self.whole.level().remaining(budget),
        };
        let debt = self.used.saturating_sub(self.taken);
        let left = left.saturating_add(self.credit()).saturating_sub(debt);
        left.min(budget.capacity())
    }

    fn reset(&self, now: &Now) -> Duration {
        match &self.without {
            Without::Part(part) => part.level.level().reset(now),
            Without::Kept | Without::Refuse => self.whole.level().reset(now),
        }
    }

    fn is_unused(&self) -> bool {
        self.credit() == 0 && self.taken == self.known && self.whole.level().is_unused()
    }

    /// What the keeper does not know yet, or knows of us alone, is like a debt:
    /// it must not be forgotten.
    fn is_in_debt(&self, budget: &Budget) -> bool {
        let counts_by_us = !matches!(budget.period, Period::Rolling(_)) && self.taken > 0;
        counts_by_us || self.used != self.known || self.whole.level().is_in_debt(budget)
    }

    fn window(&self) -> i64 {
        self.window
    }

    fn used(&self) -> u64 {
        self.whole.level().used()
    }

    fn set(&mut self, used: u64) {
        self.whole.level_mut().set(used);
    }
}
