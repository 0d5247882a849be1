//! Has a pool answer an exchange: one endpoint after another where one fails,
//! and the pool's fallback where all do. All of it ends with the first byte that
//! the client sees.

use std::sync::Arc;
use std::time::Instant;

use super::refuse::note;
use super::{Gateway, Step};
use crate::downstream::Downstream;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::tokenizer::Tokenizer;
use crate::upstream::{Pool, Way, forward};

/// The endpoints of a pool that were asked for one exchange.
#[derive(Default)]
struct Tried {
    ids: Vec<u32>,
    /// One of them had the request, and the pool a retry to spend for it.
    retried: bool,
}

impl Tried {
    /// Whether an exchange may leave the endpoint that it is sent to now.
    fn may_leave(&self, pool: &Pool, id: u32) -> bool {
        !self.retried && pool.has_other(&[&self.ids[..], &[id]].concat())
    }
}

impl Gateway {
    /// Has a pool answer, and its fallback when nothing there does.
    pub(super) async fn answer(
        &self,
        client: &mut Downstream<'_>,
        mut exchange: Box<Exchange>,
    ) -> Step<()> {
        let mut pool = match pool(&exchange) {
            Ok(pool) => pool,
            Err(error) => return (exchange, Err(error)),
        };
        loop {
            exchange.pool = Some(pool.clone());
            if let Err(error) = self.prepare(client, &mut exchange, &pool).await {
                return (exchange, Err(error));
            }
            let answered;
            (exchange, answered) = self.ask(client, exchange, &pool).await;
            let error = match answered {
                Err(error) if error.may_move_on() && !client.has_answered() => error,
                answered => return (exchange, answered),
            };
            let Some(fallback) = exchange.fallback.take() else {
                return (exchange, Err(error));
            };
            note(&error);
            self.meters.fell_back(&pool.name);
            pool = fallback;
        }
    }

    /// Counts the prompt as the pool does, and lets the exchange in.
    async fn prepare(
        &self,
        client: &mut Downstream<'_>,
        exchange: &mut Exchange,
        pool: &Pool,
    ) -> Result<(), Error> {
        if let Some(tokenizer) = &pool.config.tokenizer {
            let counted = async { Ok(count(exchange, tokenizer).await) };
            exchange.counted = client.unless_gone(counted).await?;
        }
        exchange.demand = self.expect(exchange);
        self.admit(client, exchange).await
    }

    /// Places the exchange and forwards it, to another endpoint if one fails and
    /// there is one to try.
    async fn ask(
        &self,
        client: &mut Downstream<'_>,
        mut exchange: Box<Exchange>,
        pool: &Pool,
    ) -> Step<()> {
        pool.retries.earn(pool.config.retry_percent);
        let mut tried = Tried::default();
        loop {
            let placed;
            (exchange, placed) = self.place(client, exchange, pool, &tried.ids).await;
            let slot = match placed {
                Ok(slot) => slot,
                Err(error) => return (exchange, Err(error)),
            };
            let way = Way {
                pool,
                slot: &slot,
                may_leave: tried.may_leave(pool, slot.id()),
            };
            let answered = forward::forward(&self.connector, client, &mut exchange, way).await;
            let error = match answered {
                Err(error) if error.is_endpoints() => error,
                answered => return (exchange, answered),
            };
            self.meters.failed(&pool.name, &error);
            if error.is_fault() {
                pool.failed(slot.id(), Instant::now());
            }
            tried.ids.push(slot.id());
            if client.has_answered() || !self.tries_on(pool, &mut tried, &error) {
                return (exchange, Err(error));
            }
            note(&error);
            exchange.attempt += 1;
        }
    }

    /// Whether another endpoint is to be asked: whenever one could not be reached,
    /// since it has seen nothing; else once, if the pool has a retry to spend.
    fn tries_on(&self, pool: &Pool, tried: &mut Tried, error: &Error) -> bool {
        if !error.may_move_on() || !pool.has_other(&tried.ids) {
            return false;
        }
        if matches!(error, Error::Connect { .. }) {
            return true;
        }
        if tried.retried {
            return false;
        }
        // Who left an endpoint that had stalled has spent it already.
        tried.retried = matches!(error, Error::Stalled { .. }) || pool.retries.spend();
        self.meters.retried(&pool.name, tried.retried);
        tried.retried
    }
}

/// The pool that filters chose, else the default.
fn pool(exchange: &Exchange) -> Result<Arc<Pool>, Error> {
    let chosen = exchange.pool.as_ref();
    let pool = chosen.or_else(|| exchange.generation.default_pool());
    let pool = pool.ok_or_else(|| Error::NoPool(exchange.call.model().to_owned()))?;
    Ok(pool.clone())
}

/// Counts the prompt. What a chat becomes is the model server's template's to say.
async fn count(exchange: &Exchange, tokenizer: &Tokenizer) -> Option<u32> {
    tokenizer.count(exchange.call.prompt_text()?).await
}
