//! Digits that nobody can guess.

use std::io;

use crate::failure::{Failure, system};

/// So many of the system's random bytes, as two digits each.
pub fn digits(bytes: usize) -> Result<String, Failure> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)
        .map_err(io::Error::other)
        .map_err(system("this machine gives no random numbers"))?;
    Ok(random.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}")))
}
