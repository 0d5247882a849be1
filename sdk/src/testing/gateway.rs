//! What a test declares before it loads a filter.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::Value;

use super::host::MockHost;
use super::world::World;
use crate::{Candidate, Filter, Problems};

/// Loads a filter into a gateway with nothing declared.
///
/// ```
/// use headworks_sdk::prelude::*;
/// # #[config]
/// # pub struct Config { pool: String }
/// # #[on_request]
/// # fn fixed(request: &mut Request, config: &Config) -> Verdict {
/// #     request.route(&config.pool);
/// #     Verdict::Next
/// # }
/// let mut host = testing::host::<Fixed>(json!({"pool": "big"})).unwrap();
/// assert_eq!(host.generate("qwen2").send().pool(), Some("big"));
/// ```
///
/// # Errors
/// What is wrong with the settings.
pub fn host<F: Filter>(settings: Value) -> Result<MockHost<F>, Problems> {
    gateway().load(settings)
}

/// A gateway to be, for filters that look at more than requests.
///
/// ```
/// use headworks_sdk::prelude::*;
/// # #[config(check)]
/// # pub struct Config { pool: String }
/// # impl Config {
/// #     fn check(&self, problems: &mut Problems) {
/// #         problems.check("pool", setup::uses_pool(&self.pool));
/// #     }
/// # }
/// # #[on_request]
/// # fn fixed(request: &mut Request, config: &Config) -> Verdict {
/// #     request.route(&config.pool);
/// #     Verdict::Next
/// # }
/// let gateway = testing::gateway().pool("big", &[]).pool("small", &[]);
/// let problems = gateway.load::<Fixed>(json!({"pool": "bgi"})).unwrap_err();
/// assert_eq!(problems.to_string(), "pool: no pool `bgi`; there are: big, small");
/// ```
#[must_use]
pub struct Gateway(World);

/// A gateway with nothing declared: every name is a pool and a model.
pub fn gateway() -> Gateway {
    Gateway(World {
        name: "test".to_owned(),
        ..World::default()
    })
}

impl Gateway {
    /// The filter's name in the configuration, `test` when not set.
    pub fn filter_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.0.name);
        self
    }

    /// Declares a pool with its endpoints. From the first on, only declared
    /// names are pools.
    pub fn pool(mut self, name: &str, endpoints: &[Candidate]) -> Self {
        self.0.pools.insert(name.to_owned(), endpoints.to_vec());
        self
    }

    /// Declares a model of the configuration. From the first on, any model that
    /// is not declared, nor served by the filter, is labelled `other`.
    pub fn model(mut self, id: &str) -> Self {
        self.0.models.insert(id.to_owned());
        self
    }

    /// Gives the filter a grant, such as `content`.
    pub fn grant(mut self, grant: &str) -> Self {
        self.0.grants.insert(grant.to_owned());
        self
    }

    /// Where chance starts; 0 when not set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.chance = Cell::new(seed);
        self
    }

    /// Loads a filter with its settings.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn load<F: Filter>(self, settings: Value) -> Result<MockHost<F>, Problems> {
        let world = Rc::new(self.0);
        let filter = world.configure(settings)?;
        Ok(MockHost::new(world, filter))
    }
}
