//! The gauges of a model server, from its page of metrics: those of TGI and of
//! vLLM that tell how busy it is.
//!
//! A few lines of a page are wanted that is mostly buckets of histograms, 90 kB
//! of them on a TGI. Crates that read the format take in every line of it, so
//! the lines are picked here.

use serde::Serialize;

/// How busy a model server says it is; 0 for a gauge that it does not show,
/// which a TGI does not before its first request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Gauges {
    /// Requests that wait for the engine.
    pub queue_depth: u32,
    /// Requests that the engine works on.
    pub running: u32,
    /// Tokens that the batch of a TGI may still grow to.
    pub batch_max_tokens: u32,
    /// Tokens of prompts and answers that fit together; only TGI tells.
    pub batch_total_tokens: Option<u32>,
    /// Free key/value cache, tokens; only vLLM tells.
    pub free_kv_tokens: Option<u32>,
}

impl Gauges {
    /// Picks the gauges out of a page. A server of several engines has a line
    /// for each.
    pub(super) fn read(page: &str) -> Self {
        let mut read = Read::default();
        page.lines()
            .filter_map(Line::read)
            .for_each(|line| read.take(&line));
        read.gauges()
    }
}

/// The sums of what was read.
#[derive(Default)]
struct Read {
    queue_depth: f64,
    running: f64,
    batch_max_tokens: f64,
    batch_total_tokens: f64,
    cache_tokens: f64,
    cache_use: f64,
    /// How many engines told the use of their cache.
    caches: f64,
}

impl Read {
    fn take(&mut self, line: &Line<'_>) {
        match line.name {
            "tgi_queue_size" | "vllm:num_requests_waiting" => self.queue_depth += line.value,
            "tgi_batch_current_size" | "vllm:num_requests_running" => self.running += line.value,
            "tgi_batch_current_max_tokens" => self.batch_max_tokens += line.value,
            "tgi_batch_max_total_tokens" => self.batch_total_tokens += line.value,
            // The second is its older name.
            "vllm:kv_cache_usage_perc" | "vllm:gpu_cache_usage_perc" => {
                self.cache_use += line.value;
                self.caches += 1.0;
            }
            "vllm:cache_config_info" => {
                let size = |label| line.number(label).unwrap_or_default();
                self.cache_tokens += size("num_gpu_blocks") * size("block_size");
            }
            _ => {}
        }
    }

    fn gauges(&self) -> Gauges {
        let is_known = self.cache_tokens > 0.0 && self.caches > 0.0;
        let free = self.cache_tokens * (1.0 - self.cache_use / self.caches);
        Gauges {
            queue_depth: whole(self.queue_depth),
            running: whole(self.running),
            batch_max_tokens: whole(self.batch_max_tokens),
            batch_total_tokens: (self.batch_total_tokens > 0.0)
                .then(|| whole(self.batch_total_tokens)),
            free_kv_tokens: is_known.then(|| whole(free)),
        }
    }
}

/// What is too large, too small or no number becomes the nearest that fits.
fn whole(value: f64) -> u32 {
    value.round() as u32
}

/// One sample: `name{labels} value`.
struct Line<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

impl<'a> Line<'a> {
    /// `None` for comments, and what is no sample or not a number.
    fn read(line: &'a str) -> Option<Self> {
        let name_ends = line.find(['{', ' '])?;
        let (name, rest) = line.split_at(name_ends);
        // A label's value may hold braces; what follows the labels does not.
        let labels_end = rest.rfind('}').map_or(0, |at| at + 1);
        let (labels, rest) = rest.split_at(labels_end);
        let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
        value.is_finite().then_some(Self {
            name,
            labels,
            value,
        })
    }

    /// A label's value as a number.
    fn number(&self, label: &str) -> Option<f64> {
        let start = format!("{label}=\"");
        let mut found = self.labels.match_indices(&start);
        // Not the end of a longer name.
        let (at, _) = found.find(|(at, _)| self.labels[..*at].ends_with(['{', ',', ' ']))?;
        let value = &self.labels[at + start.len()..];
        value.split('"').next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tgi_tells_its_queue_and_its_batch() {
        let page = "# TYPE tgi_request_count counter\ntgi_request_count 7\n\n\
            # TYPE tgi_queue_size gauge\ntgi_queue_size 3\n\n\
            # TYPE tgi_batch_current_size gauge\ntgi_batch_current_size 12\n\n\
            # TYPE tgi_batch_current_max_tokens gauge\ntgi_batch_current_max_tokens 4096\n\n\
            # TYPE tgi_batch_max_total_tokens gauge\ntgi_batch_max_total_tokens 30000\n\n\
            # TYPE tgi_request_duration histogram\ntgi_request_duration_bucket{le=\"0.00015\"} 0\n";
        let gauges = Gauges {
            queue_depth: 3,
            running: 12,
            batch_max_tokens: 4096,
            batch_total_tokens: Some(30_000),
            free_kv_tokens: None,
        };
        assert_eq!(Gauges::read(page), gauges);
    }

    #[test]
    fn a_server_that_was_not_used_yet_is_idle() {
        assert_eq!(Gauges::read(""), Gauges::default());
    }

    #[test]
    fn a_vllm_tells_how_much_of_its_cache_is_free_over_all_engines() {
        let page = r#"
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a {odd}, name"} 8.0
vllm:num_requests_running{engine="1",model_name="a {odd}, name"} 6.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:num_requests_waiting{engine="1",model_name="m"} 1.0 1700000000000
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
vllm:cache_config_info{block_size="16",engine="0",mamba_block_size="None",num_gpu_blocks="1000",num_gpu_blocks_override="None"} 1.0
vllm:cache_config_info{mamba_block_size="99",block_size="16",engine="1",num_gpu_blocks="1000"} 1.0
"#;
        let gauges = Gauges {
            queue_depth: 3,
            running: 14,
            batch_max_tokens: 0,
            batch_total_tokens: None,
            free_kv_tokens: Some(16_000),
        };
        assert_eq!(Gauges::read(page), gauges);
    }

    #[test]
    fn a_cache_of_unknown_size_is_unknown() {
        let page =
            "vllm:gpu_cache_usage_perc 0.5\nvllm:cache_config_info{num_gpu_blocks=\"None\"} 1\n";
        assert_eq!(Gauges::read(page).free_kv_tokens, None);
    }

    #[test]
    fn values_that_no_gauge_has_are_bounded() {
        let page =
            "tgi_queue_size 1e300\ntgi_batch_current_size -5\ntgi_batch_current_max_tokens NaN\n";
        let gauges = Gauges::read(page);
        assert_eq!(
            (gauges.queue_depth, gauges.running, gauges.batch_max_tokens),
            (u32::MAX, 0, 0)
        );
    }

    proptest! {
        #[test]
        fn whatever_a_server_sends_is_read(page in "(vllm:cache_config_info|tgi_queue_size|\\PC{0,9}|[{}\"=, \n0-9a-z.]{0,20}){0,8}") {
            Gauges::read(&page);
        }
    }
}
