//! wasmtime, set up for many small filters: pooled instances, a deadline by
//! epochs, no threads, no shared memory, compiled code kept on disk.

use std::num::NonZeroUsize;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use super::RuntimeError;

/// Bounds of all filters together, and where compiled code is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for compiled code, made readable by its owner alone: what lies
    /// there is run. None compiles each filter anew in each process.
    pub cache: Option<PathBuf>,
    /// Most instances of all filters together. A filter has one per thread
    /// that calls it, and an old generation may live beside the new one.
    pub instances: u32,
    /// Stack of one call, bytes.
    pub max_stack: usize,
    /// Largest module or component, bytes.
    pub max_module: usize,
    /// How long `configure` may take.
    pub configure_deadline: Duration,
    /// Calls after which an instance is replaced, so that a filter that leaks
    /// does so for a while only.
    pub calls_per_instance: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache: None,
            instances: 1024,
            max_stack: 512 << 10,
            max_module: 16 << 20,
            configure_deadline: Duration::from_secs(1),
            calls_per_instance: 100_000,
        }
    }
}

/// Frames of a backtrace worth logging.
const FRAMES: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not 0");

/// Elements of one table, function pointers of the guest for the most part.
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// Builds the engine of the process.
pub(super) fn build(options: &Options) -> Result<Engine, RuntimeError> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(options.max_stack)
        .wasm_backtrace_max_frames(Some(FRAMES))
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .concurrency_support(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(options.instances)));
    if let Some(folder) = &options.cache {
        config.cache(Some(cache(folder)?));
    }
    Engine::new(&config).map_err(|error| RuntimeError::Engine(format!("{error:#}")))
}

/// Slots for instances. A component is up to four core instances; a filter in
/// Rust has one memory, one in JavaScript up to three.
fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances * 4)
        .total_memories(instances * 2)
        .total_tables(instances * 3)
        .max_memories_per_component(3)
        .table_elements(TABLE_ELEMENTS);
    pool
}

/// wasmtime's own cache: keyed by SHA-256 of the code and of every setting that
/// matters, written by rename. Reading compiled code back by ourselves would
/// need `unsafe`.
fn cache(folder: &Path) -> Result<Cache, RuntimeError> {
    let folder = private(folder).map_err(|error| RuntimeError::Cache {
        folder: folder.to_owned(),
        error,
    })?;
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config).map_err(|error| RuntimeError::Engine(format!("{error:#}")))
}

/// Makes a folder that its owner alone can use; its whole path, without links.
fn private(folder: &Path) -> io::Result<PathBuf> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    folder.canonicalize()
}
