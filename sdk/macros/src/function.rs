//! `#[on_request]`, `#[place]` and `#[on_complete]`: a filter of one function.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, Result, Type};

use crate::filter::no_arguments;

/// A hook of the trait `Filter`, as far as a function has to match it.
pub(crate) struct Hook {
    name: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    returns: &'static str,
}

impl Hook {
    pub(crate) const ON_REQUEST: Self = Self {
        name: "on_request",
        parameters: &[("request", "&mut ::headworks_sdk::Request")],
        returns: "::headworks_sdk::Verdict",
    };

    pub(crate) const PLACE: Self = Self {
        name: "place",
        parameters: &[
            ("request", "&mut ::headworks_sdk::Request"),
            ("candidates", "&[::headworks_sdk::Candidate]"),
            ("waited", "::core::time::Duration"),
        ],
        returns: "::headworks_sdk::Placement",
    };

    pub(crate) const ON_COMPLETE: Self = Self {
        name: "on_complete",
        parameters: &[
            ("request", "&::headworks_sdk::Request"),
            ("outcome", "&::headworks_sdk::Outcome"),
        ],
        returns: "()",
    };
}

pub(crate) fn expand(hook: &Hook, arguments: &TokenStream, item: &ItemFn) -> Result<TokenStream> {
    no_arguments(hook.name, arguments)?;
    let settings = settings_type(hook, item)?;
    let function = &item.sig.ident;
    let visibility = &item.vis;
    let filter = format_ident!(
        "{}",
        camel_case(&function.to_string()),
        span = function.span()
    );
    let doc = format!("The filter that [`{function}`] is.");

    let method = format_ident!("{}", hook.name);
    let names: Vec<Ident> = hook
        .parameters
        .iter()
        .map(|(name, _)| format_ident!("{name}"))
        .collect();
    let types: Vec<Type> = hook
        .parameters
        .iter()
        .map(|(_, of)| syn::parse_str(of))
        .collect::<Result<_>>()?;
    let returns: Type = syn::parse_str(hook.returns)?;
    let config = settings.map(|_| quote! { , &self.config });
    let call = quote_spanned! { item.sig.span()=> #function(#(#names),* #config) };
    let settings = settings.map_or_else(
        || quote! { ::headworks_sdk::NoSettings },
        |of| quote! { #of },
    );

    Ok(quote! {
        #item

        #[doc = #doc]
        #visibility struct #filter {
            #[allow(dead_code, reason = "not read by a function without settings")]
            config: #settings,
        }

        #[::headworks_sdk::filter]
        impl ::headworks_sdk::Filter for #filter {
            type Config = #settings;

            fn configure(
                config: #settings,
            ) -> ::core::result::Result<Self, ::headworks_sdk::Problems> {
                ::core::result::Result::Ok(Self { config })
            }

            fn #method(&self, #(#names: #types),*) -> #returns {
                #call
            }
        }
    })
}

/// What the last parameter refers to, if there is one more than the hook has.
fn settings_type<'a>(hook: &Hook, item: &'a ItemFn) -> Result<Option<&'a Type>> {
    let own = hook.parameters.len();
    match item.sig.inputs.len().checked_sub(own) {
        Some(0) => Ok(None),
        Some(1) => referred(&item.sig.inputs[own]).map(Some),
        _ => {
            let names: Vec<&str> = hook.parameters.iter().map(|(name, _)| *name).collect();
            let hint = format!(
                "`#[{}]` calls with ({}), and with the settings as a last parameter if there is one",
                hook.name,
                names.join(", "),
            );
            Err(Error::new_spanned(&item.sig, hint))
        }
    }
}

fn referred(parameter: &FnArg) -> Result<&Type> {
    if let FnArg::Typed(typed) = parameter {
        if let Type::Reference(reference) = &*typed.ty {
            return Ok(&reference.elem);
        }
    }
    Err(Error::new_spanned(
        parameter,
        "the settings come by reference: `config: &Config`",
    ))
}

fn camel_case(snake_case: &str) -> String {
    let capitalise = |word: &str| {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        first.to_uppercase() + rest
    };
    snake_case.split('_').map(capitalise).collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn check(hook: &Hook, item: &ItemFn, error: &str) {
        let expanded = expand(hook, &TokenStream::new(), item);
        assert_eq!(expanded.unwrap_err().to_string(), error);
    }

    #[test]
    fn the_filter_is_called_like_its_function() {
        assert_eq!(camel_case("tier_router"), "TierRouter");
        assert_eq!(camel_case("log_"), "Log");
    }

    #[test]
    fn a_function_that_does_not_match_its_hook_is_told_what_would() {
        check(
            &Hook::ON_COMPLETE,
            &parse_quote! { fn note(request: &Request) {} },
            "`#[on_complete]` calls with (request, outcome), and with the settings as a last \
             parameter if there is one",
        );
    }

    #[test]
    fn settings_come_by_reference() {
        check(
            &Hook::ON_REQUEST,
            &parse_quote! { fn route(request: &mut Request, config: Config) -> Verdict {} },
            "the settings come by reference: `config: &Config`",
        );
    }
}
