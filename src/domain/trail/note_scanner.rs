//! Finds the checkpoints among the lines of a file that holds many.

use std::collections::VecDeque;

const LINES_PER_NOTE: usize = 5;

/// Takes the lines of a file in order. A note has five lines, of which the fourth is empty. Other lines, such as those of
/// a truncated entry, are skipped.
#[derive(Debug, Default)]
pub struct NoteScanner {
    recent: VecDeque<String>,
}

impl NoteScanner {
    /// Takes the next line, without its line feed. Returns the note that it ends, with its origin line.
    pub fn push(&mut self, line: String) -> Option<(String, String)> {
        if self.recent.len() == LINES_PER_NOTE {
            self.recent.pop_front();
        }
        self.recent.push_back(line);
        let lines: &[String] = self.recent.make_contiguous();
        let [origin, _, _, empty, signature] = lines else { return None };
        let is_signed_by_origin =
            signature.strip_prefix("— ").is_some_and(|signature| signature.starts_with(origin.as_str()));
        let is_note = origin.starts_with("keydesk/") && empty.is_empty() && is_signed_by_origin;
        is_note.then(|| (origin.clone(), lines.join("\n") + "\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_notes_are_found_among_other_lines() {
        let note = |trail: &str| format!("keydesk/i/{trail}\n3\nroot=\n\n— keydesk/i/{trail} signature=\n");
        let text = format!("{}\nkeydesk/i/t\n9\nro\n\n{}{}\n# a comment", note("t"), note("u"), note("t"));
        let mut scanner = NoteScanner::default();
        let found: Vec<_> = text.lines().filter_map(|line| scanner.push(line.to_owned())).collect();
        let expected = ["t", "u", "t"].map(|trail| (format!("keydesk/i/{trail}"), note(trail)));
        assert_eq!(found, expected);
    }
}
