//! A guest that uses every memory a filter has: its instance, the exchange, the
//! store, metrics; and shows by tags what it finds there.

use std::cell::Cell;

use headworks_sdk::prelude::*;

struct Remembers {
    calls_of_instance: Cell<u32>,
    calls: Counter,
}

#[filter]
impl Filter for Remembers {
    type Config = NoSettings;

    fn configure(_: NoSettings) -> Result<Self, Problems> {
        setup::serves_model("remembered");
        Ok(Self {
            calls_of_instance: Cell::new(0),
            calls: Counter::new("test.calls.{model}", &["model"]),
        })
    }

    fn on_request(&self, request: &mut Request) -> Verdict {
        self.calls_of_instance.set(self.calls_of_instance.get() + 1);
        self.calls.add(1, &[&request.model_label()]);
        request.tag("instance-calls", &self.calls_of_instance.get().to_string());
        request.tag("calls", &store::increment("calls", 1, None).to_string());
        let endings = store::get("endings").unwrap_or_default();
        request.tag("endings", &String::from_utf8_lossy(&endings));
        request.set_state(b"seen");
        Verdict::Next
    }

    fn on_complete(&self, request: &Request, outcome: &Outcome) {
        let mut endings = store::get("endings").unwrap_or_default();
        endings.extend(request.state());
        endings.extend(format!(" {};", outcome.end().as_str()).bytes());
        store::set("endings", &endings, None);
    }
}
