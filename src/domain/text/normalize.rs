//! Which characters a text may contain, and how texts compare, by Unicode's rules.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

use crate::domain::text::escape::is_unprintable;

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
const BLACK_FLAG: char = '\u{1F3F4}';
const CANCEL_TAG: char = '\u{E007F}';

/// Returns the bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Reads what [`hex`] writes: exactly `N` bytes in lower-case digits.
#[must_use]
pub fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes?.try_into().ok()
}

/// Returns the text in normalization form C (Unicode Standard Annex 15).
#[must_use]
pub fn nfc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Returns the form in which names and addresses are compared: NFC, case-folded, with single spaces.
#[must_use]
pub fn case_folded(text: &str) -> String {
    let composed = nfc(text);
    let case_folded = CaseMapper::new().fold_string(&composed).into_owned();
    nfc(&case_folded).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the form in which names are searched: as they compare, but without diacritics, so that “cafe” finds “Café”.
#[must_use]
pub fn search_folded(text: &str) -> String {
    let case_folded = case_folded(text);
    let mut letters = String::with_capacity(case_folded.len());
    for character in DecomposingNormalizerBorrowed::new_nfd().normalize(&case_folded).chars() {
        match character {
            // Unicode does not decompose these.
            'ø' => letters.push('o'),
            'ł' => letters.push('l'),
            'đ' => letters.push('d'),
            'ħ' => letters.push('h'),
            'ŧ' => letters.push('t'),
            'ı' => letters.push('i'),
            'æ' => letters.push_str("ae"),
            'œ' => letters.push_str("oe"),
            _ if !is_diacritic(character) => letters.push(character),
            _ => {}
        }
    }
    // Only diacritics: there is no letter to search by.
    if letters.is_empty() { case_folded } else { nfc(&letters) }
}

/// Whether a character is a mark that writers of its script may leave out: an accent, a Hebrew or an Arabic vowel point.
/// Vowel signs of other scripts and Japanese voicing marks are parts of their words.
fn is_diacritic(character: char) -> bool {
    let is_optional = matches!(
        character,
        '\u{300}'..='\u{36F}'
            | '\u{483}'..='\u{487}'
            | '\u{591}'..='\u{5C7}'
            | '\u{610}'..='\u{61A}'
            | '\u{64B}'..='\u{65F}'
            | '\u{670}'
            | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}'
            | '\u{FE20}'..='\u{FE2F}'
    );
    is_optional && CodePointMapData::<GeneralCategory>::new().get(character) == GeneralCategory::NonspacingMark
}

/// Returns the first character of `text` that is invisible and not allowed.
///
/// Control and format characters (Cc, Cf), line and paragraph separators, and private use characters are refused.
/// Exceptions are a zero-width joiner or non-joiner between visible characters (Persian words, family emoji), a tag
/// sequence after U+1F3F4 (the flag of Scotland), and characters for which `is_allowed` holds.
#[must_use]
pub fn first_disallowed_char(text: &str, is_allowed: impl Fn(char) -> bool) -> Option<char> {
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
        if is_invisible(character) && !joins && !is_allowed(character) {
            return Some(character);
        }
        position += 1;
    }
    None
}

/// Returns whether `text` contains at least one visible character.
#[must_use]
pub fn has_visible_char(text: &str) -> bool {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    text.chars().any(|character| {
        !character.is_whitespace()
            && character != '\u{2800}'
            && !is_invisible(character)
            && !ignorable.contains(character)
    })
}

/// Returns the length of the tag sequence (Unicode Technical Standard 51, ED-14a) that `rest` starts with, after a
/// black flag; 0 if there is none.
fn tag_sequence_length(rest: &[char]) -> usize {
    let tags = rest.iter().take_while(|character| ('\u{E0020}'..='\u{E007E}').contains(*character)).count();
    if tags > 0 && rest.get(tags) == Some(&CANCEL_TAG) { tags + 1 } else { 0 }
}

fn is_joinable(character: char) -> bool {
    character == CANCEL_TAG || !(character.is_whitespace() || is_invisible(character))
}

fn is_invisible(character: char) -> bool {
    is_unprintable(character)
        || CodePointMapData::<GeneralCategory>::new().get(character) == GeneralCategory::PrivateUse
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disallowed(text: &str) -> Option<char> {
        first_disallowed_char(text, |_| false)
    }

    #[test]
    fn each_byte_is_two_hex_digits() {
        assert_eq!(hex(&[0, 9, 171, 255]), "0009abff");
    }

    #[test]
    fn names_in_every_script_are_allowed() {
        for text in
            ["ERP Sync", "سرویس گزارش", "می‌خواهم", "שירות דיווח", "报表服务", "Zażółć gęślą", "प्रतिवेदन", "e\u{301}"]
        {
            assert_eq!(disallowed(text), None, "{text}");
        }
    }

    #[test]
    fn joined_emoji_and_tag_flags_are_allowed() {
        for text in ["👨‍👩‍👧", "❤️‍🔥", "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}", "🏴 plain"]
        {
            assert_eq!(disallowed(text), None, "{text}");
        }
    }

    #[test]
    fn invisible_characters_are_found() {
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
            assert_eq!(disallowed(&format!("ERP{unwanted}Sync")), Some(unwanted), "{unwanted:?}");
        }
    }

    #[test]
    fn a_joiner_without_visible_neighbours_is_found() {
        for text in ["\u{200D}a", "a\u{200D}", "a \u{200C}b", "a\u{200C}\u{200C}b", "a\u{200D} b"] {
            assert!(disallowed(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn an_unterminated_tag_sequence_is_found() {
        assert_eq!(disallowed("🏴\u{E0067}\u{E0062}"), Some('\u{E0067}'));
        assert_eq!(disallowed("a\u{E0067}\u{E007F}"), Some('\u{E0067}'));
        assert_eq!(disallowed("🏴\u{E007F}"), Some('\u{E007F}'));
    }

    #[test]
    fn texts_compare_without_case_and_extra_spaces() {
        assert_eq!(case_folded("ERP  Sync\u{A0}Service"), case_folded("erp sync service"));
        assert_eq!(case_folded("STRASSE"), case_folded("straße"));
        assert_eq!(case_folded("e\u{301}t\u{e9}"), case_folded("\u{c9}TE\u{301}"));
        assert_ne!(case_folded("ERP Sync"), case_folded("ERPSync"));
    }

    #[test]
    fn searches_ignore_diacritics() {
        for (name, search) in [
            ("Café", "cafe"),
            ("cafe\u{301}", "CAFÉ"),
            ("İstanbul", "istanbul"),
            ("ISPARTA", "ısparta"),
            ("Ünïcode", "unicode"),
            ("Zażółć Gęślą", "zazolc gesla"),
            ("Øst-Ærø", "ost-aero"),
            ("Ёлка", "елка"),
            ("שִׁירוּת", "שירות"),
            ("مُحَمَّد", "محمد"),
            ("STRASSE", "straße"),
        ] {
            assert_eq!(search_folded(name), search_folded(search), "{name}");
        }
        assert_ne!(search_folded("が"), search_folded("か"));
        assert_ne!(search_folded("हिन्दी"), search_folded("हन्द"));
        assert_eq!(search_folded("한국어"), "한국어");
        assert_eq!(search_folded("\u{301}"), "\u{301}", "no letter is left");
    }

    #[test]
    fn a_text_of_fillers_has_no_visible_character() {
        assert!(!has_visible_char("\u{3164}\u{2800} \u{FE0F}"));
        assert!(has_visible_char("a"));
    }
}
