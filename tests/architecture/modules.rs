//! The graph of files: an edge leads from a file to each file that defines something it names. Tests are left out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::sources::{ItemKind, Name, Source};

/// More re-exports than this in a row are a `use` that leads to itself.
const MAX_STEPS: usize = 32;

/// The names that one file takes from another, as it writes them.
pub type Edges = BTreeMap<(String, String), BTreeSet<String>>;

pub struct Modules<'a> {
    sources: Vec<&'a Source>,
    by_path: HashMap<&'a [String], Module<'a>>,
}

#[derive(Default)]
struct Module<'a> {
    file: &'a str,
    items: HashMap<&'a str, ItemKind>,
    /// What each `use` brings into scope, public or not: a child may take a private import from its parent.
    imports: HashMap<&'a str, &'a Name>,
    globs: Vec<&'a Name>,
}

enum Place<'a> {
    Module(Vec<String>),
    /// Something that this file defines.
    Item(&'a str),
    /// Everything in this module.
    All(Vec<String>),
}

impl<'a> Modules<'a> {
    pub fn new(sources: &'a [Source]) -> Self {
        let tests: HashSet<Vec<String>> = sources
            .iter()
            .flat_map(|source| &source.items)
            .filter(|item| item.is_test && item.kind == ItemKind::Module)
            .map(|item| [&item.module[..], std::slice::from_ref(&item.name)].concat())
            .collect();
        let is_test =
            |source: &Source| (0..=source.module.len()).any(|length| tests.contains(&source.module[..length]));
        let sources: Vec<&Source> = sources.iter().filter(|source| !is_test(source)).collect();
        let mut by_path: HashMap<&[String], Module<'_>> = HashMap::new();
        // `main.rs` is a crate of its own, which nothing names.
        for source in sources.iter().filter(|source| source.layer != "main") {
            for length in 0..source.module.len() {
                by_path.entry(&source.module[..length]).or_default();
            }
            by_path.entry(&source.module).or_default().file = &source.file;
            for item in source.items.iter().filter(|item| !item.is_test) {
                let module = by_path.entry(&item.module).or_default();
                module.file = &source.file;
                if item.kind != ItemKind::Module {
                    module.items.insert(&item.name, item.kind);
                }
            }
            for name in source.names.iter().filter(|name| !name.is_test) {
                let Some(import) = &name.import else { continue };
                let module = by_path.entry(&name.module).or_default();
                module.file = &source.file;
                if import.alias == "*" {
                    module.globs.push(name);
                } else {
                    module.imports.insert(&import.alias, name);
                }
            }
        }
        Self { sources, by_path }
    }

