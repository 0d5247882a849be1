//! From bytes to code that only waits to be instantiated. Code is compiled
//! once for as long as a filter uses it, whatever is reloaded.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wit_component::ComponentEncoder;

use super::binary::{self, Kind, NotWasm};
use super::bindings::FilterPre;
use super::failure::one_line;
use super::imports;
use super::state::State;

/// A filter's code, compiled and linked.
pub(super) struct Code {
    /// SHA-256 of the bytes that it was made from, hexadecimal.
    pub(super) digest: Arc<str>,
    pub(super) linked: FilterPre<State>,
}

/// Compiles code, and knows the code in use.
pub(super) struct Codes {
    linker: Linker<State>,
    max_module: usize,
    in_use: Mutex<HashMap<[u8; 32], Weak<Code>>>,
}

/// Why bytes are not the code of a filter.
#[derive(Debug, thiserror::Error)]
pub(super) enum CodeError {
    #[error(
        "{0} bytes are more than a filter may have, {1}; build it with optimisation for size and without debug information"
    )]
    TooLarge(usize, usize),
    #[error(transparent)]
    NotWasm(#[from] NotWasm),
    #[error(
        "not a filter: cannot be made a component: {0}; build it for wasm32-unknown-unknown with headworks-sdk"
    )]
    NotEncodable(String),
    #[error("not a valid WebAssembly component: {0}")]
    Invalid(String),
    #[error(
        "not a filter: imports `{0}`, and filters have no WASI; build it for wasm32-unknown-unknown, or stub WASI out"
    )]
    Wasi(String),
    #[error(
        "not a filter: imports `{0}`, which this gateway does not offer; was it built for another version of the contract?"
    )]
    UnknownImport(String),
    #[error(
        "not a filter: its imports or exports differ from the contract headworks:filter@0.1.0: {0}"
    )]
    WrongType(String),
    #[error("not a filter: does not export `{HOOKS}`; does it use #[filter] of headworks-sdk?")]
    NoHooks,
}

/// Where everything that a filter may import is.
const PACKAGE: &str = "headworks:filter/";

/// What every filter exports.
const HOOKS: &str = "headworks:filter/hooks@0.1.0";

impl Codes {
    /// Nothing compiled yet.
    pub(super) fn new(engine: &Engine, max_module: usize) -> wasmtime::Result<Self> {
        let linker = imports::linker(engine)?;
        Ok(Self {
            linker,
            max_module,
            in_use: Mutex::default(),
        })
    }

    /// The code of a module or component. Takes its time when it is new.
    pub(super) fn load(&self, bytes: &[u8]) -> Result<Arc<Code>, CodeError> {
        if bytes.len() > self.max_module {
            return Err(CodeError::TooLarge(bytes.len(), self.max_module));
        }
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        if let Some(code) = self.in_use.lock().get(&digest).and_then(Weak::upgrade) {
            return Ok(code);
        }
        let linked = self.compile(bytes)?;
        let code = Arc::new(Code {
            digest: hex(&digest),
            linked,
        });
        let mut in_use = self.in_use.lock();
        in_use.retain(|_, code| code.strong_count() > 0);
        in_use.insert(digest, Arc::downgrade(&code));
        Ok(code)
    }

    fn compile(&self, bytes: &[u8]) -> Result<FilterPre<State>, CodeError> {
        let encoded;
        let component = match binary::kind(bytes)? {
            Kind::Component => bytes,
            Kind::Module => {
                encoded = encode(bytes)?;
                &encoded
            }
        };
        let component = Component::from_binary(self.linker.engine(), component);
        self.link(&component.map_err(|error| CodeError::Invalid(one_line(&error)))?)
    }

    fn link(&self, component: &Component) -> Result<FilterPre<State>, CodeError> {
        let ty = component.component_type();
        let mut imports = ty.imports(self.linker.engine()).map(|(name, _)| name);
        match imports.find(|name| !name.starts_with(PACKAGE)) {
            Some(wasi) if wasi.starts_with("wasi:") => {
                return Err(CodeError::Wasi(wasi.to_owned()));
            }
            Some(other) => return Err(CodeError::UnknownImport(other.to_owned())),
            None => {}
        }
        let wrong = |error| CodeError::WrongType(one_line(&error));
        let linked = self.linker.instantiate_pre(component).map_err(wrong)?;
        if component.get_export_index(None, HOOKS).is_none() {
            return Err(CodeError::NoHooks);
        }
        FilterPre::new(linked).map_err(wrong)
    }
}

/// Makes a component of a core module that carries its world with it.
fn encode(module: &[u8]) -> Result<Vec<u8>, CodeError> {
    let encoder = ComponentEncoder::default().validate(true).module(module);
    let component = encoder.and_then(|mut encoder| encoder.encode());
    component.map_err(|error| CodeError::NotEncodable(one_line(&error)))
}

fn hex(bytes: &[u8]) -> Arc<str> {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.into()
}
