//! The host's functions with the signatures that the bindings have in wasm, on
//! the world of the running test.

pub(crate) mod setup {
    use crate::testing::world::World;
    use std::rc::Rc;

    pub(crate) fn name() -> String {
        configuring("name").name.clone()
    }

    pub(crate) fn serves_model(id: &str) {
        configuring("serves_model")
            .served
            .borrow_mut()
            .insert(id.to_owned());
    }

    pub(crate) fn uses_pool(name: &str) -> Result<(), String> {
        configuring("uses_pool").find_pool(name)
    }

    pub(crate) fn needs_grant(grant: &str) -> Result<(), String> {
        if configuring("needs_grant").grants.contains(grant) {
            return Ok(());
        }
        Err(format!(
            "needs the grant `{grant}`; add grants = [\"{grant}\"] to the filter"
        ))
    }

    fn configuring(function: &str) -> Rc<World> {
        let world = World::current();
        assert!(
            world.configuring.get(),
            "`setup::{function}` is for `configure` only"
        );
        world
    }
}

pub(crate) mod upstreams {
    use crate::Candidate;
    use crate::testing::world::World;

    pub(crate) fn pools() -> Vec<String> {
        World::current().pools.keys().cloned().collect()
    }

    pub(crate) fn snapshot(pool: &str) -> Vec<Candidate> {
        World::current()
            .pools
            .get(pool)
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn endpoint_name(pool: &str, id: u32) -> Option<String> {
        let candidates = snapshot(pool);
        let known = candidates.iter().any(|candidate| candidate.id == id);
        known.then(|| format!("http://{pool}-{id}"))
    }
}

pub(crate) mod store {
    use crate::testing::world::World;

    pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
        let world = World::current();
        world
            .store
            .borrow()
            .get(key, world.elapsed.get())
            .map(<[u8]>::to_vec)
    }

    pub(crate) fn set(key: &str, value: &[u8], ttl_ms: u32) {
        let world = World::current();
        world
            .store
            .borrow_mut()
            .set(key, value, ttl_ms, world.elapsed.get());
    }

    pub(crate) fn increment(key: &str, by: i64, ttl_ms: u32) -> i64 {
        let world = World::current();
        world
            .store
            .borrow_mut()
            .increment(key, by, ttl_ms, world.elapsed.get())
    }
}

pub(crate) mod metrics {
    use crate::testing::registry::{at, declare};
    use crate::testing::world::World;

    /// A metric is its name; the values are the world's.
    #[derive(Debug)]
    pub(crate) struct Counter(String);
    #[derive(Debug)]
    pub(crate) struct Gauge(String);
    #[derive(Debug)]
    pub(crate) struct Timer(String);

    impl Counter {
        pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
            declare(
                &mut World::current().metrics.borrow_mut().counters,
                name,
                labels,
            );
            Self(name.to_owned())
        }

        pub(crate) fn add(&self, by: u64, values: &[&str]) {
            *at(
                &mut World::current().metrics.borrow_mut().counters,
                &self.0,
                values,
            ) += by;
        }
    }

    impl Gauge {
        pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
            declare(
                &mut World::current().metrics.borrow_mut().gauges,
                name,
                labels,
            );
            Self(name.to_owned())
        }

        pub(crate) fn set(&self, value: i64, values: &[&str]) {
            *at(
                &mut World::current().metrics.borrow_mut().gauges,
                &self.0,
                values,
            ) = value;
        }
    }

    impl Timer {
        pub(crate) fn new(name: &str, labels: &[&str]) -> Self {
            declare(
                &mut World::current().metrics.borrow_mut().timers,
                name,
                labels,
            );
            Self(name.to_owned())
        }

        pub(crate) fn record_us(&self, micros: u64, values: &[&str]) {
            at(
                &mut World::current().metrics.borrow_mut().timers,
                &self.0,
                values,
            )
            .push(micros);
        }
    }
}

pub(crate) mod system {
    use std::time::Duration;

    use crate::testing::world::World;

    /// 1 January 2030: where the clock of a test starts.
    const START: Duration = Duration::from_secs(1_893_456_000);

    #[derive(Clone, Copy)]
    pub(crate) enum Level {
        Debug,
        Info,
        Warn,
        Error,
    }

    pub(crate) fn log(level: Level, message: &str) {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        World::current()
            .logs
            .borrow_mut()
            .push(format!("{level}: {message}"));
    }

    pub(crate) fn now_ms() -> u64 {
        whole((START + World::current().elapsed.get()).as_millis())
    }

    pub(crate) fn monotonic_us() -> u64 {
        whole(World::current().elapsed.get().as_micros())
    }

    /// SplitMix64: short, and good enough for every seed.
    pub(crate) fn random_u64() -> u64 {
        let world = World::current();
        let state = world.chance.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        world.chance.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn whole(time: u128) -> u64 {
        u64::try_from(time).expect("tests do not last that long")
    }
}
