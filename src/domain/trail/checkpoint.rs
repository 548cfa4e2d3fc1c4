//! Checkpoints: a trail's size and root hash, signed (C2SP tlog-checkpoint and signed-note, Ed25519).

use std::{fmt, iter};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::mac;
use crate::domain::trail::merkle::Hash;

/// The type byte of Ed25519 in signed notes.
const ED25519: u8 = 1;
/// A note with more signatures is refused, so that a file cannot demand work without end.
pub(super) const MAX_SIGNATURES: usize = 64;

/// Returns the name that signs a trail's checkpoints, and their first line.
#[must_use]
pub fn origin(installation: InstallationId, trail: TrailId) -> String {
    format!("keydesk/{installation}/{trail}")
}

/// Returns the text of a note, which its signatures sign.
#[must_use]
pub fn text_of(note: &str) -> &str {
    note.split_once("\n\n").map_or(note, |(text, _)| text)
}

/// A signing key of the installation.
#[derive(Clone)]
pub struct CheckpointSigner(SigningKey);

impl fmt::Debug for CheckpointSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckpointSigner(…)")
    }
}

impl CheckpointSigner {
    /// Returns the signing key of a secret seed (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    #[must_use]
    pub fn public_key(&self) -> CheckpointKey {
        CheckpointKey(self.0.verifying_key())
    }

    /// Returns the keyed value of a text.
    #[must_use]
    pub fn keyed_value(&self, text: &[u8]) -> [u8; 32] {
        mac::hmac_sha256(self.0.as_bytes(), &[text])
    }

    /// Returns the signed note: the trail `origin` has `size` events and this root hash.
    #[must_use]
    pub fn sign(&self, origin: &str, size: u64, root: &Hash) -> String {
        let text = Checkpoint { size, root: *root }.text(origin);
        format!("{text}\n{}", self.signature_line(origin, &text))
    }

    /// Returns the signature line of a note with this text.
    pub(super) fn signature_line(&self, origin: &str, text: &str) -> String {
        format!("— {origin} {}\n", self.signature(origin, text))
    }

    /// Signs a text under a name, as in a note: Base64 of the key id and the signature.
    #[must_use]
    pub fn signature(&self, name: &str, text: &str) -> String {
        let mut signature = self.public_key().note_key_id(name).to_vec();
        signature.extend_from_slice(&self.0.sign(text.as_bytes()).to_bytes());
        BASE64_STANDARD.encode(signature)
    }
}

/// The installation's public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointKey(VerifyingKey);

