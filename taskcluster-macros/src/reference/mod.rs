//! API references: read, checked and completed with the types of their schemas.

pub(crate) mod check;
pub(crate) mod model;
pub(crate) mod paging;
pub(crate) mod patterns;
pub(crate) mod payloads;
pub(crate) mod read;
