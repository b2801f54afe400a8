//! What a client can read: the format it prefers by `Accept`, and gzip by `Accept-Encoding`.
//!
//! actix's typed headers could say it too, but they allocate, and this runs on every request.

use std::cmp::Reverse;
use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap};
use actix_web::{FromRequest, HttpRequest};

use crate::lists;

/// The format that a client prefers, of those that a page can have. Handlers take it as an extractor.
///
/// That is the one of the greatest weight in `Accept`; among equals the one that is named most exactly, then
/// the one that is named first (RFC 9110, section 12.5.1). A client that accepts none of them gets HTML: it
/// says more than a 406 does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people, and for clients without a preference.
    #[default]
    Html,
    /// For programs.
    Json,
    /// For terminals.
    Text,
}

impl FromRequest for Format {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::preferred(request.headers())))
    }
}

impl Format {
    /// The format that a request prefers by `Accept`.
    pub(crate) fn preferred(headers: &HeaderMap) -> Self {
        let Some(accept) = lists::get(headers, &ACCEPT) else { return Self::Html };
        let Ok(accept) = str::from_utf8(&accept) else { return Self::Html };
        // What every browser and curl send needs no weighing.
        if accept == "*/*" || accept.starts_with("text/html,") {
            return Self::Html;
        }
        // Of equals `max_by_key` takes the last: HTML.
        [Self::Text, Self::Json, Self::Html]
            .into_iter()
            .max_by_key(|format| format.rank(accept))
            .unwrap_or_default()
    }

    /// How much a client wants this format; `None` if not at all.
    fn rank(self, accept: &str) -> Option<(u16, Exactness, Reverse<usize>)> {
        let ranges = weighted(accept).enumerate();
        let (exactness, position, weight) = ranges
            .filter_map(|(at, (range, weight))| Some((self.matches(range)?, Reverse(at), weight)))
            .max()?;
        (weight > 0).then_some((weight, exactness, position))
    }

    fn matches(self, range: &str) -> Option<Exactness> {
        let (names, kind): (&[&str], _) = match self {
            Self::Html => (&["text/html", "application/xhtml+xml"], "text/*"),
            Self::Json => (&["application/json", "application/problem+json"], "application/*"),
            Self::Text => (&["text/plain"], "text/*"),
        };
        if names.iter().any(|name| range.eq_ignore_ascii_case(name)) {
            Some(Exactness::Named)
        } else if range.eq_ignore_ascii_case(kind) {
            Some(Exactness::Kind)
        } else {
            (range == "*/*").then_some(Exactness::Any)
        }
    }
}

/// How closely a media range describes a format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exactness {
    Any,
    Kind,
    Named,
}

/// Whether a client takes gzip, by `Accept-Encoding`.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let Some(accepted) = lists::get(headers, &ACCEPT_ENCODING) else { return false };
    let Ok(accepted) = str::from_utf8(&accepted) else { return false };
    // What every browser sends needs no weighing.
    if accepted.starts_with("gzip,") {
        return true;
    }
    let weight = |coding: &str| {
        weighted(accepted)
            .find(|(name, _)| name.eq_ignore_ascii_case(coding))
            .map(|(_, weight)| weight)
    };
    weight("gzip").or_else(|| weight("*")).is_some_and(|weight| weight > 0)
}

/// The entries of such a header, with their weights in thousandths. A weight that can't be read
/// counts as none given.
fn weighted(header: &str) -> impl Iterator<Item = (&str, u16)> {
    header.split(',').map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")))
            .and_then(|weight| weight.parse::<f32>().ok())
            .filter(|weight| (0.0..=1.0).contains(weight));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
        let thousandths = weight.map_or(1000, |weight| (weight * 1000.0).round() as u16);
        (name, thousandths)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, value: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_bytes(value).unwrap())])
    }

    #[test]
    fn a_client_gets_the_form_it_prefers() {
        let table = [
            ("", Format::Html),
            ("*/*", Format::Html),
            ("text/*", Format::Html),
            ("image/png", Format::Html),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Html),
            ("application/json", Format::Json),
            ("application/*", Format::Json),
            ("APPLICATION/JSON; charset=utf-8", Format::Json),
            ("application/json, text/plain, */*", Format::Json), // axios
            ("text/plain, application/json", Format::Text),
            ("application/json;q=0.9, text/html", Format::Html),
            ("application/json;q=0.9, text/html;q=0.8", Format::Json),
            ("text/plain", Format::Text),
            ("text/html;q=0, */*", Format::Json),
            ("text/html;q=0.1, */*", Format::Json),
            ("text/html;q=0", Format::Html),
            ("application/json;q=oops", Format::Json),
            ("application/json;q=7", Format::Json),
            (";;;,,,=q", Format::Html),
        ];
        for (accept, expected) in table {
            let headers = headers(ACCEPT, accept.as_bytes());
            assert_eq!(Format::preferred(&headers), expected, "Accept: {accept}");
        }
        assert_eq!(Format::preferred(&HeaderMap::new()), Format::Html);
        assert_eq!(Format::preferred(&headers(ACCEPT, b"\xff\xfe")), Format::Html);
    }

    #[test]
    fn gzip_is_taken_by_whoever_says_so() {
        let table = [
            ("gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.001", true),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip;q=0", false),
            ("identity", false),
            ("br", false),
            ("", false),
        ];
        for (header, expected) in table {
            let headers = headers(ACCEPT_ENCODING, header.as_bytes());
            assert_eq!(takes_gzip(&headers), expected, "Accept-Encoding: {header}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
