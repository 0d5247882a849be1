//! The whole of all buckets, in Redis: the scripts, and what is sent to them.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Pipeline, RedisResult, Script};

use crate::limit::{Attribute, Claim, Filled, Order, Period, Unit};

/// How long a gateway counts that says nothing. One that was killed holds what
/// its exchanges held for so long.
pub(super) const SILENT: Duration = Duration::from_secs(10);

/// A Redis server, as one gateway uses it.
pub(super) struct Store {
    client: Client,
    /// The beginning of all keys.
    prefix: String,
    /// This gateway, among those that share the limits.
    me: String,
    fill: Script,
    hear: Script,
    connection: Option<MultiplexedConnection>,
}

impl Store {
    pub(super) fn new(url: &str, prefix: &str) -> RedisResult<Self> {
        Ok(Self {
            client: Client::open(url)?,
            prefix: prefix.to_owned(),
            me: format!("{:016x}", rand::random::<u64>()),
            fill: Script::new(include_str!("fill.lua")),
            hear: Script::new(include_str!("hear.lua")),
            connection: None,
        })
    }

    /// Where it is, without the password.
    pub(super) fn address(&self) -> String {
        self.client.get_connection_info().addr().to_string()
    }

    /// Connects anew, with the scripts.
    pub(super) async fn connect(&mut self, patience: Duration) -> RedisResult<()> {
        self.connection = None;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(patience));
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await?;
        for script in [&self.fill, &self.hear] {
            script.load_async(&mut connection).await?;
        }
        self.connection = Some(connection);
        Ok(())
    }

    /// Says that this gateway is there. Returns how many are.
    pub(super) async fn hear(&mut self) -> RedisResult<u64> {
        let mut invocation = self.hear.prepare_invoke();
        invocation.key(self.heard_key());
        invocation.arg(&self.me).arg(micros(SILENT));
        let connection = connected(&mut self.connection)?;
        invocation.invoke_async(connection).await
    }

    /// Has orders filled, one by one.
    pub(super) async fn fill(&mut self, orders: &[Order]) -> RedisResult<Vec<Filled>> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        for order in orders {
            self.write(order, &mut pipeline);
        }
        let connection = connected(&mut self.connection)?;
        let answers: Vec<(u64, u64, usize)> = pipeline.query_async(connection).await?;
        let filled = answers.into_iter().zip(orders);
        let filled = filled.map(|((used, given, met), order)| Filled {
            used,
            given,
            all: met == order.needs.len(),
        });
        Ok(filled.collect())
    }

    /// Says that this gateway is there no more.
    pub(super) async fn leave(&mut self) -> RedisResult<()> {
        let key = self.heard_key();
        let connection = connected(&mut self.connection)?;
        let mut command = redis::cmd("ZREM");
        command.arg(key).arg(&self.me);
        command.query_async(connection).await
    }

    fn write(&self, order: &Order, pipeline: &mut Pipeline) {
        let budget = &order.claim.budget;
        let (kind, at_once, period) = match budget.period {
            Period::Rolling(span) => ("rolling", budget.capacity(), span),
            Period::Day | Period::Month => ("calendar", budget.amount, order.window_ends),
            Period::AtOnce => ("held", budget.amount, Duration::ZERO),
        };
        let change = i128::from(order.taken) - i128::from(order.known);
        pipeline
            .cmd("EVALSHA")
            .arg(self.fill.get_hash())
            .arg(2)
            .arg(key(&self.prefix, order))
            .arg(self.heard_key())
            .arg(kind)
            .arg(&self.me)
            // A budget of nothing pays back as slowly as can be.
            .arg(budget.amount.max(1))
            .arg(at_once)
            .arg(micros(period).max(1))
            .arg(order.taken)
            .arg(change.to_string())
            .arg(order.whole)
            .arg(order.more)
            .arg(&order.needs);
    }

    fn heard_key(&self) -> String {
        format!("{}:gateways", self.prefix)
    }
}

fn connected(
    connection: &mut Option<MultiplexedConnection>,
) -> RedisResult<&mut MultiplexedConnection> {
    let missing = || redis::RedisError::from((redis::ErrorKind::Io, "not connected"));
    connection.as_mut().ok_or_else(missing)
}

/// The key of a bucket, as unambiguous as JSON:
/// `headworks:["minute","tokens","rolling",0,"tenant","acme"]`.
fn key(prefix: &str, order: &Order) -> String {
    let Claim { budget, key } = &order.claim;
    let unit = match budget.unit {
        Unit::Tokens => "tokens",
        Unit::Requests => "requests",
        Unit::Exchanges => "exchanges",
    };
    let period = match budget.period {
        Period::Rolling(_) => "rolling",
        Period::Day => "day",
        Period::Month => "month",
        Period::AtOnce => "at once",
    };
    let mut parts = serde_json::json!([*budget.name, unit, period, order.window]);
    if let Some(parts) = parts.as_array_mut() {
        for (attribute, value) in key.parts() {
            parts.push(name(*attribute).into());
            parts.push((&**value).into());
        }
    }
    format!("{prefix}:{parts}")
}

fn name(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::Tenant => "tenant",
        Attribute::Key => "key",
        Attribute::Model => "model",
        Attribute::Class => "class",
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
