//! The walk of a request, as a table of contents: read, filter, place,
//! forward, and tell how it went.

mod front;
mod meters;
mod place;
mod refuse;
mod running;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use pingora_core::apps::ReusedHttpStream;
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;

use crate::api::route::{Dialect, Route};
use crate::api::{self, Api, Call};
use crate::config::Protocol;
use crate::downstream::{self, Downstream, Patience, json};
use crate::error::Error;
use crate::exchange::{End, Exchange};
use crate::filter::{Generation, Live};
use crate::observe::{RegisterError, Registry};
use crate::upstream::{Connector, Pool, forward};
pub use front::Front;
use meters::Meters;
use refuse::{note, refuse};
pub use running::Running;

/// Serves clients.
pub struct Gateway {
    live: Arc<Live>,
    connector: Connector,
    meters: Meters,
    running: Arc<Running>,
}

/// An exchange, and how the step went that had it. Steps own the exchange,
/// since filters do while they are called.
type Step<T> = (Box<Exchange>, Result<T, Error>);

impl Gateway {
    /// Serves by what is live; what it counts goes into the registry.
    pub fn new(live: Arc<Live>, registry: &Registry) -> Result<Self, RegisterError> {
        let meters = Meters::new(registry)?;
        Ok(Self {
            live,
            connector: Connector::new(),
            running: Arc::new(Running::new(meters.in_flight())),
            meters,
        })
    }

    /// The exchanges that run.
    pub fn running(&self) -> Arc<Running> {
        self.running.clone()
    }

    fn patience(&self) -> Patience {
        let server = &self.live.current().config.server;
        Patience {
            idle: server.keepalive,
            read: server.read_timeout,
        }
    }

    /// Serves the next request of a connection; gives the connection back if it
    /// can carry another.
    async fn request(
        &self,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let mut client = Downstream::accept(&mut session, self.patience()).await?;
        let _running = self.running.enter();
        // Asked now: the connection may have waited for this request for long.
        if *shutdown.borrow() {
            client.close_after();
        }
        self.serve(&mut client).await;
        if client.was_cut() {
            return None;
        }
        downstream::finish(session).await
    }

    async fn serve(&self, client: &mut Downstream<'_>) {
        let started = Instant::now();
        let generation = self.live.current();
        let path = client.head().uri.path();
        let dialect = Dialect::of_path(path);
        match Route::find(&client.head().method, path) {
            Route::Generate(api) => self.generate(client, api, generation, started).await,
            route => {
                if let Err(error) = self.inform(client, route, &generation).await {
                    refuse(client, dialect, &error).await;
                }
            }
        }
    }

    async fn generate(
        &self,
        client: &mut Downstream<'_>,
        api: Api,
        generation: Arc<Generation>,
        started: Instant,
    ) {
        let end = match read(client, api, generation, started).await {
            Ok(exchange) => self.exchange(client, exchange).await,
            Err(error) => {
                refuse(client, api.dialect(), &error).await;
                error.end()
            }
        };
        self.meters.exchange(api, end, started.elapsed());
    }

    /// What happens to a request that could be read, up to what filters learn of it.
    async fn exchange(&self, client: &mut Downstream<'_>, exchange: Box<Exchange>) -> End {
        let generation = exchange.generation.clone();
        let (exchange, passed) = generation.chain.on_request(exchange);
        let (mut exchange, answered) = match passed {
            Ok(()) => self.answer(client, exchange).await,
            Err(refusal) => (exchange, Err(refusal.into())),
        };
        if let Err(error) = answered {
            if !client.has_answered() {
                exchange.outcome.status = error.status();
            }
            exchange.outcome.end = error.end();
            refuse(client, exchange.call.api.dialect(), &error).await;
        }
        exchange.outcome.latency = exchange.outcome.started.elapsed();
        let exchange = generation.chain.on_complete(exchange);
        log(&exchange);
        exchange.outcome.end
    }

