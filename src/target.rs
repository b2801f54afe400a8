//! What a request is addressed to: whether its `Host` and its target can be ours (RFC 9112, section 3.2).

use std::net::Ipv6Addr;

use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap, HeaderValue};

/// The `Host`. That HTTP/1.1 has one, and never two, actix sees to.
#[must_use]
pub fn host(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(HOST).map(HeaderValue::as_bytes)
}

/// A path, or a URI with the very host that `Host` has. actix takes any other URI too, and a word without
/// a slash, which it reads as a host and no path.
#[must_use]
pub fn is_target(uri: &Uri, host: Option<&[u8]>) -> bool {
    match (uri.scheme_str(), uri.authority()) {
        (None, None) => uri.path().starts_with('/'),
        (Some("http" | "https"), Some(authority)) => {
            let authority = authority.as_str().as_bytes();
            host.map_or_else(|| is_host(authority), |host| host.eq_ignore_ascii_case(authority))
        }
        _ => false,
    }
}

/// A name or an address, with or without a port. RFC 3986 (section 3.2.2) allows more characters, which
/// no name of a host has.
#[must_use]
pub fn is_host(host: &[u8]) -> bool {
    if is_name(host) {
        return true; // as most are
    }
    let name = match host.iter().rposition(|&b| b == b':') {
        Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => &host[..colon],
        _ => host,
    };
    match name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
        Some(address) => str::from_utf8(address).is_ok_and(|it| it.parse::<Ipv6Addr>().is_ok()),
        None => is_name(name),
    }
}

fn is_name(host: &[u8]) -> bool {
    let is_in_names = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    // Folded, it looks at sixteen bytes at a time.
    host.iter().fold(!host.is_empty(), |all, &b| all & is_in_names(b))
}
