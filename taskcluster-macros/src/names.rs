//! Turns wire names into Rust names. Only this file knows which names are taken.

/// A name on the wire and in Rust.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) wire: String,
    /// In snake_case, distinct from keywords and the runtime's own names.
    pub(crate) rust: String,
}

/// Methods of a generated service struct that are not endpoints.
const SERVICE: &[&str] = &["as_ref", "clone", "fmt", "from", "new"];

/// Methods of the runtime's calls that are not query options.
const CALL: &[&str] = &[
    "bearer",
    "clone",
    "deref",
    "fmt",
    "header",
    "into_future",
    "items",
    "items_as",
    "items_as_blocking",
    "items_blocking",
    "max_pages",
    "pages",
    "pages_blocking",
    "retry",
    "send",
    "send_as",
    "send_as_blocking",
    "send_blocking",
    "required_scopes",
    "send_raw",
    "set_query",
    "signed_url",
    "timeout",
    "url",
];

/// Methods of the runtime's routing keys that are not parts of a key.
const ROUTING_KEYS: &[&str] = &[
    "binding",
    "clone",
    "deref",
    "exchange",
    "fmt",
    "into_binding",
    "new",
    "parse",
    "route_binding",
    "routing_key",
    "set",
    "split",
];

/// Methods of generated records, their own and those of traits, that are not setters.
const RECORD: &[&str] = &[
    "as_ref",
    "blank",
    "borrow",
    "borrow_mut",
    "clone",
    "clone_from",
    "clone_into",
    "default",
    "deserialize",
    "eq",
    "fmt",
    "from",
    "into",
    "ne",
    "new",
    "serialize",
    "shape",
    "slot",
    "to_owned",
    "try_from",
    "try_into",
    "type_id",
    "validate",
    "view",
];

/// Names the method of an endpoint or exchange.
pub(crate) fn method(wire: &str) -> Name {
    avoiding(wire, SERVICE)
}

/// Names the module next to a struct.
pub(crate) fn module(of_struct: &str) -> String {
    avoiding(of_struct, &[of_struct]).rust
}

/// Names the struct of a reference that is found in a folder: `Queue`, `QueueEvents`, and of another version than `v1`
/// `QueueV2`, `QueueEventsV2`.
pub(crate) fn service(service: &str, version: &str, of_exchanges: bool) -> String {
    let kind = if of_exchanges { "Events" } else { "" };
    let version = if version == "v1" { String::new() } else { pascal_case(version) };
    type_name(service, &format!("{kind}{version}"))
}

/// Names a type generated for an entry.
pub(crate) fn type_name(wire: &str, suffix: &str) -> String {
    let name = pascal_case(wire) + suffix;
    if name == "Self" { "Self_".to_owned() } else { name }
}

/// Names the path arguments of an endpoint.
pub(crate) fn arguments(wires: &[String]) -> Vec<Name> {
    distinct(wires, &["payload"])
}

/// Names the setters of an endpoint's query options.
pub(crate) fn query_options(wires: &[String]) -> Vec<Name> {
    distinct(wires, CALL)
}

/// Names the setters of a routing key's parts.
pub(crate) fn routing_key_parts(wires: &[String]) -> Vec<Name> {
    distinct(wires, ROUTING_KEYS)
}

/// Names the field of a record.
pub(crate) fn field(wire: &str, taken: &[String]) -> Name {
    adapted(wire, &[], taken)
}

/// Names what stands beside each other.
fn distinct(wires: &[String], reserved: &[&str]) -> Vec<Name> {
    let mut taken = Vec::with_capacity(wires.len());
    let names = wires.iter().map(|wire| {
        let name = adapted(wire, reserved, &taken);
        taken.push(name.rust.clone());
        name
    });
    names.collect()
}

