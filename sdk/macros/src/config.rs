//! `#[config]`: `Deserialize` without unknown keys, and `Settings`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Ident, Result};

pub(crate) fn expand(arguments: TokenStream, item: &DeriveInput) -> Result<TokenStream> {
    let check = wants_check(arguments)?.then(|| {
        quote! {
            fn check(&self, problems: &mut ::headworks_sdk::Problems) {
                Self::check(self, problems);
            }
        }
    });
    let name = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    Ok(quote! {
        #[derive(::headworks_sdk::serde::Deserialize)]
        #[serde(crate = "::headworks_sdk::serde", deny_unknown_fields)]
        #item

        impl #generics ::headworks_sdk::Settings for #name #arguments #bounds {
            #check
        }
    })
}

fn wants_check(arguments: TokenStream) -> Result<bool> {
    if arguments.is_empty() {
        return Ok(false);
    }
    let argument: Ident = syn::parse2(arguments)?;
    if argument == "check" {
        return Ok(true);
    }
    let hint = format!("unknown argument `{argument}`; `check` calls the type's own `check`");
    Err(Error::new(argument.span(), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_argument_is_check() {
        assert!(wants_check(quote! { check }).unwrap());
        assert!(!wants_check(TokenStream::new()).unwrap());
        let error = wants_check(quote! { chekc }).unwrap_err();
        let hint = "unknown argument `chekc`; `check` calls the type's own `check`";
        assert_eq!(error.to_string(), hint);
    }
}
