//! Tells what came out: tables in Markdown, and the same as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use super::Args;
use super::tally::{Figures, Start, Tally};
use super::verdict::{self, Verdict};

const UNKNOWN: &str = "-";

/// What came out.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    url: String,
    users: u32,
    seconds: f64,
    models: BTreeMap<String, Figures>,
    all: Figures,
    starts: Vec<Start>,
    /// Of all cards, for each model.
    gpu_memory_gb: Option<f64>,
    targets: Vec<Verdict>,
}

impl Report {
    pub(super) fn new(
        args: &Args,
        tally: &Tally,
        elapsed: Duration,
        starts: Vec<Start>,
        memory: Option<ByteSize>,
    ) -> Self {
        let all = tally.all(elapsed);
        let models = args.models.len().max(1) as f64;
        let gpu_memory_gb = memory.map(|memory| memory.as_u64() as f64 / 1e9 / models);
        Self {
            url: args.url.clone(),
            users: args.users,
            seconds: elapsed.as_secs_f64(),
            models: tally.models(elapsed),
            targets: verdict::judge(&args.targets, &all, gpu_memory_gb),
            all,
            starts,
            gpu_memory_gb,
        }
    }

    /// Whether all targets are met that could be measured; without a GPU its
    /// memory is none.
    pub(super) fn met(&self) -> bool {
        self.all.requests > 0 && self.targets.iter().all(|target| target.met != Some(false))
    }

    fn figures(&self) -> Table {
        let mut table = table(&[
            "model", "requests", "failed", "QPS", "mean ms", "P50", "P95", "P99", "TTFT P50",
            "TTFT P99", "tokens/s",
        ]);
        let models = self
            .models
            .iter()
            .map(|(model, figures)| (&**model, figures));
        for (model, it) in models.chain([("all", &self.all)]) {
            let ms = |ms: Option<f64>| ms.map_or(UNKNOWN.to_owned(), |ms| format!("{ms:.0}"));
            table.add_row([
                model.to_owned(),
                it.requests.to_string(),
                it.failed.to_string(),
                format!("{:.1}", it.rate),
                ms(Some(it.mean_ms)),
                ms(Some(it.p50_ms)),
                ms(Some(it.p95_ms)),
                ms(Some(it.p99_ms)),
                ms(it.ttft_p50_ms),
                ms(it.ttft_p99_ms),
                format!("{:.0}", it.tokens_per_second),
            ]);
        }
        table
    }

    fn verdicts(&self) -> Table {
        let mut table = table(&["target", "wanted", "measured", "verdict"]);
        for verdict in &self.targets {
            table.add_row([
                verdict.target,
                &*verdict.wanted,
                verdict.measured.as_deref().unwrap_or(UNKNOWN),
                verdict.word(),
            ]);
        }
        table
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (users, seconds, url) = (self.users, self.seconds, &self.url);
        writeln!(f, "{users} users for {seconds:.0} s at {url}\n")?;
        writeln!(f, "{}\n", self.figures())?;
        for start in &self.starts {
            let (model, began) = (&start.model, start.first_token.as_secs_f64());
            let alone = start.alone.as_secs_f64() * 1e3;
            writeln!(
                f,
                "first token of {model}: {began:.1} s after the start, {alone:.0} ms after it was asked"
            )?;
        }
        for (failure, count) in &self.all.failures {
            writeln!(f, "failed: {count} x {failure}")?;
        }
        write!(f, "\n{}", self.verdicts())
    }
}

/// A table whose first column is text, and all others numbers.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
