//! What a run sends and when, fixed before it begins. The same case, rate and
//! seed make the same plan for every policy, so runs can be compared in pairs.

mod arrivals;
mod conversations;
mod lengths;
mod text;
mod trace;
mod users;

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::scenario::{Case, Traffic};
use lengths::Lengths;

/// Most new tokens that a chat asks for.
pub(crate) const CHAT_CAP: u32 = 128;

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// Seconds from the beginning of the run; of a user, from the last answer.
    pub(crate) at: f64,
    /// Who sends it: an index into the tenants of the traffic, or of users the user.
    pub(crate) sender: usize,
    /// Its text, four bytes a token unless it is misjudged.
    pub(crate) prompt: String,
    /// Tokens of the prompt.
    pub(crate) input: u32,
    /// Tokens that the answer has.
    pub(crate) output: u32,
    /// Most tokens that the answer may have.
    pub(crate) cap: u32,
    /// The conversation that it belongs to, if it is one.
    pub(crate) session: Option<u64>,
}

/// All requests of a run.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    /// Sent at their times, whatever becomes of the ones before.
    Open(Vec<Request>),
    /// A list for each user, who sends the next when the last was answered.
    Closed(Vec<Vec<Request>>),
}

impl Plan {
    /// Makes the plan of `seconds` seconds at `rate` requests a second, or of so many users.
    pub(crate) fn make(case: &Case, rate: f64, seed: u64, seconds: f64) -> Self {
        let mut plan = match case.traffic {
            Traffic::Users => Self::Closed(users::plan(rate as usize, seed, seconds)),
            Traffic::MultiTurn => Self::Open(conversations::plan(rate, seed, seconds)),
            Traffic::Trace => Self::Open(trace::plan(rate, seed, seconds)),
            traffic => Self::Open(chat(traffic, rate, seed, seconds)),
        };
        if case.misjudged > 0.0 {
            plan.misjudge(case.misjudged, seed);
        }
        plan
    }

    /// Lengthens and shortens texts, so that their bytes tell wrong numbers of tokens.
    fn misjudge(&mut self, most: f64, seed: u64) {
        let mut random = stream(seed, "misjudge");
        let requests = match self {
            Self::Open(requests) => requests.iter_mut().collect(),
            Self::Closed(users) => users.iter_mut().flatten().collect::<Vec<_>>(),
        };
        for request in requests {
            text::misjudge(&mut request.prompt, most, &mut random);
        }
    }
}

/// Chat, in bursts or not, of one tenant or several.
fn chat(traffic: Traffic, rate: f64, seed: u64, seconds: f64) -> Vec<Request> {
    let mut lengths = Lengths::new(seed);
    let mut words = stream(seed, "text");
    arrivals::of(traffic, rate, seed, seconds)
        .into_iter()
        .map(|arrival| {
            let (mut input, output) = lengths.chat();
            if traffic == Traffic::Noisy && arrival.sender == 0 {
                input = lengths::NOISY_PROMPT;
            }
            Request {
                at: arrival.at,
                sender: arrival.sender,
                prompt: text::prompt(&mut words, input),
                input,
                output,
                cap: CHAT_CAP,
                session: None,
            }
        })
        .collect()
}

/// Random numbers of one purpose: what one purpose draws does not shift another's.
fn stream(seed: u64, purpose: &str) -> SmallRng {
    let mixed = purpose.bytes().fold(seed.wrapping_add(1), |mixed, byte| {
        mixed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    SmallRng::seed_from_u64(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_plan_and_another_seed_another() {
        for case in Case::all() {
            let plan = |seed| Plan::make(case, case.rate, seed, 5.0);
            assert_eq!(plan(1), plan(1), "{}", case.id);
            assert_ne!(plan(1), plan(2), "{}", case.id);
        }
    }

    #[test]
    fn requests_come_in_order_at_the_rate_and_fit_the_server() {
        for case in Case::all() {
            let Plan::Open(requests) = Plan::make(case, case.rate, 3, 200.0) else {
                continue;
            };
            let rate = requests.len() as f64 / 200.0;
            assert!(
                (rate / case.rate - 1.0).abs() < 0.2,
                "{}: {rate:.1}",
                case.id
            );
            assert!(requests.is_sorted_by(|a, b| a.at <= b.at), "{}", case.id);
            for request in &requests {
                assert!((1..=request.cap).contains(&request.output));
                assert!(request.input >= 1 && request.input + request.cap <= 8_192);
            }
        }
    }

    #[test]
    fn texts_tell_their_tokens_unless_they_are_misjudged() {
        let of = |name: &str| {
            let case = Case::named(name).expect(name)[0];
            let Plan::Open(requests) = Plan::make(case, case.rate, 1, 20.0) else {
                panic!("an open loop");
            };
            requests
        };
        for name in ["A6", "A8", "T1"] {
            assert!(
                of(name)
                    .iter()
                    .all(|it| it.prompt.len() == 4 * it.input as usize)
            );
        }
        let errors: Vec<f64> = of("A11-misjudged-overload")
            .iter()
            .filter(|it| it.input > 50)
            .map(|it| it.prompt.len() as f64 / (4.0 * f64::from(it.input)))
            .collect();
        assert!(errors.iter().all(|error| (0.58..=1.42).contains(error)));
        assert!(errors.iter().any(|error| *error < 0.7) && errors.iter().any(|error| *error > 1.3));
    }
}
