//! The attributes of `headworks-sdk`, which documents them where it re-exports
//! them. The code they write is short; what it calls is in the SDK.

mod config;
mod filter;
mod function;

use proc_macro::TokenStream;
use syn::parse_macro_input;

use crate::function::Hook;

/// See `headworks_sdk::config`.
#[proc_macro_attribute]
pub fn config(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::DeriveInput);
    emit(config::expand(arguments.into(), &item))
}

/// See `headworks_sdk::filter`.
#[proc_macro_attribute]
pub fn filter(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::ItemImpl);
    emit(filter::expand(&arguments.into(), item))
}

/// See `headworks_sdk::on_request`.
#[proc_macro_attribute]
pub fn on_request(arguments: TokenStream, item: TokenStream) -> TokenStream {
    function(&Hook::ON_REQUEST, arguments, item)
}

/// See `headworks_sdk::place`.
#[proc_macro_attribute]
pub fn place(arguments: TokenStream, item: TokenStream) -> TokenStream {
    function(&Hook::PLACE, arguments, item)
}

/// See `headworks_sdk::on_complete`.
#[proc_macro_attribute]
pub fn on_complete(arguments: TokenStream, item: TokenStream) -> TokenStream {
    function(&Hook::ON_COMPLETE, arguments, item)
}

fn function(hook: &Hook, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::ItemFn);
    emit(function::expand(hook, &arguments.into(), &item))
}

fn emit(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
