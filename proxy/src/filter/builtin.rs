//! The filters that come with the gateway, as WebAssembly in its binary.

/// By the names that `builtin:` takes; made by the build script.
const MODULES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/builtin_filters.rs"));

/// The code of a built-in filter.
pub fn module(name: &str) -> Option<&'static [u8]> {
    let found = MODULES.iter().find(|(known, _)| *known == name);
    found.map(|(_, module)| *module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BUILTINS;

    #[test]
    fn what_the_configuration_may_name_is_there_and_nothing_else_is() {
        let names: Vec<&str> = MODULES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, BUILTINS);
        for name in BUILTINS {
            let module = module(name).unwrap();
            assert!(module.starts_with(b"\0asm"), "{name} is no WebAssembly");
        }
        assert_eq!(module("tier-router"), None);
    }
}
