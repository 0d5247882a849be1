//! Who may use a model, by a header.

use headworks_sdk::prelude::*;

use crate::settings::AllowSettings;

/// A header and the values of those who may.
pub(crate) struct Allow(AllowSettings);

impl Allow {
    /// Judges the list found at a path in the settings.
    pub(crate) fn new(at: &str, settings: AllowSettings, problems: &mut Problems) -> Self {
        if settings.header.is_empty() {
            problems.add(format!("{at}.header"), "must name a header, is empty");
        }
        if settings.values.is_empty() {
            let message = "is empty, so nobody could use the model; leave the model out instead";
            problems.add(format!("{at}.values"), message);
        }
        Self(settings)
    }

    /// Whether the client is among them.
    pub(crate) fn admits(&self, request: &Request) -> bool {
        let AllowSettings { header, values } = &self.0;
        let sent = request.header(header);
        sent.is_some_and(|sent| values.contains(&sent))
    }
}
