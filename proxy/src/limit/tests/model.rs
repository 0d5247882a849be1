//! Random lives of exchanges over several budgets, against a model that is slow
//! and plain.

use std::collections::HashMap;

use proptest::prelude::*;

use super::rolling::Naive;
use super::*;
use crate::day::Day;

#[derive(Debug, Clone, Copy)]
enum Step {
    Pass(u64),
    Reserve { budgets: usize, tokens: u64 },
    Extend { which: usize, tokens: u64 },
    Settle { which: usize, used: u64 },
    Cancel(usize),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let millis =
        prop_oneof![8 => 0..20_000_u64, 1 => 0..200_000_000_u64, 1 => 0..4_000_000_000_u64];
    let which = 0..16_usize;
    prop_oneof![
        3 => millis.prop_map(Step::Pass),
        6 => (1..128_usize, prop_oneof![1 => Just(0), 9 => 0..9000_u64])
            .prop_map(|(budgets, tokens)| Step::Reserve { budgets, tokens }),
        3 => (which.clone(), 0..300_u64).prop_map(|(which, tokens)| Step::Extend { which, tokens }),
        3 => (which.clone(), 0..10_000_u64).prop_map(|(which, used)| Step::Settle { which, used }),
        1 => which.clone().prop_map(Step::Cancel),
        1 => which.prop_map(Step::Drop),
    ]
}

fn budgets() -> [Budget; 7] {
    let mut minute = budget("minute", Unit::Tokens, 60_000, MINUTE);
    minute.burst = 5000;
    let mut requests = budget("requests", Unit::Requests, 30, MINUTE);
    requests.burst = 5;
    let mut shadow = budget("shadow", Unit::Tokens, 600, MINUTE);
    shadow.shadow = true;
    [
        minute,
        requests,
        budget("day", Unit::Tokens, 20_000, Period::Day),
        budget("month", Unit::Tokens, 60_000, Period::Month),
        budget("exchanges", Unit::Exchanges, 3, Period::AtOnce),
        budget("held", Unit::Tokens, 12_000, Period::AtOnce),
        shadow,
    ]
}

/// What one budget has been charged.
enum Kept {
    Rolling(Naive),
    /// By day or month.
    Windows(HashMap<u64, u64>),
    Held(u64),
}

struct Model {
    kept: Vec<(Claim, Kept)>,
    /// Since the start of the clock.
    at: Duration,
}

/// A reservation, and what the model thinks it has charged: of each budget, in
/// each window.
struct Running {
    reservation: Reservation,
    charged: HashMap<usize, Vec<(u64, u64)>>,
}

impl Model {
    fn new() -> Self {
        let kept = |budget: Budget| {
            let kept = match budget.period {
                Period::Rolling(_) => Kept::Rolling(Naive::new(&budget)),
                Period::Day | Period::Month => Kept::Windows(HashMap::new()),
                Period::AtOnce => Kept::Held(0),
            };
            (claim_of(budget, "t"), kept)
        };
        Self {
            kept: budgets().into_iter().map(kept).collect(),
            at: Duration::ZERO,
        }
    }

    fn window(&self, budget: usize, at: Duration) -> u64 {
        let day = Day::of(SystemTime::UNIX_EPOCH + Duration::from_secs(START) + at);
        match self.kept[budget].0.budget.period {
            Period::Day => (START + at.as_secs()) / 86_400,
            Period::Month => day.month().unsigned_abs(),
            _ => 0,
        }
    }

    fn fits(&self, budget: usize, need: u64, at: Duration) -> bool {
        let (claim, kept) = &self.kept[budget];
        let amount = claim.budget.amount;
        match kept {
            Kept::Rolling(naive) => naive.fits(need, at),
            Kept::Windows(used) => {
                let used = used.get(&self.window(budget, at));
                used.copied().unwrap_or(0) + need <= amount
            }
            Kept::Held(held) => held + need <= amount,
        }
    }

