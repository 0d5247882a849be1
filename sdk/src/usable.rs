//! The endpoints that may have a request, for filters that have a rule for
//! choosing among them and nothing to say about those that fail.

use std::ops::Deref;
use std::time::Duration;

use crate::{Candidate, Health, Placement, Rejection, random};

/// When another try is worth it if nothing answers. The gateway leaves an
/// endpoint that cannot be reached alone for no less.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Those of some candidates that are as well as any: all that are up, else all
/// that are degraded. There is at least one, and none is down.
///
/// It is a slice of them, in their order.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[place]
/// fn least_connections(_: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
///     Usable::among(candidates, |usable| Placement::at(usable.least(|at| at.in_flight)))
/// }
///
/// let mut host = testing::host::<LeastConnections>(json!({})).unwrap();
/// let endpoints = [
///     Candidate { id: 1, in_flight: 2, ..Candidate::default() },
///     Candidate { id: 2, in_flight: 1, ..Candidate::default() },
///     Candidate { id: 3, health: Health::Degraded, ..Candidate::default() },
/// ];
/// let placed = host.chat("llama3").send().place(&endpoints, Duration::ZERO);
/// assert_eq!(placed, Placement::At(2));
/// ```
#[derive(Clone, Debug)]
pub struct Usable<'a>(Vec<&'a Candidate>);

impl<'a> Usable<'a> {
    /// Has `choose` decide among those that are usable.
    ///
    /// It is not asked if an endpoint wants a probe, which gets the request, nor
    /// if none answers: the request is then refused with 503 `no_endpoint`.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// fn first(candidates: &[Candidate]) -> Placement {
    ///     Usable::among(candidates, |usable| Placement::at(usable[0]))
    /// }
    ///
    /// let down = Candidate { id: 1, health: Health::Down, ..Candidate::default() };
    /// let probe = Candidate { id: 2, health: Health::Degraded, marks: 1, ..Candidate::default() };
    /// assert!(matches!(first(&[down.clone()]), Placement::Reject(_)));
    /// assert_eq!(first(&[down, Candidate::default(), probe]), Placement::At(2));
    /// ```
    pub fn among(
        candidates: &'a [Candidate],
        choose: impl FnOnce(&Self) -> Placement,
    ) -> Placement {
        if let Some(probe) = candidates.iter().find(|at| at.wants_probe()) {
            return Placement::at(probe);
        }
        match candidates.iter().map(|at| at.health).min() {
            None | Some(Health::Down) => nobody_answers().into(),
            Some(best) => {
                let as_well = candidates.iter().filter(|at| at.health == best);
                choose(&Self(as_well.collect()))
            }
        }
    }

    /// The one of which this is least; among equals, one by chance.
    pub fn least<K: Ord>(&self, of: impl Fn(&Candidate) -> K) -> &'a Candidate {
        let least = self.iter().map(|at| of(at)).min();
        let equals = self.iter().filter(|at| Some(of(at)) == least);
        let equals: Vec<&Candidate> = equals.copied().collect();
        match equals[..] {
            [only] => only,
            _ => equals[random::below(equals.len() as u32) as usize],
        }
    }
}

impl<'a> Deref for Usable<'a> {
    type Target = [&'a Candidate];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

fn nobody_answers() -> Rejection {
    let message = "no endpoint answers at the moment; try again later";
    Rejection::new(503, "no_endpoint", message).retry_after(RETRY_AFTER)
}
