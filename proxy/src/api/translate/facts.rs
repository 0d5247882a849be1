//! What of a call its answer has to be told with.

use super::Pairing;
use super::json::inside;
use super::parameters::Parameters;
use crate::api::Call;
use crate::api::route::Api;
use crate::api::usage::Usage;

/// What is known of a call when its answer comes.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The model id to show; empty leaves the upstream's word.
    pub model: String,
    /// What the answer's headers told of its cost.
    pub told: Option<Usage>,
    /// Tokens of the prompt as the gateway estimates them.
    pub prompt_tokens: u32,
    /// The id of an answer that has none.
    pub(super) id: String,
    /// The caller wants TGI's `details`.
    pub(super) details: bool,
    /// The seed asked for.
    pub(super) seed: Option<u64>,
    /// What goes before the text: the inside of a JSON string.
    pub(super) full_text: String,
}

/// What a stream cost so far.
#[derive(Debug, Default)]
pub(super) struct Cost {
    /// Tokens seen.
    pub(super) counted: u32,
    /// What the upstream told.
    pub(super) usage: Option<Usage>,
}

impl Facts {
    /// Takes from a call what its answer needs; nothing more, since most need little.
    pub(super) fn of(call: &Call, pairing: Pairing, unique: u64) -> Self {
        let facts = Self {
            model: call.model().to_owned(),
            ..Self::default()
        };
        match pairing {
            Pairing::Same => facts,
            Pairing::Mended => Self {
                id: id(call.api, unique),
                ..facts
            },
            Pairing::Retold => facts.with_parameters(call),
        }
    }

    /// Those that TGI's own answers need.
    pub(super) fn told_by_tgi(call: &Call) -> Self {
        Self::default().with_parameters(call)
    }

    fn with_parameters(self, call: &Call) -> Self {
        let parameters = Parameters::of(call, &[]).unwrap_or_default();
        // TGI's `POST /` gives the prompt back unless it is told not to.
        let wants_full_text = parameters.flag("return_full_text");
        let full_text = if wants_full_text.unwrap_or(call.api == Api::Tgi) {
            call.body.decode("inputs").ok().flatten().and_then(inside)
        } else {
            None
        };
        Self {
            details: parameters.flag("details") == Some(true),
            seed: parameters.seed(),
            full_text: full_text.unwrap_or_default().to_owned(),
            ..self
        }
    }

    /// What the answer cost, where the upstream did not say how much was generated.
    pub(super) fn estimate(&self, completion_tokens: u32) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens,
        }
    }
}

/// An id in OpenAI's form.
fn id(api: Api, unique: u64) -> String {
    let kind = match api {
        Api::OpenAiChat => "chatcmpl",
        _ => "cmpl",
    };
    format!("{kind}-{unique:016x}")
}
