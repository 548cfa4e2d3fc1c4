//! The stylesheet (all of `static/css`), the script module and the favicon, under names that change with their content.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

use crate::domain::text::normalize;
use crate::web::app::error::PageError;

/// `layers.css` declares the order of the layers, so it comes first. The order of the others does not matter.
const BASE_STYLES: [&str; 7] = [
    include_str!("../../../static/css/layers.css"),
    include_str!("../../../static/css/reset.css"),
    include_str!("../../../static/css/tokens.css"),
    include_str!("../../../static/css/base.css"),
    include_str!("../../../static/css/layout.css"),
    include_str!("../../../static/css/utilities.css"),
    include_str!("../../../static/css/print.css"),
];
/// One file per component, all in the layer `components`.
const COMPONENT_STYLES: [&str; 16] = [
    include_str!("../../../static/css/components/aside.css"),
    include_str!("../../../static/css/components/banner.css"),
    include_str!("../../../static/css/components/button.css"),
    include_str!("../../../static/css/components/dialog.css"),
    include_str!("../../../static/css/components/field.css"),
    include_str!("../../../static/css/components/icon.css"),
    include_str!("../../../static/css/components/list-bar.css"),
    include_str!("../../../static/css/components/outside.css"),
    include_str!("../../../static/css/components/panel.css"),
    include_str!("../../../static/css/components/person.css"),
    include_str!("../../../static/css/components/pill.css"),
    include_str!("../../../static/css/components/practice.css"),
    include_str!("../../../static/css/components/rail.css"),
    include_str!("../../../static/css/components/table.css"),
    include_str!("../../../static/css/components/top-bar.css"),
    include_str!("../../../static/css/components/trail.css"),
];
const MODULE: &str = include_str!("../../../static/js/keydesk.js");
const FAVICON: &str = include_str!("../../../static/favicon.svg");

/// The paths of the files that every page loads.
#[derive(Clone, Copy, Debug)]
pub struct AssetPaths {
    pub stylesheet: &'static str,
    pub module: &'static str,
    pub favicon: &'static str,
}

struct Asset {
    path: String,
    content_type: &'static str,
    content: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset("keydesk", "css", "text/css; charset=utf-8", stylesheet()),
        asset("keydesk", "js", "text/javascript; charset=utf-8", MODULE.to_owned()),
        asset("favicon", "svg", "image/svg+xml", FAVICON.to_owned()),
    ]
});

fn stylesheet() -> String {
    format!("{}@layer components {{\n{}}}\n", BASE_STYLES.concat(), COMPONENT_STYLES.concat())
}

fn asset(name: &str, extension: &str, content_type: &'static str, content: String) -> Asset {
    let fingerprint = normalize::hex(&Sha256::digest(&content)[..6]);
    Asset { path: format!("/assets/{name}-{fingerprint}.{extension}"), content_type, content }
}

pub fn paths() -> AssetPaths {
    let [stylesheet, module, favicon] = &*ASSETS;
    AssetPaths { stylesheet: &stylesheet.path, module: &module.path, favicon: &favicon.path }
}

pub async fn serve(file: web::Path<String>) -> Result<HttpResponse, PageError> {
    let asset = ASSETS.iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(file.as_str()));
    let asset = asset.ok_or(PageError::PageNotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::app::compression;

    /// About a tenth above the size when the limit was set (7,754 bytes).
    const MAX_STYLESHEET_BYTES: usize = 37_000;
    const MAX_STYLESHEET_GZIP_BYTES: usize = 9_500;
    const MAX_MODULE_LINES: usize = 250;

    #[test]
    fn every_css_file_is_part_of_the_stylesheet() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("static/css");
        let files = [folder.clone(), folder.join("components")].into_iter().flat_map(|folder| {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
        });
        let mut count = 0;
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(
                BASE_STYLES.iter().chain(&COMPONENT_STYLES).any(|style| *style == text),
                "{} is missing",
                file.display()
            );
            count += 1;
        }
        assert_eq!(count, BASE_STYLES.len() + COMPONENT_STYLES.len());
    }

    #[test]
    fn the_stylesheet_stays_small() {
        assert!(ASSETS[0].content.len() <= MAX_STYLESHEET_BYTES, "{} bytes", ASSETS[0].content.len());
        let sent = compression::gzip(ASSETS[0].content.as_bytes()).unwrap();
        assert!(sent.len() <= MAX_STYLESHEET_GZIP_BYTES, "{} bytes", sent.len());
    }

    #[test]
    fn the_script_module_stays_short() {
        assert!(MODULE.lines().count() <= MAX_MODULE_LINES, "{} lines", MODULE.lines().count());
    }
}
