//! A request against its limits.

use headworks_sdk::prelude::*;

use crate::settings::{Limits, New, Over, Total};

impl Limits {
    /// Holds a request to the limits: it passes, changed where the settings say
    /// so, or is refused.
    pub(crate) fn apply(&self, request: &mut Request) -> Result<(), Rejection> {
        let input = self.input(request)?;
        let asked = request.max_new_tokens();
        let mut new = self
            .max_new_tokens
            .map_or(Ok(asked), |limit| limit.hold(asked))?;
        if let (Some(total), Some(input)) = (self.max_total_tokens, input) {
            new = Some(total.hold(input, asked, new)?);
        }
        let Some(new) = new.filter(|new| Some(*new) != asked) else {
            return Ok(());
        };
        request.set_max_new_tokens(new);
        if let Some(asked) = asked {
            // The client is not told, so the access log is.
            request.tag("max_new_tokens", &format!("{asked} cut down to {new}"));
        }
        Ok(())
    }

    /// The length of the prompt, if a limit depends on it.
    fn input(&self, request: &Request) -> Result<Option<u32>, Rejection> {
        if self.max_input_tokens.is_none() && self.max_total_tokens.is_none() {
            return Ok(None);
        }
        let input = request.prompt_tokens();
        match self.max_input_tokens {
            Some(most) if input > most.limit => Err(too_long(input, most.limit)),
            _ => Ok(Some(input)),
        }
    }
}

impl New {
    /// The cap for a client that asked for this one. One that asked for none
    /// gets one: the upstream's own may be as long as the model can go on.
    fn hold(&self, asked: Option<u32>) -> Result<Option<u32>, Rejection> {
        let limit = self.limit;
        match asked {
            None => Ok(Some(self.default.unwrap_or(limit))),
            Some(asked) if asked <= limit => Ok(Some(asked)),
            Some(_) if self.over == Over::Clamp => Ok(Some(limit)),
            Some(asked) => {
                let message =
                    format!("{asked} new tokens are asked for, at most {limit} are allowed");
                Err(Rejection::new(422, "max_new_tokens_too_high", message))
            }
        }
    }
}

impl Total {
    /// The cap for a prompt of this length: `new`, if there is room for it. Who
    /// asked for none is not refused for the default.
    fn hold(&self, input: u32, asked: Option<u32>, new: Option<u32>) -> Result<u32, Rejection> {
        let limit = self.limit;
        let room = limit.saturating_sub(input);
        if room == 0 {
            // An answer has one token at least.
            return Err(too_long(input, limit - 1));
        }
        match new {
            Some(new) if new > room && asked.is_some() && self.over == Over::Refuse => {
                let message = format!(
                    "a prompt of about {input} and {new} new tokens are asked for, \
                     at most {limit} together are allowed"
                );
                Err(Rejection::new(422, "max_total_tokens_too_high", message))
            }
            new => Ok(new.unwrap_or(room).min(room)),
        }
    }
}

fn too_long(input: u32, limit: u32) -> Rejection {
    let message = format!("the prompt has about {input} tokens, at most {limit} are allowed");
    Rejection::new(413, "prompt_too_long", message)
}
