//! The answer of the web interface: a query.

use percent_encoding::percent_decode_str;

use crate::credentials::Credentials;

/// Reads credentials from the query of a callback, or says what is wrong with it.
///
/// The web interface writes client id and access token as they are. A `+` is therefore a `+`, as many client ids have it. Neither
/// can contain a `%`, so a percent-encoded value, which other interfaces may send, is recognized and decoded.
pub(super) fn credentials(query: &str) -> Result<Credentials, &'static str> {
    let value = |name: &str| {
        let mut values = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        (values.next(), values.next().is_some())
    };
    let text = |name: &str| match value(name) {
        (_, true) => Err("it has a value twice"),
        (None, _) => Ok(String::new()),
        (Some(value), _) => {
            let decoded = percent_decode_str(value).decode_utf8();
            decoded.map(String::from).map_err(|_| "a value is not text")
        }
    };
    let (client_id, access_token) = (text("clientId")?, text("accessToken")?);
    for value in [&client_id, &access_token] {
        if value.is_empty() {
            return Err("it does not have both a client id and an access token");
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a value contains characters that it cannot contain");
        }
    }
    Ok(Credentials::new(client_id, access_token).with_certificate(text("certificate")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_the_web_interface_writes_them() {
        let read = |query: &str| {
            let credentials = credentials(query).unwrap();
            (credentials.client_id().to_owned(), credentials.access_token().to_owned())
        };
        let expected = ("ad|a+b@x.org:1/cli-_!2".to_owned(), "Ab-_9".to_owned());
        assert_eq!(read("clientId=ad|a+b@x.org:1/cli-_!2&accessToken=Ab-_9"), expected);
        let encoded = "accessToken=Ab-%5f9&x=y&&z&clientId=ad%7Ca%2Bb%40x.org%3A1%2Fcli-_%212";
        assert_eq!(read(encoded), expected);
    }

    #[test]
    fn what_is_none_is_refused() {
        for (query, why) in [
            ("", "both"),
            ("clientId=a", "both"),
            ("clientId=a&accessToken=", "both"),
            ("clientid=a&accessToken=b", "both"),
            ("clientId=a&accessToken=b&clientId=c", "twice"),
            ("clientId=a%20b&accessToken=b", "cannot contain"),
            ("clientId=a&accessToken=b%0d%0aX", "cannot contain"),
            ("clientId=%ff&accessToken=b", "not text"),
            ("clientId=\u{e9}&accessToken=b", "cannot contain"),
        ] {
            let error = credentials(query).unwrap_err();
            assert!(error.contains(why), "{query}: {error}");
        }
    }
}
