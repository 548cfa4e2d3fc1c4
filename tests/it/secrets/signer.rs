//! The key that signs checkpoints changes with the set, and every trail can be followed from the former one.

use std::fs;

use keydesk::domain::trail::checkpoint::CheckpointSigner;

use super::{keydesk, refusal, rotate};
use crate::evidence::download_evidence;
use crate::support::companies::add_company;
use crate::support::{AUDIT_TRAIL, TestServer};

#[test]
fn an_old_public_key_leads_to_the_new_one() {
    let server = TestServer::start();
    let other = server.second_node();
    let admin = server.admin();
    admin.create_key("Before");
    let (old_key, old_checkpoint) = download_evidence(&admin);
    let [key_file, checkpoint_file] = [("key", &old_key), ("checkpoint", &old_checkpoint)].map(|(name, content)| {
        let path = server.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    });
    for number in 0..2 {
        rotate(&[&server, &other]);
        // Each server signs with the new key.
        admin.create_key(&format!("After {number}"));
        other.admin().create_key(&format!("On the other server {number}"));
    }
    add_company(&server.actions, "Northwind");
    let (new_key, _) = download_evidence(&admin);
    assert_ne!(new_key, old_key);
    let kept =
        ["audit", "verify", "--company", "Brightwater", "--checkpoint", &checkpoint_file, "--public-key", &key_file];
    let verified = keydesk(&server, &kept);
    assert_eq!(verified.matches("its signing key was changed after event").count(), 2, "{verified}");
    assert!(verified.contains(new_key.trim()), "{verified}");
    keydesk(&server, &["audit", "verify"]);
    for node in [&server, &other] {
        node.check_state();
        assert_eq!(node.metric("keydesk_audit_check_differences"), Some(0.0));
        node.compare_trails();
        assert_eq!(node.admin().get(&format!("{AUDIT_TRAIL}/checkpoint")).expect(200).body.lines().count(), 5);
        node.admin().get("/readyz").expect(200);
    }
    // A key that is in no note is not trusted.
    let stranger = CheckpointSigner::from_seed(&[7; 32]).public_key();
    fs::write(&key_file, stranger.to_vkey(old_checkpoint.lines().next().unwrap())).unwrap();
    assert!(!refusal(&server, &kept).is_empty());
}
