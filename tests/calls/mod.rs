//! Calls: what leaves the client, what comes of the answer, and what is done when it does not come.

mod answers;
mod blocking;
mod by_name;
mod clock;
mod corrections;
mod errors;
mod every_endpoint;
mod gzip;
mod limits;
mod logging;
mod many;
mod observed;
mod paging;
mod redirects;
mod requests;
mod retries;
mod routes;
mod secrets;
mod settings;
mod storm;