    fn remaining(&self, budget: usize) -> u64 {
        let (claim, kept) = &self.kept[budget];
        let amount = claim.budget.amount;
        match kept {
            Kept::Rolling(naive) => naive.remaining(self.at),
            Kept::Windows(used) => {
                let used = used.get(&self.window(budget, self.at));
                amount.saturating_sub(used.copied().unwrap_or(0))
            }
            Kept::Held(held) => amount.saturating_sub(*held),
        }
    }

    /// Charges, or with a negative number gives back.
    fn charge(&mut self, budget: usize, window: u64, amount: i128) {
        let at = self.at;
        let changed = |value: u64| u64::try_from(i128::from(value) + amount).unwrap();
        match &mut self.kept[budget].1 {
            Kept::Rolling(naive) => naive.charge(amount, at),
            Kept::Windows(used) => {
                let used = used.entry(window).or_default();
                *used = changed(*used);
            }
            Kept::Held(held) => *held = changed(*held),
        }
    }

    fn need(&self, budget: usize, tokens: u64) -> u64 {
        let is_of_tokens = self.kept[budget].0.budget.unit == Unit::Tokens;
        if is_of_tokens { tokens } else { 1 }
    }

    fn is_held(&self, budget: usize) -> bool {
        matches!(self.kept[budget].1, Kept::Held(_))
    }

    /// Whether all fit that may refuse; with a refusal, that it holds for as
    /// long as it says.
    fn agrees(&self, needs: &[(usize, u64)], denial: Option<&Denial>) {
        let refusing = needs
            .iter()
            .filter(|(at, _)| !self.kept[*at].0.budget.shadow);
        let fits = |at| {
            refusing
                .clone()
                .all(|(budget, need)| self.fits(*budget, *need, at))
        };
        assert_eq!(fits(self.at), denial.is_none(), "{needs:?} {denial:?}");
        let Some(denial) = denial else { return };
        let fails_by_held = refusing
            .clone()
            .any(|(budget, need)| self.is_held(*budget) && !self.fits(*budget, *need, self.at));
        match denial.retry_after {
            None => assert!(!fits(self.at + Duration::from_secs(86_400 * 40))),
            Some(wait) if !fails_by_held => {
                assert!(fits(self.at + wait), "{denial:?}");
                assert!(!fits(self.at + wait - Duration::from_nanos(1)));
            }
            Some(_) => {}
        }
    }

    fn agrees_on(&self, budgets: &[usize], standings: &[Standing]) {
        let refusing = budgets.iter().filter(|at| !self.kept[**at].0.budget.shadow);
        let remaining: Vec<u64> = refusing.map(|budget| self.remaining(*budget)).collect();
        let told: Vec<u64> = standings.iter().map(|found| found.remaining).collect();
        assert_eq!(told, remaining);
    }

    fn add(&mut self, running: &mut HashMap<usize, Vec<(u64, u64)>>, budget: usize, amount: u64) {
        let window = self.window(budget, self.at);
        self.charge(budget, window, amount.into());
        running.entry(budget).or_default().push((window, amount));
    }

    /// Gives back so much of what was charged last, if that window still is.
    fn give_back(&mut self, budget: usize, charged: &[(u64, u64)], amount: u64) -> u64 {
        let last = charged.last().map_or(0, |(window, _)| *window);
        let in_last = charged.iter().filter(|(window, _)| *window == last);
        let back = amount.min(in_last.map(|(_, amount)| amount).sum());
        if last == self.window(budget, self.at) {
            self.charge(budget, last, -i128::from(back));
        }
        back
    }
}

/// The limiter and the model, side by side.
struct Pair {
    limiter: Arc<Limiter>,
    clock: Clock,
    model: Model,
    running: Vec<Running>,
}

impl Pair {
    fn new() -> Self {
        Self {
            limiter: limiter(),
            clock: Clock::default(),
            model: Model::new(),
            running: Vec::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Pass(millis) => {
                self.clock.passed += Duration::from_millis(millis);
                self.model.at = self.clock.passed;
            }
            Step::Reserve { budgets, tokens } => self.reserve(budgets, tokens),
            Step::Extend { which, tokens } => self.extend(which, tokens),
            Step::Settle { which, used } => self.end(which, |one, _| Some((used, one))),
            Step::Cancel(which) => self.end(which, |one, now| {
                one.cancel(now);
                None
            }),
            Step::Drop(which) => self.end(which, |one, _| Some((one.reserved(), one))),
        }
    }

