//! Bytes that are made once, at start, and sent many times: gzipped where it helps, each form with its
//! own `ETag`, answered with 304 to clients that have them already, and with 412 to those that want another.

use std::io::Write;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH,
    IF_NONE_MATCH, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::digest;
use crate::format;
use crate::lists;

/// What a client may do with its copy, as `Cache-Control` says it.
#[derive(Clone, Copy, Debug)]
pub enum Caching {
    /// Keep it, and ask each time whether it is still good: a new release shows at once.
    Revalidate,
    /// Keep it for a year, as long as caches go: its name changes with its content.
    Forever,
    /// Keep nothing.
    Never,
}

impl Caching {
    fn header(self) -> HeaderValue {
        // Constants: else the text would be checked at each request.
        match self {
            Self::Revalidate => const { HeaderValue::from_static("no-cache") },
            Self::Forever => const { HeaderValue::from_static("max-age=31536000, immutable") },
            Self::Never => const { HeaderValue::from_static("no-store") },
        }
    }

    /// Whether a client may keep a copy, and so ask for it by `ETag`.
    fn is_kept(self) -> bool {
        !matches!(self, Self::Never)
    }
}

/// One document, ready to be sent: a handler returns a clone of it, which copies nothing.
///
/// ```
/// use stagedoor::{Caching, Representation};
///
/// let hours = Representation::new("text/plain; charset=utf-8", Caching::Revalidate, "Doors at seven.\n");
/// let handler = move || std::future::ready(hours.clone());
/// let app = actix_web::App::new().route("/hours", actix_web::web::get().to(handler));
/// ```
#[derive(Clone)]
pub struct Representation(Arc<Prepared>);

#[derive(Clone)]
struct Prepared {
    content_type: HeaderValue,
    vary: HeaderValue,
    caching: Caching,
    plain: Encoded,
    gzip: Option<Encoded>,
}

#[derive(Clone)]
struct Encoded {
    body: Bytes,
    etag: HeaderValue,
}

impl Representation {
    /// Prepares a document: gzips it where that makes it smaller, and gives each form its `ETag`.
    ///
    /// # Panics
    /// If the content type is no header value.
    #[must_use]
    pub fn new(content_type: &'static str, caching: Caching, body: impl Into<Vec<u8>>) -> Self {
        Self::prepare(content_type, "accept-encoding", caching, body.into())
    }

    /// One of several documents, of which a [`Format`](crate::Format) is chosen by `Accept`: caches are told.
    ///
    /// # Panics
    /// If the content type is no header value.
    #[must_use]
    pub fn by_accept(
        content_type: &'static str,
        caching: Caching,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        Self::prepare(content_type, "accept, accept-encoding", caching, body.into())
    }

    fn prepare(
        content_type: &'static str,
        vary: &'static str,
        caching: Caching,
        body: Vec<u8>,
    ) -> Self {
        // A few dozen bytes only grow.
        let gzip = Some(gzip(&body)).filter(|gzip| gzip.len() < body.len());
        Self(Arc::new(Prepared {
            content_type: HeaderValue::from_static(content_type),
            vary: HeaderValue::from_static(vary),
            caching,
            plain: Encoded::new(body),
            gzip: gzip.map(Encoded::new),
        }))
    }

    /// The same document, for clients that may do something else with their copy.
    #[must_use]
    pub fn with_caching(&self, caching: Caching) -> Self {
        Self(Arc::new(Prepared { caching, ..Prepared::clone(&self.0) }))
    }

    /// The digest of its content, for a name that changes with it: 16 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.0.plain.etag.to_str().unwrap_or_default().trim_matches('"')
    }
}

impl Responder for Representation {
    type Body = BoxBody;

    /// The document; 304 where the client has it already (`If-None-Match`), 412 where it wants another (`If-Match`).
    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        self.0.answer(request)
    }
}

impl Prepared {
    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let headers = request.headers();
        let gzip = self.gzip.as_ref().filter(|_| format::takes_gzip(headers));
        let encoded = gzip.unwrap_or(&self.plain);
        // Another method has done its work by now, and its answer is not what the tags are of.
        let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
        let tags = |name: &HeaderName| lists::get(headers, name).filter(|_| is_reading);
        // In this order (RFC 9110, section 13.2.2).
        if tags(&IF_MATCH).is_some_and(|tags| !encoded.is_strictly_among(&tags)) {
            return HttpResponse::new(StatusCode::PRECONDITION_FAILED);
        }
        let known = self.caching.is_kept()
            && tags(&IF_NONE_MATCH).is_some_and(|tags| encoded.is_among(&tags));

        let mut response = if known {
            HttpResponse::with_body(StatusCode::NOT_MODIFIED, BoxBody::new(()))
        } else {
            HttpResponse::with_body(StatusCode::OK, BoxBody::new(encoded.body.clone()))
        };
        let headers = response.headers_mut();
        if !known {
            headers.append(CONTENT_TYPE, self.content_type.clone());
            if gzip.is_some() {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        headers.append(CACHE_CONTROL, self.caching.header());
        if self.caching.is_kept() {
            headers.append(ETAG, encoded.etag.clone());
        }
        headers.append(VARY, self.vary.clone());
        response
    }
}

impl Encoded {
    fn new(body: Vec<u8>) -> Self {
        let etag = format!("\"{}\"", digest::short(&body));
        Self { body: body.into(), etag: etag.try_into().expect("hex is a header value") }
    }

    /// Whether `If-None-Match` names this. A tag holds no quote, so finding it with its quotes is
    /// finding it in the list, marked weak or not.
    fn is_among(&self, tags: &[u8]) -> bool {
        let own = self.etag.as_bytes();
        tags == b"*" || tags.windows(own.len()).any(|window| window == own)
    }

    /// Whether `If-Match` names this: a tag that is marked weak does not.
    fn is_strictly_among(&self, tags: &[u8]) -> bool {
        let own = self.etag.as_bytes();
        let mut places = tags.windows(own.len()).enumerate().filter(|(_, window)| *window == own);
        tags == b"*" || places.any(|(at, _)| !tags[..at].ends_with(b"W/"))
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(body);
    written.and_then(|()| encoder.finish()).expect("memory takes all that is written")
}
