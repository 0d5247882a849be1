//! Gateways that share buckets, in random lives: whatever is lost on the way to
//! the keeper of the whole, together they let in no more than there is.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const GATEWAYS: usize = 3;
const AMOUNT: u64 = 6000;
const BURST: u64 = 1000;

/// What may be had at once of a part of it. More than that takes a full bucket
/// and leaves a debt, also of a part.
const PART: u64 = BURST / GATEWAYS as u64;

#[derive(Debug, Clone, Copy)]
enum Step {
    Pass(u64),
    Reserve {
        gateway: usize,
        tokens: u64,
    },
    Extend {
        which: usize,
        tokens: u64,
    },
    Settle {
        which: usize,
        percent: u64,
    },
    Round {
        gateway: usize,
        fate: Fate,
    },
    /// The keeper is gone, and comes back, with what it knew or without.
    Gone,
    Back {
        forgot: bool,
    },
}

/// What becomes of a round.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    /// The keeper did not hear it.
    Unheard,
    /// It did, and the answer was lost.
    Lost,
}

fn step() -> impl Strategy<Value = Step> {
    let gateway = 0..GATEWAYS;
    let which = 0..16_usize;
    let fate = prop_oneof![
        8 => Just(Fate::Answered),
        1 => Just(Fate::Unheard),
        1 => Just(Fate::Lost),
    ];
    prop_oneof![
        3 => (0..3000_u64).prop_map(Step::Pass),
        8 => (gateway.clone(), 1..=PART)
            .prop_map(|(gateway, tokens)| Step::Reserve { gateway, tokens }),
        3 => (which.clone(), 1..300_u64).prop_map(|(which, tokens)| Step::Extend { which, tokens }),
        5 => (which, 0..=100_u64).prop_map(|(which, percent)| Step::Settle { which, percent }),
        12 => (gateway, fate).prop_map(|(gateway, fate)| Step::Round { gateway, fate }),
        1 => Just(Step::Gone),
        2 => any::<bool>().prop_map(|forgot| Step::Back { forgot }),
    ]
}

/// Keeps the whole of one bucket, as the script in Redis does.
#[derive(Default)]
struct Whole {
    /// By gateway, where a gateway's own count is what counts.
    parts: HashMap<usize, u64>,
    before: u64,
    is_known: bool,
    owed: f64,
    at: Duration,
}

impl Whole {
    fn fill(&mut self, gateway: usize, order: &Order, at: Duration) -> Filled {
        let budget = &order.claim.budget;
        let is_rolling = matches!(budget.period, Period::Rolling(_));
        let mut used = if is_rolling {
            let rate = budget.amount as f64 / 60.0;
            let passed = (at - self.at).as_secs_f64() * rate;
            let owed = if self.is_known {
                self.owed - passed
            } else {
                order.whole as f64
            };
            owed.max(0.0) + order.taken as f64 - order.known as f64
        } else {
            if !self.parts.contains_key(&gateway) && budget.period == Period::Day {
                let before = if self.is_known {
                    self.before
                } else {
                    order.whole
                };
                self.before = before.saturating_sub(order.known);
            }
            self.parts.insert(gateway, order.taken);
            (self.parts.values().sum::<u64>() + self.before) as f64
        };
        used = used.max(0.0);
        let capacity = budget.capacity() as f64;
        let (mut given, mut met) = (0, 0);
        for need in &order.needs {
            if used + *need as f64 <= capacity {
                (used, given, met) = (used + *need as f64, given + need, met + 1);
            }
        }
        if met > 0 && met == order.needs.len() {
            let rest = order.more.min(((capacity - used) / 8.0) as u64);
            (used, given) = (used + rest as f64, given + rest);
        }
        (self.owed, self.at, self.is_known) = (used, at, true);
        if !is_rolling {
            self.parts.insert(gateway, order.taken + given);
        }
        Filled {
            used: used.ceil() as u64,
            given,
            all: met == order.needs.len(),
        }
    }
}

