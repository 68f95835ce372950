//! The pages that the browser shows.

use hyper::Response;
use reqwest::StatusCode;
use reqwest::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

/// A page of one heading and one paragraph.
pub(super) fn page(status: StatusCode, heading: &str, text: &str) -> Response<String> {
    let (heading, text) = (escape(heading), escape(text));
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{heading}</title></head>\n\
         <body>\n<h1>{heading}</h1>\n<p>{text}</p>\n</body>\n</html>\n"
    );
    let mut response = Response::new(html);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        // Nothing is loaded, nothing runs, and no other page shows this one.
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Sends the browser to a path without a query.
pub(super) fn redirect(path: &str) -> Response<String> {
    let mut response = page(StatusCode::SEE_OTHER, "Signed in", "");
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let page = page(StatusCode::OK, "a <script>", "b & \"c\" 'd'");
        assert!(page.body().contains("<h1>a &lt;script&gt;</h1>"), "{}", page.body());
        assert!(
            page.body().contains("<p>b &amp; &quot;c&quot; &#39;d&#39;</p>"),
            "{}",
            page.body()
        );
    }
}
