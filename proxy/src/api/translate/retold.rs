//! A stream of an OpenAI server as TGI would have told it. Each chunk becomes an
//! event at once; TGI's last event, which repeats the text, is made at the end.

use super::completion::{Completion, details, token};
use super::event::{DONE, Event, Kind, is_error};
use super::facts::Cost;
use super::json::{Object, string};
use super::{Facts, Told};
use crate::api::route::Dialect;

/// How far the stream is.
#[derive(Debug, Default)]
pub(super) struct Retold {
    /// Events so far; TGI counts from 1.
    events: u32,
    /// The text so far: the inside of a JSON string.
    text: String,
    /// Why the text ended.
    finish: Option<&'static str>,
    /// The last event, or an error, was told.
    over: bool,
}

impl Retold {
    /// What the caller is told of an event.
    pub(super) fn event(&mut self, data: &[u8], facts: &Facts, cost: &mut Cost) -> Event<'static> {
        if self.over || data.is_empty() {
            return Event::unsaid(Kind::Other);
        }
        if data == DONE {
            return self.end(facts, cost);
        }
        if is_error(data) {
            return self.fail(Told::openai_event(data).for_tgi());
        }
        match Completion::read(data) {
            Some(completion) => self.chunk(completion, cost),
            None => self.fail(Told::new(
                502,
                "upstream_broke",
                "the model server's answer broke off",
            )),
        }
    }

    fn chunk(&mut self, completion: Completion<'_>, cost: &mut Cost) -> Event<'static> {
        cost.usage = completion.usage().or(cost.usage);
        let Some(choice) = completion.into_choice() else {
            return Event::unsaid(Kind::Other);
        };
        let finish = choice.finish();
        self.finish = finish.or(self.finish);
        let text = choice.text().unwrap_or_default();
        if text.is_empty() && finish.is_some() {
            return Event::unsaid(Kind::Other);
        }
        self.text.push_str(text);
        let logprobs = choice.logprobs().unwrap_or_default();
        let token = token(text, logprobs.sum(), false);
        let event = self.tgi_event(&token, "null", "null");
        Event::new(Kind::Token(logprobs.len().max(1)), event)
    }

    /// TGI's last event, unless it was told. It has a token of its own that shows
    /// nothing: the last one that does had not to wait for the end.
    pub(super) fn end(&mut self, facts: &Facts, cost: &Cost) -> Event<'static> {
        if self.over {
            return Event::unsaid(Kind::End);
        }
        let Some(finish) = self.finish else {
            return self.fail(Told::new(
                500,
                "incomplete_generation_stream",
                "Incomplete generation stream",
            ));
        };
        self.over = true;
        let text = string(&[&facts.full_text, &self.text]);
        let usage = cost.usage.unwrap_or(facts.estimate(cost.counted));
        let details = facts.details.then(|| {
            details(Some(finish), usage.completion_tokens, facts)
                .with("input_length", &usage.prompt_tokens.to_string())
                .end()
        });
        let details = details.unwrap_or_else(|| "null".to_owned());
        let event = self.tgi_event(&token("", 0.0, true), &text, &details);
        Event::new(Kind::End, event)
    }

    fn fail(&mut self, told: Told) -> Event<'static> {
        self.over = true;
        Event::error(told, Dialect::Tgi)
    }

    fn tgi_event(&mut self, token: &str, text: &str, details: &str) -> String {
        self.events = self.events.saturating_add(1);
        Object::new()
            .with("index", &self.events.to_string())
            .with("token", token)
            .with("generated_text", text)
            .with("details", details)
            .end()
    }
}
