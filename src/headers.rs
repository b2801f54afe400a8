//! The headers on every answer, and why each is there.
//!
//! Except where there was no request: what is not HTTP, has more than 96 headers or 128 KiB of them, or
//! comes too slowly, actix refuses by itself, with an empty 400, 431 or 408, before any code of ours. (At a
//! header whose name is 64 KiB long it panics, and the connection ends. The router lets none through.)

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, PERMISSIONS_POLICY,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

/// The name under which the router sends a request's id, and we send it back.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_EMBEDDER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-embedder-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// On every answer.
const ALWAYS: [(HeaderName, HeaderValue); 7] = [
    // Pages load our stylesheet, icon and script, which asks for /release, and nothing else at all. No site
    // may put them in a frame.
    // Every browser in use obeys that, so there is no X-Frame-Options.
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        PERMISSIONS_POLICY,
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    // Isolates our pages from other sites, both ways.
    (CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin")),
    (CROSS_ORIGIN_EMBEDDER_POLICY, HeaderValue::from_static("require-corp")),
    (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
];

/// 30 days: long enough to protect between two visits, short enough to take back. It binds this host
/// alone: herokuapp.com is not ours to speak for.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=2592000");

const NOINDEX: HeaderValue = HeaderValue::from_static("noindex");

/// The headers of one site.
#[derive(Clone, Copy)]
pub struct Headers {
    /// Send HSTS to visitors who came over https.
    pub hsts: bool,
    /// Let search engines list the site.
    pub indexed: bool,
}

impl Headers {
    /// Puts every header on an answer. What a handler set itself stays, but for the request's id.
    pub fn put(self, headers: &mut HeaderMap, request_id: HeaderValue, over_https: bool) {
        let mut names = headers.len_keys();
        // Not `insert`: it returns the old value, and takes half as long again.
        let mut put = |name, value| {
            headers.append(name, value);
            names += 1;
        };
        for (name, value) in ALWAYS {
            put(name, value);
        }
        if self.hsts && over_https {
            put(STRICT_TRANSPORT_SECURITY, HSTS);
        }
        if !self.indexed {
            // At run time, since production runs staging's very build.
            put(X_ROBOTS_TAG, NOINDEX);
        }
        put(X_REQUEST_ID, request_id);
        if headers.len_keys() < names {
            keep_the_handlers_own(headers);
        }
    }
}

/// For the rare answer on which a handler had put one of ours already. Ours came last.
fn keep_the_handlers_own(headers: &mut HeaderMap) {
    let others = [(STRICT_TRANSPORT_SECURITY, HSTS), (X_ROBOTS_TAG, NOINDEX)];
    for (name, ours) in ALWAYS.into_iter().chain(others) {
        let mut values: Vec<_> = headers.remove(&name).collect();
        if values.len() > 1 && values.last() == Some(&ours) {
            values.pop();
        }
        for value in values {
            headers.append(name.clone(), value);
        }
    }
    // The id is the one in the log line, whatever a handler says.
    if let Some(ours) = headers.remove(X_REQUEST_ID).last() {
        headers.append(X_REQUEST_ID, ours);
    }
}
