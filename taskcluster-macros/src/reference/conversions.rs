//! Finds the requests that can be made of an answer: what a program reads, changes and sends back.
//!
//! A payload can be made of what a `GET` endpoint of the same reference answers if both are about the same resource, and the
//! answer has every property of the payload with a type that fits. They are about the same resource if their routes are the
//! same but for the names of arguments (`PUT /task/<namespace>` and `GET /task/<indexPath>`), or if they take the same
//! arguments (`POST /worker-type/<workerType>/update` and `GET /worker-type/<workerType>`).

use std::collections::{BTreeSet, HashMap};

use crate::reference::model::{Endpoint, Method, Reference};
use crate::schema::conversions::fits;
use crate::schema::types::{Kind, Source, Types};

pub(super) fn find(reference: &Reference, types: &mut Types) {
    // The endpoints that read, by shapes of their routes and by arguments.
    let mut by_shape: HashMap<String, Vec<usize>> = HashMap::new();
    let mut by_arguments: HashMap<BTreeSet<&str>, Vec<usize>> = HashMap::new();
    for (index, read) in reference.endpoints.iter().enumerate() {
        if matches!(read.method, Method::Get) && read.payload.is_none() {
            by_shape.entry(shape(&read.route)).or_default().push(index);
            if !read.args.is_empty() {
                by_arguments.entry(arguments(read)).or_default().push(index);
            }
        }
    }
    for write in &reference.endpoints {
        let Some(Kind::Named(request)) = write.payload else { continue };
        let same_shape = by_shape.get(&shape(&write.route));
        let same_arguments = by_arguments.get(&arguments(write));
        let reads: BTreeSet<_> = same_shape.into_iter().chain(same_arguments).flatten().collect();
        for read in reads.into_iter().map(|index| &reference.endpoints[*index]) {
            let Some(Kind::Named(answer)) = read.answer else { continue };
            let known = types.all[request].made_of.iter().any(|source| source.answer == answer);
            if request != answer && !known && fits(types, answer, request) {
                let endpoint = read.name.wire.clone();
                types.all[request].made_of.push(Source { answer, endpoint });
            }
        }
    }
}

fn arguments(endpoint: &Endpoint) -> BTreeSet<&str> {
    endpoint.args.iter().map(|arg| arg.wire.as_str()).collect()
}

/// A route without the names of its arguments.
fn shape(route: &str) -> String {
    let parts = route.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest));
    parts.collect::<Vec<_>>().join("<>")
}
