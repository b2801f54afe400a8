//! The id that finds a request's log line: the router's where it gave one, else one of ours.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use actix_web::http::header::HeaderValue;

/// Ids of one worker: unique, not secret. A random number for each request would cost a system call.
pub struct RequestIds {
    /// The first 16 digits of each.
    prefix: [u8; 16],
    made: Cell<u32>,
}

impl RequestIds {
    /// Starts counting under a new random prefix.
    #[must_use]
    pub fn new() -> Self {
        let mut prefix = [0; 16];
        write_hex(&mut prefix, RandomState::new().build_hasher().finish());
        Self { prefix, made: Cell::new(0) }
    }

    /// The id that the request came with, if the router would have let it pass; else a new one.
    pub fn of(&self, given: Option<&HeaderValue>) -> HeaderValue {
        match given.filter(|id| is_valid(id.as_bytes())) {
            Some(id) => id.clone(),
            None => self.make(),
        }
    }

    fn make(&self) -> HeaderValue {
        let number = self.made.get();
        self.made.set(number.wrapping_add(1));
        let mut id = [0; 24];
        id[..16].copy_from_slice(&self.prefix);
        write_hex(&mut id[16..], u64::from(number));
        HeaderValue::from_bytes(&id).expect("hex is a header value")
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
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
        let longest = "a".repeat(200);
        let kept = ["01234567-89ab-cdef-0123-456789abcdef", "AZaz09+/=-AZaz09+/=-", &longest];
        for id in kept {
            let given = HeaderValue::from_str(id).unwrap();
            assert_eq!(ids.of(Some(&given)), given);
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
            let made = ids.of(Some(&given));
            assert_ne!(made, given);
            assert!(is_valid(made.as_bytes()));
        }
    }

    #[test]
    fn no_two_made_ids_are_alike() {
        let (one, other) = (RequestIds::new(), RequestIds::new());
        let made = [one.of(None), one.of(None), other.of(None), other.of(None)];
        for (i, id) in made.iter().enumerate() {
            assert!(!made[..i].contains(id));
        }
    }
}
