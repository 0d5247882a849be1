//! What is asked of endpoints beside requests.

use std::time::Duration;

use super::Checker;
use crate::config::{Health, Place, file};

/// Where the servers of both protocols show their metrics.
const METRICS: &str = "/metrics";

impl Checker<'_> {
    pub(super) fn health(&mut self, file: &file::Health, at: &Place) -> Health {
        let interval = self.accept(file.interval.parse_or_zero(), &at.key("interval"));
        let scrape = match &file.scrape {
            file::Scrape::Is(reads) => reads.then_some(METRICS),
            file::Scrape::At(path) => Some(path.as_str()),
        };
        Health {
            path: self.path(&file.path, &at.key("path")),
            interval: Some(interval).filter(|interval| *interval > Duration::ZERO),
            timeout: self.accept(file.timeout.parse(), &at.key("timeout")),
            unhealthy_after: file.unhealthy_after,
            healthy_after: file.healthy_after,
            scrape: scrape.map(|path| self.path(path, &at.key("scrape"))),
            scrape_interval: self.accept(file.scrape_interval.parse(), &at.key("scrape_interval")),
            slow_start: self.accept(file.slow_start.parse_or_zero(), &at.key("slow_start")),
            eject_after: file.eject_after,
        }
    }

    /// A path that can stand in the first line of a request.
    fn path(&mut self, written: &str, at: &Place) -> String {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        let is_path = written.starts_with('/') && written.bytes().all(is_plain);
        if !is_path {
            self.problem(
                at,
                format!("must be a path such as `/health`, got `{written}`"),
            );
        }
        written.to_owned()
    }
}
