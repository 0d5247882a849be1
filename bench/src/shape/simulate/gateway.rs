//! The gateway's side of a simulated run: the walk of a request through its own
//! pools, without a byte that travels.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headworks::api::density::Densities;
use headworks::shape::{self, Blocks, Demand, History, Waiting};
use headworks::upstream::{Pool, Slot, Way};
use headworks_sdk::testing;
use headworks_sdk::{Placement, Rejection};

use super::super::events::End;
use super::super::generator::Outcome;
use super::super::plan::Request;
use super::super::scenario::Case;
use super::agenda::{Agenda, Event};
use super::policy::{self, Asking, Host};
use super::server::Server;

/// Silence after which a request looks whether its endpoint has stalled, and how
/// often from then on: as the gateway has it.
const LOOKS: (Duration, Duration) = (Duration::from_millis(400), Duration::from_millis(100));

/// How often servers are asked what they do, and how long that is believed.
const SCRAPES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// All requests are for one model, as far as lengths are concerned.
const MODEL: &str = "model";

/// A gateway and the servers behind it.
pub(crate) struct Gateway {
    pools: Vec<Arc<Pool>>,
    servers: Vec<Server>,
    host: Box<dyn Host>,
    case: &'static Case,
    history: History,
    densities: Densities,
    /// The instant at which simulated time begins.
    epoch: Instant,
    /// By number: those who came first are first.
    running: BTreeMap<u64, Running>,
    numbered: u64,
    /// What slow readers add to each answer, as the gateway sees it.
    readers: Duration,
    moved: u64,
    ended: VecDeque<Ended>,
}

/// A request that has ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// Who had asked.
    pub(super) asker: usize,
}

/// A request on its way.
struct Running {
    request: Request,
    asker: usize,
    pool: usize,
    filter: Box<dyn Asking>,
    demand: Demand,
    /// When it came.
    came: Duration,
    outcome: Outcome,
    place: Place,
    /// The endpoint that it has left, or that had no room.
    left: Option<u32>,
}

/// Where a request is.
enum Place {
    /// Nowhere yet.
    Open,
    /// In line, since then.
    Waits { ticket: Waiting, since: Duration },
    /// On an endpoint, with so many tokens of its answer.
    At(Slot, u32),
}

impl Gateway {
    pub(super) fn new(
        pools: Vec<Arc<Pool>>,
        servers: Vec<Server>,
        host: Box<dyn Host>,
        case: &'static Case,
    ) -> Self {
        Self {
            pools,
            servers,
            host,
            case,
            history: History::default(),
            densities: Densities::default(),
            epoch: Instant::now(),
            running: BTreeMap::new(),
            numbered: 0,
            readers: Duration::ZERO,
            moved: 0,
            ended: VecDeque::new(),
        }
    }

    /// A request comes in.
    pub(super) fn asks(&mut self, request: Request, asker: usize, agenda: &mut Agenda) {
        let now = agenda.now();
        let pool = request.sender % self.pools.len();
        self.pools[pool]
            .retries
            .earn(self.pools[pool].config.retry_percent);
        let demand = self.demand(&request);
        let share = self.pools[pool]
            .shares
            .share(&demand.tenant, self.instant(now));
        let asked = policy::Asked {
            need: demand.need,
            tenant: &demand.tenant,
            session: request.session,
            share,
        };
        let running = Running {
            filter: self.host.request(asked, now),
            outcome: Outcome::open(&request, now.as_secs_f64()),
            request,
            asker,
            pool,
            demand,
            came: now,
            place: Place::Open,
            left: None,
        };
        let id = self.number();
        self.running.insert(id, running);
        match self.pools[pool].queue.is_open() {
            true => self.places(id, agenda),
            false => self.waits(id, agenda),
        }
        self.calls(agenda);
    }

    /// Something else happens.
    pub(super) fn sees(&mut self, event: Event, agenda: &mut Agenda) {
        self.host.pass_until(agenda.now());
        match event {
            Event::Comes(_) => {}
            Event::Begins(server) => self.begins(server, agenda),
            Event::Passes(server) => self.passes(server, agenda),
            Event::Looks(id) => self.looks(id, agenda),
            Event::Asks(id) => self.asks_again(id, agenda),
            Event::Scrapes => self.scrapes(agenda),
        }
        self.calls(agenda);
    }

    /// The next of those who have ended.
    pub(super) fn next_ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// What is known of those who have not.
    pub(super) fn unanswered(&self) -> Vec<Outcome> {
        self.running
            .values()
            .map(|running| running.outcome)
            .collect()
    }

    /// Clients take so much longer to read their answers from now on.
    #[cfg(test)]
    pub(super) fn read_slowly(&mut self, by: Duration) {
        self.readers = by;
    }

    /// Requests that have left an endpoint that had stalled.
    #[cfg(test)]
    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    /// The load shaper's margin, once an answer was due.
    #[cfg(test)]
    pub(super) fn margin(&self) -> Option<f64> {
        self.host.margin()
    }

