//! Which API a request calls, and what that API calls its parts.

use std::borrow::Cow;

use http::Method;

use super::body::{Body, BodyError};

/// An API that generates text.
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
    /// TGI's `POST /tokenize`.
    TgiTokenize,
    /// TGI's `POST /chat_tokenize`.
    TgiChatTokenize,
}

/// What a request line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To generate text, or to split it into tokens.
    Generate(Api),
    /// To generate text by the API that the body is of: SageMaker's `/invocations`.
    Invocations,
    /// The model list, `GET /v1/models`.
    Models,
    /// Whether the gateway can serve: TGI's `/health`, `/ping` and `GET /`.
    Health,
    /// What serves: TGI's `/info`, answered by the default pool.
    Info,
    /// Nothing here.
    NotFound,
    /// The path exists, for this method only.
    WrongMethod(&'static str),
}

/// A family of errors and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `{"error": "...", "error_type": "..."}`; TGI's, and the unified API's.
    Tgi,
    /// `{"error": {"message": "...", "type": "...", "code": "..."}}`.
    OpenAi,
}

impl Route {
    /// Finds the route of a request line; the path comes without its query.
    pub fn find(method: &Method, path: &str) -> Self {
        let get = |route| {
            if method == Method::GET || method == Method::HEAD {
                route
            } else {
                Self::WrongMethod("GET, HEAD")
            }
        };
        let post = |route| {
            if method == Method::POST {
                route
            } else {
                Self::WrongMethod("POST")
            }
        };
        match path {
            "/v1/generate" => post(Self::Generate(Api::Unified)),
            "/generate" => post(Self::Generate(Api::TgiGenerate)),
            "/generate_stream" => post(Self::Generate(Api::TgiGenerateStream)),
            "/tokenize" => post(Self::Generate(Api::TgiTokenize)),
            "/chat_tokenize" => post(Self::Generate(Api::TgiChatTokenize)),
            "/invocations" => post(Self::Invocations),
            "/v1/chat/completions" => post(Self::Generate(Api::OpenAiChat)),
            "/v1/completions" => post(Self::Generate(Api::OpenAiCompletions)),
            "/" if method == Method::POST => Self::Generate(Api::Tgi),
            "/" => get(Self::Health),
            "/health" | "/ping" => get(Self::Health),
            "/info" => get(Self::Info),
            "/v1/models" => get(Self::Models),
            _ => Self::NotFound,
        }
    }
}

/// Before a path it names the model: `/models/<id>/generate`. So a client that
/// knows one base URL only chooses a model by it.
const MODELS: &str = "/models/";

/// What may follow a model; longer paths before those that they end in.
const AFTER_MODEL: [&str; 11] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/generate",
    "/v1/models",
    "/generate_stream",
    "/chat_tokenize",
    "/invocations",
    "/generate",
    "/tokenize",
    "/health",
    "/info",
];

/// The model that a path begins with, if it does, and the path without it. An
/// id may have slashes in it, as it is or as `%2F`.
pub fn split_model(path: &str) -> (Option<Cow<'_, str>>, &str) {
    let Some(rest) = path.strip_prefix(MODELS) else {
        return (None, path);
    };
    let known = AFTER_MODEL.iter().find(|known| rest.ends_with(*known));
    let end = known.map_or(rest.len(), |known| rest.len() - known.len());
    let id = rest[..end].trim_end_matches('/');
    if id.is_empty() {
        return (None, path);
    }
    let path = known.copied().unwrap_or("/");
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    (Some(id), path)
}

