//! How the exchange of the hook under way ended.

use crate::End;
use crate::testing::ended::Ended;
use crate::testing::world::World;
use crate::units::micros;

/// The contract's record of the same name.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) status: u16,
    pub(crate) ok: bool,
    pub(crate) was_placed: bool,
    pub(crate) input_tokens: u32,
    pub(crate) output_tokens: u32,
    pub(crate) ttft_us: Option<u64>,
    pub(crate) latency_us: u64,
    pub(crate) queued_us: u64,
}

impl From<&Ended> for Facts {
    fn from(ended: &Ended) -> Self {
        Self {
            status: ended.status,
            ok: ended.end == End::Ok,
            was_placed: ended.endpoint.is_some(),
            input_tokens: ended.input_tokens,
            output_tokens: ended.output_tokens,
            ttft_us: ended.ttft.map(micros),
            latency_us: micros(ended.latency),
            queued_us: micros(ended.queued),
        }
    }
}

pub(crate) fn end() -> String {
    with(|ended| ended.end.as_str().to_owned())
}

pub(crate) fn pool() -> Option<String> {
    super::request::pool()
}

pub(crate) fn endpoint() -> Option<String> {
    with(|ended| ended.endpoint.clone())
}

fn with<T>(look: impl FnOnce(&Ended) -> T) -> T {
    World::current().with_exchange(|exchange| {
        let ended = exchange.ended.as_ref();
        look(ended.expect("an outcome is there once the exchange has ended"))
    })
}
