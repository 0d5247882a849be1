//! The walk of a request, as a table of contents: read, filter, place,
//! forward, and tell how it went.

mod ask;
mod charge;
mod expect;
mod explain;
mod front;
mod identify;
mod inform;
mod meters;
mod place;
mod ratelimit;
mod read;
mod record;
mod refuse;
mod running;
mod spans;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;

use crate::api::route::{self, Dialect, Route};
use crate::downstream::{Downstream, Patience};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::filter::Live;
use crate::observe::{RegisterError, Registry, TRACEPARENT};
use crate::shape::History;
use crate::upstream::Connector;
pub use charge::{Accounts, limiter};
pub use front::Front;
use meters::Meters;
use read::{Asked, Request};
use record::Record;
use refuse::refuse;
use running::Run;
pub use running::Running;

/// Serves clients.
pub struct Gateway {
    live: Arc<Live>,
    connector: Connector,
    accounts: Accounts,
    history: History,
    meters: Meters,
    running: Arc<Running>,
    registry: Arc<Registry>,
}

/// An exchange, and how the step went that had it. Steps own the exchange,
/// since filters do while they are called.
type Step<T> = (Box<Exchange>, Result<T, Error>);

impl Gateway {
    /// Serves by what is live; what it counts goes into the registry.
    pub fn new(
        live: Arc<Live>,
        accounts: Accounts,
        registry: &Arc<Registry>,
    ) -> Result<Self, RegisterError> {
        let meters = Meters::new(registry)?;
        Ok(Self {
            live,
            connector: Connector::new(),
            accounts,
            history: History::default(),
            running: Arc::new(Running::new(meters.in_flight())),
            meters,
            registry: registry.clone(),
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

    /// Serves the next request of a connection. It runs until what this gives is
    /// dropped; `None` if nothing more can be said over the connection.
    async fn request(&self, session: &mut ServerSession, shutdown: &ShutdownWatch) -> Option<Run> {
        let mut client = Downstream::accept(session, self.patience()).await?;
        let running = self.running.enter();
        // Asked now: the connection may have waited for this request for long.
        if *shutdown.borrow() {
            client.close_after();
        }
        self.serve(&mut client).await;
        (!client.was_cut()).then_some(running)
    }

    async fn serve(&self, client: &mut Downstream<'_>) {
        let started = Instant::now();
        let generation = self.live.current();
        let head = client.head();
        let (model, path) = route::split_model(head.uri.path());
        let (dialect, route) = (Dialect::of_path(path), Route::find(&head.method, path));
        let model = model.map(Cow::into_owned);
        let asker = match identify::asker(client, route, &generation) {
            Ok(asker) => asker,
            Err(error) => {
                self.meters.unknown_key();
                return refuse(client, dialect, &error).await;
            }
        };
        let Some(asked) = Asked::by(route) else {
            let informed = self.inform(client, route, model, asker, &generation);
            if let Err(error) = informed.await {
                refuse(client, dialect, &error).await;
            }
            return;
        };
        let request = Request {
            asked,
            model,
            asker,
            generation,
            started,
        };
        self.generate(client, request).await;
    }

    async fn generate(&self, client: &mut Downstream<'_>, request: Request) {
        let (asked, started) = (request.asked, request.started);
        let (api, end, took) = match request.read(client).await {
            Ok(exchange) => {
                let exchange = self.exchange(client, exchange).await;
                let outcome = &exchange.outcome;
                (exchange.call.api, outcome.end, outcome.latency)
            }
            Err(error) => {
                refuse(client, asked.api().dialect(), &error).await;
                (asked.api(), error.end(), started.elapsed())
            }
        };
        self.meters.exchange(api, end, took);
    }

    /// What happens to a request that could be read, up to what filters learn of it.
    async fn exchange(
        &self,
        client: &mut Downstream<'_>,
        mut exchange: Box<Exchange>,
    ) -> Box<Exchange> {
        let generation = exchange.generation.clone();
        self.trace(&mut exchange);
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
        self.learn_length(&exchange);
        self.settle(&mut exchange);
        exchange.outcome.latency = exchange.outcome.started.elapsed();
        self.meters.times(&exchange);
        let exchange = generation.chain.on_complete(exchange);
        self.log(&exchange);
        exchange
    }

    /// Has the upstream's span be below ours, where the exchange is traced.
    fn trace(&self, exchange: &mut Exchange) {
        exchange.trace = self.registry.traces().begin(&exchange.head.headers);
        if let Some(trace) = &exchange.trace {
            let named = exchange.set_header(TRACEPARENT, &trace.for_upstream());
            named.expect("it is hexadecimal digits and dashes");
        }
    }

    /// Writes down how it went and traces it, where that is asked for.
    fn log(&self, exchange: &Exchange) {
        if self.registry.access_log().is_on() {
            self.registry.access_log().write(&Record::of(exchange));
        }
        if let Some(trace) = &exchange.trace {
            self.registry.traces().send(spans::of(exchange, trace));
        }
    }
}
