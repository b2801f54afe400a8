//! The id that finds a request's log line: the router's where it gave one, else one of ours.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::future::{Ready, ready};
use std::hash::{BuildHasher, Hasher};

use actix_web::dev::Payload;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{Error, FromRequest, HttpRequest};

/// The name under which the router sends a request's id, and we send it back.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, for a handler's own log lines or pages: 20 to 200 letters, digits or `+/=-`.
///
/// Anyone can send such an id, so it is good for finding a line, and for nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// As it is in the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromRequest for RequestId {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The duties see to it that the header holds a valid one.
        let id = request.headers().get(X_REQUEST_ID).filter(|id| is_valid(id.as_bytes()));
        let missing = "RequestId needs Duties::around, which gives each request its id";
        ready(id.cloned().map(Self).ok_or_else(|| ErrorInternalServerError(missing)))
    }
}

/// Ids of one worker: unique, not secret. A random number for each request would cost a system call.
pub struct RequestIds {
    /// The first 12 digits of each.
    prefix: [u8; 12],
    made: Cell<u32>,
}

impl RequestIds {
    /// Starts counting under a new random prefix.
    pub fn new() -> Self {
        let mut prefix = [0; 12];
        write_hex(&mut prefix, RandomState::new().build_hasher().finish());
        Self { prefix, made: Cell::new(0) }
    }

    /// The id that the request came with, if the router would have let it pass; else a new one, which from then on
    /// stands in the request's headers as if it had come with it.
    pub fn assign(&self, headers: &mut HeaderMap) -> HeaderValue {
        match headers.get(X_REQUEST_ID) {
            Some(id) if is_valid(id.as_bytes()) => return id.clone(),
            Some(_) => drop(headers.remove(X_REQUEST_ID)),
            None => {}
        }
        let id = self.make();
        headers.append(X_REQUEST_ID, id.clone());
        id
    }

    fn make(&self) -> HeaderValue {
        let number = self.made.get();
        self.made.set(number.wrapping_add(1));
        let mut id = [0; 20];
        id[..12].copy_from_slice(&self.prefix);
        write_hex(&mut id[12..], u64::from(number));
        // With its owner inside, a clone is a count: other bytes would be moved at the first one.
        HeaderValue::from_maybe_shared(Bytes::from_owner(id)).expect("hex is a header value")
    }
}

/// The rule of Heroku's router: 20 to 200 letters, digits or `+/=-`. Anyone can send such an id, so it
/// is good for finding a line, and for nothing else.
fn is_valid(id: &[u8]) -> bool {
    (20..=200).contains(&id.len())
        && id.iter().all(|&b| b.is_ascii_alphanumeric() || b"+/=-".contains(&b))
}

fn write_hex(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number % 16) as usize];
        number /= 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_the_routers_alphabet_and_length_is_kept_and_any_other_replaced() {
        let ids = RequestIds::new();
        let assigned = |given: &HeaderValue| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, given.clone());
            let id = ids.assign(&mut headers);
            assert_eq!(headers.get_all(X_REQUEST_ID).collect::<Vec<_>>(), [&id]);
            id
        };
        let longest = "a".repeat(200);
        let kept = ["01234567-89ab-cdef-0123-456789abcdef", "AZaz09+/=-AZaz09+/=-", &longest];
        for id in kept {
            let given = HeaderValue::from_str(id).unwrap();
            assert_eq!(assigned(&given), given);
        }
        let too_long = "a".repeat(201);
        let replaced: [&[u8]; 6] = [
            b"",
            b"nineteen-characters",
            too_long.as_bytes(),
            b"01234567890123456789 ",
            b"<script>01234567890123",
            b"\xff\xfe0123456789012345678",
        ];
        for id in replaced {
            let given = HeaderValue::from_bytes(id).unwrap();
            let made = assigned(&given);
            assert_ne!(made, given);
            assert!(is_valid(made.as_bytes()));
        }
    }

    #[test]
    fn no_two_made_ids_are_alike() {
        let (one, other) = (RequestIds::new(), RequestIds::new());
        let made = [one.make(), one.make(), other.make(), other.make()];
        for (i, id) in made.iter().enumerate() {
            assert!(!made[..i].contains(id));
        }
    }
}
