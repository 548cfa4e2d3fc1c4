//! Reads the files under `src/`: the paths that they name and the items that they define. It works on tokens, so that a
//! path inside a macro, an attribute or a function body is seen like any other. It knows none of the rules.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use syn::buffer::Cursor;
use syn::parse::{ParseStream, Parser};

/// The library's name in `main.rs` and in tests, where it means the same as `crate`.
const LIBRARY: &str = "keydesk";
const ITEM_KEYWORDS: &[&str] = &["fn", "struct", "enum", "union", "trait", "type", "const", "static"];
const ITEM_STARTS: &[&str] = &[
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "type",
    "const",
    "static",
    "mod",
    "use",
    "impl",
    "async",
    "macro_rules",
];

/// One file under `src/`.
pub struct Source {
    /// The path from the project's folder, as failures show it.
    pub file: String,
    /// The first module below the crate's root, or `main` or `lib`.
    pub layer: String,
    /// The file's module, as a path from the crate's root.
    pub module: Vec<String>,
    pub names: Vec<Name>,
    pub items: Vec<Item>,
    /// Every identifier outside of tests, imports and method calls.
    pub words: BTreeSet<String>,
}

/// A path as written, and its target.
pub struct Name {
    pub written: String,
    pub words: Vec<String>,
    pub target: Target,
    /// The module in which it is written: the file's, or one inside the file.
    pub module: Vec<String>,
    pub import: Option<Import>,
    pub is_test: bool,
}

pub enum Target {
    /// A path from our crate's root; empty for the root itself.
    Ours(Vec<String>),
    /// A path into another crate, or one that starts with a name in scope.
    Other(Vec<String>),
}

/// The `use` that a name is part of.
pub struct Import {
    /// The name that it brings into scope; `*` for a glob.
    pub alias: String,
    /// Whether other modules can take the name from here: `pub use`, `pub(crate) use`.
    pub is_public: bool,
}

/// What a module defines.
pub struct Item {
    pub module: Vec<String>,
    pub name: String,
    pub kind: ItemKind,
    pub is_test: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// `mod x;` or `mod x { … }`
    Module,
    Trait,
    Other,
}

impl Source {
    pub fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.join("src")];
        let mut sources = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let file = path.strip_prefix(root).unwrap().to_string_lossy();
                    sources.push(Self::read(&file, &fs::read_to_string(&path).unwrap()));
                }
            }
        }
        sources.sort_by(|one, other| one.file.cmp(&other.file));
        sources
    }

    /// Reads `text` as the content of `file`, whose path starts at the project's folder.
    pub fn read(file: &str, text: &str) -> Self {
        let mut module: Vec<String> =
            Path::new(file).with_extension("").iter().skip(1).map(|part| part.to_string_lossy().into_owned()).collect();
        let layer = module.first().cloned().unwrap_or_default();
        if module.last().is_some_and(|last| last == "mod") || matches!(layer.as_str(), "main" | "lib") {
            module.pop();
        }
        let mut reader = Reader { module: module.clone(), ..Reader::default() };
        let read_all = |input: ParseStream<'_>| {
            input.step(|cursor| {
                reader.read(*cursor, None, true);
                Ok(((), after_last(*cursor)))
            })
        };
        read_all.parse_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let Reader { names, items, words, .. } = reader;
        Self { file: file.to_owned(), layer, module, names, items, words }
    }
}

#[derive(Default)]
struct Reader {
    module: Vec<String>,
    is_test: bool,
    names: Vec<Name>,
    items: Vec<Item>,
    words: BTreeSet<String>,
}

