//! The order of names: Unicode's root collation, the same for every user and on both databases.

use icu_collator::CollatorBorrowed;
use icu_collator::options::CollatorOptions;

/// The rules of the stored search and sort keys. A start with another version computes all of them again, so change it
/// whenever a test finds that the keys of a name have changed.
pub const NAME_KEYS_VERSION: &str = "1: icu_collator 2.4";

static COLLATOR: CollatorBorrowed<'static> = CollatorBorrowed::new_root(CollatorOptions::default());

/// Returns the sort key of a text: keys compare as bytes in the order of their texts. Letters come before accents, accents
/// before case.
#[must_use]
pub fn sort_key(text: &str) -> Vec<u8> {
    let mut key = Vec::new();
    let Ok(()) = COLLATOR.write_sort_key_to(text, &mut key);
    key
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::domain::text::normalize::{hex, search_folded};

    #[test]
    fn names_sort_as_readers_expect() {
        let sorted = [
            "",
            "_internal",
            "1 Import",
            "10 Import",
            "2 Import",
            "Ångström",
            "apfel",
            "Apfel",
            "äpfel",
            "Ärger",
            "Banane",
            "Café",
            "Cafeteria",
            "İstanbul",
            "Øst",
            "Zebra",
            "Ωmega",
            "Яндекс",
            "שירות",
            "報表",
        ];
        let mut by_key = sorted;
        by_key.reverse();
        by_key.sort_by_key(|name| sort_key(name));
        assert_eq!(by_key, sorted);
    }

    #[test]
    fn composed_and_decomposed_names_have_the_same_key() {
        assert_eq!(sort_key("Caf\u{e9}"), sort_key("Cafe\u{301}"));
        assert_ne!(sort_key("Cafe"), sort_key("Caf\u{e9}"));
    }

    #[test]
    fn stored_keys_are_those_of_the_version() {
        let mut digest = Sha256::new();
        for letter in ('\u{20}'..='\u{33FF}').chain('\u{4E00}'..='\u{4FFF}') {
            let name = format!("a{letter}b");
            digest.update(sort_key(&name));
            digest.update(search_folded(&name));
        }
        let found = format!("{NAME_KEYS_VERSION} {}", &hex(&digest.finalize())[..16]);
        assert_eq!(
            found, "1: icu_collator 2.4 4ec863481b14b966",
            "the keys of names have changed: change NAME_KEYS_VERSION"
        );
    }
}
