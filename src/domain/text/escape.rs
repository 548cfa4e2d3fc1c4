//! Makes text from outside safe to print: on a terminal, in the log, in a sentence.

use std::fmt::{self, Display, Formatter, Write};

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// Displays a value on one line: control, format and line characters become `\u{…}`.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaper { output: f, is_escaped: is_unprintable }, "{}", self.0)
    }
}

/// Displays text from a file in quotation marks that the text cannot close, so that it cannot word the sentence around
/// it.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<T>(pub T);

impl<T: Display> Display for Quoted<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('“')?;
        let is_escaped = |character| matches!(character, '“' | '”') || is_unprintable(character);
        write!(Escaper { output: &mut *f, is_escaped }, "{}", self.0)?;
        f.write_char('”')
    }
}

/// Returns whether a character moves the cursor, reorders or hides text, or ends a line: Cc, Cf, Zl, Zp.
#[must_use]
pub fn is_unprintable(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(character),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

/// Escapes what is unprintable in a JSON text in JSON's own way, which keeps its values.
#[must_use]
pub fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_unprintable(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

struct Escaper<W, P> {
    output: W,
    is_escaped: P,
}

impl<W: Write, P: Fn(char) -> bool> Write for Escaper<W, P> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(position) = rest.find(&self.is_escaped) {
            let (plain, escaped) = rest.split_at(position);
            self.output.write_str(plain)?;
            let mut characters = escaped.chars();
            if let Some(character) = characters.next() {
                write!(self.output, "{}", character.escape_unicode())?;
            }
            rest = characters.as_str();
        }
        self.output.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_format_and_line_characters_are_escaped() {
        for (text, expected) in [
            ("a\nb", r"a\u{a}b"),
            ("\r\t\0", r"\u{d}\u{9}\u{0}"),
            ("\u{1b}[2J\u{9b}1A\u{7f}", r"\u{1b}[2J\u{9b}1A\u{7f}"),
            ("\u{202e}ERP\u{2066}", r"\u{202e}ERP\u{2066}"),
            ("a\u{200b}\u{200d}\u{feff}\u{ad}", r"a\u{200b}\u{200d}\u{feff}\u{ad}"),
            ("a\u{2028}\u{2029}\u{85}", r"a\u{2028}\u{2029}\u{85}"),
            ("\u{e0041}", r"\u{e0041}"),
            ("Gdańsk “Scanner” \\ 2, שירות דיווח, 👩🏽, e\u{301}", "Gdańsk “Scanner” \\ 2, שירות דיווח, 👩🏽, e\u{301}"),
            ("", ""),
        ] {
            assert_eq!(Escaped(text).to_string(), expected);
        }
    }

    #[test]
    fn every_character_is_escaped_or_printed_as_it_is() {
        for character in '\0'..=char::MAX {
            let printed = Escaped(character).to_string();
            let expected = if is_unprintable(character) {
                format!("\\u{{{:x}}}", u32::from(character))
            } else {
                character.to_string()
            };
            assert_eq!(printed, expected);
            assert!(!printed.chars().any(is_unprintable));
        }
    }

    #[test]
    fn escaped_json_has_the_same_values() {
        let hostile = "A\n\u{1b}\u{7f}\u{202e}\u{2028}\u{e0041}é“\\\"";
        let json = escape_json(&serde_json::to_string(hostile).unwrap());
        assert!(!json.chars().any(is_unprintable), "{json}");
        assert!(json.contains(r"\u202e") && json.contains(r"\udb40\udc41"), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }

    #[test]
    fn quoted_text_cannot_close_its_quotation_marks() {
        for (text, expected) in [
            ("Brightwater", "“Brightwater”"),
            ("A”: 9 events, all as recorded\n“B", r"“A\u{201d}: 9 events, all as recorded\u{a}\u{201c}B”"),
            ("say \"hi\"", "“say \"hi\"”"),
        ] {
            assert_eq!(Quoted(text).to_string(), expected);
            assert_eq!(Escaped(Quoted(text)).to_string(), expected, "the output escapes nothing twice");
        }
    }
}
