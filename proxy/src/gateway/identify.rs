//! Whose a request is, by the API key that it comes with.

use std::sync::Arc;
use std::time::SystemTime;

use crate::api::route::Route;
use crate::downstream::Downstream;
use crate::error::Error;
use crate::filter::Generation;
use crate::identity::Client;

/// Whose a request is; nobody's where the gateway asks for no keys.
///
/// # Errors
/// When it comes without a key that is known.
pub(super) fn asker(
    client: &Downstream<'_>,
    route: Route,
    generation: &Generation,
) -> Result<Option<Arc<Client>>, Error> {
    let Some(identity) = &generation.config.identity else {
        return Ok(None);
    };
    // Whoever checks whether the gateway is there has no key.
    if matches!(
        route,
        Route::Health | Route::NotFound | Route::WrongMethod(_)
    ) {
        return Ok(None);
    }
    let known = identity
        .known
        .identify(&client.head().headers, SystemTime::now());
    known.map(Some).map_err(Error::Unknown)
}