    /// Places the exchange and forwards it. An endpoint that cannot be reached
    /// has seen nothing of it, so another may get it.
    async fn answer(&self, client: &mut Downstream<'_>, mut exchange: Box<Exchange>) -> Step<()> {
        let pool = match pool(&exchange) {
            Ok(pool) => pool,
            Err(error) => return (exchange, Err(error)),
        };
        exchange.pool = Some(pool.clone());
        let mut tried = Vec::new();
        loop {
            let placed;
            (exchange, placed) = place::place(client, exchange, &pool, &tried).await;
            let slot = match placed {
                Ok(slot) => slot,
                Err(error) => return (exchange, Err(error)),
            };
            let answered =
                forward::forward(&self.connector, client, &mut exchange, &pool, &slot).await;
            tried.push(slot.id());
            match answered {
                Err(Error::Connect { endpoint, reason }) => {
                    self.meters.unreachable(&pool.name);
                    let error = Error::Connect { endpoint, reason };
                    if tried.len() == pool.endpoints.len() {
                        return (exchange, Err(error));
                    }
                    note(&error);
                    exchange.attempt += 1;
                }
                result => return (exchange, result),
            }
        }
    }

    /// Answers what is not about one exchange.
    async fn inform(
        &self,
        client: &mut Downstream<'_>,
        route: Route,
        generation: &Generation,
    ) -> Result<(), Error> {
        match route {
            Route::Models => {
                let models = generation.models.iter().map(String::as_str);
                let body = api::answer::models(models);
                client.answer(200, &json(), body).await
            }
            Route::Health if generation.pools.iter().any(|pool| pool.is_up()) => {
                client.answer(200, &[], Bytes::new()).await
            }
            Route::Health => Err(Error::NoEndpointUp),
            Route::Info => self.info(client, generation).await,
            Route::WrongMethod(allowed) => Err(Error::WrongMethod(allowed)),
            Route::NotFound | Route::Generate(_) => Err(Error::NotFound),
        }
    }

    /// Asks the pool that the client names, or the default pool, what it is.
    async fn info(
        &self,
        client: &mut Downstream<'_>,
        generation: &Generation,
    ) -> Result<(), Error> {
        let named = client.header(MODEL_ID).map(ToOwned::to_owned);
        let pool = match &named {
            Some(name) => generation.pools.get(name),
            None => generation.default_pool(),
        };
        let pool = pool.ok_or_else(|| Error::NoPool(named.unwrap_or_default()))?;
        let slot = place::least_busy(pool);
        forward::pass_get(&self.connector, client, "/info", pool, &slot).await
    }
}

/// By which a client of an API without model ids names one.
const MODEL_ID: &str = "x-model-id";

async fn read(
    client: &mut Downstream<'_>,
    api: Api,
    generation: Arc<Generation>,
    started: Instant,
) -> Result<Box<Exchange>, Error> {
    let body = client.body(generation.config.server.max_body).await?;
    let mut call = Call::read(api, body)?;
    if call.model().is_empty()
        && let Some(model) = client.header(MODEL_ID)
    {
        call.set_model(model.to_owned());
    }
    let head = client.take_head();
    Ok(Box::new(Exchange::new(generation, call, head, started)))
}

/// The pool that filters chose, else the default.
fn pool(exchange: &Exchange) -> Result<Arc<Pool>, Error> {
    let chosen = exchange.pool.as_ref();
    let pool = chosen.or_else(|| exchange.generation.default_pool());
    let pool = pool.ok_or_else(|| Error::NoPool(exchange.call.model().to_owned()))?;
    let api = exchange.call.api;
    // TGI speaks OpenAI's dialect too.
    if pool.config.protocol == Protocol::OpenAi && api.dialect() == Dialect::Tgi {
        return Err(Error::NotTranslated {
            api: api.as_str(),
            pool: pool.name.clone(),
            protocol: pool.config.protocol,
        });
    }
    Ok(pool.clone())
}

/// The access log: one line for each exchange, at level debug. Of the prompt
/// nothing but its length.
fn log(exchange: &Exchange) {
    let outcome = &exchange.outcome;
    tracing::debug!(
        target: "headworks::access",
        api = exchange.call.api.as_str(),
        model = exchange.model_label(),
        pool = exchange.pool.as_ref().map(|pool| &*pool.name),
        endpoint = outcome.endpoint.as_deref(),
        status = outcome.status,
        end = outcome.end.as_str(),
        input_tokens = exchange.input_tokens(),
        output_tokens = outcome.output_tokens,
        queued = ?outcome.queued,
        ttft = ?outcome.ttft(),
        latency = ?outcome.latency,
        tags = ?exchange.tags,
        "exchange"
    );
}