/// Makes a Rust name of any text: `user.name` is `user_name`, `$filter` is `filter`, and `1st` is `n1st`. A name that is taken
/// gets a `_`.
fn adapted(wire: &str, reserved: &[&str], taken: &[String]) -> Name {
    let plain: String =
        wire.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let plain = plain.trim_matches('_');
    let digit = plain.starts_with(|c: char| c.is_ascii_digit());
    let plain = if plain.is_empty() || digit { format!("n{plain}") } else { plain.to_owned() };
    let mut name = Name { wire: wire.to_owned(), ..avoiding(&plain, reserved) };
    while taken.contains(&name.rust) {
        name.rust.push('_');
    }
    name
}

/// Names the setter of a field.
pub(crate) fn setter(field: &str) -> String {
    avoiding(field, RECORD).rust
}

/// Turns the name of a list or map into that of one of its items, if there is no doubt about it: `routes` into `route`, but
/// neither `hashes`, which might be of `hash` or `hashe`, nor `status`.
pub(crate) fn singular(field: &str) -> Option<String> {
    let ends = |endings: &[&str]| endings.iter().any(|ending| field.ends_with(ending));
    if ends(&["series", "species"]) || ends(&["ses", "shes", "ches", "xes", "zes", "oes"]) {
        return None;
    }
    if let Some(start) = field.strip_suffix("ies") {
        return (start.len() > 1).then(|| format!("{start}y"));
    }
    let single = field.strip_suffix('s').filter(|_| !ends(&["ss", "us", "is", "as"]))?;
    (single.len() > 1).then(|| single.to_owned())
}

/// Names the variant of an enum; `Unknown` is taken by the enum itself.
pub(crate) fn variant<'a>(text: &str, taken: impl Iterator<Item = &'a str> + Clone) -> String {
    let words: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut name = type_name(&words, "");
    if name.is_empty() {
        name.push_str("Empty");
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 'N');
    }
    while name == "Unknown" || taken.clone().any(|taken| taken == name) {
        name.push('_');
    }
    name
}

/// Names of properties, arguments and query options that hold secrets: tokens, keys, certificates and proofs of identity. URLs that may be signed, and
/// the headers sent with them, grant the same access and count as secrets too; so does what a new worker is set up with.
const SECRETS: &[&str] = &[
    "accessToken",
    "authorization",
    "certificate",
    "connectionString",
    "headers",
    "password",
    "putUrl",
    "sas",
    "secret",
    "secretAccessKey",
    "secretKey",
    "sessionToken",
    "signature",
    "signedDeleteUrl",
    "signedPollUrl",
    "staticSecret",
    "token",
    "uploadURL",
    "url",
    "workerConfig",
    "workerIdentityProof",
];

/// Whether a property, argument or query option of this name holds a secret.
pub(crate) fn is_secret(wire: &str) -> bool {
    SECRETS.contains(&wire)
}

/// Appends `_` to keywords and taken names.
fn avoiding(wire: &str, taken: &[&str]) -> Name {
    let mut rust = snake_case(wire);
    // `gen` is a keyword, but syn accepts it as an identifier.
    let keyword = rust == "gen" || syn::parse_str::<syn::Ident>(&rust).is_err();
    if keyword || taken.contains(&rust.as_str()) {
        rust.push('_');
    }
    Name { wire: wire.to_owned(), rust }
}

/// Turns `listTaskGroup` into `list_task_group`, and `sentryDSN` into `sentry_dsn`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = '_';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let follows_word = before.is_lowercase() || before.is_ascii_digit();
        let begins_word =
            before.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (follows_word || begins_word) {
            snake.push('_');
        }
        snake.extend(if letter == '-' { '_' } else { letter }.to_lowercase());
        before = letter;
    }
    snake
}

/// Turns `listTaskGroup` into `ListTaskGroup`.
pub(crate) fn pascal_case(name: &str) -> String {
    let words = snake_case(name);
    words
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .into_iter()
                .flat_map(char::to_uppercase)
                .chain(letters.collect::<Vec<_>>())
        })
        .collect()
}

