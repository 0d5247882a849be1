//! A guest that places on an endpoint that is no candidate.

use headworks_sdk::prelude::*;

#[place]
fn places_nowhere(_: &mut Request, _: &[Candidate], _: Duration) -> Placement {
    Placement::At(999)
}