    /// Every file that is not for tests only.
    pub fn files(&self) -> impl Iterator<Item = &'a str> {
        self.sources.iter().map(|source| &source.file[..])
    }

    /// Every edge of the graph. A line with `mod x;` or `pub use` alone is not an edge.
    pub fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for source in &self.sources {
            for name in source.names.iter().filter(|name| !name.is_test) {
                for file in self.targets(source, name) {
                    if file != source.file {
                        edges.entry((source.file.clone(), file.to_owned())).or_default().insert(name.written.clone());
                    }
                }
            }
        }
        edges
    }

    /// The files in which a name ends, if it is an edge.
    fn targets(&self, source: &Source, name: &Name) -> Vec<&'a str> {
        let is_used = |alias: &str| source.words.contains(alias);
        let reexport = name.import.as_ref().filter(|import| import.is_public);
        if reexport.is_some_and(|import| import.alias != "*" && !is_used(&import.alias)) {
            return Vec::new();
        }
        match self.resolve(&name.module, &name.words, MAX_STEPS) {
            None => Vec::new(),
            Some(Place::Item(file)) => vec![file],
            // Paths that start with the module's name are edges of their own.
            Some(Place::Module(module)) => {
                let is_named_alone = name.import.as_ref().is_some_and(|import| !starts_a_path(source, &import.alias));
                self.by_path.get(&module[..]).filter(|_| is_named_alone).map(|module| module.file).into_iter().collect()
            }
            Some(Place::All(module)) => {
                let is_taken = |name: &str, kind| is_used(name) || (kind == ItemKind::Trait && reexport.is_none());
                self.exported(&module, MAX_STEPS, &is_taken)
            }
        }
    }

    /// The files of what a glob takes from a module: the names that occur, and traits, whose methods may be called.
    fn exported(&self, path: &[String], steps: usize, is_taken: &impl Fn(&str, ItemKind) -> bool) -> Vec<&'a str> {
        let (Some(module), Some(steps)) = (self.by_path.get(path), steps.checked_sub(1)) else { return Vec::new() };
        let items = module.items.iter().filter(|(name, kind)| is_taken(name, **kind));
        let mut files: Vec<&str> = items.map(|_| module.file).collect();
        let imports = module.imports.iter().filter(|(alias, _)| is_taken(alias, ItemKind::Other));
        for name in imports.map(|(_, name)| name).chain(&module.globs) {
            match self.resolve(&name.module, &name.words, steps) {
                Some(Place::Item(file)) => files.push(file),
                Some(Place::All(other)) if other != path => files.extend(self.exported(&other, steps, is_taken)),
                _ => {}
            }
        }
        files
    }

    /// Follows a path that is written in the module `from`, through imports, to what it names. `None` is another crate.
    fn resolve(&self, from: &[String], words: &[String], steps: usize) -> Option<Place<'a>> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = words.split_first()?;
        let mut place = match first.as_str() {
            "crate" | "keydesk" => Place::Module(Vec::new()),
            "self" => Place::Module(from.to_vec()),
            "super" => Place::Module(from.split_last()?.1.to_vec()),
            _ => self.member(from, first, rest.is_empty(), steps)?,
        };
        for (index, word) in rest.iter().enumerate() {
            let Place::Module(path) = place else { break };
            place = match word.as_str() {
                "self" => Place::Module(path),
                "super" => Place::Module(path.split_last()?.1.to_vec()),
                "*" => Place::All(path),
                _ => {
                    let is_last = index + 1 == rest.len();
                    let found = self.member(&path, word, is_last, steps);
                    // A macro may have defined it.
                    found.or_else(|| self.by_path.get(&path[..]).map(|module| Place::Item(module.file)))?
                }
            };
        }
        Some(place)
    }

    /// What a module has under this name. An inner module may share its name with a function, which is meant at the end
    /// of a path.
    fn member(&self, path: &[String], name: &str, is_last: bool, steps: usize) -> Option<Place<'a>> {
        let steps = steps.checked_sub(1)?;
        let module = self.by_path.get(path)?;
        let child = [path, &[name.to_owned()]].concat();
        let child = self.by_path.contains_key(&child[..]).then_some(Place::Module(child));
        let item = module.items.get(name).map(|_| Place::Item(module.file));
        let own = if is_last { item.or(child) } else { child.or(item) };
        if own.is_some() {
            return own;
        }
        // `use only_matching;` after a macro's definition imports the macro into its own module.
        if let Some(import) = module.imports.get(name).filter(|import| import.words != [name]) {
            return self.resolve(&import.module, &import.words, steps);
        }
        module.globs.iter().find_map(|glob| match self.resolve(&glob.module, &glob.words, steps)? {
            Place::All(other) if other != path => self.member(&other, name, is_last, steps),
            _ => None,
        })
    }
}

fn starts_a_path(source: &Source, alias: &str) -> bool {
    source.names.iter().any(|name| !name.is_test && name.import.is_none() && name.words[0] == alias)
}

/// The cycles between files, each with its edges, one a line.
pub fn cycles(edges: &Edges) -> Vec<String> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges.keys() {
        next.entry(from).or_default().push(to);
        next.entry(to).or_default();
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|file| (*file, reachable(&next, file))).collect();
    let mut cycles = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (file, below) in &reached {
        if !below.contains(file) || known.contains(file) {
            continue;
        }
        let cycle: BTreeSet<&str> = below.iter().copied().filter(|other| reached[other].contains(file)).collect();
        known.extend(&cycle);
        let mut lines = vec![format!("A cycle of {} files:", cycle.len())];
        for ((from, to), names) in
            edges.iter().filter(|((from, to), _)| cycle.contains(&from[..]) && cycle.contains(&to[..]))
        {
            lines.push(format!("    {from} -> {to}: {}", without_imported(names).join(", ")));
        }
        cycles.push(lines.join("\n"));
    }
    cycles
}

/// The names without paths that start with one of the others: `Tab::Active` after `super::tabs::Tab`.
fn without_imported(names: &BTreeSet<String>) -> Vec<&str> {
    let is_imported = |name: &str| {
        let first = format!("::{}", name.split("::").next().unwrap_or_default());
        names.iter().any(|other| other != name && other.ends_with(&first))
    };
    names.iter().map(String::as_str).filter(|name| !is_imported(name)).collect()
}

/// Every file that a path of at least one edge leads to.
fn reachable<'a>(next: &BTreeMap<&'a str, Vec<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = next.get(start).cloned().unwrap_or_default();
    while let Some(file) = open.pop() {
        if found.insert(file) {
            open.extend(&next[file]);
        }
    }
    found
}
