//! Whose request it is: only what is signed rightly, for this request and of now, counts.

mod authorized_scopes;
mod header;
mod temporary_credentials;
mod url;
