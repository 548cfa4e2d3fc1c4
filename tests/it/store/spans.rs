//! Each query of the store has a span of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::{GenericArgument, ImplItem, ImplItemFn, Item, PathArguments, Type, Visibility};

/// Look-ups for every verified request, which are measured by a histogram instead.
const WITHOUT_SPAN: [&str; 1] = ["by_credential"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Whether a type is a group of queries, such as `ApiKeys<'_, A>`.
fn is_group(self_type: &Type) -> bool {
    let Type::Path(path) = self_type else { return false };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last().unwrap().arguments else { return false };
    matches!(arguments.args.iter().collect::<Vec<_>>()[..], [GenericArgument::Lifetime(_), GenericArgument::Type(_)])
}

fn methods(file: &Path) -> Vec<ImplItemFn> {
    let items = syn::parse_file(&std::fs::read_to_string(file).unwrap()).unwrap().items;
    let groups = items.into_iter().filter_map(|item| match item {
        Item::Impl(block) if block.trait_.is_none() && is_group(&block.self_ty) => Some(block.items),
        _ => None,
    });
    let methods = groups.flatten().filter_map(|item| match item {
        ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => Some(method),
        _ => None,
    });
    methods.collect()
}

/// The name in `#[instrument(name = "…")]`.
fn span(method: &ImplItemFn) -> Option<String> {
    let attribute = method.attrs.iter().find(|attribute| attribute.path().is_ident("instrument"))?;
    let mut name = None;
    let read = attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("name") {
            name = Some(meta.value()?.parse::<syn::LitStr>()?.value());
        } else if meta.input.peek(syn::Token![=]) {
            meta.value()?.parse::<syn::Lit>()?;
        }
        Ok(())
    });
    read.unwrap();
    name
}

#[test]
fn each_query_has_a_span_named_after_it() {
    let mut names = BTreeSet::new();
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")) {
        for method in methods(&file) {
            let of = method.sig.ident.to_string();
            match span(&method) {
                None => assert!(WITHOUT_SPAN.contains(&of.as_str()), "{}: {of} has no span", file.display()),
                Some(name) => {
                    assert!(name.starts_with("db.") && name.ends_with(&format!(".{of}")), "{of} has the span {name}");
                    assert!(names.insert(name.clone()), "{name} names two queries");
                }
            }
        }
    }
    assert!(names.len() > 90 && names.contains("db.keys.list"), "{names:?}");
}
