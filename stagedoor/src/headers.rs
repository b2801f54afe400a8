//! The headers on every answer, and why each is there.
//!
//! Except where there was no request: what is not HTTP, has more than 96 headers or 128 KiB of them, or comes too
//! slowly, actix refuses by itself, with an empty 400, 431 or 408, before any code of ours. It leaves a line in the log
//! (`http.rs`). (At a header whose name is 64 KiB long it panics, and the connection ends. The router lets none through.)

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

use crate::lists;
use crate::request_id::X_REQUEST_ID;

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// On every answer, unless a handler set another.
const ALWAYS: [(HeaderName, HeaderValue); 2] = [
    // A page may load styles, pictures, fonts and scripts of its own site, ask that site and send it forms, and nothing
    // else. No site may put it in a frame. Every browser in use obeys that, so there is no X-Frame-Options.
    // Nothing comes from another site and nothing is framed: so there is no one whom Cross-Origin-Embedder-Policy
    // or Permissions-Policy would bind. Nor is there a Referrer-Policy: by themselves browsers tell other sites no more
    // than our address without its path, and under `no-referrer` they say `Origin: null` of a form that is posted,
    // which checks against forgery refuse.
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // There is no Cross-Origin-Resource-Policy: a picture is shared to be shown elsewhere, and browsers keep a page's
    // text from other sites without it. Nor Cross-Origin-Opener-Policy: a page that knows who reads it may want it, and
    // sets it itself.
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
    /// Tells shared caches to keep nothing of an answer that only those get who know the preview's password. (RFC
    /// 9111, section 3.5, lets them keep some that were asked for with `Authorization`.)
    pub fn put_private(headers: &mut HeaderMap) {
        let value = match lists::get(headers, &CACHE_CONTROL) {
            None => b"private".to_vec(),
            Some(value) => {
                let text = String::from_utf8_lossy(&value);
                if text.contains("private") || text.contains("no-store") {
                    return;
                }
                [b"private, ", &*value].concat()
            }
        };
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.insert(CACHE_CONTROL, value);
        }
    }

    /// Puts every header on an answer. What a handler set itself stays, but for the request's id: that is the
    /// one in the log line, whatever a handler says.
    pub fn put(self, headers: &mut HeaderMap, request_id: HeaderValue, over_https: bool) {
        // A handler rarely set one. Looking for each by itself would cost 250 instructions more.
        let has_own = headers.keys().any(is_ours);
        let mut put = |name, value| {
            if !(has_own && headers.contains_key(&name)) {
                headers.append(name, value);
            }
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
        if has_own {
            headers.remove(X_REQUEST_ID);
        }
        headers.append(X_REQUEST_ID, request_id);
    }
}

/// Whether this is the name of a header that is put on answers.
fn is_ours(name: &HeaderName) -> bool {
    let others = [STRICT_TRANSPORT_SECURITY, X_REQUEST_ID, X_ROBOTS_TAG];
    ALWAYS.iter().any(|(ours, _)| ours == name) || others.contains(name)
}