    fn reserve(&mut self, budgets: usize, amount: u64) {
        let budgets: Vec<usize> = (0..7).filter(|bit| budgets >> bit & 1 == 1).collect();
        let claims = budgets.iter().map(|at| self.model.kept[*at].0.clone());
        let claims: Vec<Claim> = claims.collect();
        let need = |at: &usize| (*at, self.model.need(*at, amount));
        let needs: Vec<(usize, u64)> = budgets.iter().map(need).collect();
        let reserved = self
            .limiter
            .reserve(&claims, tokens(amount), self.clock.now());
        self.model.agrees(&needs, reserved.as_ref().err());
        match reserved {
            Err(denial) => self.model.agrees_on(&budgets, denial.standings()),
            Ok(reservation) => {
                let mut charged = HashMap::new();
                for (budget, need) in needs {
                    self.model.add(&mut charged, budget, need);
                }
                self.model.agrees_on(&budgets, reservation.standings());
                self.running.push(Running {
                    reservation,
                    charged,
                });
            }
        }
    }

    fn extend(&mut self, which: usize, amount: u64) {
        let Some(running) = self.running.get_mut(which) else {
            return;
        };
        let of_tokens = |at: &usize| self.model.need(*at, 2) == 2;
        let budgets = running.charged.keys().copied().filter(of_tokens);
        let needs: Vec<(usize, u64)> = budgets.map(|at| (at, amount)).collect();
        let extended = running.reservation.extend(amount, self.clock.now());
        self.model.agrees(&needs, extended.as_ref().err());
        if extended.is_ok() {
            for (budget, need) in needs {
                self.model.add(&mut running.charged, budget, need);
            }
        }
    }

    /// Ends a reservation: by what was used, or by what the closure did.
    fn end(
        &mut self,
        which: usize,
        end: impl FnOnce(Reservation, Now) -> Option<(u64, Reservation)>,
    ) {
        if which >= self.running.len() {
            return;
        }
        let Running {
            reservation,
            charged,
        } = self.running.swap_remove(which);
        let reserved = reservation.reserved();
        let settled = end(reservation, self.clock.now());
        for (budget, charges) in charged {
            let mut held: u64 = charges.iter().map(|(_, amount)| amount).sum();
            let of_tokens = self.model.need(budget, 2) == 2;
            match &settled {
                None => held -= self.model.give_back(budget, &charges, u64::MAX),
                Some((used, _)) if of_tokens && *used > reserved => {
                    let window = self.model.window(budget, self.model.at);
                    self.model.charge(budget, window, (used - reserved).into());
                    held += used - reserved;
                }
                Some((used, _)) if of_tokens => {
                    held -= self.model.give_back(budget, &charges, reserved - used);
                }
                Some(_) => {}
            }
            if self.model.is_held(budget) {
                self.model.charge(budget, 0, -i128::from(held));
            }
        }
        match settled {
            Some((used, one)) if used == reserved => drop(one),
            Some((used, one)) => one.settle(used, self.clock.now()),
            None => {}
        }
    }

    /// All end, and nothing is held any more.
    fn finish(mut self) {
        while !self.running.is_empty() {
            self.end(0, |one, _| Some((one.reserved() / 2, one)));
        }
        for (claim, kept) in &self.model.kept {
            if let Kept::Held(held) = kept {
                assert_eq!(*held, 0);
                let all = tokens(claim.budget.amount);
                let claims = std::slice::from_ref(claim);
                self.limiter.reserve(claims, all, self.clock.now()).unwrap();
            }
        }
        for budget in 0..7 {
            self.reserve(1 << budget, 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_exchanges_do_the_model_agrees(steps in prop::collection::vec(step(), 1..120)) {
        let mut pair = Pair::new();
        for step in steps {
            pair.step(step);
        }
        pair.finish();
    }
}
