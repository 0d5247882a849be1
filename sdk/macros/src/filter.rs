//! `#[filter]`: completes an `impl Filter` and exports the filter.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Error, ImplItem, ItemImpl, Result, parse_quote, parse_quote_spanned};

pub(crate) fn expand(arguments: &TokenStream, mut item: ItemImpl) -> Result<TokenStream> {
    no_arguments("filter", arguments)?;
    judge(&item)?;
    let has = |name: &str| item.items.iter().any(|item| is_called(item, name));

    let (on_request, place, on_complete) = (has("on_request"), has("place"), has("on_complete"));
    let is_own_settings = !has("Config") && !has("configure");
    item.items.push(parse_quote! {
        const HOOKS: ::headworks_sdk::Hooks = ::headworks_sdk::Hooks {
            on_request: #on_request,
            place: #place,
            on_complete: #on_complete,
        };
    });
    if is_own_settings {
        // At the author's type, where an error about it belongs.
        let own = item.self_ty.span();
        item.items
            .push(parse_quote_spanned! {own=> type Config = Self; });
        item.items.push(parse_quote! {
            fn configure(config: Self) -> ::core::result::Result<Self, ::headworks_sdk::Problems> {
                ::core::result::Result::Ok(config)
            }
        });
    }
    let filter = &item.self_ty;
    Ok(quote! {
        #item
        ::headworks_sdk::export!(#filter);
    })
}

pub(crate) fn no_arguments(attribute: &str, arguments: &TokenStream) -> Result<()> {
    if arguments.is_empty() {
        return Ok(());
    }
    Err(Error::new_spanned(
        arguments,
        format!("`#[{attribute}]` takes no arguments"),
    ))
}

fn judge(item: &ItemImpl) -> Result<()> {
    let of_filter = |(_, path, _): &(_, syn::Path, _)| {
        path.segments
            .last()
            .is_some_and(|segment| segment.ident == "Filter")
    };
    if !item.trait_.as_ref().is_some_and(of_filter) {
        let hint = "`#[filter]` belongs on an `impl Filter for ...`";
        return Err(Error::new_spanned(&item.self_ty, hint));
    }
    if !item.generics.params.is_empty() {
        let hint = "a filter is one type: the host could not choose the parameters";
        return Err(Error::new_spanned(&item.generics, hint));
    }
    Ok(())
}

fn is_called(item: &ImplItem, name: &str) -> bool {
    match item {
        ImplItem::Fn(function) => function.sig.ident == name,
        ImplItem::Type(alias) => alias.ident == name,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(item: ItemImpl, error: &str) {
        let expanded = expand(&TokenStream::new(), item);
        assert_eq!(expanded.unwrap_err().to_string(), error);
    }

    #[test]
    fn it_belongs_on_the_trait() {
        let error = "`#[filter]` belongs on an `impl Filter for ...`";
        check(parse_quote! { impl Router {} }, error);
        check(parse_quote! { impl Display for Router {} }, error);
    }

    #[test]
    fn a_filter_has_no_parameters() {
        check(
            parse_quote! { impl<T> Filter for Router<T> {} },
            "a filter is one type: the host could not choose the parameters",
        );
    }

    #[test]
    fn it_takes_no_arguments() {
        let error = no_arguments("filter", &quote! { name = "x" }).unwrap_err();
        assert_eq!(error.to_string(), "`#[filter]` takes no arguments");
    }
}
