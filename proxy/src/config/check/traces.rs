//! Traces: a collector that can be asked, and a share that is one.

use http::{HeaderName, HeaderValue};

use super::pool::parse_url;
use super::{Checker, Place, file};
use crate::config::Traces;

/// Where a collector takes spans (OTLP/HTTP).
const PATH: &str = "/v1/traces";

impl Checker<'_> {
    pub(super) fn traces(&mut self, file: &file::Traces, at: &Place) -> Option<Traces> {
        if !(0.0..=1.0).contains(&file.sample_rate) {
            let message = format!("must be from 0 to 1, got {}", file.sample_rate);
            self.problem(&at.key("sample_rate"), message);
        }
        for (name, value) in &file.headers {
            // The value is not repeated: it may be a secret, and problems are logged.
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                let message = "must be the name of a header with a value that one can have";
                self.problem(&at.key("headers").key(name), message);
            }
        }
        let url = file.otlp.as_ref()?;
        let known = parse_url(url, 1);
        self.accept(known.map(|_endpoint| ()), &at.key("otlp"));
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix(PATH).unwrap_or(base);
        Some(Traces {
            otlp: format!("{base}{PATH}"),
            sample_rate: file.sample_rate,
            headers: file.headers.clone(),
            service_name: file.service_name.clone(),
        })
    }
}
