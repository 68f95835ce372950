//! A reference as plain data: no tokens, no JSON.

use crate::input::locate::JsonPath;
use crate::names::Name;
use crate::schema::types::{Kind, Rule};

#[derive(Default)]
pub(crate) struct Reference {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) service: String,
    pub(crate) version: String,
    pub(crate) base_url: Option<String>,
    pub(crate) exchange_prefix: String,
    /// Whether the entries are exchanges rather than endpoints.
    pub(crate) of_exchanges: bool,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) exchanges: Vec<Exchange>,
    /// The Rust names of entries that were left out because they have mistakes.
    pub(crate) left_out: Vec<String>,
}

pub(crate) struct Endpoint {
    /// Where it is in the file.
    pub(crate) place: JsonPath,
    pub(crate) name: Name,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) category: Option<String>,
    pub(crate) method: Method,
    pub(crate) route: String,
    pub(crate) args: Vec<Name>,
    pub(crate) query: Vec<Name>,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) stability: Stability,
    pub(crate) paging: Option<Paging>,
    /// The pattern that each argument must match, if it is known.
    pub(crate) patterns: Vec<Option<String>>,
    /// The pattern that each query option must match, if it is known.
    pub(crate) query_patterns: Vec<Option<String>>,
    /// The type of the request's payload.
    pub(crate) payload: Option<Kind>,
    /// What the schema of the payload demands beyond its type.
    pub(crate) payload_rules: Vec<Rule>,
    /// The type of the response.
    pub(crate) answer: Option<Kind>,
    /// The type of a page's items.
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

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
        }
    }
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
    /// Where it is in the file.
    pub(crate) place: JsonPath,
    pub(crate) name: Name,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Without the prefix.
    pub(crate) exchange: String,
    pub(crate) routing_key: Vec<Part>,
    pub(crate) schema: String,
    /// The type of the messages.
    pub(crate) message: Option<Kind>,
}

pub(crate) struct Part {
    pub(crate) name: Name,
    pub(crate) summary: String,
    pub(crate) constant: Option<String>,
    pub(crate) required: bool,
    pub(crate) multiple_words: bool,
}