impl Reader {
    /// Reads up to `end`, or up to the end of the group. `defines` is true where items belong to the module: not inside
    /// functions, types and macros.
    fn read<'a>(&mut self, mut cursor: Cursor<'a>, end: Option<Cursor<'a>>, defines: bool) {
        let mut is_public = false;
        let mut is_dot = false;
        while !cursor.eof() && end != Some(cursor) {
            let was_public = std::mem::take(&mut is_public);
            let was_dot = std::mem::take(&mut is_dot);
            if let Some(rest) = after_test_attribute(cursor) {
                let after_item = item_end(rest);
                let is_test = std::mem::replace(&mut self.is_test, true);
                self.read(rest, Some(after_item), defines);
                self.is_test = is_test;
                cursor = after_item;
            } else if let Some((word, rest)) = cursor.ident() {
                let word = word.to_string();
                if defines {
                    self.note_item(&word, rest);
                }
                cursor = match word.as_str() {
                    "pub" => {
                        is_public = true;
                        after_parenthesis(rest)
                    }
                    "mod" => self.read_module(rest),
                    // `use<'a>` in a type captures lifetimes and imports nothing.
                    "use" if mark(rest, '<').is_none() => self.read_import(rest, &[], was_public),
                    _ => {
                        if !self.is_test && !was_dot {
                            self.words.insert(word);
                        }
                        self.read_path(cursor, false)
                    }
                };
            } else if let Some((inside, _, _, rest)) = cursor.any_group() {
                self.read(inside, None, false);
                cursor = rest;
            } else if let Some(path) = after_separator(cursor) {
                // `::diesel::…` starts outside of our crate.
                cursor = if path.ident().is_some() { self.read_path(path, true) } else { path };
            } else {
                let Some((_, rest)) = cursor.token_tree() else { return };
                // Two dots are a range or the rest of a struct, whose next word is not a method or field.
                is_dot = !was_dot && mark(cursor, '.').is_some();
                cursor = rest;
            }
        }
    }

    fn note_item(&mut self, keyword: &str, rest: Cursor<'_>) {
        let (kind, rest) = match keyword {
            "mod" => (ItemKind::Module, Some(rest)),
            "trait" => (ItemKind::Trait, Some(rest)),
            "macro_rules" => (ItemKind::Other, mark(rest, '!')),
            _ if ITEM_KEYWORDS.contains(&keyword) => (ItemKind::Other, Some(rest)),
            _ => return,
        };
        if let Some((name, _)) = rest.and_then(Cursor::ident) {
            let item = Item { module: self.module.clone(), name: name.to_string(), kind, is_test: self.is_test };
            self.items.push(item);
        }
    }

    /// Reads what follows `mod`. The content of an inline module is read with that module's path.
    fn read_module<'a>(&mut self, cursor: Cursor<'a>) -> Cursor<'a> {
        let Some((name, after_name)) = cursor.ident() else { return cursor };
        let Some((body, _, _, rest)) = after_name.any_group() else { return after_name };
        self.module.push(name.to_string());
        self.read(body, None, true);
        self.module.pop();
        rest
    }

    /// Reads what follows `use`, or one part of its braces.
    fn read_import<'a>(&mut self, mut cursor: Cursor<'a>, prefix: &[String], is_public: bool) -> Cursor<'a> {
        let mut written = prefix.to_vec();
        if let Some(rest) = after_separator(cursor) {
            cursor = rest;
            written.push(String::new());
        }
        loop {
            // A macro's `$crate` or `$name`.
            cursor = mark(cursor, '$').unwrap_or(cursor);
            if let Some((mut inside, _, _, rest)) = cursor.any_group() {
                while !inside.eof() {
                    let after = self.read_import(inside, &written, is_public);
                    inside = after.token_tree().map_or(after, |(_, next)| next);
                }
                return rest;
            }
            if let Some((word, rest)) = cursor.ident() {
                written.push(word.to_string());
                cursor = rest;
            } else if let Some(rest) = mark(cursor, '*') {
                written.push("*".to_owned());
                cursor = rest;
            }
            match after_separator(cursor) {
                Some(rest) => cursor = rest,
                None => break,
            }
        }
        let mut alias = written.iter().rfind(|word| *word != "self").cloned().unwrap_or_default();
        if let Some((_, after_as)) = cursor.ident() {
            // `as name` or `as _`
            alias = after_as.ident().map_or_else(|| "_".to_owned(), |(word, _)| word.to_string());
            cursor = after_as.token_tree().map_or(after_as, |(_, next)| next);
        }
        self.push_name(written, Some(Import { alias, is_public }));
        cursor
    }

    /// Reads a path outside of an import: words with `::` between them. A single word names nothing of another module.
    fn read_path<'a>(&mut self, cursor: Cursor<'a>, starts_outside: bool) -> Cursor<'a> {
        let Some((first, mut end)) = cursor.ident() else { return cursor };
        let mut written = vec![first.to_string()];
        while let Some((word, rest)) = after_separator(end).and_then(Cursor::ident) {
            written.push(word.to_string());
            end = rest;
        }
        if written.len() > 1 {
            if starts_outside {
                written.insert(0, String::new());
            }
            self.push_name(written, None);
        }
        end
    }

    fn push_name(&mut self, words: Vec<String>, import: Option<Import>) {
        let (written, target) = (words.join("::"), target(&words, &self.module));
        let (module, is_test) = (self.module.clone(), self.is_test);
        self.names.push(Name { written, words, target, module, import, is_test });
    }
}

