//! A reference as plain data: no tokens, no JSON.

use crate::input::locate::JsonPath;
use crate::schema::types::Kind;

#[derive(Default)]
pub(crate) struct Reference {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) service: String,
    pub(crate) version: String,
    pub(crate) base_url: Option<String>,
    pub(crate) exchange_prefix: String,
    /// Whether it is a reference of exchanges; one of endpoints otherwise.
    pub(crate) of_exchanges: bool,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) exchanges: Vec<Exchange>,
    /// The Rust names of entries that were left out for their mistakes.
    pub(crate) left_out: Vec<String>,
}

/// A name on the wire and in Rust.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) wire: String,
    /// In snake_case, with keywords and the runtime's own names evaded.
    pub(crate) rust: String,
}

pub(crate) struct Endpoint {
    /// Where it stands in the file.
    pub(crate) place: JsonPath,
    pub(crate) name: Name,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) method: Method,
    pub(crate) route: String,
    pub(crate) args: Vec<Name>,
    pub(crate) query: Vec<Name>,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) stability: Stability,
    pub(crate) paging: Option<Paging>,
    /// What each argument must match, if that is known.
    pub(crate) patterns: Vec<Option<String>>,
    /// The types of the payload, of the answer, and of the items of a page.
    pub(crate) payload: Option<Kind>,
    pub(crate) answer: Option<Kind>,
    pub(crate) item: Option<Kind>,
}

#[derive(Clone, Copy)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stability {
    Stable,
    Experimental,
    Deprecated,
}

pub(crate) struct Paging {
    pub(crate) query: String,
    pub(crate) token: String,
    pub(crate) items: String,
}

pub(crate) enum Scopes {
    Scope(String),
    AllOf(Vec<Scopes>),
    AnyOf(Vec<Scopes>),
    ForEach { var: String, list: String, each: String },
    If { condition: String, then: Box<Scopes>, otherwise: Option<Box<Scopes>> },
}

pub(crate) struct Exchange {
    /// Where it stands in the file.
    pub(crate) place: JsonPath,
    pub(crate) name: Name,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Without the prefix.
    pub(crate) exchange: String,
    pub(crate) routing_key: Vec<Part>,
    pub(crate) schema: String,
    /// The type of its messages.
    pub(crate) message: Option<Kind>,
}

pub(crate) struct Part {
    pub(crate) name: Name,
    pub(crate) summary: String,
    pub(crate) constant: Option<String>,
    pub(crate) required: bool,
    pub(crate) multiple_words: bool,
}