struct World {
    clock: Clock,
    gateways: Vec<Arc<Limiter>>,
    claim: Claim,
    whole: Whole,
    is_gone: bool,
    has_forgotten: bool,
    running: Vec<(Reservation, u64)>,
    /// By those that have ended.
    used: u64,
}

impl World {
    fn new(period: Period) -> Self {
        let mut budget = budget("b", Unit::Tokens, AMOUNT, period);
        budget.burst = BURST;
        let gateway = |_| {
            let limiter = Limiter::new(|_, _, _| 0);
            Arc::new(limiter.shared(Duration::ZERO, Keeper::Answers))
        };
        let mut world = Self {
            clock: Clock::default(),
            gateways: (0..GATEWAYS).map(gateway).collect(),
            claim: claim_of(budget, "t"),
            whole: Whole::default(),
            is_gone: false,
            has_forgotten: false,
            running: Vec::new(),
            used: 0,
        };
        // All have seen it: how much of a day others used cannot be guessed.
        for gateway in 0..GATEWAYS {
            world.step(Step::Reserve { gateway, tokens: 0 });
            world.round(gateway, Fate::Answered);
        }
        world
    }

    fn step(&mut self, step: Step) {
        let now = self.clock.now();
        match step {
            Step::Pass(millis) => self.clock.passed += Duration::from_millis(millis),
            Step::Reserve { gateway, tokens } => {
                let claims = [self.claim.clone()];
                let cost = super::tokens(tokens);
                if let Ok(reserved) = self.gateways[gateway].reserve(&claims, cost, now) {
                    self.running.push((reserved, tokens));
                }
            }
            Step::Extend { which, tokens } => {
                let count = self.running.len().max(1);
                if let Some((running, charged)) = self.running.get_mut(which % count)
                    && running.extend(tokens, now).is_ok()
                {
                    *charged += tokens;
                }
            }
            Step::Settle { which, percent } if !self.running.is_empty() => {
                let which = which % self.running.len();
                let (running, charged) = self.running.swap_remove(which);
                let used = charged * percent / 100;
                running.settle(used, now);
                self.used += used;
            }
            Step::Settle { .. } => {}
            Step::Round { gateway, fate } => self.round(gateway, fate),
            Step::Gone => self.gone(),
            Step::Back { forgot } => self.back(forgot),
        }
        self.holds();
    }

    fn round(&mut self, gateway: usize, fate: Fate) {
        if self.is_gone {
            return;
        }
        let now = self.clock.now();
        let limiter = &self.gateways[gateway];
        let (_, orders) = limiter.orders(now);
        for order in orders {
            let filled = match fate {
                Fate::Unheard => None,
                _ => Some(self.whole.fill(gateway, &order, self.clock.passed)),
            };
            match (fate, filled) {
                (Fate::Answered, Some(filled)) => limiter.filled(&[order], &[filled], now),
                _ => limiter.unheard(&[order]),
            }
        }
    }

    /// All know how the whole stands: that is never older than a second.
    fn all_told(&mut self) {
        self.clock.passed += Duration::from_secs(1);
        for gateway in 0..GATEWAYS {
            self.round(gateway, Fate::Answered);
        }
        for gateway in 0..GATEWAYS {
            self.gateways[gateway].keep(Keeper::Answers, self.clock.now());
            self.round(gateway, Fate::Answered);
        }
    }

    fn gone(&mut self) {
        if self.is_gone {
            return;
        }
        self.all_told();
        self.is_gone = true;
        let parts = Some(GATEWAYS as u64);
        for gateway in &self.gateways {
            gateway.keep(Keeper::Gone { parts }, self.clock.now());
        }
    }

    fn back(&mut self, forgot: bool) {
        if !self.is_gone {
            return;
        }
        self.is_gone = false;
        if forgot {
            self.whole = Whole::default();
            self.has_forgotten = true;
        }
        for gateway in &self.gateways {
            gateway.keep(Keeper::Answers, self.clock.now());
        }
        for gateway in 0..GATEWAYS {
            self.round(gateway, Fate::Answered);
        }
    }

