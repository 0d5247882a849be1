//! What is put on a stage: which models, behind which configuration.

/// The models of the demo.
pub(crate) const MODELS: [&str; 2] = ["qwen2", "llama3"];

/// The models of a stage and the gateway before them.
pub(crate) struct Cast {
    /// The gateway's configuration, from the top of the repository.
    pub(super) config: &'static str,
    /// Each has a stub and a pool of this name.
    pub(super) models: &'static [&'static str],
    /// What all stubs speak.
    pub(super) protocol: Protocol,
    /// Simulated seconds of a stub in a real one.
    pub(super) speed: &'static str,
}

/// What a model server speaks.
#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    /// TGI's API, and OpenAI's as TGI has it.
    Tgi,
    /// OpenAI's API as vLLM has it.
    OpenAi,
}

impl Cast {
    /// What the demo shows.
    pub(crate) const DEMO: Self = Self {
        config: "config/demo.toml",
        models: &MODELS,
        protocol: Protocol::Tgi,
        speed: "1",
    };

    /// What client libraries are tried on: one model, quick enough for many short tests.
    pub(crate) fn for_clients(protocol: Protocol) -> Self {
        Self {
            config: "tests/clients/gateway.toml",
            models: &["qwen2"],
            protocol,
            speed: "10",
        }
    }
}

impl Protocol {
    /// As configuration files and the stub's arguments name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tgi => "tgi",
            Self::OpenAi => "openai",
        }
    }
}
