//! Who a request is from, told by the API key it presents. Keys stand in a
//! file that `command` and people write; the gateway only reads it. What a
//! tenant or a class may do is for filters to say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderMap;

mod check;
pub mod command;
mod digest;
mod entry;
mod key;
mod keys;
mod moment;
mod presented;
mod problem;
mod read;
#[cfg(test)]
mod tests;

pub use check::check_name;
pub use entry::{Entry, File, STANDARD};
pub use keys::Keys;
pub use presented::{Presented, presented};
pub use problem::KeyProblem;

/// Who may ask, and as whom those do who present no key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    keys: Keys,
    anonymous: Option<Arc<Client>>,
}

/// Who a request is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Who is accounted for it.
    pub tenant: Arc<str>,
    /// The id of the key, which is no secret; `-` where none was presented.
    pub key: Arc<str>,
    /// How the client is to be treated, such as `gold`.
    pub class: Arc<str>,
    /// The only models it may use; `None` for all.
    pub models: Option<BTreeSet<Arc<str>>>,
}

/// Why it is not known who a request is from. Whether a key never was, is
/// revoked or cannot be read is nothing that a stranger should learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No key was presented.
    #[error("no API key was sent; send one as `Authorization: Bearer <key>`")]
    Missing,
    /// What was presented is not a key that may be used.
    #[error("the API key is not valid")]
    Invalid,
}

impl Identity {
    /// With `anonymous`, requests without a key belong to the tenant of that name.
    pub fn new(keys: Keys, anonymous: Option<Arc<str>>) -> Self {
        Self {
            keys,
            anonymous: anonymous.map(|tenant| Arc::new(Client::anonymous(tenant))),
        }
    }

    /// Who a request with these headers is from. A key that may not be used
    /// does not make its holder anonymous: a typo should be heard of.
    pub fn identify(&self, headers: &HeaderMap, now: SystemTime) -> Result<Arc<Client>, Unknown> {
        match presented(headers) {
            Presented::Key(key) => self.keys.find(key, now).ok_or(Unknown::Invalid),
            Presented::Unusable => Err(Unknown::Invalid),
            Presented::None => self.anonymous.clone().ok_or(Unknown::Missing),
        }
    }
}

impl Client {
    /// Whether the key is good for this model.
    pub fn may_use(&self, model: &str) -> bool {
        self.models
            .as_ref()
            .is_none_or(|models| models.contains(model))
    }

    fn anonymous(tenant: Arc<str>) -> Self {
        Self {
            tenant,
            key: "-".into(),
            class: "anonymous".into(),
            models: None,
        }
    }
}
