//! The power of two choices: of two endpoints by chance, the one with fewer
//! requests in flight (Mitzenmacher 2001).

#[cfg(test)]
mod tests;

use headworks_sdk::prelude::*;

/// The better of two.
#[place]
pub fn two_choices(_: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
    Usable::among(candidates, |usable| {
        let count = usable.len() as u32;
        let first = random::below(count);
        // Never the first again, unless it is the only one.
        let second = (first + 1 + random::below(count - 1)) % count;
        let (one, other) = (usable[first as usize], usable[second as usize]);
        Placement::at(if other.in_flight < one.in_flight {
            other
        } else {
            one
        })
    })
}
