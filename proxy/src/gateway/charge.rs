//! What an exchange is charged: reserved in all of its budgets before it goes
//! on, settled by what it used when it has ended.

use std::sync::Arc;

use super::Gateway;
use super::ratelimit;
use crate::downstream::Downstream;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::ledger::{self, Entry, Ledger, Quantity, Scope};
use crate::limit::{
    Attribute, Budget, Cause, Cost, Key, Lease, Limiter, Now, Period, Reservation, Unit,
};
use crate::outcome::End;
use crate::shape::UNCAPPED;

/// What is charged, and where it is written down.
pub struct Accounts {
    limiter: Arc<Limiter>,
    /// Where usage is written down, if it is.
    ledger: Option<Arc<Ledger>>,
}

/// What an exchange used.
enum Used {
    /// It never reached a model server, or that refused, or nothing is generated.
    Nothing,
    Tokens(u64),
    /// It was given up while a whole answer was generated: nobody says how far
    /// that was.
    Unknown,
}

impl Accounts {
    /// Accounts by a limiter, written down in a ledger.
    pub fn new(limiter: Arc<Limiter>, ledger: Option<Arc<Ledger>>) -> Self {
        Self { limiter, ledger }
    }

    fn write_down(&self, exchange: &Exchange) {
        let Some(ledger) = &self.ledger else { return };
        ledger.record(Entry {
            tenant: exchange.attribute(Attribute::Tenant),
            key: exchange.attribute(Attribute::Key),
            class: exchange.attribute(Attribute::Class),
            model: exchange.attribute(Attribute::Model),
            input_tokens: exchange.input_tokens().into(),
            output_tokens: exchange.outcome.output_tokens.into(),
        });
    }
}

impl Gateway {
    /// Reserves what the exchange may cost in all budgets that filters charged
    /// it to, or in none.
    pub(super) async fn admit(
        &self,
        client: &mut Downstream<'_>,
        exchange: &mut Exchange,
    ) -> Result<(), Error> {
        let claims = std::mem::take(&mut exchange.claims);
        if claims.is_empty() {
            return Ok(());
        }
        let choices = exchange.call.choices();
        let output = self.reserved(exchange).saturating_mul(choices);
        let tokens = u64::from(exchange.prompt_tokens()) + u64::from(output);
        let cost = match exchange.call.api.generates() {
            true => Cost { tokens },
            // To split text into tokens is work for no model.
            false => Cost { tokens: 0 },
        };
        let reserved = self.accounts.limiter.reserve_in_time(&claims, cost);
        match client.unless_gone(async { Ok(reserved.await) }).await? {
            Ok(reservation) => {
                client.announce(ratelimit::headers(reservation.standings()));
                self.note_shadowed(&reservation);
                let most = exchange.call.max_new_tokens();
                let most = most.map(|most| most.saturating_mul(choices));
                exchange.lease = Some(Lease::new(reservation, output, most));
                Ok(())
            }
            Err(denial) if denial.cause == Cause::Unknown => Err(Error::LimitsUnknown),
            Err(denial) => {
                client.announce(ratelimit::headers(denial.standings()));
                self.meters.limited(&denial.budget.name);
                Err(Error::OverLimit(Box::new(denial)))
            }
        }
    }

    /// New tokens that are reserved for each answer: what such answers usually
    /// have at most, and no more than the client's own cap. Where nothing is
    /// known a stream begins with little, since it can ask for more.
    fn reserved(&self, exchange: &Exchange) -> u32 {
        let cap = exchange.call.max_new_tokens();
        let unknown = match exchange.call.streaming() {
            true => Lease::STEP,
            false => cap.unwrap_or(UNCAPPED),
        };
        let expected = self.lengths(exchange).map_or(unknown, |known| known.usual);
        cap.map_or(expected, |cap| expected.min(cap))
    }

    fn note_shadowed(&self, reservation: &Reservation) {
        for budget in reservation.shadowed() {
            self.meters.would_be_limited(&budget.name);
        }
    }

    /// Settles what was reserved by what was used, and writes it down.
    pub(super) fn settle(&self, exchange: &mut Exchange) {
        let used = used(exchange);
        if let Some(lease) = exchange.lease.take() {
            self.give_back(lease, &used, exchange);
        }
        if let Used::Tokens(_) = used {
            self.accounts.write_down(exchange);
        }
    }

    fn give_back(&self, lease: Lease, used: &Used, exchange: &Exchange) {
        if lease.was_short() {
            self.meters.stopped();
        }
        let reservation = lease.into_reservation();
        match used {
            Used::Nothing if exchange.outcome.endpoint.is_none() => reservation.cancel(Now::read()),
            Used::Nothing => reservation.settle(0, Now::read()),
            Used::Tokens(tokens) => {
                reservation.settle(*tokens, Now::read());
            }
            Used::Unknown => drop(reservation),
        }
    }
}

fn used(exchange: &Exchange) -> Used {
    let outcome = &exchange.outcome;
    if !exchange.call.api.generates() {
        return Used::Nothing;
    }
    if outcome.output_tokens > 0 || outcome.end == End::Ok {
        let (input, output) = (exchange.input_tokens(), outcome.output_tokens);
        return Used::Tokens(u64::from(input) + u64::from(output));
    }
    let was_asked = outcome.endpoint.is_some() && !exchange.call.streaming();
    match outcome.end {
        End::ClientGone | End::Timeout if was_asked => Used::Unknown,
        _ => Used::Nothing,
    }
}

/// A limiter whose budgets of a day or a month go on from a ledger.
pub fn limiter(ledger: Option<Arc<Ledger>>) -> Limiter {
    Limiter::new(move |budget, key, _| match &ledger {
        Some(ledger) => used_before(ledger, budget, key),
        None => 0,
    })
}

/// What the ledger has of a bucket of a day or a month.
fn used_before(ledger: &Ledger, budget: &Budget, key: &Key) -> u64 {
    let scope = Scope {
        period: match budget.period {
            Period::Day => ledger::Period::Day,
            Period::Month => ledger::Period::Month,
            Period::Rolling(_) | Period::AtOnce => return 0,
        },
        quantity: match budget.unit {
            Unit::Tokens => Quantity::Tokens,
            Unit::Requests => Quantity::Requests,
            Unit::Exchanges => return 0,
        },
    };
    ledger.used(scope, |row| {
        key.parts().iter().all(|(attribute, value)| {
            let of_row = match attribute {
                Attribute::Tenant => &row.tenant,
                Attribute::Key => &row.key,
                Attribute::Model => &row.model,
                Attribute::Class => &row.class,
            };
            of_row == value
        })
    })
}
