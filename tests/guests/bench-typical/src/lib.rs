//! What a filter typically does, to be measured: four facts read, a route; the
//! least busy endpoint.

use headworks_sdk::prelude::*;

struct BenchTypical;

#[filter]
impl Filter for BenchTypical {
    type Config = NoSettings;

    fn configure(_: NoSettings) -> Result<Self, Problems> {
        Ok(Self)
    }

    fn on_request(&self, request: &mut Request) -> Verdict {
        let is_gold = request.header("x-tier").is_some_and(|tier| tier == "gold");
        let is_small = request.prompt_tokens() < 4096 && !request.streaming();
        if is_gold && is_small && request.model() == "llama3" {
            request.route("big");
        }
        Verdict::Next
    }

    fn place(&self, _: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
        let idlest = candidates
            .iter()
            .min_by_key(|candidate| candidate.outstanding_tokens);
        idlest.map_or(Placement::Wait, Placement::at)
    }
}
