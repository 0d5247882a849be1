//! Which API a request calls, and what that API calls its parts.

use http::Method;

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
}

/// What a request line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To generate text.
    Generate(Api),
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
        let post = |api| {
            if method == Method::POST {
                Self::Generate(api)
            } else {
                Self::WrongMethod("POST")
            }
        };
        match path {
            "/v1/generate" => post(Api::Unified),
            "/generate" => post(Api::TgiGenerate),
            "/generate_stream" => post(Api::TgiGenerateStream),
            "/v1/chat/completions" => post(Api::OpenAiChat),
            "/v1/completions" => post(Api::OpenAiCompletions),
            "/" if method == Method::POST => Self::Generate(Api::Tgi),
            "/" => get(Self::Health),
            "/health" | "/ping" => get(Self::Health),
            "/info" => get(Self::Info),
            "/v1/models" => get(Self::Models),
            _ => Self::NotFound,
        }
    }
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
        }
    }

    /// The dialect of its errors.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::OpenAiChat | Self::OpenAiCompletions => Dialect::OpenAi,
            _ => Dialect::Tgi,
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
        }
    }

    /// Whether parameters stand in an object `parameters`, as TGI has them.
    pub fn has_parameters(self) -> bool {
        self.dialect() == Dialect::Tgi
    }

    /// Where the prompt stands.
    pub(super) fn prompt_key(self) -> &'static str {
        match self {
            Self::OpenAiChat => "messages",
            Self::OpenAiCompletions => "prompt",
            _ => "inputs",
        }
    }

    /// Where the model id stands, if the API has one.
    pub(super) fn model_key(self) -> Option<&'static str> {
        match self {
            Self::Unified => Some("model_id"),
            Self::OpenAiChat | Self::OpenAiCompletions => Some("model"),
            _ => None,
        }
    }

    /// Whether the body's `stream` says if the answer is a stream.
    pub(super) fn has_stream_key(self) -> bool {
        !matches!(self, Self::TgiGenerate | Self::TgiGenerateStream)
    }
}
