//! What a text may be made of, and how two texts compare: Unicode's rules, by the libraries of the Unicode Consortium.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
const BLACK_FLAG: char = '\u{1F3F4}';
const CANCEL_TAG: char = '\u{E007F}';

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Normalization form C (Unicode Standard Annex 15).
#[must_use]
pub fn nfc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// The form in which names and addresses are compared and searched: NFC, case-folded, runs of spaces as one.
#[must_use]
pub fn folded(text: &str) -> String {
    let composed = nfc(text);
    let folded = CaseMapper::new().fold_string(&composed).into_owned();
    nfc(&folded).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first character of `text` that nobody can see and that has no business in it.
///
/// Refused are control and format characters (Cc, Cf), line and paragraph separators, and private use. Allowed all the
/// same are a zero-width joiner or non-joiner between visible characters (Persian words, family emoji), a tag sequence
/// after U+1F3F4 (the flag of Scotland), and what `also` allows.
#[must_use]
pub fn first_unseen(text: &str, also: impl Fn(char) -> bool) -> Option<char> {
    let characters: Vec<char> = text.chars().collect();
    let mut position = 0;
    while let Some(&character) = characters.get(position) {
        if character == BLACK_FLAG {
            position += 1 + tag_sequence_length(&characters[position + 1..]);
            continue;
        }
        let joins = matches!(character, ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER)
            && position.checked_sub(1).is_some_and(|before| is_joinable(characters[before]))
            && characters.get(position + 1).is_some_and(|&after| is_joinable(after));
        if is_unseen(character) && !joins && !also(character) {
            return Some(character);
        }
        position += 1;
    }
    None
}

/// Whether `text` holds at least one character that leaves a mark.
#[must_use]
pub fn has_visible_character(text: &str) -> bool {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    text.chars().any(|character| {
        !character.is_whitespace() && character != '\u{2800}' && !is_unseen(character) && !ignorable.contains(character)
    })
}

/// How many characters of `rest`, which follows a black flag, are a whole tag sequence (Unicode Technical Standard 51,
/// ED-14a); 0 where there is none.
fn tag_sequence_length(rest: &[char]) -> usize {
    let tags = rest.iter().take_while(|character| ('\u{E0020}'..='\u{E007E}').contains(*character)).count();
    if tags > 0 && rest.get(tags) == Some(&CANCEL_TAG) { tags + 1 } else { 0 }
}

fn is_joinable(character: char) -> bool {
    character == CANCEL_TAG || !(character.is_whitespace() || is_unseen(character))
}

fn is_unseen(character: char) -> bool {
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(character),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unseen(text: &str) -> Option<char> {
        first_unseen(text, |_| false)
    }

    #[test]
    fn bytes_are_written_as_two_digits_each() {
        assert_eq!(hex(&[0, 9, 171, 255]), "0009abff");
    }

    #[test]
    fn names_of_every_script_are_made_of_visible_characters() {
        for text in
            ["ERP Sync", "سرویس گزارش", "می‌خواهم", "שירות דיווח", "报表服务", "Zażółć gęślą", "प्रतिवेदन", "e\u{301}"]
        {
            assert_eq!(unseen(text), None, "{text}");
        }
    }

    #[test]
    fn joined_emoji_and_flags_of_tags_are_allowed() {
        for text in ["👨‍👩‍👧", "❤️‍🔥", "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}", "🏴 plain"]
        {
            assert_eq!(unseen(text), None, "{text}");
        }
    }

    #[test]
    fn characters_that_cannot_be_seen_are_found() {
        for unwanted in [
            '\0',
            '\n',
            '\u{7F}',
            '\u{AD}',
            '\u{200B}',
            '\u{202E}',
            '\u{2028}',
            '\u{2029}',
            '\u{2066}',
            '\u{E000}',
            '\u{FEFF}',
            '\u{F0000}',
        ] {
            assert_eq!(unseen(&format!("ERP{unwanted}Sync")), Some(unwanted), "{unwanted:?}");
        }
    }

    #[test]
    fn a_joiner_with_nothing_visible_on_one_side_is_found() {
        for text in ["\u{200D}a", "a\u{200D}", "a \u{200C}b", "a\u{200C}\u{200C}b", "a\u{200D} b"] {
            assert!(unseen(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn a_tag_sequence_that_does_not_end_or_follows_no_flag_is_found() {
        assert_eq!(unseen("🏴\u{E0067}\u{E0062}"), Some('\u{E0067}'));
        assert_eq!(unseen("a\u{E0067}\u{E007F}"), Some('\u{E0067}'));
        assert_eq!(unseen("🏴\u{E007F}"), Some('\u{E007F}'));
    }

    #[test]
    fn texts_compare_composed_case_folded_and_with_single_spaces() {
        assert_eq!(folded("ERP  Sync\u{A0}Service"), folded("erp sync service"));
        assert_eq!(folded("STRASSE"), folded("straße"));
        assert_eq!(folded("e\u{301}t\u{e9}"), folded("\u{c9}TE\u{301}"));
        assert_ne!(folded("ERP Sync"), folded("ERPSync"));
    }

    #[test]
    fn a_text_of_fillers_alone_has_no_visible_character() {
        assert!(!has_visible_character("\u{3164}\u{2800} \u{FE0F}"));
        assert!(has_visible_character("a"));
    }
}
