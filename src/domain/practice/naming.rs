//! Names that do not say which system uses a key.

use crate::domain::text::normalize;

/// Words that say nothing about a system, alone or with each other.
const EMPTY_WORDS: [&str; 42] = [
    "a",
    "abc",
    "access",
    "account",
    "admin",
    "api",
    "apikey",
    "asdf",
    "aaa",
    "bar",
    "baz",
    "client",
    "default",
    "demo",
    "dummy",
    "example",
    "foo",
    "integration",
    "key",
    "my",
    "name",
    "new",
    "none",
    "qwerty",
    "sample",
    "secret",
    "service",
    "temp",
    "temporary",
    "test",
    "testing",
    "tests",
    "the",
    "thing",
    "tmp",
    "todo",
    "token",
    "unknown",
    "untitled",
    "user",
    "x",
    "xyz",
];

/// Whether a name tells nothing: it consists of numbers, of words such as “test” and “key”, and of words of the platform's
/// own name, which every key is for.
#[must_use]
pub fn tells_nothing(name: &str, platform: &str) -> bool {
    let name = normalize::search_folded(name);
    let platform = normalize::search_folded(platform);
    let own: Vec<&str> = words(&platform).collect();
    words(&name).all(|word| EMPTY_WORDS.contains(&word) || own.contains(&word))
}

/// The words of a folded name, without digits.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|character: char| !character.is_alphabetic()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_tell_nothing() {
        for name in ["test", "Test 2", "key1", "KEY-2", "new", "New API key", "asdf", "foo_bar", "42", "x", "…", "tést"]
        {
            assert!(tells_nothing(name, "Go Autonomous"), "{name}");
        }
    }

    #[test]
    fn a_word_of_the_platform_alone_tells_nothing() {
        for name in ["Go", "autonomous", "Go Autonomous", "Autonomous API key 3"] {
            assert!(tells_nothing(name, "Go Autonomous"), "{name}");
        }
        assert!(!tells_nothing("Autonomous", "Keydesk"));
    }

    #[test]
    fn a_name_with_one_telling_word_is_accepted() {
        for name in
            ["ERP Sync Service", "Test runner", "Reporting Dashboard", "SAP", "Go-live monitor", "Ключ ERP", "倉庫"]
        {
            assert!(!tells_nothing(name, "Go Autonomous"), "{name}");
        }
    }
}
