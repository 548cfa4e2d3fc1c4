//! Names that do not say which system uses a key.

use crate::domain::text::normalize;

/// Words that say nothing about a system.
const EMPTY_WORDS: [&str; 20] = [
    "apikey", "asdf", "bar", "baz", "dummy", "example", "foo", "key", "keys", "new", "qwerty", "sample", "temp",
    "test", "testing", "tests", "tmp", "todo", "unnamed", "untitled",
];

/// Whether a name tells nothing: it is one word such as “test” or “key1”, or one word of the platform's own name,
/// which every key is for.
#[must_use]
pub fn tells_nothing(name: &str, platform: &str) -> bool {
    let name = normalize::search_folded(name);
    let word = name.trim_matches(|character: char| !character.is_alphabetic());
    let platform = normalize::search_folded(platform);
    let is_one_word = word.chars().all(char::is_alphabetic) && !name.trim().contains(char::is_whitespace);
    is_one_word && (EMPTY_WORDS.contains(&word) || platform.split_whitespace().any(|own| own == word))
        || name == platform
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_tell_nothing() {
        for name in ["test", "Test2", "key1", "KEY-2", "new", "asdf", "foo", "tést", "key_"] {
            assert!(tells_nothing(name, "Go Autonomous"), "{name}");
        }
    }

    #[test]
    fn a_word_of_the_platform_alone_tells_nothing() {
        for name in ["Go", "autonomous", "Go Autonomous", "Autonomous3"] {
            assert!(tells_nothing(name, "Go Autonomous"), "{name}");
        }
        assert!(!tells_nothing("Autonomous", "Keydesk"));
    }

    #[test]
    fn a_telling_name_is_accepted() {
        let names = [
            "ERP Sync Service",
            "Test runner",
            "Key 1",
            "Reporting",
            "SAP",
            "Go-live",
            "Ключ",
            "倉庫",
            "a1b",
            "go fish",
        ];
        for name in names {
            assert!(!tells_nothing(name, "Go Autonomous"), "{name}");
        }
    }
}
