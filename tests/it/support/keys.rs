//! Helpers for API keys: create, rotate, edit, present and read their state.

use super::browser::send;
use super::{API_KEYS, Answer, Browser, Html, TestServer, database};

impl Browser {
    /// Opens the form and submits it with additional fields.
    pub fn add_key_with(&self, name: &str, fields: &[(&str, &str)]) -> Answer {
        let submission = self.submission();
        self.post(API_KEYS, &[&[("name", name), ("submission", &submission)], fields].concat())
    }

    /// Creates a key with this value of the expiry field.
    pub fn create_key_for(&self, name: &str, expires: &str) -> (String, String) {
        self.add_key_with(name, &[("expires", expires)]).shown_key()
    }

    /// The submission token of a newly opened rotation form.
    pub fn rotation(&self, id: &str) -> String {
        let form = self.get(&format!("{API_KEYS}/{id}/rotate")).expect(200).html();
        form.attribute("dialog input[name=submission]", "value")
    }

    pub fn rotate(&self, id: &str, overlap: &str) -> Answer {
        let submission = self.rotation(id);
        self.post(&format!("{API_KEYS}/{id}/rotate"), &[("overlap", overlap), ("submission", &submission)])
    }

    /// Presses “End now” or “Extend by 7 days”.
    pub fn change_overlap(&self, id: &str, end: &str) -> Answer {
        self.post(&format!("{API_KEYS}/{id}/overlap"), &[("end", end)])
    }

    pub fn edit(&self, id: &str, name: &str, owner: &str) -> Answer {
        self.save(&format!("{API_KEYS}/{id}/edit"), &[("name", name), ("owner", owner)])
    }

    pub fn key_page(&self, id: &str) -> Html {
        self.get(&format!("{API_KEYS}/{id}")).expect(200).html()
    }

    pub fn tab(&self, tab: &str) -> Html {
        self.get(&format!("{API_KEYS}?tab={tab}")).expect(200).html()
    }
}

impl Answer {
    /// The id of the new key and the key itself.
    pub fn shown_key(self) -> (String, String) {
        let page = self.expect(201).html();
        (page.attribute("#new-key", "data-key-id"), page.text("#new-key"))
    }
}

impl Html {
    pub fn section(&self, heading: &str) -> String {
        self.text(&format!("section[aria-labelledby={heading}]"))
    }

    /// The text of a key's row, or an empty text without one.
    pub fn row(&self, id: &str) -> String {
        self.texts(&format!("tr[data-key-id='{id}']")).concat()
    }
}

impl TestServer {
    /// The events of a key in order: each action and its reason. Refusal reports are left out, as their time depends on
    /// the recorder.
    pub fn history(&self, id: &str) -> Vec<String> {
        let action = "action || CASE WHEN reason IS NULL THEN '' ELSE ' ' || reason END";
        let rest = format!(
            "FROM events WHERE key_id = '{id}' AND action <> 'api_key.refused_after_revocation' ORDER BY sequence"
        );
        database::column(&self.database_url, action, &rest).into_iter().flatten().collect()
    }

    /// A column of the last event of a key.
    pub fn last_event(&self, id: &str, column: &str) -> String {
        let rest = format!("FROM events WHERE key_id = '{id}' ORDER BY sequence DESC");
        database::column(&self.database_url, column, &rest)[0].clone().unwrap_or_default()
    }

    /// Presents a key with this user agent. Returns the status and the request id.
    pub fn present(&self, key: &str, program: &str) -> (u16, String) {
        self.present_from(key, program, "192.0.2.1")
    }

    /// Presents a key from this address, on a server behind a proxy.
    pub fn present_from(&self, key: &str, program: &str, address: &str) -> (u16, String) {
        let request = self.anonymous().request("GET", "/v1/whoami").bearer_auth(key);
        let answer = send(request.header("User-Agent", program).header("X-Forwarded-For", address));
        (answer.status, answer.header("x-request-id").to_owned())
    }

    pub fn key_count(&self) -> u64 {
        database::count(&self.database_url, "api_keys", "TRUE")
    }

    /// The state of a key. Fails unless the API, the tabs and the key's page agree.
    pub fn state_of(&self, browser: &Browser, (id, key): &(String, String)) -> String {
        let row = format!("tr[data-key-id='{id}']");
        let on = ["active", "revoked"].map(|tab| browser.tab(tab));
        let status = on.iter().flat_map(|tab| tab.all(&row)).map(|row| row.attr("data-status").unwrap().to_owned());
        let status: Vec<String> = status.collect();
        assert_eq!(status.len(), 1, "{status:?}");
        assert_eq!(on[0].has(&row), status[0] == "active", "on the wrong tab");
        assert_eq!(self.whoami(key), if status[0] == "active" { 200 } else { 401 }, "{status:?}");
        assert_eq!(browser.key_page(id).text(".key-name .pill").to_lowercase(), status[0]);
        status[0].clone()
    }
}

/// Inserts copies of the only key, each a microsecond younger.
pub fn copy_keys(server: &TestServer, count: u64) {
    let numbers = database::numbers(count);
    let digest = if database::postgres().is_some() { "decode(md5(CAST(n AS TEXT)), 'hex')" } else { "randomblob(32)" };
    let id = "'01940000-0000-7000-8000-' || CAST(100000000000 + n AS TEXT)";
    let sql = format!(
        "BEGIN;
        INSERT INTO service_accounts (id, company_id, name, name_folded, created_at)
            SELECT {id}, company_id, 'Copy ' || n, 'copy ' || n, created_at FROM service_accounts, ({numbers}) AS numbers;
        INSERT INTO api_keys (id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, owner)
            SELECT {id}, company_id, {id}, {digest}, pepper_id, preview, preview_folded, created_at + n, created_by, owner
            FROM api_keys, ({numbers}) AS numbers;
        COMMIT;"
    );
    database::tamper(&server.database_url, &sql);
}
