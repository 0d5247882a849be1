//! The chain: names, modules and limits. Settings are for the filters to judge.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Checker, settings};
use crate::config::{BUILTINS, Breaker, Filter, Module, Place, file, suggest};

impl Checker<'_> {
    pub(super) fn filters(&mut self, file: &[file::Filter], at: &Place) -> Vec<Filter> {
        let filters: Vec<_> = file
            .iter()
            .enumerate()
            .map(|(index, filter)| self.filter(filter, &at.index(index)))
            .collect();
        self.refuse_duplicate_names(&filters, at);
        filters
    }

    fn refuse_duplicate_names(&mut self, filters: &[Filter], at: &Place) {
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, filter) in filters.iter().enumerate() {
            if let Some(first) = taken.get(&*filter.name) {
                let message = format!(
                    "`{}` is the name of {} already; give it another",
                    filter.name,
                    at.index(*first)
                );
                self.problem(&at.index(index).key("name"), message);
            } else if !filter.name.is_empty() {
                taken.insert(&filter.name, index);
            }
        }
    }

    fn filter(&mut self, file: &file::Filter, at: &Place) -> Filter {
        let module = self.module(file.module.as_deref(), &at.key("module"));
        if file.name.as_ref().is_some_and(String::is_empty) {
            self.problem(&at.key("name"), "must not be empty");
        }
        Filter {
            name: file
                .name
                .as_deref()
                .map_or_else(|| default_name(&module), Arc::from),
            module,
            settings: settings::to_json(&file.settings, &at.key("settings"), self.problems),
            on_error: file.on_error,
            deadline: self.accept(file.deadline.parse(), &at.key("deadline")),
            max_memory: self.accept(file.max_memory.parse(), &at.key("max_memory")),
            grants: file.grants.iter().copied().collect(),
            breaker: self.breaker(&file.breaker, &at.key("breaker")),
        }
    }

    fn breaker(&mut self, file: &file::Breaker, at: &Place) -> Breaker {
        Breaker {
            failures: file.failures,
            window: self.accept(file.window.parse(), &at.key("window")),
            cooldown: self.accept(file.cooldown.parse(), &at.key("cooldown")),
        }
    }

    fn module(&mut self, written: Option<&str>, at: &Place) -> Module {
        let Some(written) = written else {
            self.problem(at, "is missing; name a file or `builtin:` and a filter");
            return Module::File(self.folder.to_owned());
        };
        match written.strip_prefix("builtin:") {
            Some(name) => self.builtin(name, at),
            None => self.module_file(written, at),
        }
    }

    fn builtin(&mut self, name: &str, at: &Place) -> Module {
        if !BUILTINS.contains(&name) {
            self.problem(
                at,
                format!("no built-in filter `{name}`{}", suggest(name, BUILTINS)),
            );
        }
        Module::Builtin(name.to_owned())
    }

    fn module_file(&mut self, written: &str, at: &Place) -> Module {
        let path = self.folder.join(written);
        if let Err(why) = readable_file(&path) {
            let hint = if BUILTINS.contains(&written) {
                format!("; did you mean `builtin:{written}`?")
            } else {
                String::new()
            };
            self.problem(at, format!("cannot read `{}`: {why}{hint}", path.display()));
        }
        Module::File(path)
    }
}

fn readable_file(path: &Path) -> Result<(), String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let about = file.metadata().map_err(|error| error.to_string())?;
    if about.is_file() {
        Ok(())
    } else {
        Err("not a file".to_owned())
    }
}

fn default_name(module: &Module) -> Arc<str> {
    match module {
        Module::Builtin(name) => name.as_str().into(),
        Module::File(path) => path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into(),
    }
}