    /// What all use together.
    fn in_use(&self) -> u64 {
        let running: u64 = self.running.iter().map(|(_, charged)| charged).sum();
        match self.claim.budget.period {
            Period::AtOnce => running,
            _ => running + self.used,
        }
    }

    fn holds(&self) {
        let budget = &self.claim.budget;
        let back = match budget.period {
            Period::Rolling(_) => self.clock.passed.as_secs_f64() * AMOUNT as f64 / 60.0,
            _ => 0.0,
        };
        let most = budget.capacity() as f64 + back;
        let in_use = self.in_use() as f64;
        assert!(in_use <= most + 1.0, "{in_use} of {most}");
    }

    /// In the end nothing is lost: the whole is what was used.
    fn ends(&mut self) {
        self.back(false);
        let now = self.clock.now();
        for (running, charged) in std::mem::take(&mut self.running) {
            running.settle(charged, now);
            self.used += charged;
        }
        self.all_told();
        self.clock.passed += Duration::from_secs(1);
        self.all_told();
        let kept = self.whole.parts.values().sum::<u64>() + self.whole.before;
        match (self.claim.budget.period, self.has_forgotten) {
            (Period::Rolling(_), _) => {}
            (_, false) => assert_eq!(kept, self.in_use()),
            // What one gave back may have been known to it alone.
            (_, true) => assert!(kept >= self.in_use()),
        }
    }
}

fn check(period: Period, steps: &[Step]) {
    let mut world = World::new(period);
    for step in steps {
        world.step(*step);
    }
    world.ends();
}

proptest! {
    #[test]
    fn together_they_use_no_more_than_there_is(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        check(MINUTE, &steps);
        check(Period::Day, &steps);
        check(Period::AtOnce, &steps);
    }
}

/// A gateway, and what it says in its next round.
fn ask(limiter: &Arc<Limiter>, claim: &Claim, need: u64, now: Now) -> Vec<Order> {
    let asked = limiter.reserve(std::slice::from_ref(claim), tokens(need), now);
    assert!(matches!(asked.unwrap_err().cause, Cause::NotAsked(1)));
    limiter.orders(now).1
}

#[test]
fn what_is_given_for_all_is_used_without_asking_and_goes_back_when_it_is_not() {
    let limiter = Arc::new(Limiter::new(|_, _, _| 0).shared(Duration::ZERO, Keeper::Answers));
    let claim = claim(Unit::Tokens, 6000, MINUTE);
    let mut clock = Clock::default();
    let orders = ask(&limiter, &claim, 50, clock.now());
    assert_eq!(
        (orders[0].needs.as_slice(), orders[0].more),
        (&[50][..], 100)
    );
    let filled = Filled {
        used: 150,
        given: 150,
        all: true,
    };
    limiter.filled(&orders, &[filled], clock.now());
    let claims = [claim];
    let standing = |reserved: &Reservation| reserved.standings()[0].remaining;
    let first = limiter.reserve(&claims, tokens(50), clock.now()).unwrap();
    assert_eq!(standing(&first), 5950);
    let second = limiter.reserve(&claims, tokens(100), clock.now()).unwrap();
    assert_eq!(standing(&second), 5850);
    assert!(limiter.orders(clock.now()).1.is_empty());
    drop(first);
    second.settle(30, clock.now());
    // Enough for a second is kept, for as long as somebody uses it.
    assert!(limiter.orders(clock.now()).1.is_empty());
    clock.pass(1);
    let orders = limiter.orders(clock.now()).1;
    assert_eq!((orders[0].taken, orders[0].known), (80, 150));
}