impl CheckpointKey {
    /// Returns `None` if the bytes are not a point of the curve.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes.try_into().ok()?).ok().map(Self)
    }

    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Returns the verifier key of C2SP signed-note: name, key id and key, joined by `+`.
    #[must_use]
    pub fn to_vkey(self, name: &str) -> String {
        let key_id = u32::from_be_bytes(self.note_key_id(name));
        format!("{name}+{key_id:08x}+{}", self.to_typed())
    }

    /// Returns Base64 of the type byte and the key.
    pub(super) fn to_typed(self) -> String {
        let typed: Vec<u8> = iter::once(ED25519).chain(self.to_bytes()).collect();
        BASE64_STANDARD.encode(typed)
    }

    /// Parses Base64 of the type byte and the key.
    pub(super) fn parse_typed(encoded: &str) -> Option<Self> {
        let typed = BASE64_STANDARD.decode(encoded).ok()?;
        typed.split_first().filter(|(kind, _)| **kind == ED25519).and_then(|(_, key)| Self::from_bytes(key))
    }

    /// Parses a verifier key. Returns its name and key, or `None` if it is malformed, its key id does not match, or it
    /// is not an Ed25519 key.
    #[must_use]
    pub fn parse_vkey(line: &str) -> Option<(String, Self)> {
        let mut parts = line.trim_ascii_end().splitn(3, '+');
        let (name, key_id, encoded) = (parts.next()?, parts.next()?, parts.next()?);
        let key = Self::parse_typed(encoded)?;
        let has_name = !name.is_empty() && !name.contains(char::is_whitespace);
        let matches = key_id == format!("{:08x}", u32::from_be_bytes(key.note_key_id(name)));
        (has_name && matches).then(|| (name.to_owned(), key))
    }

    /// Parses the 32 bytes of a key in Base64 or hexadecimal.
    #[must_use]
    pub fn parse_raw(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let from_hex = || {
            let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
            let bytes = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>();
            bytes.filter(|_| text.len() == 64)
        };
        let bytes = BASE64_STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 32).or_else(from_hex)?;
        Self::from_bytes(&bytes)
    }

    /// Returns the four bytes that identify the key in a signature line.
    fn note_key_id(self, name: &str) -> [u8; 4] {
        let digest =
            Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(self.to_bytes()).finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// Returns whether a signature line of a note names this key. Does not verify the signature.
    #[must_use]
    pub fn is_named_in(self, note: &str, origin: &str) -> bool {
        let key_id = self.note_key_id(origin);
        let mut signatures = note.lines().filter_map(|line| signature_of(line, origin));
        signatures.any(|encoded| BASE64_STANDARD.decode(encoded).is_ok_and(|bytes| bytes.starts_with(&key_id)))
    }

    /// Verifies a signed note of the trail `origin`. One valid signature of this key suffices. Signature lines of other
    /// keys are skipped; nothing else may follow the text.
    pub fn verify(self, note: &str, origin: &str) -> Result<Checkpoint, CheckpointError> {
        let (text, signatures) = note.split_once("\n\n").ok_or(CheckpointError::Malformed)?;
        let text = format!("{text}\n");
        let mut lines = text.lines();
        if lines.next() != Some(origin) {
            return Err(CheckpointError::WrongOrigin);
        }
        let size_line = lines.next().ok_or(CheckpointError::Malformed)?;
        let size: u64 = size_line.parse().map_err(|_| CheckpointError::Malformed)?;
        let root =
            lines.next().and_then(|line| BASE64_STANDARD.decode(line).ok()).and_then(|root| root.try_into().ok());
        let root = root.filter(|_| size.to_string() == size_line).ok_or(CheckpointError::Malformed)?;
        let mut lines = signatures.trim_end().lines();
        if lines.clone().count() > MAX_SIGNATURES || lines.any(|line| !line.starts_with("— ")) {
            return Err(CheckpointError::Malformed);
        }
        let is_signed = signatures.lines().any(|line| self.verify_line(line, origin, text.as_bytes()));
        if is_signed { Ok(Checkpoint { size, root }) } else { Err(CheckpointError::BadSignature) }
    }

    fn verify_line(self, line: &str, name: &str, text: &[u8]) -> bool {
        signature_of(line, name).is_some_and(|encoded| self.verify_signature(encoded, name, text))
    }

    /// Returns whether this key signed the text under this name, see [`CheckpointSigner::signature`].
    #[must_use]
    pub fn verify_signature(self, signature: &str, name: &str, text: &[u8]) -> bool {
        let bytes = BASE64_STANDARD.decode(signature).unwrap_or_default();
        let Some((key_id, signature)) = bytes.split_first_chunk::<4>() else { return false };
        *key_id == self.note_key_id(name)
            && Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(text, &signature).is_ok())
    }
}

/// Returns the signature in a line, if the line is of this name.
fn signature_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix("— ")?.strip_prefix(name)?.strip_prefix(' ')
}

/// The content of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of events.
    pub size: u64,
    pub root: Hash,
}

impl Checkpoint {
    /// Returns the text of the note of the trail `origin`.
    pub(super) fn text(self, origin: &str) -> String {
        format!("{origin}\n{}\n{}\n", self.size, BASE64_STANDARD.encode(self.root))
    }
}

/// Why a checkpoint is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("it is not in the format of a checkpoint")]
    Malformed,
    #[error("it belongs to another trail")]
    WrongOrigin,
    #[error("its signature is not valid")]
    BadSignature,
    /// It is signed by a key that began to sign later.
    #[error("it is signed by a key that signs this trail only from {0} events on")]
    KeyTooNew(u64),
}

#[cfg(test)]
mod tests;
