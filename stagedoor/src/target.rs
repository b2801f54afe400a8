//! What a request is addressed to: whether its `Host` and its target can be ours (RFC 9112, section 3.2).

use std::net::Ipv6Addr;

use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap, HeaderValue};

/// Whether `Host` can be ours, where there is one. An empty one names nobody, and is valid. (actix refuses HTTP/1.1
/// requests without one, and requests with two.)
pub fn has_valid_host(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).map(HeaderValue::as_bytes);
    host.is_none_or(|host| host.is_empty() || is_host(host))
}

/// Whether this is a path, or a full URI. actix also accepts other URIs, and a bare word, which it takes for a host.
pub fn is_target(uri: &Uri) -> bool {
    match (uri.scheme_str(), uri.authority()) {
        (None, None) => uri.path().starts_with('/'),
        (Some("http" | "https"), Some(authority)) => is_host(authority.as_str().as_bytes()),
        _ => false,
    }
}

/// The host that a request is addressed to, without its port: that of a full URI, which counts before `Host`
/// (section 3.2.2), else that of `Host`.
pub fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => str::from_utf8(headers.get(HOST)?.as_bytes()).ok()?,
    };
    let name = match host.find(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next()?,
    };
    (!name.is_empty()).then_some(name)
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