/// What [`is_usable`] asks of a name, for error messages.
pub(crate) const USABLE: &str = "use letters, digits, `-` and `_`, starting with a letter";

/// Whether a wire name can become a Rust name: a letter, then letters, digits, `-` and `_`.
pub(crate) fn is_usable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_where_a_reader_sees_them() {
        for (wire, snake, pascal) in [
            ("ping", "ping", "Ping"),
            ("listTaskGroup", "list_task_group", "ListTaskGroup"),
            ("azureContainerSAS", "azure_container_sas", "AzureContainerSas"),
            ("awsS3Credentials", "aws_s3_credentials", "AwsS3Credentials"),
            ("listRoles2", "list_roles2", "ListRoles2"),
            ("HTTPServer", "http_server", "HttpServer"),
            ("worker-type", "worker_type", "WorkerType"),
            ("snake_already", "snake_already", "SnakeAlready"),
        ] {
            assert_eq!((snake_case(wire).as_str(), pascal_case(wire).as_str()), (snake, pascal));
        }
    }

    fn rust(names: Vec<Name>) -> Vec<String> {
        names.into_iter().map(|name| name.rust).collect()
    }

    #[test]
    fn any_text_becomes_a_name_and_no_two_are_the_same() {
        let wires = [
            "$filter",
            "filter[state]",
            "user.name",
            "user-name",
            "userName",
            "_id",
            "1st",
            "Größe",
            "?",
            "!",
            "send",
            "Send",
        ];
        let wires = wires.map(str::to_owned);
        let names = query_options(&wires);
        assert_eq!(
            rust(names),
            [
                "filter",
                "filter_state",
                "user_name",
                "user_name_",
                "user_name__",
                "id",
                "n1st",
                "gr__e",
                "n",
                "n_",
                "send_",
                "send__",
            ]
        );
        assert!(query_options(&wires).iter().zip(&wires).all(|(name, wire)| name.wire == *wire));
    }

    #[test]
    fn keywords_and_names_of_the_runtime_are_avoided() {
        assert_eq!(method("type").rust, "type_");
        assert_eq!(method("self").rust, "self_");
        assert_eq!(method("new").rust, "new_");
        assert_eq!(
            rust(arguments(&["gen".to_owned(), "payload".to_owned()])),
            ["gen_", "payload_"]
        );
        assert_eq!(module("Try"), "try_");
        assert_eq!(module("builds"), "builds_");
        assert_eq!(module("TaskReader"), "task_reader");
        assert_eq!(type_name("self", ""), "Self_");
        let options = ["send", "signedUrl"].map(str::to_owned);
        assert_eq!(rust(query_options(&options)), ["send_", "signed_url_"]);
        assert_eq!(rust(routing_key_parts(&["exchange".to_owned()])), ["exchange_"]);
        assert_eq!(method("url").rust, "url");
    }

    #[test]
    fn one_of_several_has_a_name_if_there_is_no_doubt() {
        for (several, one) in [
            ("routes", Some("route")),
            ("dependencies", Some("dependency")),
            ("task_ids", Some("task_id")),
            ("types", Some("type")),
            ("hashes", None),
            ("caches", None),
            ("status", None),
            ("series", None),
            ("extra", None),
            ("s", None),
        ] {
            assert_eq!(singular(several).as_deref(), one, "{several}");
        }
        assert_eq!(setter("type"), "type_");
        assert_eq!(setter("clone"), "clone_");
    }

    #[test]
    fn structs_of_a_folder_are_named_after_service_and_version() {
        assert_eq!(service("worker-manager", "v1", false), "WorkerManager");
        assert_eq!(service("worker-manager", "v1", true), "WorkerManagerEvents");
        assert_eq!(service("queue", "v2", false), "QueueV2");
        assert_eq!(service("queue", "v2", true), "QueueEventsV2");
        assert_eq!(service("self", "v1", false), "Self_");
    }
}
