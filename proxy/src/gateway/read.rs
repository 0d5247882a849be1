//! Reads a request: its body, judged, and the model that it is for.

use std::sync::Arc;
use std::time::Instant;

use super::MODEL_ID;
use crate::api::route::Route;
use crate::api::{Api, Call};
use crate::downstream::Downstream;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::filter::Generation;

/// A request of which the head was read.
pub(super) struct Request {
    pub(super) asked: Asked,
    /// The model that the path names.
    pub(super) model: Option<String>,
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
            && let Some(model) = client.header(MODEL_ID)
        {
            call.set_model(model.to_owned());
        }
        let head = client.take_head();
        Ok(Box::new(Exchange::new(
            self.generation,
            call,
            head,
            self.started,
        )))
    }
}
