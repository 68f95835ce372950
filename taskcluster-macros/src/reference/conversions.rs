//! Finds the requests that can be made of an answer: what a program reads, changes and sends back.
//!
//! A payload can be made of what a `GET` endpoint of the same reference answers if both are about the same resource, and the
//! answer has every property of the payload with a type that fits. They are about the same resource if their routes are the
//! same but for the names of arguments (`PUT /task/<namespace>` and `GET /task/<indexPath>`), or if they take the same
//! arguments (`POST /worker-type/<workerType>/update` and `GET /worker-type/<workerType>`).

use std::collections::BTreeSet;

use crate::reference::model::{Endpoint, Method, Reference};
use crate::schema::conversions::fits;
use crate::schema::types::{Kind, Source, Types};

pub(super) fn find(reference: &Reference, types: &mut Types) {
    for write in &reference.endpoints {
        let Some(Kind::Named(request)) = write.payload else { continue };
        for read in reference.endpoints.iter().filter(|read| reads(read, write)) {
            let Some(Kind::Named(answer)) = read.answer else { continue };
            let known = types.all[request].made_of.iter().any(|source| source.answer == answer);
            if request != answer && !known && fits(types, answer, request) {
                let endpoint = read.name.wire.clone();
                types.all[request].made_of.push(Source { answer, endpoint });
            }
        }
    }
}

/// Whether one endpoint reads what the other writes.
fn reads(read: &Endpoint, write: &Endpoint) -> bool {
    let same_arguments = !read.args.is_empty() && arguments(read) == arguments(write);
    let gets = matches!(read.method, Method::Get) && read.payload.is_none();
    gets && (same_arguments || shape(&read.route) == shape(&write.route))
}

fn arguments(endpoint: &Endpoint) -> BTreeSet<&str> {
    endpoint.args.iter().map(|arg| arg.wire.as_str()).collect()
}

/// A route without the names of its arguments.
fn shape(route: &str) -> String {
    let parts = route.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest));
    parts.collect::<Vec<_>>().join("<>")
}
