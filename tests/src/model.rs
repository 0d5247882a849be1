//! Model servers: the stub, in this process.

use std::net::SocketAddr;

use headworks_stub::{Fault, LastRequest, Options, Profile, Running, Server, Snapshot};
use serde_json::Value;

use crate::until;

/// A model server. Its answers begin with its name in brackets.
pub struct ModelServer {
    name: String,
    server: Running,
}

impl ModelServer {
    /// One that answers at once.
    pub fn named(name: &str) -> Self {
        Self::with(Options::named(name))
    }

    /// One that takes its time for each token, some milliseconds at this
    /// speed: 1.0 gives a token each 7.5 ms, 0.1 each 75 ms.
    pub fn paced(name: &str, speed: f64) -> Self {
        Self::with(Options {
            model_id: name.to_owned(),
            speed,
            ..Options::for_profile(Profile::Fast12)
        })
    }

    /// One with these options.
    ///
    /// # Panics
    /// When the options make no sense.
    pub fn with(options: Options) -> Self {
        Self {
            name: options.model_id.clone(),
            server: Server::start(options).expect("a stub starts"),
        }
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its counters.
    pub fn stats(&self) -> Snapshot {
        self.server.stats()
    }

    /// How many generating requests came in.
    pub fn seen(&self) -> u64 {
        self.stats().seen
    }

    /// The request that came in last.
    ///
    /// # Panics
    /// When none did.
    pub fn last(&self) -> LastRequest {
        self.stats().last.expect("the model server was asked")
    }

    /// The body of the request that came in last.
    ///
    /// # Panics
    /// When none did, or it was no JSON.
    pub fn last_body(&self) -> Value {
        serde_json::from_slice(&self.last().body).expect("a model server is sent JSON")
    }

    /// Lets something go wrong.
    pub fn inject(&self, fault: impl Into<Fault>) {
        self.server.inject(fault);
    }

    /// Ends all faults.
    pub fn recover(&self) {
        self.server.clear_faults();
    }

    /// Waits until its counters are as `condition` wants them.
    pub async fn until(&self, what: &str, condition: impl Fn(&Snapshot) -> bool) {
        until(what, async || condition(&self.stats()).then_some(())).await;
    }

    /// Ends it at once; answers are cut off.
    pub fn kill(self) {
        self.server.kill();
    }
}
