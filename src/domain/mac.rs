//! HMAC-SHA-256 (RFC 2104).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A key with its inner and outer hash state prepared, which halves the work of each tag.
#[derive(Clone)]
pub struct KeyedHmac(Hmac<Sha256>);

impl KeyedHmac {
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(updated(key, &[]))
    }

    /// Returns the tag of a text.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

/// Returns the tag of the concatenated parts. The key has any length.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    updated(key, parts).finalize().into_bytes().into()
}

/// Returns whether `tag` is the tag of the concatenated parts, in constant time.
#[must_use]
pub fn verify(key: &[u8; 32], parts: &[&[u8]], tag: &[u8]) -> bool {
    updated(key, parts).verify_slice(tag).is_ok()
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

    /// RFC 4231 section 4.2. RFC 2104 section 2 pads its key of 20 bytes with zeros.
    #[test]
    fn tags_match_rfc_4231_and_ignore_how_the_text_is_split() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let tag = hmac_sha256(&key, &[b"Hi There"]);
        let expected = [
            0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b, 0x88, 0x1d,
            0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7,
        ];
        assert_eq!(tag, expected);
        assert_eq!(hmac_sha256(&key, &[b"Hi", b" ", b"There"]), tag);
        assert_eq!(KeyedHmac::new(&key).sign(b"Hi There"), tag);
        assert_eq!(hmac_sha256(&[0x0b; 20], &[b"Hi There"]), tag);
        assert!(verify(&key, &[b"Hi", b" There"], &tag));
        assert!(!verify(&key, &[b"Hi There!"], &tag));
        assert!(!verify(&key, &[b"Hi There"], &tag[..31]));
    }
}
