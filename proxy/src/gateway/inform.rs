//! Answers what is not about one exchange: which models there are, what serves,
//! and whether anything does.

use std::sync::Arc;

use bytes::Bytes;

use super::read::MODEL_ID;
use super::{Gateway, place};
use crate::api;
use crate::api::route::Route;
use crate::downstream::{Downstream, json};
use crate::error::Error;
use crate::filter::Generation;
use crate::identity::Client;
use crate::upstream::forward;

impl Gateway {
    /// Answers what is not about one exchange.
    pub(super) async fn inform(
        &self,
        client: &mut Downstream<'_>,
        route: Route,
        model: Option<String>,
        asker: Option<Arc<Client>>,
        generation: &Generation,
    ) -> Result<(), Error> {
        match route {
            Route::Models => {
                let own = asker.as_ref().and_then(|asker| asker.models.as_ref());
                let models = generation.models.iter().map(String::as_str);
                let models = models.filter(|id| own.is_none_or(|own| own.contains(*id)));
                let body = api::answer::models(models);
                client.answer(200, &json(), body).await
            }
            Route::Health if generation.pools.iter().any(|pool| pool.is_up()) => {
                client.answer(200, &[], Bytes::new()).await
            }
            Route::Health => Err(Error::NoEndpointUp),
            Route::Info => self.info(client, model, generation).await,
            Route::WrongMethod(allowed) => Err(Error::WrongMethod(allowed)),
            Route::NotFound | Route::Generate(_) | Route::Invocations => Err(Error::NotFound),
        }
    }

    /// Asks the pool that the client names, or the default pool, what it is.
    async fn info(
        &self,
        client: &mut Downstream<'_>,
        model: Option<String>,
        generation: &Generation,
    ) -> Result<(), Error> {
        let named = model.or_else(|| client.header(&MODEL_ID).map(ToOwned::to_owned));
        let pool = match &named {
            Some(name) => generation.pools.get(name),
            None => generation.default_pool(),
        };
        let pool = pool.ok_or_else(|| Error::NoPool(named.unwrap_or_default()))?;
        let slot = place::least_busy(pool);
        forward::pass_get(&self.connector, client, "/info", pool, &slot).await
    }
}
