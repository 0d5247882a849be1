//! The state of one request, carried through the walk: what was asked, what
//! filters decided, and how it went.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue};
use pingora_http::RequestHeader;

use crate::api::{Call, EditError};
use crate::filter::Generation;
use crate::identity::Client;
use crate::ledger::ABSENT;
use crate::limit::{Allowance, Attribute, Claim, Key, Lease};
use crate::observe::Trace;
use crate::outcome::Outcome;
use crate::shape::{Demand, Hold};
use crate::upstream::Pool;

/// One request with its answer. It keeps the generation that it started with.
pub struct Exchange {
    /// The configuration, pools and chain this exchange lives by.
    pub generation: Arc<Generation>,
    /// What was asked.
    pub call: Call,
    /// The request head: as the client sent it, then as filters changed it;
    /// in the end what goes upstream.
    pub head: RequestHeader,
    /// The pool that filters chose.
    pub pool: Option<Arc<Pool>>,
    /// The pool that filters chose for when that one fails.
    pub fallback: Option<Arc<Pool>>,
    /// Whose it is; nobody's where the gateway asks for no keys.
    pub client: Option<Arc<Client>>,
    /// The budgets that filters charged it to, until it is let in.
    pub claims: Vec<Claim>,
    /// What it may use of them.
    pub lease: Option<Lease>,
    /// Prompt tokens, where the pool's tokenizer counted them.
    pub counted: Option<u32>,
    /// What it asks of an endpoint; nothing before its pool is known, and where
    /// nothing is generated.
    pub demand: Option<Demand>,
    /// In which time from its beginning the answer should be complete.
    pub objective: Option<Duration>,
    /// How it stands in line, if it has to wait.
    pub hold: Option<Hold>,
    /// Why it is placed as it is.
    pub why: Option<String>,
    /// How long its answer was predicted to take where it is placed.
    pub predicted: Option<Duration>,
    /// How many endpoints were tried before this one.
    pub attempt: u32,
    /// Its part of a trace, if it is traced.
    pub trace: Option<Trace>,
    /// Notes for the access log.
    pub tags: Vec<(String, String)>,
    /// How it went; filled as it goes.
    pub outcome: Outcome,
    /// How many filters of the chain, from the first, saw `on_request`.
    pub filters_run: usize,
    /// Per-exchange state of filters, by their place in the chain.
    states: Vec<(usize, Vec<u8>)>,
}

static NOBODY: LazyLock<Arc<str>> = LazyLock::new(|| ABSENT.into());

/// A filter named a pool that the configuration does not have.
#[derive(Debug, thiserror::Error)]
#[error("there is no pool `{0}`")]
pub struct UnknownPool(pub String);

impl Exchange {
    /// Starts the exchange of a request that was just read.
    pub fn new(
        generation: Arc<Generation>,
        call: Call,
        head: RequestHeader,
        started: Instant,
    ) -> Self {
        Self {
            generation,
            call,
            head,
            pool: None,
            fallback: None,
            client: None,
            claims: Vec::new(),
            lease: None,
            counted: None,
            demand: None,
            objective: None,
            hold: None,
            why: None,
            predicted: None,
            attempt: 0,
            trace: None,
            tags: Vec::new(),
            outcome: Outcome::begun(started),
            filters_run: 0,
            states: Vec::new(),
        }
    }

    /// The model id if the configuration knows it, else `other`. Who names none
    /// means the one there is, which pools are mostly named by.
    pub fn model_label(&self) -> &str {
        let pool = || self.pool.as_ref().or(self.generation.default_pool());
        match self.call.model() {
            "" => pool().map_or("other", |pool| &pool.name),
            model => self.generation.model_label(model),
        }
    }

    /// The tenant, `ABSENT` where there is none.
    pub fn tenant(&self) -> &str {
        self.client.as_ref().map_or(ABSENT, |client| &client.tenant)
    }

    /// Charges it to a budget, in the bucket that is its own.
    pub fn charge(&mut self, allowance: &Allowance) {
        let parts = allowance.by.iter();
        let parts = parts.map(|attribute| (*attribute, self.attribute(*attribute)));
        let claim = Claim {
            key: Key::new(parts),
            budget: Arc::clone(&allowance.budget),
        };
        self.claims.push(claim);
    }