impl Dialect {
    /// The dialect of errors about a path, whatever is there.
    pub fn of_path(path: &str) -> Self {
        if path.starts_with("/v1/") && path != "/v1/generate" {
            Self::OpenAi
        } else {
            Self::Tgi
        }
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
            Self::TgiTokenize => "tgi.tokenize",
            Self::TgiChatTokenize => "tgi.chat_tokenize",
        }
    }

    /// The API that a body of `/invocations` is of: TGI tries them in this order.
    pub fn of_invocation(body: &Body) -> Result<Self, BodyError> {
        let known = [Self::Tgi, Self::OpenAiChat, Self::OpenAiCompletions];
        let of = |api: &Self| body.get(api.prompt_key()).is_some();
        known.into_iter().find(of).ok_or_else(|| {
            let missing = "missing field `inputs`, `messages` or `prompt`";
            BodyError::Shape(missing.to_owned())
        })
    }

    /// Whether its answer is generated text.
    pub fn generates(self) -> bool {
        !matches!(self, Self::TgiTokenize | Self::TgiChatTokenize)
    }

    /// The dialect of its errors.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::OpenAiChat | Self::OpenAiCompletions => Dialect::OpenAi,
            _ => Dialect::Tgi,
        }
    }

    /// Its path here, without a model before it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Unified => "/v1/generate",
            other => other.upstream_path(false),
        }
    }

    /// What it does, as OpenTelemetry's conventions for generative AI have it.
    pub fn operation(self) -> &'static str {
        match self {
            Self::OpenAiChat => "chat",
            Self::TgiTokenize | Self::TgiChatTokenize => "tokenize",
            _ => "text_completion",
        }
    }

    /// The path to call on an upstream that speaks this API's dialect.
    pub fn upstream_path(self, streaming: bool) -> &'static str {
        match self {
            Self::Unified if streaming => "/generate_stream",
            Self::Unified | Self::TgiGenerate => "/generate",
            Self::TgiGenerateStream => "/generate_stream",
            Self::Tgi => "/",
            Self::OpenAiChat => "/v1/chat/completions",
            Self::OpenAiCompletions => "/v1/completions",
            Self::TgiTokenize => "/tokenize",
            Self::TgiChatTokenize => "/chat_tokenize",
        }
    }

    /// Whether parameters stand in an object `parameters`, as TGI has them.
    pub fn has_parameters(self) -> bool {
        self.dialect() == Dialect::Tgi && self != Self::TgiChatTokenize
    }

    /// Whether the prompt is a chat.
    pub fn is_chat(self) -> bool {
        self.prompt_key() == "messages"
    }

    /// Where the prompt stands.
    pub(super) fn prompt_key(self) -> &'static str {
        match self {
            Self::OpenAiChat | Self::TgiChatTokenize => "messages",
            Self::OpenAiCompletions => "prompt",
            _ => "inputs",
        }
    }

    /// Where the model id stands, if the API has one.
    pub(super) fn model_key(self) -> Option<&'static str> {
        match self {
            Self::Unified => Some("model_id"),
            Self::OpenAiChat | Self::OpenAiCompletions | Self::TgiChatTokenize => Some("model"),
            _ => None,
        }
    }

    /// Whether the body's `stream` says if the answer is a stream.
    pub(super) fn has_stream_key(self) -> bool {
        self.generates() && !matches!(self, Self::TgiGenerate | Self::TgiGenerateStream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_begin_with_the_model() {
        let check = |path, model: Option<&str>, rest| {
            let (found, left) = split_model(path);
            assert_eq!((found.as_deref(), left), (model, rest), "{path}");
        };
        check("/generate", None, "/generate");
        check("/models/qwen2", Some("qwen2"), "/");
        check("/models/qwen2/", Some("qwen2"), "/");
        check("/models/qwen2/generate", Some("qwen2"), "/generate");
        check(
            "/models/Qwen/Qwen2-7B/v1/chat/completions",
            Some("Qwen/Qwen2-7B"),
            "/v1/chat/completions",
        );
        check(
            "/models/Qwen%2FQwen2-7B/generate_stream",
            Some("Qwen/Qwen2-7B"),
            "/generate_stream",
        );
        check("/models/a/v1/generate", Some("a"), "/v1/generate");
        check("/models/", None, "/models/");
        check("/models//generate", None, "/models//generate");
    }

    #[test]
    fn an_invocation_is_of_the_api_whose_prompt_it_has() {
        let of = |text: &'static str| {
            let body = Body::parse(bytes::Bytes::from_static(text.as_bytes())).unwrap();
            Api::of_invocation(&body)
        };
        assert_eq!(of(r#"{"inputs":"x","messages":[]}"#), Ok(Api::Tgi));
        assert_eq!(of(r#"{"messages":[]}"#), Ok(Api::OpenAiChat));
        assert_eq!(of(r#"{"prompt":"x"}"#), Ok(Api::OpenAiCompletions));
        assert!(of("{}").is_err());
    }
}
