//! Why an answer ended, in vLLM's words.

use crate::script::FinishReason;

/// The reason in an answer.
pub(super) fn finish_reason(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Length => "length",
        FinishReason::EosToken | FinishReason::StopSequence => "stop",
    }
}

/// The label under which an answer that ended so is counted.
pub(in crate::api) fn success_label(finish: FinishReason) -> &'static str {
    match finish_reason(finish) {
        "length" => "finished_reason=\"length\"",
        _ => "finished_reason=\"stop\"",
    }
}
