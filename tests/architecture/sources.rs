//! The files under `src/` and the paths they name. Read from its tokens, so that one written inside a macro, an attribute or a
//! function's body is seen like any other. Knows nothing of the rules.

use std::fs;
use std::path::Path;

use syn::buffer::Cursor;
use syn::parse::{ParseStream, Parser};

/// The name under which `main.rs` and the tests see the library: there it stands for `crate`.
const LIBRARY: &str = "keydesk";

/// One file under `src/` and what it names.
pub struct Source {
    /// Its path, as shown to the reader of a failure.
    pub file: String,
    /// The first name below the crate's root: a module, or `main` or `lib`.
    pub storey: String,
    pub names: Vec<Name>,
}

/// A path as written, and where it leads.
pub struct Name {
    pub written: String,
    pub leads_to: Target,
}

pub enum Target {
    /// A path from our crate's root. Empty when the root itself is named.
    Ours(Vec<String>),
    /// A path into another crate, or one that begins with a name in scope.
    Other(Vec<String>),
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
        sources
    }

    /// `file` is relative to the project's folder, `text` its content.
    pub fn read(file: &str, text: &str) -> Self {
        let mut module: Vec<String> =
            Path::new(file).with_extension("").iter().skip(1).map(|part| part.to_string_lossy().into_owned()).collect();
        let storey = module.first().cloned().unwrap_or_default();
        if module.last().is_some_and(|last| last == "mod") || matches!(storey.as_str(), "main" | "lib") {
            module.pop();
        }
        let mut names = Vec::new();
        let read_all = |input: ParseStream<'_>| {
            input.step(|cursor| {
                read_tokens(*cursor, &module, &mut names);
                let mut rest = *cursor;
                while let Some((_, next)) = rest.token_tree() {
                    rest = next;
                }
                Ok(((), rest))
            })
        };
        read_all.parse_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        Self { file: file.to_owned(), storey, names }
    }
}

fn read_tokens(mut cursor: Cursor<'_>, module: &[String], names: &mut Vec<Name>) {
    while !cursor.eof() {
        if let Some((word, rest)) = cursor.ident() {
            cursor = match word.to_string().as_str() {
                "mod" => read_module(rest, module, names),
                // `use<'a>` in a type captures lifetimes and imports nothing.
                "use" if mark(rest, '<').is_none() => read_import(rest, &[], module, names),
                _ => read_path(cursor, module, names),
            };
        } else if let Some((inside, _, _, rest)) = cursor.any_group() {
            read_tokens(inside, module, names);
            cursor = rest;
        } else {
            let Some((_, rest)) = cursor.token_tree() else { return };
            cursor = rest;
        }
    }
}

/// After `mod`: a module written in place has paths of its own.
fn read_module<'a>(cursor: Cursor<'a>, module: &[String], names: &mut Vec<Name>) -> Cursor<'a> {
    let Some((name, after_name)) = cursor.ident() else { return cursor };
    let Some((body, _, _, rest)) = after_name.any_group() else { return after_name };
    read_tokens(body, &[module, &[name.to_string()]].concat(), names);
    rest
}

/// After `use`, or within its braces: one tree, each leaf of which is a name.
fn read_import<'a>(mut cursor: Cursor<'a>, prefix: &[String], module: &[String], names: &mut Vec<Name>) -> Cursor<'a> {
    let mut written = prefix.to_vec();
    cursor = skip_separator(cursor).unwrap_or(cursor);
    loop {
        // A macro's `$crate`, `$name`.
        cursor = mark(cursor, '$').unwrap_or(cursor);
        if let Some((mut inside, _, _, rest)) = cursor.any_group() {
            while !inside.eof() {
                let after = read_import(inside, &written, module, names);
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
        match skip_separator(cursor) {
            Some(rest) => cursor = rest,
            None => break,
        }
    }
    names.push(name(written, module));
    match cursor.ident() {
        // `as name` or `as _`
        Some((_, rest)) => rest.token_tree().map_or(rest, |(_, next)| next),
        None => cursor,
    }
}

/// A path outside of an import: words with `::` between them. A single word names nothing of another module.
fn read_path<'a>(cursor: Cursor<'a>, module: &[String], names: &mut Vec<Name>) -> Cursor<'a> {
    let Some((first, mut end)) = cursor.ident() else { return cursor };
    let mut written = vec![first.to_string()];
    while let Some((word, rest)) = skip_separator(end).and_then(Cursor::ident) {
        written.push(word.to_string());
        end = rest;
    }
    if written.len() > 1 {
        names.push(name(written, module));
    }
    end
}

/// What follows `::`, if that is what comes next.
fn skip_separator(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    mark(cursor, ':').and_then(|second| mark(second, ':'))
}

/// What follows the mark, if that is what comes next.
fn mark(cursor: Cursor<'_>, wanted: char) -> Option<Cursor<'_>> {
    cursor.punct().filter(|(found, _)| found.as_char() == wanted).map(|(_, rest)| rest)
}

fn name(words: Vec<String>, module: &[String]) -> Name {
    let written = words.join("::");
    let mut ours = match words.first().map(String::as_str) {
        Some("crate" | LIBRARY) => Vec::new(),
        Some("self" | "super") => module.to_vec(),
        _ => {
            let whole = words.into_iter().filter(|word| word != "self").collect();
            return Name { written, leads_to: Target::Other(whole) };
        }
    };
    for word in words {
        match word.as_str() {
            "super" => drop(ours.pop()),
            "crate" | LIBRARY | "self" => {}
            _ => ours.push(word),
        }
    }
    Name { written, leads_to: Target::Ours(ours) }
}
