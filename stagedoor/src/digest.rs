//! Digests: of the running executable, which proves what runs, and of what is sent, which names it.

use std::env;
use std::fs::File;
use std::io;

use sha2::{Digest, Sha256};

/// `sha256:` and the digest of the executable that this process runs.
pub fn of_this_executable() -> io::Result<String> {
    // The link leads to the very file that runs, even where another has taken its place since.
    let file = File::open("/proc/self/exe").or_else(|_| File::open(env::current_exe()?));
    let mut file = file?;
    let mut sha256 = Sha256::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match io::Read::read(&mut file, &mut chunk)? {
            0 => return Ok(format!("sha256:{}", hex(&sha256.finalize()))),
            read => sha256.update(&chunk[..read]),
        }
    }
}

/// The first 16 hexadecimal digits of the content's SHA-256: enough to tell two contents of one site
/// apart.
pub fn short(content: &[u8]) -> String {
    hex(&Sha256::digest(content)[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_sha256() {
        // `printf board | sha256sum`
        assert_eq!(short(b"board"), "859169b38185780d");
    }
}
