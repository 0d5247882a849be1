//! Reads a request: its body, judged, and the model that it is for.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderName;
use http::header::AUTHORIZATION;

use crate::api::route::Route;
use crate::api::{Api, Call};
use crate::downstream::Downstream;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::filter::Generation;
use crate::identity::Client;

/// By which a client of an API without model ids names one.
pub(super) const MODEL_ID: HeaderName = HeaderName::from_static("x-model-id");

/// A request of which the head was read.
pub(super) struct Request {
    pub(super) asked: Asked,
    /// The model that the path names.
    pub(super) model: Option<String>,
    /// Whose it is.
    pub(super) asker: Option<Arc<Client>>,
    pub(super) generation: Arc<Generation>,
    pub(super) started: Instant,
}

/// What a path says of the API.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    Api(Api),
    /// The body says it.
    Invocation,
}

impl Asked {
    /// What a route asks for, if it is about one exchange.
    pub(super) fn by(route: Route) -> Option<Self> {
        match route {
            Route::Generate(api) => Some(Self::Api(api)),
            Route::Invocations => Some(Self::Invocation),
            _ => None,
        }
    }

    /// The API, as long as the body has said nothing else.
    pub(super) fn api(self) -> Api {
        match self {
            Self::Api(api) => api,
            Self::Invocation => Api::Tgi,
        }
    }
}

impl Request {
    pub(super) async fn read(self, client: &mut Downstream<'_>) -> Result<Box<Exchange>, Error> {
        let body = client.body(self.generation.config.server.max_body).await?;
        let mut call = match self.asked {
            Asked::Api(api) => Call::read(api, body)?,
            Asked::Invocation => Call::read_invocation(body)?,
        };
        if let Some(model) = self.model {
            call.set_model(model);
        } else if call.model().is_empty()
            && let Some(model) = client.header(&MODEL_ID)
        {
            call.set_model(model.to_owned());
        }
        may_use(self.asker.as_deref(), &call)?;
        let mut head = client.take_head();
        if self.generation.config.identity.is_some() {
            // The key is the gateway's business and no model server's.
            head.remove_header(&AUTHORIZATION);
            head.remove_header("x-api-key");
        }
        let mut exchange = Exchange::new(self.generation, call, head, self.started);
        exchange.client = self.asker;
        Ok(Box::new(exchange))
    }
}

/// Whether the key is for the model; one for some is not for requests that
/// name none.
fn may_use(asker: Option<&Client>, call: &Call) -> Result<(), Error> {
    if asker.is_none_or(|asker| asker.may_use(call.model())) {
        return Ok(());
    }
    Err(Error::NotForModel(call.model().to_owned()))
}
