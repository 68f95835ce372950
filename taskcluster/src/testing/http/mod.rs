//! HTTP: requests, the checks that are the same for all services, and answers. Knows no service.

pub(crate) mod answer;
pub(crate) mod authentication;
pub(crate) mod authorization;
pub(crate) mod base64;
pub(crate) mod call;
#[cfg(feature = "gzip")]
mod compression;
mod embedded_schemas;
pub(crate) mod paging;
pub(crate) mod patterns;
pub(crate) mod request;
pub(crate) mod routing;
pub(crate) mod schemas;
pub(crate) mod server;
mod socket;
