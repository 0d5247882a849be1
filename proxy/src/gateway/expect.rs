//! What an exchange is expected to ask of an endpoint, before it is placed.

use super::Gateway;
use crate::exchange::Exchange;
use crate::limit::Attribute;
use crate::outcome::End;
use crate::shape::{Asked, Blocks, Demand, Lengths};

impl Gateway {
    /// What the exchange asks for; nothing if it has nothing generated, and where
    /// no filter places by it.
    pub(super) fn expect(&self, exchange: &Exchange) -> Option<Demand> {
        let call = &exchange.call;
        if !call.api.generates() || !exchange.generation.chain.places() {
            return None;
        }
        let asked = Asked {
            prompt: exchange.prompt_tokens(),
            max_new: call.max_new_tokens(),
            choices: call.choices(),
            streams: call.streaming(),
        };
        let need = asked.need(self.lengths(exchange));
        Some(Demand {
            need,
            prompt: Blocks::of(call.prompt().as_bytes(), need.prompt),
            tenant: exchange.attribute(Attribute::Tenant),
            deadline: None,
        })
    }

    /// How long answers to such requests are, as far as that is known.
    pub(super) fn lengths(&self, exchange: &Exchange) -> Option<Lengths> {
        let (tenant, model) = (exchange.tenant(), exchange.model_label());
        let input = exchange.prompt_tokens();
        self.history.lengths(tenant, model, input)
    }

    /// Learns from how an exchange ended, where lengths are asked for: by who
    /// places exchanges, or reserves for them.
    pub(super) fn learn_length(&self, exchange: &Exchange) {
        let outcome = &exchange.outcome;
        let is_asked_for = exchange.demand.is_some() || exchange.lease.is_some();
        if is_asked_for && outcome.end == End::Ok && outcome.output_tokens > 0 {
            let each = outcome.output_tokens / exchange.call.choices();
            let (tenant, model) = (exchange.tenant(), exchange.model_label());
            let input = exchange.prompt_tokens();
            self.history.learn(tenant, model, input, each);
        }
    }
}
