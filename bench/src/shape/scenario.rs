//! The scenarios A1 to A12: model servers, traffic, faults and how long.

mod table;

use super::policy::Policy;

/// Seconds before anything counts: the policies learn, the queues fill.
const WARM_UP: f64 = 30.0;
/// Shorter runs need a warm-up too, though one that teaches less.
const LEAST_WARM_UP: f64 = 10.0;

/// One kind of run. A scenario has one or several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// The scenario, and what distinguishes its cases: `A11-whole-overload`.
    pub(crate) id: &'static str,
    /// What happens, to people.
    pub(crate) title: &'static str,
    /// Requests a second; of a closed loop, users.
    pub(crate) rate: f64,
    /// Seconds that count, at scale 1.
    pub(crate) seconds: f64,
    /// When an answer is in time.
    pub(crate) objective: Objective,
    /// What is asked.
    pub(crate) traffic: Traffic,
    /// Answers come whole instead of streamed.
    pub(crate) whole: bool,
    /// Prompts have up to this share more or fewer bytes than their tokens suggest.
    pub(crate) misjudged: f64,
    /// The model servers.
    pub(crate) servers: Servers,
    /// What goes wrong.
    pub(crate) faults: Option<Faults>,
    /// Whom the demands are about.
    pub(crate) policies: &'static [Policy],
}

/// When an answer is in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Objective {
    /// Seconds from the intended sending to the answer's end.
    pub(crate) seconds: f64,
    /// Seconds more for each token of the answer.
    pub(crate) per_token: f64,
}

impl Objective {
    /// For an answer of so many tokens, seconds.
    pub(crate) fn of(self, tokens: u32) -> f64 {
        self.seconds + self.per_token * f64::from(tokens)
    }
}

/// What is asked, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// Short prompts, answers of up to 128 tokens, at random times.
    Chat,
    /// Chat in bursts.
    Bursty,
    /// Conversations: each turn repeats all that was said.
    MultiTurn,
    /// Chat of four tenants, one of which sends 70 %.
    Flood,
    /// Chat of four tenants, one of which sends 40 %, in bursts, with long prompts.
    Noisy,
    /// Lengths and times of a recorded trace.
    Trace,
    /// Users who wait for their answer, think, and ask again.
    Users,
}

impl Traffic {
    /// Who sends; more than one needs keys.
    pub(crate) fn tenants(self) -> &'static [&'static str] {
        match self {
            Self::Flood => &["flood", "a", "b", "c"],
            Self::Noisy => &["noisy", "a", "b", "c"],
            _ => &["all"],
        }
    }
}

/// The model servers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Servers {
    /// How many.
    pub(crate) count: usize,
    /// Profile of the stub.
    pub(crate) profile: &'static str,
    /// By how much the first one is slower than the others.
    pub(crate) first_slower: f64,
}

/// Something that goes wrong again and again, on one server after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Faults {
    /// A factor by which passes take longer; none is a stall.
    pub(crate) slower: Option<f64>,
    /// How long it lasts, seconds.
    pub(crate) lasts: f64,
    /// From one to the next, seconds.
    pub(crate) every: f64,
}

/// Seconds after a fault that still belong to its window.
pub(crate) const AFTERMATH: f64 = 10.0;

/// The length of a run, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// Before anything counts.
    pub(crate) warm_up: f64,
    /// What counts.
    pub(crate) measured: f64,
}

impl Span {
    /// From the first request to the last.
    pub(crate) fn whole(self) -> f64 {
        self.warm_up + self.measured
    }
}

/// A fault of one run, seconds from its beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    /// When the fault begins.
    pub(crate) begin: f64,
    /// When it is over.
    pub(crate) end: f64,
    /// The server that it hits.
    pub(crate) server: usize,
}

impl Window {
    /// Whether a request sent then belongs to it.
    pub(crate) fn has(&self, at: f64) -> bool {
        (self.begin..self.end + AFTERMATH).contains(&at)
    }
}

impl Case {
    /// All cases, in the order of the scenarios.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        table::CASES.iter()
    }

    /// The cases of a scenario, or the one of that name.
    pub(crate) fn named(name: &str) -> Result<Vec<&'static Self>, String> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("A10") {
            return Err(
                "A10, token limits, is checked by the tests of the gateway; leave it out".into(),
            );
        }
        let wanted = |case: &&Self| {
            case.id.eq_ignore_ascii_case(name) || case.scenario().eq_ignore_ascii_case(name)
        };
        let found: Vec<_> = Self::all().filter(wanted).collect();
        if found.is_empty() {
            let mut known: Vec<_> = Self::all().map(Self::scenario).collect();
            known.dedup();
            return Err(format!("no such scenario; there are {}", known.join(", ")));
        }
        Ok(found)
    }

    /// The scenario that it belongs to.
    pub(crate) fn scenario(&self) -> &'static str {
        self.id
            .split_once('-')
            .map_or(self.id, |(scenario, _)| scenario)
    }

    /// Whether something is demanded of it.
    pub(crate) fn has_demands(&self) -> bool {
        self.id.starts_with('A')
    }

    /// How long a run is.
    pub(crate) fn span(&self, scale: f64) -> Span {
        Span {
            warm_up: (WARM_UP * scale).max(LEAST_WARM_UP.min(WARM_UP)),
            measured: self.seconds * scale,
        }
    }

    /// The faults of a run: as many as fit, or a shortened one.
    pub(crate) fn windows(&self, scale: f64) -> Vec<Window> {
        let Some(faults) = self.faults else {
            return Vec::new();
        };
        let span = self.span(scale);
        let count = (span.measured / faults.every) as usize;
        let shrink = if count == 0 {
            span.measured / faults.every
        } else {
            1.0
        };
        (0..count.max(1))
            .map(|number| {
                let begin = span.warm_up + number as f64 * faults.every;
                Window {
                    begin,
                    end: begin + faults.lasts * shrink,
                    server: number % self.servers.count,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_found_with_all_its_cases() {
        assert_eq!(Case::named("a6").expect("A6").len(), 1);
        let cases = Case::named("A11").expect("A11");
        assert_eq!(cases.len(), 6);
        assert!(cases.iter().all(|case| case.scenario() == "A11"));
        let one = Case::named("A11-whole-overload").expect("one case");
        assert_eq!(one.len(), 1);
        assert!(
            Case::named("A13")
                .unwrap_err()
                .starts_with("no such scenario; there are A1, A2,")
        );
        assert!(Case::named("A10").unwrap_err().contains("token limits"));
    }

    #[test]
    fn names_are_unique_and_runs_have_enough_requests() {
        let mut ids: Vec<_> = Case::all().map(|case| case.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Case::all().count());
        for case in Case::all().filter(|case| case.traffic != Traffic::Users) {
            assert!(case.rate * case.seconds >= 5_000.0, "{}", case.id);
        }
    }

    #[test]
    fn faults_come_as_often_as_they_fit_and_at_least_once() {
        let brown_out = Case::named("A4").expect("A4")[0];
        let whole = brown_out.windows(1.0);
        assert_eq!(whole.len(), 3);
        assert_eq!(
            (whole[1].begin, whole[1].end, whole[1].server),
            (150.0, 210.0, 1)
        );
        let short = brown_out.windows(0.1);
        assert_eq!(short.len(), 1);
        assert_eq!((short[0].begin, short[0].end), (10.0, 28.0));
    }
}
