//! The one stylesheet, made of `static/css/*`, the one module and the favicon: under names that change with their content.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

use super::error::PageError;
use super::page::AssetPaths;
use crate::domain::text;

/// The declaration of the layers comes first; after it the order does not matter.
const STYLES: [&str; 7] = [
    include_str!("../../static/css/layers.css"),
    include_str!("../../static/css/reset.css"),
    include_str!("../../static/css/tokens.css"),
    include_str!("../../static/css/base.css"),
    include_str!("../../static/css/layout.css"),
    include_str!("../../static/css/utilities.css"),
    include_str!("../../static/css/print.css"),
];
/// Each has its file, and all of them a layer.
const COMPONENTS: [&str; 15] = [
    include_str!("../../static/css/components/aside.css"),
    include_str!("../../static/css/components/banner.css"),
    include_str!("../../static/css/components/button.css"),
    include_str!("../../static/css/components/dialog.css"),
    include_str!("../../static/css/components/field.css"),
    include_str!("../../static/css/components/icon.css"),
    include_str!("../../static/css/components/list-bar.css"),
    include_str!("../../static/css/components/outside.css"),
    include_str!("../../static/css/components/panel.css"),
    include_str!("../../static/css/components/person.css"),
    include_str!("../../static/css/components/pill.css"),
    include_str!("../../static/css/components/rail.css"),
    include_str!("../../static/css/components/table.css"),
    include_str!("../../static/css/components/top-bar.css"),
    include_str!("../../static/css/components/trail.css"),
];
const MODULE: &str = include_str!("../../static/js/keydesk.js");
const FAVICON: &str = include_str!("../../static/favicon.svg");

struct Asset {
    path: String,
    content_type: &'static str,
    content: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset("keydesk", "css", "text/css; charset=utf-8", compact(&stylesheet())),
        asset("keydesk", "js", "text/javascript; charset=utf-8", MODULE.to_owned()),
        asset("favicon", "svg", "image/svg+xml", FAVICON.to_owned()),
    ]
});

fn stylesheet() -> String {
    format!("{}@layer components {{\n{}}}\n", STYLES.concat(), COMPONENTS.concat())
}

fn asset(name: &str, extension: &str, content_type: &'static str, content: String) -> Asset {
    let fingerprint = text::hex(&Sha256::digest(&content)[..6]);
    Asset { path: format!("/assets/{name}-{fingerprint}.{extension}"), content_type, content }
}

/// A stylesheet without what only its readers need: indentation, blank lines, comments that fill their lines, and the
/// spaces and semicolons that separate nothing. No string of CSS goes beyond its line.
fn compact(css: &str) -> String {
    let mut compact = String::with_capacity(css.len());
    let mut in_comment = false;
    for line in css.lines().map(str::trim).filter(|line| !line.is_empty()) {
        in_comment |= line.starts_with("/*");
        if in_comment {
            in_comment = !line.ends_with("*/");
            continue;
        }
        squeeze(line, &mut compact);
        if !line.ends_with(['{', '}', ';', ',']) {
            compact.push('\n');
        }
    }
    compact
}

fn squeeze(line: &str, compact: &mut String) {
    let mut quote = None;
    let mut rest = line.chars().peekable();
    while let Some(letter) = rest.next() {
        if quote.is_some() || matches!(letter, '"' | '\'') {
            quote = if quote == Some(letter) { None } else { quote.or(Some(letter)) };
        } else if letter == ' ' {
            let separates = !compact.ends_with(['{', '}', ';', ':', ',', '<', '=', '>', '~']);
            if !separates || rest.peek().is_some_and(|next| matches!(next, '{' | '}' | '<' | '>' | '~')) {
                continue;
            }
        } else if letter == '}' && compact.ends_with(';') {
            compact.pop();
        }
        compact.push(letter);
    }
}

/// Where pages find them.
pub(super) fn paths() -> AssetPaths {
    let [stylesheet, module, favicon] = &*ASSETS;
    AssetPaths { stylesheet: &stylesheet.path, module: &module.path, favicon: &favicon.path }
}

pub(super) async fn serve(file: web::Path<String>) -> Result<HttpResponse, PageError> {
    let asset = ASSETS.iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(file.as_str()));
    let asset = asset.ok_or(PageError::NoPage)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stylesheet_in_the_folder_is_part_of_the_one_that_is_served() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("static/css");
        let files = [folder.clone(), folder.join("components")].into_iter().flat_map(|folder| {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
        });
        let mut count = 0;
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(STYLES.iter().chain(&COMPONENTS).any(|style| *style == text), "{} is not served", file.display());
            count += 1;
        }
        assert_eq!(count, STYLES.len() + COMPONENTS.len());
    }

    #[test]
    fn a_stylesheet_loses_only_what_its_readers_need() {
        let css = "/* Why */\n.a,\n.b :hover > .c {\n  content: \" /* : ; } \" / \"\";\n\n  /* Two\n     lines */\n  width:\n    1px;\n}\n";
        assert_eq!(compact(css), ".a,.b :hover>.c{content:\" /* : ; } \" / \"\";width:\n1px}");
        for line in stylesheet().lines().map(str::trim).filter(|line| line.contains("/*")) {
            assert!(line.starts_with("/*") && line.find("*/").is_none_or(|end| end + 2 == line.len()), "{line}");
        }
    }

    #[test]
    fn the_stylesheet_stays_within_25_kilobytes() {
        assert!(ASSETS[0].content.len() <= 25_000, "{} bytes", ASSETS[0].content.len());
    }

    #[test]
    fn the_module_stays_short_enough_to_be_read() {
        assert!(MODULE.lines().count() <= 150, "{} lines", MODULE.lines().count());
    }
}
