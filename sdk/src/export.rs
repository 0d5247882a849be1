//! The way from the host's calls to an author's [`Filter`]; wasm only.
//!
//! An instance has one thread and one filter. `#[filter]` gives the filter its
//! place in the author's crate, `configure` fills it.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::thread::LocalKey;
use std::time::Duration;

use crate::bindings::exports::headworks::filter::hooks::Guest;
use crate::bindings::headworks::filter::{outcome, system, types};
use crate::metrics::flush;
use crate::{Candidate, Filter, Outcome, Request, Settings};

/// A filter with a cell to live in.
pub trait Exported: Filter {
    /// Where `configure` leaves the filter.
    fn cell() -> &'static LocalKey<OnceCell<Self>>;
}

/// The hooks of `F` as the generated bindings want them.
pub struct Hooks<F>(PhantomData<F>);

impl<F: Exported> Guest for Hooks<F> {
    fn configure(settings: String) -> Result<types::Plan, Vec<types::SettingsProblem>> {
        log_panics();
        let filter = F::Config::decode(&settings).and_then(F::configure)?;
        let hooks = filter.hooks();
        let placed = F::cell().with(|cell| cell.set(filter));
        assert!(placed.is_ok(), "the host configured one instance twice");
        flush();
        Ok(hooks.into())
    }

    fn on_request() -> types::Verdict {
        with(|filter: &F| filter.on_request(&mut Request::new())).into()
    }

    fn place(candidates: Vec<types::Candidate>, waited_ms: u32) -> types::Placement {
        let candidates: Vec<Candidate> = candidates.into_iter().map(Candidate::from).collect();
        let waited = Duration::from_millis(waited_ms.into());
        with(|filter: &F| filter.place(&mut Request::new(), &candidates, waited)).into()
    }

    fn on_complete(facts: outcome::Facts) {
        with(|filter: &F| filter.on_complete(&Request::new(), &Outcome::new(facts)));
    }
}

/// Runs a hook. What it counted goes to the host at its end.
fn with<F: Exported, T>(hook: impl FnOnce(&F) -> T) -> T {
    let decided = F::cell().with(|cell| {
        hook(
            cell.get()
                .expect("the host configures an instance before use"),
        )
    });
    flush();
    decided
}

/// A trap carries no text; the panic's message and place go to the host's log first.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        system::log(system::Level::Error, &panic.to_string());
    }));
}