    pub(super) fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter()
    }

    fn instant(&self, time: Duration) -> Instant {
        self.epoch + time
    }

    fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    fn demand(&self, request: &Request) -> Demand {
        let tenant = self.case.traffic.tenants();
        let tenant = tenant[request.sender % tenant.len()];
        let bytes = request.prompt.len();
        let prompt = self.densities.tokens(MODEL, false, bytes);
        let asked = shape::Asked {
            prompt,
            max_new: Some(request.cap),
            choices: 1,
            streams: !self.case.whole,
        };
        Demand {
            need: asked.need(self.history.lengths(tenant, MODEL, prompt)),
            prompt: Blocks::of(request.prompt.as_bytes(), prompt),
            tenant: tenant.into(),
            deadline: None,
        }
    }

    /// Asks the policy where a request goes, and sends it there.
    fn places(&mut self, id: u64, agenda: &mut Agenda) {
        let now = agenda.now();
        let at = self.instant(now);
        let Some(running) = self.running.get_mut(&id) else {
            return;
        };
        let pool = &self.pools[running.pool];
        let candidates = pool.choices(Some(&running.demand), running.left.as_slice(), at);
        let waited = match &running.place {
            Place::Waits { since, .. } => now - *since,
            _ => Duration::ZERO,
        };
        match running.filter.place(&candidates, waited) {
            Placement::At(endpoint) => {
                let objective = running.filter.objective();
                let came = self.epoch + running.came;
                running.demand.deadline = objective.map(|objective| came + objective);
                let slot = pool.take(endpoint, Some(&running.demand), at);
                let server = server_of(pool, endpoint);
                if self.servers[server].takes(id, &running.request, now) {
                    running.place = Place::At(slot, 0);
                    self.begins(server, agenda);
                    agenda.at(now + LOOKS.0, Event::Looks(id));
                    return;
                }
                slot.end(at);
                let may_leave = running.left.is_none() && pool.has_other(&[endpoint]);
                if may_leave && pool.retries.spend() {
                    running.left = Some(endpoint);
                    running.filter.endpoint_failed();
                    self.places(id, agenda);
                } else {
                    let full = Rejection::new(429, "overloaded", "the server is full");
                    self.refused(id, &full, now);
                }
            }
            Placement::Wait => self.waits(id, agenda),
            Placement::Reject(refusal) => self.refused(id, &refusal, now),
        }
    }

    /// A request gets in line, or stays there.
    fn waits(&mut self, id: u64, agenda: &mut Agenda) {
        let now = agenda.now();
        let at = self.instant(now);
        let Some(running) = self.running.get_mut(&id) else {
            return;
        };
        let pool = &self.pools[running.pool];
        let hold = running.filter.hold();
        if let Place::Waits { ticket, .. } = &mut running.place {
            ticket.stays(hold.map(|hold| hold.at_most), at);
        } else if let Some(ticket) = pool.queue.enter(pool.config.queue.depth, hold, at) {
            if ticket.is_first() {
                pool.queue.free();
            }
            running.place = Place::Waits { ticket, since: now };
        } else {
            let full = Rejection::new(503, "queue_full", "as many wait as may");
            self.refused(id, &full, now);
            return;
        }
        self.is_patient(id, agenda);
    }

    /// Has one that waits asked about when its patience ends.
    fn is_patient(&self, id: u64, agenda: &mut Agenda) {
        let at = self.instant(agenda.now());
        if let Some(running) = self.running.get(&id)
            && let Place::Waits { ticket, since } = &running.place
        {
            let most = *since + self.pools[running.pool].config.queue.max_wait;
            let patience = ticket.patience(at).duration_since(self.epoch);
            agenda.at(patience.min(most), Event::Asks(id));
        }
    }

    /// Asks about all whose turn it is.
    fn calls(&mut self, agenda: &mut Agenda) {
        let called = |(id, running): (&u64, &Running)| match &running.place {
            Place::Waits { ticket, .. } if ticket.is_called() => Some(*id),
            _ => None,
        };
        while let Some(id) = self.running.iter().find_map(called) {
            self.places(id, agenda);
        }
    }

    /// The time of one that waits may be up.
    fn asks_again(&mut self, id: u64, agenda: &mut Agenda) {
        let now = agenda.now();
        let at = self.instant(now);
        let Some(running) = self.running.get(&id) else {
            return;
        };
        let Place::Waits { ticket, since } = &running.place else {
            return;
        };
        if now >= *since + self.pools[running.pool].config.queue.max_wait {
            let late = Rejection::new(503, "queue_timeout", "it waited too long");
            self.refused(id, &late, now);
        } else if ticket.patience(at) <= at || ticket.is_first() {
            self.places(id, agenda);
        } else {
            self.is_patient(id, agenda);
        }
    }

    /// A request without its first token leaves an endpoint that has stalled.
    fn looks(&mut self, id: u64, agenda: &mut Agenda) {
        let now = agenda.now();
        let at = self.instant(now);
        let whole = self.case.whole;
        let Some(running) = self.running.get_mut(&id) else {
            return;
        };
        let pool = self.pools[running.pool].clone();
        let Place::At(slot, tokens) = &running.place else {
            return;
        };
        let may_leave = running.left.is_none() && pool.has_other(&[slot.id()]);
        if !may_leave || (*tokens > 0 && !whole) {
            return;
        }
        let way = Way {
            pool: &pool,
            slot,
            may_leave,
        };
        if !way.leaves(at) {
            agenda.at(now + LOOKS.1, Event::Looks(id));
            return;
        }
        let endpoint = slot.id();
        self.moved += 1;
        running.left = Some(endpoint);
        running.filter.endpoint_failed();
        if let Place::At(slot, _) = std::mem::replace(&mut running.place, Place::Open) {
            slot.end(at);
        }
        self.servers[server_of(&pool, endpoint)].leaves(id);
        // The card may have a token for the old number yet.
        let new = self.number();
        if let Some(running) = self.running.remove(&id) {
            self.running.insert(new, running);
        }
        self.places(new, agenda);
    }

    fn begins(&mut self, server: usize, agenda: &mut Agenda) {
        let now = agenda.now();
        if let Some(resumes) = self.servers[server].resumes(now) {
            agenda.at(resumes, Event::Begins(server));
        } else if let Some(takes) = self.servers[server].begins(now) {
            agenda.at(now + takes, Event::Passes(server));
        }
    }

    fn passes(&mut self, server: usize, agenda: &mut Agenda) {
        let now = agenda.now();
        if let Some(resumes) = self.servers[server].resumes(now) {
            agenda.at(resumes, Event::Passes(server));
            return;
        }
        for id in self.servers[server].passes() {
            self.token(id, now);
        }
        self.begins(server, agenda);
    }

    /// An answer has one token more.
    fn token(&mut self, id: u64, now: Duration) {
        let at = self.instant(now);
        let Some(running) = self.running.get_mut(&id) else {
            return;
        };
        let Place::At(slot, tokens) = &mut running.place else {
            return;
        };
        *tokens += 1;
        if !self.case.whole {
            let first = (now - running.came).as_secs_f64();
            running.outcome.first.get_or_insert(first);
            slot.progressed(*tokens, at);
        }
        if *tokens >= running.request.output {
            self.answered(id, now);
        }
    }

    fn answered(&mut self, id: u64, now: Duration) {
        let at = self.instant(now);
        let Some(running) = self.running.remove(&id) else {
            return;
        };
        let Place::At(slot, tokens) = running.place else {
            return;
        };
        let Request { input, output, .. } = running.request;
        self.servers[server_of(&self.pools[running.pool], slot.id())].leaves(id);
        if self.case.whole {
            // What it waited for room is not told here; it is little where all is well.
            slot.answered(tokens, Duration::ZERO, at);
        }
        slot.end(at);
        let (demand, bytes) = (&running.demand, running.request.prompt.len());
        self.densities.learn(MODEL, false, bytes, input);
        self.history
            .learn(&demand.tenant, MODEL, demand.need.prompt, output);
        let took = now - running.came;
        let ended = testing::Ended::ok()
            .tokens(input, output)
            .latency(took + self.readers);
        running.filter.complete(ended);
        self.ended.push_back(Ended {
            outcome: Outcome {
                end: Some(End::Answered),
                took: took.as_secs_f64(),
                ..running.outcome
            },
            asker: running.asker,
        });
    }

    fn refused(&mut self, id: u64, refusal: &Rejection, now: Duration) {
        let Some(running) = self.running.remove(&id) else {
            return;
        };
        let took = now - running.came;
        let ended = testing::Ended::by(headworks_sdk::End::Rejected).latency(took);
        running.filter.complete(ended);
        let end = End::Refused {
            retry_after: refusal.retry_after.is_some(),
        };
        self.ended.push_back(Ended {
            outcome: Outcome {
                end: Some(end),
                took: took.as_secs_f64(),
                ..running.outcome
            },
            asker: running.asker,
        });
    }

    fn scrapes(&mut self, agenda: &mut Agenda) {
        let now = agenda.now();
        let believed = self.instant(now + SCRAPES.1);
        for pool in &self.pools {
            for (id, endpoint) in (0..).zip(&pool.endpoints) {
                let gauges = self.servers[server_of(pool, id)].gauges();
                endpoint.scraped(gauges, believed);
            }
        }
        agenda.at(now + SCRAPES.0, Event::Scrapes);
    }
}

/// The server behind an endpoint: ports are numbers of servers, from 1.
fn server_of(pool: &Pool, endpoint: u32) -> usize {
    let port = pool.config.endpoints[endpoint as usize].port;
    usize::from(port) - 1
}
