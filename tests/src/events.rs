//! Streams of events, read to their end.

use reqwest::Response;
use serde_json::Value;

/// What a stream told.
#[derive(Debug)]
pub struct Told {
    /// The payloads of its events.
    pub payloads: Vec<String>,
    /// Why the transfer broke; none when it ended as it should.
    pub broke: Option<String>,
}

impl Told {
    /// Reads an answer to its end, whichever it has.
    ///
    /// # Panics
    /// When it is no stream of events.
    pub async fn by(mut response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut bytes = Vec::new();
        let broke = loop {
            match response.chunk().await {
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Ok(None) => break None,
                Err(error) => break Some(format!("{error:?}")),
            }
        };
        Self {
            payloads: payloads(&bytes),
            broke,
        }
    }

    /// The events as JSON, without a `[DONE]`.
    ///
    /// # Panics
    /// When one is no JSON.
    pub fn events(&self) -> Vec<Value> {
        let events = self.payloads.iter().filter(|payload| *payload != "[DONE]");
        events
            .map(|event| serde_json::from_str(event).expect("an event is JSON"))
            .collect()
    }

    /// Whether TGI's stream came to its end: whole transfer, a last event that
    /// holds the text, and the tokens of which it is made, `tokens` of them.
    pub fn is_whole(&self, tokens: usize) -> bool {
        let events = self.events();
        let text: String = events.iter().filter_map(text).collect();
        let last = events
            .last()
            .and_then(|last| last["generated_text"].as_str());
        self.broke.is_none() && events.len() == tokens && last == Some(text.as_str())
    }
}

fn text(event: &Value) -> Option<&str> {
    let token = &event["token"];
    // The end token adds nothing to the text.
    let special = token["special"].as_bool().unwrap_or(false);
    token["text"].as_str().filter(|_| !special)
}

/// The payloads of all events that are there in full.
fn payloads(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
    let events = whole
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data:"));
    events
        .map(|payload| payload.trim_start().to_owned())
        .collect()
}
