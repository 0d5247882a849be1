//! Figures held against the targets.

use serde::Serialize;

use super::args::Targets;
use super::tally::Figures;

/// A target, and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Verdict {
    pub(super) target: &'static str,
    pub(super) wanted: String,
    /// None if it could not be measured.
    pub(super) measured: Option<String>,
    pub(super) met: Option<bool>,
}

/// All targets; `memory` is that of the GPUs for each model, gigabytes.
pub(super) fn judge(targets: &Targets, all: &Figures, memory: Option<f64>) -> Vec<Verdict> {
    let p99 = targets.p99.as_secs_f64() * 1e3;
    let most = targets.gpu_memory.as_u64() as f64 / 1e9;
    let answered = (all.requests > all.failed).then_some(all.p99_ms);
    vec![
        verdict(
            "P99 of answers",
            format!("< {p99:.0} ms"),
            answered.map(|ms| (format!("{ms:.0} ms"), ms < p99)),
        ),
        verdict(
            "answers a second",
            format!(">= {}", targets.rate),
            Some((format!("{:.1}", all.rate), all.rate >= targets.rate)),
        ),
        verdict(
            "failed requests",
            format!("< {} %", targets.errors),
            Some((
                format!("{:.2} %", all.errors()),
                all.errors() < targets.errors,
            )),
        ),
        verdict(
            "GPU memory for each model",
            format!("< {most} GB"),
            memory.map(|gb| (format!("{gb:.1} GB"), gb < most)),
        ),
    ]
}

fn verdict(target: &'static str, wanted: String, found: Option<(String, bool)>) -> Verdict {
    let met = found.as_ref().map(|(_, met)| *met);
    Verdict {
        target,
        wanted,
        measured: found.map(|(measured, _)| measured),
        met,
    }
}

impl Verdict {
    /// In a word.
    pub(super) fn word(&self) -> &'static str {
        match self.met {
            Some(true) => "pass",
            Some(false) => "miss",
            None => "not measured",
        }
    }
}
