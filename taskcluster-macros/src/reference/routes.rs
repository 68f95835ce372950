//! Checks the routes of endpoints: between arguments, they have what RFC 3986 allows in a path, as it is sent.

/// What is wrong with the text of a route, if anything is. Whether its arguments are right is checked elsewhere.
pub(super) fn mistake(route: &str) -> Option<String> {
    if !route.starts_with('/') {
        return Some("must start with `/`".to_owned());
    }
    if route.contains("><") {
        return Some("has two arguments with nothing between them".to_owned());
    }
    odd_character(route).or_else(|| odd_segment(route))
}

fn odd_character(route: &str) -> Option<String> {
    let mut in_argument = false;
    for (at, c) in route.char_indices() {
        match c {
            '<' => in_argument = true,
            '>' => in_argument = false,
            _ if in_argument || c.is_ascii_alphanumeric() => {}
            '%' => {
                let escape = route.get(at + 1..at + 3);
                if !escape.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit())) {
                    return Some("contains a `%` that two hexadecimal digits must follow; write `%25` for itself".to_owned());
                }
            }
            _ if "/-._~!$&'()*+,;=:@".contains(c) => {}
            '?' => {
                return Some("contains '?'; list the options of the query in `query`".to_owned());
            }
            c => {
                let escaped: String =
                    c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
                return Some(format!("contains {c:?}; write it as `{escaped}`"));
            }
        }
    }
    None
}

/// A segment of a route that URLs do not keep.
fn odd_segment(route: &str) -> Option<String> {
    let plain = |segment: &str| segment.replace("%2e", ".").replace("%2E", ".");
    let odd = route.split('/').find(|segment| matches!(plain(segment).as_str(), "." | ".."))?;
    Some(format!("contains the segment `{odd}`, which URLs do not keep"))
}
