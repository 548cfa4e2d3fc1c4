//! Finds the checkpoints among the lines of a file that holds many.

use std::collections::VecDeque;

use crate::domain::trail::checkpoint::MAX_SIGNATURES;

/// The three lines of a checkpoint's text, and the empty line after it.
const LINES_BEFORE_SIGNATURES: usize = 4;

/// Takes the lines of a file in order. A note has three lines of text, an empty line, and signatures, of which one is of its
/// origin. Other lines, such as those of a truncated entry, are skipped.
#[derive(Debug, Default)]
pub struct NoteScanner {
    recent: VecDeque<String>,
    signatures: Vec<String>,
}

impl NoteScanner {
    /// Takes the next line, without its line feed. Returns the note so far, with its origin line, if the line is a signature
    /// and one of the signatures is of the origin: a further signature returns the note again.
    pub fn push(&mut self, line: String) -> Option<(String, String)> {
        let text: &[String] = self.recent.make_contiguous();
        if let [origin, .., empty] = text
            && text.len() == LINES_BEFORE_SIGNATURES
            && (origin.starts_with("keydesk/") && empty.is_empty())
            && (line.starts_with("— ") && self.signatures.len() < MAX_SIGNATURES)
        {
            self.signatures.push(line);
            let is_of_origin =
                |line: &String| line.strip_prefix("— ").is_some_and(|signature| signature.starts_with(origin.as_str()));
            let lines = [text, &self.signatures].concat();
            return self.signatures.iter().any(is_of_origin).then(|| (origin.clone(), lines.join("\n") + "\n"));
        }
        self.signatures.clear();
        if self.recent.len() == LINES_BEFORE_SIGNATURES {
            self.recent.pop_front();
        }
        self.recent.push_back(line);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let mut scanner = NoteScanner::default();
        text.lines().filter_map(|line| scanner.push(line.to_owned())).collect()
    }

    fn note(trail: &str) -> String {
        format!("keydesk/i/{trail}\n3\nroot=\n\n— keydesk/i/{trail} signature=\n")
    }

    #[test]
    fn whole_notes_are_found_among_other_lines() {
        let text = format!("{}\nkeydesk/i/t\n9\nro\n\n{}{}\n# a comment", note("t"), note("u"), note("t"));
        let expected = ["t", "u", "t"].map(|trail| (format!("keydesk/i/{trail}"), note(trail)));
        assert_eq!(found(&text), expected);
    }

    #[test]
    fn a_note_may_have_signatures_of_other_keys() {
        let of_other = "— elsewhere signature=\n";
        let before = note("t").replace("\n\n", &format!("\n\n{of_other}"));
        let both = format!("{before}{of_other}");
        let origin = || "keydesk/i/t".to_owned();
        assert_eq!(found(&format!("{both}\n{of_other}")), [(origin(), before), (origin(), both)]);
        assert_eq!(found("keydesk/i/t\n3\nroot=\n\n— elsewhere signature=\n"), []);
        let many = format!("{}{}", note("t"), of_other.repeat(MAX_SIGNATURES + 5));
        assert_eq!(found(&many).len(), MAX_SIGNATURES);
    }
}