fn target(words: &[String], module: &[String]) -> Target {
    let mut ours = match words.first().map(String::as_str) {
        Some("crate" | LIBRARY) => Vec::new(),
        Some("self" | "super") => module.to_vec(),
        _ => {
            return Target::Other(words.iter().filter(|word| !matches!(word.as_str(), "" | "self")).cloned().collect());
        }
    };
    for word in words {
        match word.as_str() {
            "super" => drop(ours.pop()),
            "crate" | LIBRARY | "self" => {}
            _ => ours.push(word.clone()),
        }
    }
    Target::Ours(ours)
}

/// The rest after `#[cfg(test)]` or a condition that contains `test`.
fn after_test_attribute(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let (attribute, _, _, rest) = mark(cursor, '#')?.any_group()?;
    let (condition, _, _, _) = attribute.ident().filter(|(word, _)| word == "cfg")?.1.any_group()?;
    let condition = condition.token_stream().to_string();
    let words: Vec<_> = condition.split(|letter: char| !letter.is_alphanumeric()).collect();
    (words.contains(&"test") && !words.contains(&"not")).then_some(rest)
}

/// The end of the item, field, arm or statement that starts here.
fn item_end(mut cursor: Cursor<'_>) -> Cursor<'_> {
    let mut first_word = None;
    while let Some((tree, rest)) = cursor.token_tree() {
        let text = tree.to_string();
        if first_word.is_none() && cursor.ident().is_some() && text != "pub" {
            first_word = Some(text.clone());
        }
        // A comma in an item separates its generics or parameters.
        let is_item = first_word.as_deref().is_some_and(|word| ITEM_STARTS.contains(&word));
        if text.starts_with('{') || text == ";" || (text == "," && !is_item) {
            return rest;
        }
        cursor = rest;
    }
    cursor
}

fn after_last(mut cursor: Cursor<'_>) -> Cursor<'_> {
    while let Some((_, next)) = cursor.token_tree() {
        cursor = next;
    }
    cursor
}

/// The rest after the `(crate)` of `pub(crate)`.
fn after_parenthesis(cursor: Cursor<'_>) -> Cursor<'_> {
    match cursor.token_tree() {
        Some((tree, rest)) if tree.to_string().starts_with('(') => rest,
        _ => cursor,
    }
}

/// The rest after `::`.
fn after_separator(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    mark(cursor, ':').and_then(|second| mark(second, ':'))
}

/// The rest after this punctuation mark.
fn mark(cursor: Cursor<'_>, wanted: char) -> Option<Cursor<'_>> {
    cursor.punct().filter(|(found, _)| found.as_char() == wanted).map(|(_, rest)| rest)
}
