//! A title and one line of JSON, signed by the installation's key as a note is.

use crate::domain::trail::checkpoint::{CheckpointKey, CheckpointSigner};

/// Returns the signed text: the title, the JSON, an empty line, and the signature under this name.
#[must_use]
pub fn sign(title: &str, json: &str, name: &str, signer: &CheckpointSigner) -> String {
    let text = format!("{title}\n{json}\n");
    format!("{text}\n— {name} {}\n", signer.signature(name, &text))
}

/// A signed text, in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedDocument<'a> {
    /// The title and the JSON, with their line feeds.
    signed: &'a str,
    pub json: &'a str,
    name: &'a str,
    signature: &'a str,
}

impl<'a> SignedDocument<'a> {
    /// Splits a text with this title. Returns `None` if it is in another format.
    #[must_use]
    pub fn split(text: &'a str, title: &str) -> Option<Self> {
        let (json, last_line) = text.strip_prefix(title)?.strip_prefix('\n')?.split_once("\n\n— ")?;
        let (name, signature) = last_line.strip_suffix('\n')?.split_once(' ')?;
        let signed = text.get(..title.len() + 1 + json.len() + 1)?;
        (!json.contains('\n')).then_some(Self { signed, json, name, signature })
    }

    /// Returns whether the key signed the text under this name.
    #[must_use]
    pub fn is_signed(&self, key: CheckpointKey, name: &str) -> bool {
        self.name == name && key.verify_signature(self.signature, name, self.signed.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &str = "keydesk example v1";
    const NAME: &str = "keydesk/installation/example";

    fn signer() -> CheckpointSigner {
        CheckpointSigner::from_seed(&[9; 32])
    }

    #[test]
    fn a_signed_text_is_recognized_by_its_key_and_name() {
        let text = sign(TITLE, r#"{"size":3}"#, NAME, &signer());
        let document = SignedDocument::split(&text, TITLE).unwrap();
        assert_eq!(document.json, r#"{"size":3}"#);
        assert!(document.is_signed(signer().public_key(), NAME));
        assert!(!document.is_signed(signer().public_key(), "keydesk/other/example"));
        assert!(!document.is_signed(CheckpointSigner::from_seed(&[8; 32]).public_key(), NAME));
    }

    #[test]
    fn a_changed_text_is_not_signed() {
        let text = sign(TITLE, r#"{"size":3}"#, NAME, &signer());
        for changed in [text.replace('3', "4"), text.replace("v1", "v2"), text.replace('{', "{ ")] {
            let document = SignedDocument::split(&changed, TITLE);
            assert!(!document.is_some_and(|document| document.is_signed(signer().public_key(), NAME)), "{changed}");
        }
        for cut in 0..text.len() {
            let document = text.get(..cut).and_then(|text| SignedDocument::split(text, TITLE));
            assert!(!document.is_some_and(|document| document.is_signed(signer().public_key(), NAME)), "{cut}");
        }
    }
}
