//! The page of docs/operating.md for a leaked secrets file, command by command.

use std::fs;
use std::path::Path;

use super::{active_set, keydesk, wait_until};
use crate::support::authenticator::Authenticator;
use crate::support::{API_KEYS, TestServer};

/// The commands in the section with this heading, in their order, each as its words after the program's name.
fn commands(heading: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md")).unwrap();
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.strip_prefix("keydesk ").unwrap().split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn the_runbook_for_a_leaked_secrets_file_works() {
    let server = TestServer::start();
    let (admin, leaked) = (server.admin(), active_set(&server));
    let (used, unused) = (admin.create_key("Used"), admin.create_key("Unused"));
    Authenticator::set_up(&server.auditor(), server.clock.now());
    let mut printed = Vec::new();
    for words in commands("The secrets file has leaked") {
        let own = words.iter().map(|word| if word == "3f2a91bc" { leaked.as_str() } else { word });
        // The test names the folder itself.
        let own: Vec<&str> = own.filter(|word| !["--data-dir", "/var/lib/keydesk"].contains(word)).collect();
        let is_rotation = own == ["secrets", "rotate"];
        if own.contains(&"retire") {
            super::renew(&server, &used, &active_set(&server));
            admin.get(API_KEYS).expect(200);
        }
        printed.push(keydesk(&server, &own));
        if is_rotation {
            wait_until("the new set is active", || active_set(&server) != leaked);
        }
    }
    let [rotated, status, retired, verified] = &printed[..] else { panic!("{printed:#?}") };
    let added = rotated.lines().next().unwrap().strip_prefix("Added: ").unwrap();
    assert!(status.contains(&format!("{added}\tactive")) && status.contains("0 of 2 active keys are under the new"));
    assert_eq!(retired, &format!("Retired: {leaked}\nRevoked 1 key.\nRemoved 1 second factor.\n"));
    assert!(verified.contains("all as they were recorded"), "{verified}");
    assert_eq!([&used, &unused].map(|(_, key)| server.whoami(key)), [200, 401]);
    admin.get(API_KEYS).expect(200);
    let file = fs::read_to_string(server.folder.path().join("secrets")).unwrap();
    assert!(file.contains(added) && !file.contains(&leaked));
}
