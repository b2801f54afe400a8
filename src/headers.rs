//! The headers on every answer, and why each is there.
//!
//! Except where there was no request: what is not HTTP, has more than 96 headers or 128 KiB of them, or
//! comes too slowly, actix refuses by itself, with an empty 400, 431 or 408, before any code of ours.

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, PERMISSIONS_POLICY,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
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

/// The headers of one site.
#[derive(Clone, Copy)]
pub struct Headers {
    /// Send HSTS to visitors who came over https.
    pub hsts: bool,
    /// Let search engines list the site.
    pub indexed: bool,
}

impl Headers {
    /// Puts every header on an answer.
    pub fn put(self, headers: &mut HeaderMap, request_id: HeaderValue, over_https: bool) {
        let mut put = |name, value| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        // Pages load our stylesheet and our icon, and nothing else at all.
        put(
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        );
        put(X_CONTENT_TYPE_OPTIONS, "nosniff");
        put(X_FRAME_OPTIONS, "DENY"); // frame-ancestors, for browsers that are old
        put(REFERRER_POLICY, "no-referrer");
        put(PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
        // Isolates our pages from other sites, both ways.
        put(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
        put(CROSS_ORIGIN_EMBEDDER_POLICY, "require-corp");
        put(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
        if self.hsts && over_https {
            // 30 days: long enough to protect between two visits, short enough to take back. It binds
            // this host alone: herokuapp.com is not ours to speak for.
            put(STRICT_TRANSPORT_SECURITY, "max-age=2592000");
        }
        if !self.indexed {
            // At run time, since production runs staging's very build.
            put(X_ROBOTS_TAG, "noindex");
        }
        headers.insert(X_REQUEST_ID, request_id);
    }
}
