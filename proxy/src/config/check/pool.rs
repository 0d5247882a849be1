//! Pools and their endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Uri;

use super::Checker;
use crate::config::{Endpoint, Place, Pool, Protocol, Queue, Timeouts, file};
use crate::tokenizer::Tokenizer;

impl Checker<'_> {
    pub(super) fn pools(
        &mut self,
        file: &BTreeMap<String, file::Pool>,
        at: &Place,
    ) -> BTreeMap<Arc<str>, Pool> {
        if file.is_empty() {
            self.problem(at, "there must be at least one, such as `[pools.main]`");
        }
        file.iter()
            .map(|(name, pool)| (name.as_str().into(), self.pool(pool, &at.key(name))))
            .collect()
    }

    fn pool(&mut self, file: &file::Pool, at: &Place) -> Pool {
        Pool {
            protocol: file.protocol.unwrap_or_else(|| {
                self.problem(&at.key("protocol"), "is missing; say `tgi` or `openai`");
                Protocol::Tgi
            }),
            model: file.model.clone(),
            tokenizer: self.tokenizer(file.tokenizer.as_deref(), &at.key("tokenizer")),
            endpoints: self.endpoints(&file.endpoints, &at.key("endpoints")),
            drop_parameters: file.drop_parameters.clone(),
            retry_percent: self.percent(file.retry_percent, &at.key("retry_percent")),
            timeouts: self.timeouts(&file.timeouts, &at.key("timeouts")),
            queue: Queue {
                depth: file.queue.depth,
                max_wait: self.accept(
                    file.queue.max_wait.parse(),
                    &at.key("queue").key("max_wait"),
                ),
            },
            health: self.health(&file.health, &at.key("health")),
        }
    }

    fn tokenizer(&mut self, file: Option<&str>, at: &Place) -> Option<Tokenizer> {
        let loaded = Tokenizer::load(&self.folder.join(file?));
        loaded.map_err(|problem| self.problem(at, problem)).ok()
    }

    fn percent(&mut self, percent: u32, at: &Place) -> u32 {
        if percent > 100 {
            self.problem(at, format!("must be at most 100, got {percent}"));
        }
        percent
    }

    fn timeouts(&mut self, file: &file::Timeouts, at: &Place) -> Timeouts {
        Timeouts {
            connect: self.accept(file.connect.parse(), &at.key("connect")),
            first_token: self.accept(file.first_token.parse(), &at.key("first_token")),
            head: self.accept(file.head.parse(), &at.key("head")),
            idle: self.accept(file.idle.parse(), &at.key("idle")),
            total: self.accept(file.total.parse(), &at.key("total")),
        }
    }

    fn endpoints(&mut self, file: &[file::Endpoint], at: &Place) -> Vec<Endpoint> {
        if file.is_empty() {
            self.problem(
                at,
                "there must be at least one, such as `\"http://127.0.0.1:8080\"`",
            );
        }
        let mut endpoints: Vec<Endpoint> = Vec::with_capacity(file.len());
        for (index, written) in file.iter().enumerate() {
            let at = at.index(index);
            let Some(endpoint) = self.endpoint(written, &at) else {
                continue;
            };
            if endpoints.iter().any(|other| other.same_place(&endpoint)) {
                self.problem(
                    &at,
                    "is the same endpoint as one before it; use `weight` to send it more",
                );
            }
            endpoints.push(endpoint);
        }
        endpoints
    }

    fn endpoint(&mut self, file: &file::Endpoint, at: &Place) -> Option<Endpoint> {
        let (url, weight, at) = match file {
            file::Endpoint::Url(url) => (Some(url), 1, at.clone()),
            file::Endpoint::Weighted(table) => (table.url.as_ref(), table.weight, at.key("url")),
        };
        let parsed = url.map_or_else(
            || Err("is missing".to_owned()),
            |url| parse_url(url, weight),
        );
        parsed.map_err(|message| self.problem(&at, message)).ok()
    }
}

impl Endpoint {
    fn same_place(&self, other: &Self) -> bool {
        Self {
            weight: 0,
            ..self.clone()
        } == Self {
            weight: 0,
            ..other.clone()
        }
    }
}

/// An endpoint by its URL; the error says what is wrong with it.
pub(super) fn parse_url(text: &str, weight: u32) -> Result<Endpoint, String> {
    if authority(text).contains('@') {
        // The URL is not repeated: it holds a secret, and problems are logged.
        return Err("must not hold credentials".to_owned());
    }
    let tls = match text.split_once("://").map(|(scheme, _)| scheme) {
        Some("http") => false,
        Some("https") => true,
        Some(other) => {
            return Err(format!(
                "must start with `http://` or `https://`, got `{other}://`"
            ));
        }
        None => {
            return Err(format!(
                "must start with `http://` or `https://`, got `{text}`"
            ));
        }
    };
    if text.contains('#') {
        return Err(format!("must not have a fragment, got `{text}`"));
    }
    let uri: Uri = text
        .parse()
        .map_err(|error| format!("must be a URL, got `{text}`: {error}"))?;
    let host = uri
        .host()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| format!("names no host, got `{text}`"))?;
    if uri.query().is_some() {
        return Err(format!("must not have a query, got `{text}`"));
    }
    let port =
        port(&uri, tls).ok_or_else(|| format!("must have a port from 1 to 65535, got `{text}`"))?;
    Ok(Endpoint {
        tls,
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        prefix: uri.path().trim_end_matches('/').to_owned(),
        weight,
    })
}

/// What stands where host and port should, however wrong the rest is.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// The port, or the scheme's when none is written.
fn port(uri: &Uri, tls: bool) -> Option<u16> {
    let authority = uri.authority()?.as_str();
    let after_host = &authority[authority.rfind(']').unwrap_or(0)..];
    match after_host.rsplit_once(':') {
        Some((_, port)) => port.parse().ok().filter(|port| *port != 0),
        None => Some(if tls { 443 } else { 80 }),
    }
}
