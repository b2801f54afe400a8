//! What a request is addressed to: whether its `Host` and its target can be ours (RFC 9112, section 3.2).

use std::net::Ipv6Addr;

use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap, HeaderValue};

/// The `Host`. actix refuses HTTP/1.1 requests without one, and requests with two.
pub fn host(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(HOST).map(HeaderValue::as_bytes)
}

/// A path, or a full URI whose host equals `Host`. actix also accepts other URIs, and a bare word, which it
/// takes for a host.
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
pub fn is_host(host: &[u8]) -> bool {
    let is_in_names = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let length = host.iter().take_while(is_in_names).count();
    match host.split_at(length) {
        ([], rest) => is_ipv6(rest),
        (_, port) => is_port(port),
    }
}

/// An address in brackets.
fn is_ipv6(host: &[u8]) -> bool {
    let text = str::from_utf8(host).ok().and_then(|text| text.strip_prefix('['));
    text.and_then(|text| text.split_once(']')).is_some_and(|(address, port)| {
        address.parse::<Ipv6Addr>().is_ok() && is_port(port.as_bytes())
    })
}

/// What may follow a name: nothing, or a colon and digits.
fn is_port(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [colon, digits @ ..] => *colon == b':' && digits.iter().all(u8::is_ascii_digit),
    }
}
