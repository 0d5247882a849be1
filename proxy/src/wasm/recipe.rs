//! What instances of a filter are made from, and the making.

use std::sync::Arc;
use std::time::Duration;

use super::code::Code;
use super::failure::{self, Circumstances, Failure, FailureKind, Hook};
use super::instance::{Configured, Instance, Stopped};
use super::log::cut;
use super::runtime::Runtime;
use super::state::Scope;

/// What instances of a filter are made from.
pub(super) struct Recipe {
    pub(super) runtime: Arc<Runtime>,
    pub(super) code: Arc<Code>,
    pub(super) scope: Arc<Scope>,
    /// JSON text.
    pub(super) settings: String,
    /// Bytes.
    pub(super) max_memory: usize,
}

impl Recipe {
    /// Makes an instance and configures it.
    pub(super) fn start(&self) -> Result<Configured, Failure> {
        let deadline = self.runtime.options().configure_deadline;
        let scope = Arc::clone(&self.scope);
        let configured = Instance::start(
            &self.code.linked,
            scope,
            self.max_memory,
            deadline,
            &self.settings,
        );
        configured.map_err(|stopped| self.failure(stopped, deadline))
    }

    /// Makes an instance for a call, of a filter that was configured before.
    pub(super) fn restart(&self, hook: Hook) -> Result<Instance, Failure> {
        let message = match self.start() {
            Ok(Configured {
                instance,
                plan: Ok(_),
                ..
            }) => return Ok(instance),
            Ok(_) => "it refuses the settings that it took when it was loaded".to_owned(),
            Err(failure) => format!("{}: {}", failure.hook, failure.message),
        };
        Err(self.fault(
            hook,
            FailureKind::Start,
            format!("a new instance could not be made: {message}"),
        ))
    }

    /// What a call that ended in an error is to be called.
    pub(super) fn failure(&self, stopped: Stopped, deadline: Duration) -> Failure {
        let circumstances = Circumstances {
            last_words: stopped.last_words,
            deadline,
        };
        let (kind, message) = failure::explain(&stopped.error, circumstances);
        let message = cut(&message).to_owned();
        let backtrace = failure::backtrace(&stopped.error);
        Failure {
            backtrace,
            ..self.fault(stopped.hook, kind, message)
        }
    }

    /// A failure that has no place in the guest.
    pub(super) fn fault(&self, hook: Hook, kind: FailureKind, message: String) -> Failure {
        Failure {
            filter: Arc::clone(&self.scope.name),
            hook,
            kind,
            message,
            backtrace: None,
        }
    }
}
