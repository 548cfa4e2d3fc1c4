//! Reads the blocks of docs/operating.md: commands, files, and what a reader sees.

use std::path::Path;

/// A block of the page.
#[derive(Clone, Debug)]
pub struct Block {
    /// The heading, after the one above it: `Back up / SQLite`.
    pub section: String,
    /// `sh`, `console` (one command and what it prints), `sql`, `ini`, `dockerfile`, or `output`.
    pub language: String,
    pub text: String,
    /// What a `console` block shows after the command.
    pub output: Vec<String>,
    line: usize,
}

impl Block {
    fn new(section: &str, language: &str, lines: &[&str], line: usize) -> Self {
        let (section, language) = (section.to_owned(), language.to_owned());
        Self { section, language, text: lines.join("\n"), output: Vec::new(), line }
    }

    /// The place of the block, and how it begins.
    pub fn name(&self) -> String {
        format!("line {} of docs/operating.md, “{}”: {}", self.line, self.section, self.first_line())
    }

    pub fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Whether a reader types or writes it.
    pub fn is_command(&self) -> bool {
        self.language != "output"
    }
}

/// The text of the page.
pub fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md")).unwrap()
}

/// All blocks of the page, in order.
pub fn blocks() -> Vec<Block> {
    of(&page())
}

/// The block of a section that begins like this.
pub fn block(section: &str, beginning: &str) -> Block {
    let found: Vec<Block> =
        blocks().into_iter().filter(|block| block.section == section && block.text.starts_with(beginning)).collect();
    let [block] = found.try_into().unwrap_or_else(|found: Vec<Block>| {
        panic!("docs/operating.md has {} blocks in “{section}” that begin with: {beginning}", found.len())
    });
    block
}

pub fn of(page: &str) -> Vec<Block> {
    let lines: Vec<&str> = page.lines().collect();
    let (mut blocks, mut above, mut section) = (Vec::new(), String::new(), String::new());
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let (indentation, content) = (line.len() - line.trim_start().len(), line.trim_start());
        if let Some(heading) = line.strip_prefix("## ") {
            (above, section) = (heading.to_owned(), heading.to_owned());
        } else if let Some(heading) = line.strip_prefix("### ") {
            section = format!("{above} / {heading}");
        } else if let Some(language) = content.strip_prefix("```") {
            let length = lines[at + 1..].iter().position(|line| line.trim_start() == "```");
            let inside =
                &lines[at + 1..at + 1 + length.unwrap_or_else(|| panic!("line {}: the block is open", at + 1))];
            let inside: Vec<&str> = inside.iter().map(|line| line.get(indentation..).unwrap_or_default()).collect();
            match language {
                "console" => blocks.extend(transcript(&section, &inside, at + 2)),
                _ => blocks.push(Block::new(&section, language, &inside, at + 2)),
            }
            at += inside.len() + 1;
        } else if line.starts_with("    ") && at > 0 && lines[at - 1].is_empty() {
            let inside: Vec<&str> =
                lines[at..].iter().take_while(|line| line.starts_with("    ")).map(|line| &line[4..]).collect();
            blocks.push(Block::new(&section, "output", &inside, at + 1));
            at += inside.len() - 1;
        }
        at += 1;
    }
    blocks
}

/// The commands of a transcript. Each is a block with its output.
fn transcript(section: &str, lines: &[&str], first: usize) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (line, number) in lines.iter().zip(first..) {
        if let Some(command) = line.strip_prefix("$ ") {
            blocks.push(Block::new(section, "console", &[command], number));
            continue;
        }
        let block = blocks.last_mut().unwrap_or_else(|| panic!("line {number}: a transcript begins with “$ ”"));
        if block.output.is_empty() && block.text.ends_with('\\') {
            block.text = format!("{}\n{line}", block.text);
        } else {
            block.output.push((*line).to_owned());
        }
    }
    blocks
}

/// Fails unless each documented line is like a printed one, in this order. Words with digits or “…” stand for any word
/// with a digit, and “…” alone for any word. A printed line of a log begins with more than the page shows.
pub fn assert_like<'a>(documented: impl IntoIterator<Item = &'a str>, printed: &str) {
    let mut rest = printed.lines();
    for line in documented {
        assert!(rest.any(|own| is_like(line, own)), "the page shows “{line}”, and this is printed:\n{printed}");
    }
}

fn is_like(documented: &str, printed: &str) -> bool {
    let is_any = |word: &str| word.contains('…') || word.contains(|letter: char| letter.is_ascii_digit());
    let (documented, printed): (Vec<_>, Vec<_>) =
        (documented.split_whitespace().collect(), printed.split_whitespace().collect());
    documented.len() <= printed.len()
        && documented
            .iter()
            .rev()
            .zip(printed.into_iter().rev())
            .all(|(shown, own)| *shown == own || *shown == "…" || (is_any(shown) && is_any(own)))
}

#[test]
fn blocks_are_read_with_their_sections_and_transcripts() {
    let page = "# Page\n\n## One\n\n```sh\na \\\n  b\nc\n```\n\nText\n\n    printed 1\n\n### Two\n\n1. In a list:\n\n   ```console\n   $ d \\\n       e\n   out\n   $ f\n   ```\n";
    let read: Vec<_> = of(page).into_iter().map(|block| (block.section, block.text, block.output)).collect();
    let expected = [
        ("One", "a \\\n  b\nc", vec![]),
        ("One", "printed 1", vec![]),
        ("One / Two", "d \\\n    e", vec!["out".to_owned()]),
        ("One / Two", "f", vec![]),
    ];
    assert_eq!(read, expected.map(|(section, text, output)| (section.to_owned(), text.to_owned(), output)));
    assert_like(["Keys: 12 of …"], "Note\nKeys: 3 of a4\n");
}
