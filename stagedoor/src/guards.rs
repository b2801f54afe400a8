//! Who is refused before any page: malformed hosts and targets, plain http (sent to https), and visitors of
//! a preview without its password.

use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, LOCATION,
    WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::errors::ErrorPage;
use crate::routes::{HEALTH, ROBOTS};
use crate::settings::Settings;
use crate::target;

/// Written by the router, which also ends TLS. actix's `ConnectionInfo` would take a client's
/// `Forwarded` or `X-Forwarded-Host` before it, which the router does not write.
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Any name will do, since the password is one for all.
const CHALLENGE: HeaderValue = HeaderValue::from_static(
    "Basic realm=\"Preview: any name, and its password\", charset=\"UTF-8\"",
);

/// The guards of one site.
pub struct Guards {
    force_https: bool,
    /// Of the preview's password. Digests are of one length, so that the time which a comparison takes
    /// tells nothing, not even the length.
    password_digest: Option<[u8; 32]>,
    /// What a preview shows without its password: paths that begin with one of these.
    public: Vec<String>,
}

impl Guards {
    /// Redirects plain http if asked to, and asks for the password if there is one.
    pub fn new(settings: &Settings) -> Self {
        let digest = |password: &SecretString| Sha256::digest(password.expose_secret()).into();
        Self {
            force_https: settings.force_https,
            password_digest: settings.preview_password.as_ref().map(digest),
            public: Vec::new(),
        }
    }

    /// Lets a preview show, without its password, what is below this path.
    pub fn open(&mut self, path: &str) {
        self.public.push(path.to_owned());
    }

    /// The answer to a request that may not pass.
    pub fn refuse(&self, scheme: Option<Scheme>, request: &RequestHead) -> Option<HttpResponse> {
        let RequestHead { method, uri, headers, .. } = request;
        if !target::has_valid_host(headers) {
            return Some(bad_request());
        }
        if !target::is_target(uri) {
            // `OPTIONS *` and `CONNECT host:port` are valid HTTP, but no page of ours answers them.
            return Some(match (method, uri.path()) {
                (&Method::OPTIONS, "*") | (&Method::CONNECT, _) => {
                    HttpResponse::MethodNotAllowed().insert_header((ALLOW, "GET, HEAD")).finish()
                }
                _ => bad_request(),
            });
        }
        if uri.path() == HEALTH {
            return None;
        }
        if self.force_https && scheme == Some(Scheme::Http) {
            return Some(redirect_to_https(request));
        }
        match &self.password_digest {
            Some(password) if !self.is_public(uri.path()) && !knows(password, headers) => {
                Some(ask_for_password())
            }
            _ => None,
        }
    }

    /// Whether this path is shown to those alone who know the password.
    pub fn is_private(&self, path: &str) -> bool {
        self.password_digest.is_some() && path != HEALTH && !self.is_public(path)
    }

    fn is_public(&self, path: &str) -> bool {
        path == ROBOTS || self.public.iter().any(|public| path.starts_with(public.as_str()))
    }
}

/// How the visitor's own connection, to the router, is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// By TLS, which the router ends.
    Https,
}

impl Scheme {
    /// What the router says of a request. `None` where there is no router.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get(X_FORWARDED_PROTO)?.as_bytes() {
            b"http" => Some(Self::Http),
            b"https" => Some(Self::Https),
            _ => None,
        }
    }
}

/// Whoever read this request before us may have read it differently, so the answer says that the connection
/// ends. (What came in the same packet actix still answers.)
fn bad_request() -> HttpResponse {
    HttpResponse::BadRequest().force_close().finish()
}

/// It leads to the request's own host, path and query: the router lets only the app's own domains through. Without
/// the port, which is that of plain http. By 301, which every client follows, where there is only something to read;
/// else by 308, so that a POST stays a POST.
fn redirect_to_https(request: &RequestHead) -> HttpResponse {
    let RequestHead { method, uri, headers, .. } = request;
    let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let location = target::host(uri, headers).map(|host| format!("https://{host}{path}"));
    let status = match *method {
        Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::PERMANENT_REDIRECT,
    };
    match location.and_then(|location| HeaderValue::try_from(location).ok()) {
        Some(location) => HttpResponse::build(status)
            .insert_header((LOCATION, location))
            // Else browsers keep it for ever, even after FORCE_HTTPS=false.
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish(),
        None => bad_request(),
    }
}

/// Whether `Authorization: Basic` has the password, under any user name.
fn knows(password_digest: &[u8; 32], headers: &HeaderMap) -> bool {
    password_in(headers).is_some_and(|given| Sha256::digest(given).ct_eq(password_digest).into())
}

fn password_in(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut credentials = BASE64.decode(encoded.trim()).ok()?;
    let colon = credentials.iter().position(|&b| b == b':')?;
    Some(credentials.split_off(colon + 1))
}

fn ask_for_password() -> HttpResponse {
    let detail = "This preview opens to those who know its password.";
    let mut answer = ErrorPage::answer(StatusCode::UNAUTHORIZED, "Password needed", detail);
    answer.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
    answer
}
