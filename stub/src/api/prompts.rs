//! What prompts are given as: a conversation, a text or several.

use std::fmt::Write;

use serde::Deserialize;

/// One turn of a conversation.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    role: String,
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text { text: String },
    ImageUrl {},
}

/// The stub's chat template.
pub(super) fn prompt_of(messages: &[Message]) -> String {
    let mut prompt = String::new();
    for message in messages {
        writeln!(prompt, "<|{}|>", message.role).expect("a string takes any text");
        match &message.content {
            None => {}
            Some(Content::Text(text)) => prompt.push_str(text),
            Some(Content::Parts(parts)) => parts.iter().for_each(|part| {
                prompt.push_str(match part {
                    Part::Text { text } => text,
                    Part::ImageUrl {} => "<image>",
                });
            }),
        }
        prompt.push('\n');
    }
    prompt + "<|assistant|>\n"
}

/// One prompt or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Prompts {
    One(String),
    Many(Vec<String>),
}

impl Prompts {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(prompt) => std::slice::from_ref(prompt),
            Self::Many(prompts) => prompts,
        }
    }
}
