//! Writes the route table to a file. The browser tests check that every route has a scene.

use std::path::Path;

use serde_json::json;

#[test]
fn the_route_table_is_written_for_the_browser_tests() {
    let pages = keydesk::web::route_table();
    let routes = pages.iter().flat_map(|page| page.methods().map(|method| json!([method.as_str(), page.path])));
    let routes: Vec<_> = routes.collect();
    assert!(!routes.is_empty());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("routes.json");
    std::fs::write(file, serde_json::to_vec(&routes).unwrap()).unwrap();
}
