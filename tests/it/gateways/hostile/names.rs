//! Cases with forged names of headers.

use super::cases::{Expected, Table};

/// The headers in which the platform reads whose key it is.
pub const IDENTITY: [&str; 5] = [
    "X-Keydesk-Company",
    "X-Keydesk-Company-Name",
    "X-Keydesk-Service-Account",
    "X-Keydesk-Service-Account-Name",
    "X-Keydesk-Key-Id",
];

/// Every character except letters, digits and `-` that the name of a header may have (RFC 9110 section 5.6.2).
const UNUSUAL: &str = "!#$%&'*+.^_`|~";

/// What other proxies tell a platform about a client.
const FORWARDED: [&str; 15] = [
    "Client-Cert",
    "Email",
    "For",
    "Groups",
    "Host",
    "Method",
    "Port",
    "Preferred-Username",
    "Prefix",
    "Proto",
    "Scheme",
    "Server",
    "Ssl",
    "Uri",
    "User",
];

impl Table {
    pub fn add_names(&mut self) {
        self.add_identity("own", &str::to_owned);
        self.add_identity("lower case", &str::to_lowercase);
        self.add_identity("upper case", &str::to_uppercase);
        for unusual in UNUSUAL.chars() {
            self.add_identity(&format!("all {unusual}"), &|name| name.replace('-', &unusual.to_string()));
            self.add_identity(&format!("last {unusual}"), &|name| {
                let (start, end) = name.rsplit_once('-').unwrap();
                format!("{start}{unusual}{end}")
            });
            self.add_identity(&format!("{unusual} before"), &|name| format!("{unusual}{name}"));
            self.add_identity(&format!("{unusual} after"), &|name| format!("{name}{unusual}"));
        }
        let named = format!("Connection: close, {}", IDENTITY.join(", "));
        self.get("names in Connection", Expected::Passes, &[&named, "X-Keydesk-Key-Id: forged"]);
        self.get(
            "names without a value",
            Expected::Passes,
            &IDENTITY.map(|name| format!("{name}:")).each_ref().map(|line| line.as_str()),
        );
        for (how, line) in [
            ("space before the colon", "X-Keydesk-Company : forged"),
            ("tab before the colon", "X-Keydesk-Company\t: forged"),
            ("space inside", "X Keydesk Company: forged"),
            ("control character", "X\u{1}Keydesk\u{1}Company: forged"),
            ("beyond ASCII", "X‐Keydesk‐Company: forged"),
            ("continued line", "X-Other: 1\r\n X-Keydesk-Company: 1"),
            ("line feed", "X-Other: 1\nX-Keydesk-Company: forged"),
            ("carriage return", "X-Other: 1\rX-Keydesk-Company: 1"),
            ("zero byte", "X-Other: 1\0\r\nX-Keydesk-Company: forged"),
            ("no name", ": forged"),
            ("no colon", "X-Keydesk-Company forged"),
        ] {
            self.get(&format!("names, {how}"), Expected::CleanOrRefused, &[line]);
        }
        self.add_forwarded();
    }

    /// Adds a request with all identity headers twice, their names spelled in some way.
    fn add_identity(&mut self, how: &str, spelled: &dyn Fn(&str) -> String) {
        let lines = IDENTITY.map(|name| format!("{}: forged", spelled(name)));
        let lines = lines.each_ref().map(String::as_str);
        self.get(&format!("names, {how}"), Expected::Passes, &[lines, lines].concat());
    }

    fn add_forwarded(&mut self) {
        for spelled in ["X-Forwarded-", "x-forwarded-", "X_Forwarded_", "X.Forwarded-"] {
            let lines = FORWARDED.map(|name| format!("{spelled}{name}: forged"));
            let lines = lines.each_ref().map(String::as_str);
            self.get(&format!("names, {spelled}"), Expected::Passes, &lines);
        }
        let lines = ["Host", "Method", "Uri", "URL"].map(|name| format!("X-Original-{name}: forged"));
        let others = ["Forwarded: for=forged", "X-Real-IP: forged", "X_Real.IP: forged"];
        let lines = [&lines.each_ref().map(String::as_str)[..], &others].concat();
        self.get("names of other proxies", Expected::Passes, &lines);
    }
}
