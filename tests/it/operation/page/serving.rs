//! Sections that start a server.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Sections, walk};
use crate::cli::{ADMIN, text};
use crate::operation::readiness::wait_until;
use crate::support::receiver::{Authority, Receiver, secret};
use crate::support::{API_KEYS, Browser, PASSWORD};
use crate::witness::wait_until as wait;

pub const SECTIONS: Sections = &[
    "Set up an installation",
    "Look around first",
    "Put a TLS proxy in front",
    "Rename the key prefix",
    "Monitor a server / Read the log",
    "Stop and restart",
    "Store checkpoints outside",
];

fn sign_in(browser: &Browser) {
    browser.post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]).expect_redirect(API_KEYS);
}

#[test]
fn the_commands_that_serve_work() {
    walk(SECTIONS, false, |machine| {
        machine.open("Set up an installation");
        let serving = machine.serve("keydesk serve", 2);
        machine.sees("Listening on", &serving.lines.join("\n"));
        serving.set_up().create_key("ERP Sync");
        assert_eq!(serving.stop(), 0);

        machine.open("Look around first");
        let demo = machine.serve("keydesk demo", 3);
        machine.sees("Email: …", &demo.lines.join("\n"));
        let fields = [("email", demo.line("Email: ")), ("password", demo.line("Password: "))];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        demo.browser().post("/sign-in", &fields).expect_redirect(API_KEYS);
        assert_eq!(demo.stop(), 0);

        machine.open("Put a TLS proxy in front");
        let serving = machine.serve("keydesk --public-url", 1);
        let answer = machine.browser().post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]);
        assert!(answer.header("set-cookie").contains("Secure"), "{answer:?}");
        assert_eq!(serving.stop(), 0);

        machine.open("Rename the key prefix");
        let serving = machine.serve("keydesk --key-prefix acme", 1);
        let browser = machine.browser();
        sign_in(&browser);
        let (_, key) = browser.create_key("Stock Feed");
        assert!(key.starts_with("acme_"), "{key}");
        assert_eq!(serving.stop(), 0);
        // Without the prefix, later starts are refused.
        machine.set("KEYDESK_KEY_PREFIX", "acme,goa");

        machine.open("Monitor a server / Read the log");
        let mut reader = machine.command("keydesk --log-format json");
        let reader = reader.stdout(Stdio::piped()).spawn().unwrap();
        wait("the server serves", || std::net::TcpStream::connect(machine.browser().address()).is_ok());
        machine.browser().get("/sign-in").expect(200);
        let children =
            Command::new("ps").args(["-o", "pid=,comm=", "--ppid", &reader.id().to_string()]).output().unwrap();
        let children = text(&children.stdout);
        let server = children.lines().find_map(|line| line.trim().strip_suffix(" keydesk")).unwrap();
        assert!(Command::new("kill").args(["-TERM", server]).status().unwrap().success());
        let output = reader.wait_with_output().unwrap();
        assert!(output.status.success() && text(&output.stdout).contains("/sign-in\n"), "{output:?}");

        machine.open("Stop and restart");
        let mut serving = machine.serve("keydesk serve --drain", 1);
        let browser = machine.browser();
        wait_until(&browser, 200);
        serving.signal("-TERM");
        wait_until(&browser, 503);
        serving.signal("-TERM");
        assert_eq!(serving.wait_for_end(Duration::from_secs(30)), 0);

        machine.open("Store checkpoints outside");
        let serving = machine.serve("keydesk --checkpoint-file", 1);
        let file = machine.file("mnt/witness/keydesk.checkpoints");
        wait("the file has a checkpoint", || fs::read_to_string(&file).is_ok_and(|text| text.contains("keydesk/")));
        assert_eq!(serving.stop(), 0);
        let authority = Authority::new();
        let receiver = Receiver::with_tls(&authority);
        machine.prepare(&format!("umask 77; echo {} > /etc/keydesk/webhook-secret", secret()));
        fs::write(machine.file("etc/trusted.pem"), &authority.pem).unwrap();
        machine.set("SSL_CERT_FILE", machine.file("etc/trusted.pem").to_str().unwrap());
        machine.replace("witness.example.com", &format!("localhost:{}", receiver.address.port()));
        let serving = machine.serve("keydesk --checkpoint-webhook", 1);
        wait("the witness gets a checkpoint", || receiver.posted().iter().any(|posted| posted.path == "/keydesk"));
        assert_eq!(serving.stop(), 0);
    });
}
