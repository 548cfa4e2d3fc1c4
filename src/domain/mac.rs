//! HMAC-SHA-256 (RFC 2104), under a key of 32 bytes where the key is ours.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A key that has been taken in: half of the work of each code under it is done.
#[derive(Clone)]
pub struct TakenIn(Hmac<Sha256>);

impl TakenIn {
    /// Takes a key in.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(updated(key, &[]))
    }

    /// The code of a text.
    #[must_use]
    pub fn over(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

/// The code of the parts, one after the other.
#[must_use]
pub fn over(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    updated(key, parts).finalize().into_bytes().into()
}

/// The same under a key of any length, where somebody else chooses it.
#[must_use]
pub fn under_any_key(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    updated(key, parts).finalize().into_bytes().into()
}

/// Whether `code` is that of the parts; the time it takes does not depend on how much of it is right.
#[must_use]
pub fn verify(key: &[u8; 32], parts: &[&[u8]], code: &[u8]) -> bool {
    updated(key, parts).verify_slice(code).is_ok()
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length, RFC 2104 section 3")]
fn updated(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 section 4.2, whose key of 20 bytes is filled up with zeros, as RFC 2104 section 2 does.
    #[test]
    fn the_code_is_that_of_rfc_4231_however_the_text_is_cut() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let code = over(&key, &[b"Hi There"]);
        let expected = [
            0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b, 0x88, 0x1d,
            0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7,
        ];
        assert_eq!(code, expected);
        assert_eq!(over(&key, &[b"Hi", b" ", b"There"]), code);
        assert_eq!(TakenIn::new(&key).over(b"Hi There"), code);
        assert_eq!(under_any_key(&[0x0b; 20], &[b"Hi There"]), code);
        assert!(verify(&key, &[b"Hi", b" There"], &code));
        assert!(!verify(&key, &[b"Hi There!"], &code));
        assert!(!verify(&key, &[b"Hi There"], &code[..31]));
    }
}
