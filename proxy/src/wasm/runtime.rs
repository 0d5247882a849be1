//! What all filters of the process share, whatever is reloaded.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::code::Codes;
use super::engine::{self, Options};
use super::failure::one_line;
use super::keyvalue::KeyValue;
use super::meter::Meters;
use super::ticker::Ticker;
use crate::observe::{RegisterError, Registry};

/// What runs filters; one for each process. It outlives configurations: code
/// in use is not compiled again and filters find what they stored.
pub struct Runtime {
    codes: Codes,
    ticker: Arc<Ticker>,
    options: Options,
    registry: Arc<Registry>,
    meters: Meters,
    stores: Mutex<HashMap<Arc<str>, Weak<KeyValue>>>,
}

/// Why filters cannot be run at all.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// wasmtime does not work here.
    #[error("cannot set up WebAssembly: {0}")]
    Engine(String),
    /// The folder for compiled code is not usable.
    #[error("cannot use {} for compiled filters: {error}; name a folder that this user may write to", .folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// The thread that watches deadlines does not start.
    #[error("cannot start the thread that watches filters' deadlines: {0}")]
    Ticker(io::Error),
    /// The names of our own metrics are taken.
    #[error(transparent)]
    Metric(#[from] RegisterError),
}

impl Runtime {
    /// Sets wasmtime up and starts the thread that watches deadlines.
    pub fn new(options: Options, registry: Arc<Registry>) -> Result<Arc<Self>, RuntimeError> {
        let engine = engine::build(&options)?;
        let codes = Codes::new(&engine, options.max_module);
        Ok(Arc::new(Self {
            codes: codes.map_err(|error| RuntimeError::Engine(one_line(&error)))?,
            ticker: Arc::new(Ticker::start(&engine).map_err(RuntimeError::Ticker)?),
            options,
            meters: Meters::new(&registry)?,
            registry,
            stores: Mutex::default(),
        }))
    }

    /// Largest module or component that is loaded, bytes.
    pub fn max_module(&self) -> usize {
        self.options.max_module
    }

    pub(super) fn codes(&self) -> &Codes {
        &self.codes
    }

    pub(super) fn ticker(&self) -> &Arc<Ticker> {
        &self.ticker
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    pub(super) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// What the filter of this name stored; kept for as long as a loaded
    /// filter has the name, so a reload finds it.
    pub(super) fn store(&self, filter: &Arc<str>) -> Arc<KeyValue> {
        let mut stores = self.stores.lock();
        if let Some(store) = stores.get(filter).and_then(Weak::upgrade) {
            return store;
        }
        stores.retain(|_, store| store.strong_count() > 0);
        let store = Arc::<KeyValue>::default();
        stores.insert(Arc::clone(filter), Arc::downgrade(&store));
        store
    }
}