    /// What it is by an attribute; `ABSENT` without a client.
    pub fn attribute(&self, attribute: Attribute) -> Arc<str> {
        let client = self.client.as_ref();
        let named = match attribute {
            Attribute::Model => return self.model_label().into(),
            Attribute::Tenant => client.map(|client| &client.tenant),
            Attribute::Key => client.map(|client| &client.key),
            Attribute::Class => client.map(|client| &client.class),
        };
        named.cloned().unwrap_or_else(|| NOBODY.clone())
    }

    /// First value of a request header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Sends the exchange to a pool; the last call wins.
    pub fn route(&mut self, pool: &str) -> Result<(), UnknownPool> {
        self.pool = Some(self.known(pool)?);
        Ok(())
    }

    /// Sends the exchange to a pool if the one it is sent to fails; the last
    /// call wins.
    pub fn fall_back(&mut self, pool: &str) -> Result<(), UnknownPool> {
        self.fallback = Some(self.known(pool)?);
        Ok(())
    }

    fn known(&self, pool: &str) -> Result<Arc<Pool>, UnknownPool> {
        let found = self.generation.pools.get(pool);
        found.cloned().ok_or_else(|| UnknownPool(pool.to_owned()))
    }

    /// Sets a header on the request to the upstream.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), EditError> {
        let name =
            HeaderName::try_from(name).map_err(|_| EditError::HeaderName(name.to_owned()))?;
        if is_framing(&name) {
            return Err(EditError::HeaderFixed(name.to_string()));
        }
        let value =
            HeaderValue::try_from(value).map_err(|_| EditError::HeaderValue(name.to_string()))?;
        self.head
            .insert_header(name, value)
            .map_err(|_| EditError::HeaderValue("?".to_owned()))
    }

    /// Removes a header from the request to the upstream.
    pub fn remove_header(&mut self, name: &str) {
        self.head.remove_header(name);
    }

    /// What the filter at `place` in the chain stored for this exchange.
    pub fn state(&self, place: usize) -> &[u8] {
        self.states
            .iter()
            .find(|(at, _)| *at == place)
            .map_or(&[], |(_, state)| state)
    }

    /// Stores state for the filter at `place` in the chain.
    pub fn set_state(&mut self, place: usize, state: Vec<u8>) {
        match self.states.iter_mut().find(|(at, _)| *at == place) {
            Some((_, old)) => *old = state,
            None => self.states.push((place, state)),
        }
    }

    /// Prompt tokens: the upstream's count once there is one, else the estimate.
    pub fn input_tokens(&self) -> u32 {
        self.outcome
            .input_tokens
            .unwrap_or_else(|| self.prompt_tokens())
    }

    /// Prompt tokens, as the gateway counted or estimates them.
    pub fn prompt_tokens(&self) -> u32 {
        if let Some(counted) = self.counted {
            return counted;
        }
        let densities = &self.generation.pools.densities;
        let (is_chat, bytes) = (self.call.api.is_chat(), self.call.prompt_bytes());
        densities.tokens(self.model_label(), is_chat, bytes)
    }

    /// New tokens expected of the answer, none where nothing is generated.
    pub fn expected_new_tokens(&self) -> u32 {
        let demand = self.demand.as_ref();
        demand.map_or(0, |demand| demand.need.mean)
    }

    /// What its tenant has had of the pool, in thousandths of an equal share.
    pub fn tenant_share(&self) -> u32 {
        let share = |pool: &Arc<Pool>| pool.shares.share(self.tenant(), Instant::now());
        let share = self.pool.as_ref().map_or(1.0, share);
        (share * 1000.0).round() as u32
    }

    /// When the answer should be complete.
    pub fn deadline(&self) -> Option<Instant> {
        self.objective
            .map(|objective| self.outcome.started + objective)
    }

    /// Learns how long prompts are from what the upstream counted.
    pub fn learn_prompt(&self) {
        let Some(tokens) = self.outcome.input_tokens else {
            return;
        };
        let densities = &self.generation.pools.densities;
        let (is_chat, bytes) = (self.call.api.is_chat(), self.call.prompt_bytes());
        densities.learn(self.model_label(), is_chat, bytes, tokens);
    }
}

/// Headers that say how a message is framed are the gateway's alone.
fn is_framing(name: &HeaderName) -> bool {
    use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
    [
        CONNECTION,
        CONTENT_LENGTH,
        HOST,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ]
    .contains(name)
}
