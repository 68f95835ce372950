//! Values that other implementations agree on: signatures, scopes, dates, URLs, routing keys, slug ids.

mod dates;
mod hawk;
mod scopes;
mod urls_and_keys;