#[test]
fn a_refusal_of_the_whole_speaks_for_it_for_a_moment() {
    let limiter = Arc::new(Limiter::new(|_, _, _| 0).shared(Duration::ZERO, Keeper::Answers));
    let claim = claim(Unit::Tokens, 600, MINUTE);
    let mut clock = Clock::default();
    let orders = ask(&limiter, &claim, 500, clock.now());
    let none = Filled {
        used: 200,
        given: 0,
        all: false,
    };
    limiter.filled(&orders, &[none], clock.now());
    let claims = [claim];
    let denial = |now| limiter.reserve(&claims, tokens(500), now).unwrap_err();
    let refused = denial(clock.now());
    assert_eq!(refused.cause, Cause::NoRoom);
    assert_eq!(refused.retry_after, Some(Duration::from_secs(10)));
    assert_eq!(refused.available, 400);
    clock.passed += Duration::from_millis(100);
    assert!(matches!(denial(clock.now()).cause, Cause::NotAsked(_)));
}

#[test]
fn without_the_keeper_a_part_of_what_is_left_is_used_or_nothing() {
    let limiter = Arc::new(Limiter::new(|_, _, _| 0).shared(Duration::ZERO, Keeper::Answers));
    let claim = claim(Unit::Tokens, 600, Period::Day);
    let now = Clock::default().now();
    let orders = ask(&limiter, &claim, 30, now);
    assert_eq!(orders[0].window_ends, Duration::from_secs(60));
    let filled = Filled {
        used: 330,
        given: 30,
        all: true,
    };
    limiter.filled(&orders, &[filled], now);
    let claims = [claim];
    let reserve = |need| limiter.reserve(&claims, tokens(need), now);
    drop(reserve(30).unwrap());
    limiter.keep(Keeper::Gone { parts: Some(3) }, now);
    assert_eq!(reserve(91).unwrap_err().cause, Cause::NoRoom);
    drop(reserve(90).unwrap());
    limiter.keep(Keeper::Gone { parts: None }, now);
    assert_eq!(reserve(1).unwrap_err().cause, Cause::Unknown);
    // Told to a keeper that is back.
    limiter.keep(Keeper::Answers, now);
    let orders = limiter.orders(now).1;
    assert_eq!((orders[0].taken, orders[0].whole), (120, 330));
}

#[test]
fn what_time_has_paid_back_is_not_told_to_a_keeper_that_is_back() {
    let limiter = Arc::new(Limiter::new(|_, _, _| 0).shared(Duration::ZERO, Keeper::Answers));
    let claims = [claim(Unit::Tokens, 600, MINUTE)];
    let mut clock = Clock::default();
    let reserve = |now| drop(limiter.reserve(&claims, tokens(100), now).unwrap());
    limiter.keep(Keeper::Gone { parts: Some(2) }, clock.now());
    // Its part pays back 5 tokens a second. It begins with nothing, since nobody
    // knows what others used.
    limiter
        .reserve(&claims, tokens(1), clock.now())
        .unwrap_err();
    clock.pass(20);
    reserve(clock.now());
    clock.pass(60);
    reserve(clock.now());
    clock.pass(8);
    limiter.keep(Keeper::Answers, clock.now());
    let orders = limiter.orders(clock.now()).1;
    assert_eq!(orders[0].taken - orders[0].known, 60);
}

#[tokio::test]
async fn who_has_to_ask_waits_for_the_round_and_no_longer_than_it_may() {
    let limiter = Limiter::new(|_, _, _| 0).shared(Duration::from_millis(20), Keeper::Answers);
    let limiter = Arc::new(limiter);
    let claims = [claim(Unit::Tokens, 600, MINUTE)];
    let denial = limiter.reserve_in_time(&claims, tokens(50)).await;
    assert_eq!(denial.unwrap_err().cause, Cause::Unknown);
    let answers = async {
        limiter.wanted().await;
        let (round, orders) = limiter.orders(Now::read());
        let given = orders[0].needs.iter().sum();
        let filled = Filled {
            used: given,
            given,
            all: true,
        };
        limiter.filled(&orders, &[filled], Now::read());
        limiter.ended(round);
    };
    let (reserved, ()) = tokio::join!(limiter.reserve_in_time(&claims, tokens(50)), answers);
    assert_eq!(reserved.unwrap().reserved(), 50);
}
