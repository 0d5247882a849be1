//! `#[config]`: `Deserialize` without unknown keys, and `Settings`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Ident, Result};

pub(crate) fn expand(arguments: TokenStream, item: &DeriveInput) -> Result<TokenStream> {
    let find = check_argument(arguments)?.map(|check| {
        quote! {
            fn find(&self, problems: &mut ::headworks_sdk::Problems) {
                self.#check(problems);
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
            #find
        }
    })
}

/// The `check` of `#[config(check)]`: spelt by the author, so that a missing
/// method is an error at this place.
fn check_argument(arguments: TokenStream) -> Result<Option<Ident>> {
    if arguments.is_empty() {
        return Ok(None);
    }
    let argument: Ident = syn::parse2(arguments)?;
    if argument == "check" {
        return Ok(Some(argument));
    }
    let hint = format!("unknown argument `{argument}`; `check` calls the type's own `check`");
    Err(Error::new(argument.span(), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_argument_is_check() {
        assert!(check_argument(quote! { check }).unwrap().is_some());
        assert!(check_argument(TokenStream::new()).unwrap().is_none());
        let error = check_argument(quote! { chekc }).unwrap_err();
        let hint = "unknown argument `chekc`; `check` calls the type's own `check`";
        assert_eq!(error.to_string(), hint);
    }
}
