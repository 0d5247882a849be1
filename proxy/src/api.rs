//! What was asked, in which dialect: `Call` is a request body, judged once and
//! changed only through the vocabulary of its dialect. Nothing here does I/O.

pub mod body;

use bytes::Bytes;

pub use body::{Body, EditError};

/// An API that generates text. The name is what filters, logs and metrics say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `POST /v1/generate`, ours.
    Unified,
    /// TGI's `POST /`: answers with a list of one.
    Tgi,
    /// TGI's `POST /generate`.
    TgiGenerate,
    /// TGI's `POST /generate_stream`.
    TgiGenerateStream,
    /// OpenAI's `POST /v1/chat/completions`.
    OpenAiChat,
    /// OpenAI's `POST /v1/completions`.
    OpenAiCompletions,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Call {
    /// The API called.
    pub api: Api,
    /// The body, as sent or as filters changed it.
    pub body: Body,
}

impl Call {
    /// Judges a request body.
    pub fn read(_api: Api, _body: Bytes) -> Result<Self, body::BodyError> {
        unimplemented!("being written")
    }

    /// The model id as the client sent it or a filter set it; empty for none.
    pub fn model(&self) -> &str {
        unimplemented!("being written")
    }

    /// Changes the model id that later filters see.
    pub fn set_model(&mut self, _model: String) {
        unimplemented!("being written")
    }

    /// The `scenario` of a unified request.
    pub fn scenario(&self) -> Option<&str> {
        unimplemented!("being written")
    }

    /// Whether the client asked for a stream.
    pub fn streaming(&self) -> bool {
        unimplemented!("being written")
    }

    /// Prompt length in tokens, estimated.
    pub fn prompt_tokens(&self) -> u32 {
        unimplemented!("being written")
    }

    /// The client's cap on new tokens.
    pub fn max_new_tokens(&self) -> Option<u32> {
        unimplemented!("being written")
    }

    /// Sets the cap on new tokens.
    pub fn set_max_new_tokens(&mut self, _tokens: u32) {
        unimplemented!("being written")
    }

    /// A generation parameter as JSON text, by its TGI name.
    pub fn parameter(&self, _name: &str) -> Option<&str> {
        unimplemented!("being written")
    }

    /// Sets a generation parameter, by its TGI name, to JSON text.
    pub fn set_parameter(&mut self, _name: &str, _value: &str) -> Result<(), EditError> {
        unimplemented!("being written")
    }

    /// Puts text around the prompt.
    pub fn wrap_prompt(&mut self, _before: &str, _after: &str) -> Result<(), EditError> {
        unimplemented!("being written")
    }

    /// JSON text at a JSON pointer.
    pub fn json(&self, _pointer: &str) -> Option<String> {
        unimplemented!("being written")
    }

    /// Whether a JSON pointer leads to or into prompt content.
    pub fn is_content(&self, _pointer: &str) -> bool {
        unimplemented!("being written")
    }

    /// Sets JSON text at a JSON pointer.
    pub fn set_json(&mut self, _pointer: &str, _value: &str) -> Result<(), EditError> {
        unimplemented!("being written")
    }
}

impl Api {
    /// The name that filters, logs and metrics use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unified => "unified",
            Self::Tgi => "tgi",
            Self::TgiGenerate => "tgi.generate",
            Self::TgiGenerateStream => "tgi.generate_stream",
            Self::OpenAiChat => "openai.chat",
            Self::OpenAiCompletions => "openai.completions",
        }
    }
}
