//! Shares limits among gateways: keeps the whole of all buckets in Redis, and
//! asks it on behalf of all requests of this gateway, in rounds. Requests wait
//! for a round only where what their gateway has taken does not suffice.

mod meters;
mod store;

use std::sync::Arc;
use std::time::Duration;

use redis::{RedisError, RedisResult};
use tokio::time::{Instant, sleep, timeout};

use crate::config;
use crate::config::WithoutRedis;
use crate::limit::{Keeper, Limiter, Now};
use crate::observe::Registry;
use meters::Meters;
use store::{SILENT, Store};

/// How often it is looked at what may go back, if nobody wants anything.
const LOOK: Duration = Duration::from_millis(50);

/// How often a gateway says that it is there.
const HEAR: Duration = Duration::from_secs(1);

/// Time between two attempts to reach a store that is gone.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(1);

/// Orders that are sent at once. Redis does nothing else meanwhile.
const AT_ONCE: usize = 256;

/// How long the last thing may take that is said to the store.
const LEAVE: Duration = Duration::from_secs(1);

/// Keeps the limits of this gateway in step with those of the others.
pub struct SharedLimits {
    limiter: Arc<Limiter>,
    store: Store,
    meters: Meters,
    /// How long the store may take to answer.
    patience: Duration,
    without: WithoutRedis,
    /// How many gateways share the limits, as was heard last.
    gateways: u64,
    connected: Instant,
}

/// Shares the buckets of a limiter, if the configuration says so.
pub fn share(limiter: Limiter, config: Option<&config::SharedLimits>) -> Limiter {
    match config {
        // That the store answers is the first thing to find out.
        Some(config) => limiter.shared(config.max_wait, Keeper::Answers),
        None => limiter,
    }
}

impl SharedLimits {
    /// For the buckets of a limiter that shares them.
    ///
    /// # Errors
    /// When the address is none; whether anything is there is seen later.
    pub fn new(
        config: &config::SharedLimits,
        limiter: Arc<Limiter>,
        registry: &Registry,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            limiter,
            store: Store::new(&config.redis, &config.prefix)?,
            meters: Meters::new(registry)?,
            // A request may come when a round has just begun, and waits for two.
            patience: config.max_wait / 2,
            without: config.without_redis,
            gateways: 1,
            connected: Instant::now(),
        })
    }

    /// Goes on for ever.
    pub async fn run(&mut self) {
        let mut connected = self.connect().await;
        loop {
            let error = match connected {
                Ok(()) => self.answer().await,
                Err(error) => error,
            };
            self.lost(&error);
            while let Err(error) = self.connect().await {
                tracing::debug!("the Redis of shared limits is still not there: {error}");
                sleep(AGAIN).await;
            }
            self.found();
            connected = Ok(());
        }
    }

    /// Says goodbye: gives back what was taken and not used.
    pub async fn leave(&mut self) {
        let left = async {
            self.store.connect(CONNECT).await?;
            let orders = self.limiter.leave(Now::read());
            self.store.fill(&orders).await?;
            self.store.leave().await
        };
        let left = timeout(LEAVE, left).await;
        if let Err(error) = left.unwrap_or_else(|_| Err(slow(LEAVE))) {
            tracing::warn!("what this gateway has taken of shared limits stays taken: {error}");
        }
    }

    /// Connects, and finds out whether it answers in time.
    async fn connect(&mut self) -> RedisResult<()> {
        self.store.connect(CONNECT).await?;
        self.connected = Instant::now();
        self.hear().await
    }

    /// Says that this gateway is there.
    async fn hear(&mut self) -> RedisResult<()> {
        let heard = timeout(self.patience, self.store.hear()).await;
        let heard = heard.map_err(|_| slow(self.patience))??;
        // One that came back empty has not heard of all of them yet.
        self.gateways = match self.connected.elapsed() < SILENT {
            true => heard.max(self.gateways),
            false => heard,
        };
        Ok(())
    }

    /// Asks for as long as there is an answer. Returns why there was none.
    async fn answer(&mut self) -> RedisError {
        self.meters.is_up(true);
        let mut heard = Instant::now();
        loop {
            if let Err(error) = self.round().await {
                return error;
            }
            if heard.elapsed() >= HEAR {
                if let Err(error) = self.hear().await {
                    return error;
                }
                heard = Instant::now();
            }
            // Nobody wanting anything is no fault.
            timeout(LOOK, self.limiter.wanted()).await.ok();
        }
    }

    async fn round(&mut self) -> RedisResult<()> {
        let (round, mut orders) = self.limiter.orders(Now::read());
        while !orders.is_empty() {
            let later = orders.split_off(orders.len().min(AT_ONCE));
            let filled = timeout(self.patience, self.store.fill(&orders)).await;
            match filled.unwrap_or_else(|_| Err(slow(self.patience))) {
                Ok(filled) => self.limiter.filled(&orders, &filled, Now::read()),
                Err(error) => {
                    self.limiter.unheard(&orders);
                    self.limiter.unheard(&later);
                    return Err(error);
                }
            }
            orders = later;
        }
        self.limiter.ended(round);
        Ok(())
    }

    fn lost(&mut self, error: &RedisError) {
        self.meters.is_up(false);
        self.meters.failed();
        let parts = match self.without {
            WithoutRedis::Local => Some(self.gateways),
            WithoutRedis::Refuse => None,
        };
        self.limiter.keep(Keeper::Gone { parts }, Now::read());
        let then = match parts {
            Some(parts) => format!("this gateway goes on with 1/{parts} of each budget"),
            None => "requests that have budgets are refused".to_owned(),
        };
        let address = self.store.address();
        tracing::warn!("the Redis of shared limits at {address} does not answer: {error}; {then}");
    }

    fn found(&mut self) {
        self.limiter.keep(Keeper::Answers, Now::read());
        tracing::info!("the Redis of shared limits answers again");
    }
}

fn slow(limit: Duration) -> RedisError {
    let what = format!("no answer within {}", humantime::format_duration(limit));
    RedisError::from((redis::ErrorKind::Io, "slow", what))
}
