//! Makes a generation of a configuration: everything is read, compiled,
//! instantiated and given its settings before any request sees it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::{Chain, Generation, Link, builtin};
use crate::config::{self, Config, Module, Problems};
use crate::observe::{Registry, Sink};
use crate::upstream::Pools;
use crate::wasm::{self, LoadError, Runtime};

/// Loads generations. It blocks for as long as filters take to compile.
pub struct Loader {
    runtime: Arc<Runtime>,
    registry: Arc<Registry>,
}

impl Loader {
    /// What loads filters into this runtime and their metrics into this registry.
    pub fn new(runtime: Arc<Runtime>, registry: Arc<Registry>) -> Self {
        Self { runtime, registry }
    }

    /// Loads all of a configuration, to follow `previous`.
    ///
    /// # Errors
    /// Everything that is wrong with its filters.
    pub fn load(
        &self,
        config: Config,
        previous: Option<&Generation>,
    ) -> Result<Generation, Problems> {
        let pools = Arc::new(Pools::new(&config, previous.map(|last| &*last.pools)));
        let mut problems = Problems::of(config.source.clone());
        let mut links = Vec::new();
        for (place, filter) in config.filters.iter().enumerate() {
            let link = self.link(filter, place, &pools, &mut problems);
            links.extend(link);
        }
        let chain = problems.into_result(Chain::new(links))?;
        Ok(Generation {
            id: previous.map_or(1, |last| last.id + 1),
            since: SystemTime::now(),
            models: models(&chain, &pools),
            config,
            pools,
            chain,
        })
    }

    /// Loads all of a configuration and sends metrics where it says: what is
    /// to be served, while `load` only judges.
    ///
    /// # Errors
    /// As `load`, when the StatsD daemon's name does not resolve, and when the
    /// access log cannot be opened.
    pub fn prepare(
        &self,
        config: Config,
        previous: Option<&Generation>,
    ) -> Result<Generation, Problems> {
        let next = self.load(config, previous)?;
        let mut problems = Problems::of(next.config.source.clone());
        // Opened anew each time, so that a log that was renamed is left alone.
        let log = next.config.access_log.as_ref().map(Sink::open).transpose();
        let log = log.map_err(|error| {
            problems.push("access_log.file", format!("cannot be opened: {error}"));
        });
        // Kept while its settings are, for it holds spans that wait.
        let traces = &next.config.traces;
        let traces_anew = previous.is_none_or(|last| last.config.traces != *traces);
        let tracer = traces.as_ref().filter(|_| traces_anew);
        let tracer = tracer.map(|traces| self.registry.traces().open(traces));
        let tracer = tracer.transpose().map_err(|error| {
            problems.push("traces.otlp", error.to_string());
        });
        let metrics = &next.config.metrics;
        // What reaches outside comes last.
        if problems.is_empty()
            && previous.is_none_or(|last| last.config.metrics != *metrics)
            && let Err(error) = self.registry.set_statsd(metrics)
        {
            problems.push("metrics.statsd", error.to_string());
        }
        let next = problems.into_result(next)?;
        self.registry.access_log().write_to(log.ok().flatten());
        if traces_anew {
            self.registry.traces().send_to(tracer.ok().flatten());
        }
        Ok(next)
    }

    fn link(
        &self,
        config: &config::Filter,
        place: usize,
        pools: &Arc<Pools>,
        problems: &mut Problems,
    ) -> Option<Link> {
        let at = config::Place::default().key("filters").index(place);
        let bytes = read(&config.module, self.runtime.max_module());
        let origin = config.module.to_string();
        let bytes = bytes.map_err(|error| {
            problems.push(
                at.key("module"),
                format!("{origin} cannot be read: {error}"),
            );
        });
        let source = wasm::Source {
            config,
            place,
            origin: &origin,
            bytes: &bytes.ok()?,
            pools,
        };
        let filter = self.runtime.load(source);
        let filter = filter.map_err(|error| blame(problems, &at, error)).ok()?;
        let link = Link::new(filter, config, &self.registry);
        link.map_err(|error| problems.push(at.key("name"), error.to_string()))
            .ok()
    }
}

/// Model ids that clients may ask for: those that filters serve, else the
/// names of the pools.
fn models(chain: &Chain, pools: &Pools) -> BTreeSet<String> {
    let served: BTreeSet<_> = chain
        .filters()
        .flat_map(|filter| filter.models().iter().cloned())
        .collect();
    if served.is_empty() {
        pools.names().map(ToString::to_string).collect()
    } else {
        served
    }
}

fn blame(problems: &mut Problems, at: &config::Place, error: LoadError) {
    match error {
        LoadError::Unusable { origin, reason, .. } => {
            problems.push(at.key("module"), format!("{origin}: {reason}"));
        }
        LoadError::Settings { problems: all, .. } => {
            let settings = at.key("settings");
            for problem in all {
                let path = match problem.path.as_str() {
                    "" => settings.to_string(),
                    path if path.starts_with('[') => format!("{settings}{path}"),
                    path => format!("{settings}.{path}"),
                };
                problems.push(path, problem.message);
            }
        }
    }
}

fn read(module: &Module, limit: usize) -> io::Result<std::borrow::Cow<'static, [u8]>> {
    match module {
        Module::Builtin(name) => builtin::module(name)
            .map(Into::into)
            .ok_or_else(|| io::Error::other("this gateway was built without it")),
        Module::File(path) => read_file(path, limit).map(Into::into),
    }
}

/// Reads a file, though no more of it than shows that it is too large.
fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
