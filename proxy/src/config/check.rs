//! From what people write to what the gateway runs by. Every problem is
//! collected: where one is found a placeholder stands in for the value, and
//! never leaves, since the problems are returned in its stead.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::{
    AccessLog, Admin, Config, Metrics, Place, Problems, Source, StatsdDialect, file, suggest,
};

mod filter;
mod health;
mod identity;
mod pool;
mod server;
mod settings;
mod shape;
mod shared_limits;
mod syntax;
mod traces;

/// Reads the text of a configuration file.
pub(super) fn parse(text: &str, origin: &Path) -> Result<Config, Problems> {
    let mut document = syntax::document(text, origin)?;
    let source = Source::new(origin, text, document.get_ref());

    let mut misshapen = Problems::of(source.clone());
    shape::fit(document.get_mut(), &mut misshapen);
    let file = match file::Config::deserialize(toml::Deserializer::from(document)) {
        Ok(file) => file,
        Err(error) => {
            // Only what the schema cannot say, such as a number too large for TOML.
            syntax::report(&error, text, &mut misshapen);
            return Err(misshapen);
        }
    };

    let mut problems = Problems::of(source.clone());
    let config = Checker {
        problems: &mut problems,
        folder: folder(origin),
    }
    .config(&file, source);
    misshapen.add_unrelated(problems);
    misshapen.into_result(config)
}

fn folder(origin: &Path) -> &Path {
    origin.parent().unwrap_or(Path::new(""))
}

/// Turns one part of the file after the other into what the gateway runs by.
struct Checker<'a> {
    problems: &'a mut Problems,
    folder: &'a Path,
}

impl Checker<'_> {
    fn config(&mut self, file: &file::Config, source: Source) -> Config {
        let root = Place::default();
        let pools = self.pools(&file.pools, &root.key("pools"));
        let admin = Admin {
            listen: self.address(&file.admin.listen, &root.key("admin").key("listen")),
        };
        Config {
            server: self.server(&file.server, &admin, &root.key("server")),
            admin,
            default_pool: self.default_pool(file, &pools, &root.key("default_pool")),
            pools,
            filters: self.filters(&file.filters, &root.key("filters")),
            metrics: self.metrics(&file.metrics, &root.key("metrics")),
            access_log: self.access_log(&file.access_log),
            traces: self.traces(&file.traces, &root.key("traces")),
            identity: self.identity(&file.identity, &root.key("identity")),
            shared_limits: self.shared_limits(&file.shared_limits, &root.key("shared_limits")),
            usage_file: file.usage.file.as_ref().map(|file| self.folder.join(file)),
            source,
        }
    }

    fn default_pool(
        &mut self,
        file: &file::Config,
        pools: &BTreeMap<Arc<str>, super::Pool>,
        at: &Place,
    ) -> Option<Arc<str>> {
        let Some(name) = &file.default_pool else {
            return pools.keys().next().filter(|_| pools.len() == 1).cloned();
        };
        let known = pools
            .get_key_value(name.as_str())
            .map(|(name, _)| name.clone());
        if known.is_none() {
            self.problem(
                at,
                format!(
                    "no pool `{name}`{}",
                    suggest(name, pools.keys().map(|name| &**name))
                ),
            );
        }
        known
    }

    fn metrics(&mut self, file: &file::Metrics, at: &Place) -> Metrics {
        if let Some(statsd) = &file.statsd
            && !is_host_and_port(statsd)
        {
            let message =
                format!("must be a host and a port, such as `127.0.0.1:8125`, got `{statsd}`");
            self.problem(&at.key("statsd"), message);
        }
        let rate = file.statsd_sample_rate;
        if !(rate > 0.0 && rate <= 1.0) {
            let message = format!("must be greater than 0 and at most 1, got {rate}");
            self.problem(&at.key("statsd_sample_rate"), message);
        }
        if file.statsd_dialect == StatsdDialect::Statsd && !file.statsd_tags.is_empty() {
            let message = "plain StatsD has no tags; set `statsd_dialect = \"dogstatsd\"`";
            self.problem(&at.key("statsd_tags"), message);
        }
        Metrics {
            statsd: file.statsd.clone(),
            statsd_prefix: file.statsd_prefix.clone(),
            statsd_dialect: file.statsd_dialect,
            statsd_tags: file.statsd_tags.clone(),
            statsd_sample_rate: rate,
        }
    }

    fn access_log(&self, file: &file::AccessLog) -> Option<AccessLog> {
        file.file.as_deref().map(|file| match file {
            "-" => AccessLog::Stdout,
            file => AccessLog::File(self.folder.join(file)),
        })
    }

    fn problem(&mut self, at: &Place, message: impl Into<String>) {
        self.problems.push(at, message);
    }

    /// The value, or a placeholder and a problem.
    fn accept<T: Default>(&mut self, value: Result<T, String>, at: &Place) -> T {
        value.unwrap_or_else(|message| {
            self.problem(at, message);
            T::default()
        })
    }
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)
    })
}
