//! What a server answers between SIGTERM and its end.

use crate::cli::{Serving, keydesk};
use crate::support::Browser;

use super::readiness::wait_until;

#[test]
fn a_draining_server_serves_and_closes_connections() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["--drain", "1h"]);
    let serving = Serving::start(command, 2);
    let browser = Browser::new(serving.line("Listening on http://").parse().unwrap());
    let link = serving.line("Set-up link: ");
    let (_, token) = link.split_once("/setup").unwrap();
    assert!(browser.get("/healthz").expect(200).headers.get("connection").is_none());
    serving.signal("-TERM");
    let body = wait_until(&browser, 503);
    assert!(body.contains("about to stop"), "{body}");
    let paths =
        ["/healthz", "/readyz?for=verification", "/v1/whoami", "/sign-in", "/nowhere", &format!("/setup{token}")];
    for (path, status) in paths.into_iter().zip([200, 503, 401, 200, 404, 200]) {
        let answer = browser.get(path).expect(status);
        assert_eq!(answer.header("connection"), "close", "{path}");
    }
    // A second signal ends the drain.
    assert_eq!(serving.stop(), 0);
}
