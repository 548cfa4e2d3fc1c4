//! Keys through their life: made for a while, rotated, and what everything that speaks of them says.

use super::browser::send;
use super::{Answer, Browser, Html, K, TestServer, database};

impl Browser {
    /// Opens the form and sends it with these further fields.
    pub fn add_key_with(&self, name: &str, fields: &[(&str, &str)]) -> Answer {
        let submission = self.submission();
        self.post(K, &[&[("name", name), ("submission", &submission)], fields].concat())
    }

    /// Makes a key that expires as that field says.
    pub fn create_key_for(&self, name: &str, expires: &str) -> (String, String) {
        self.add_key_with(name, &[("expires", expires)]).shown_key()
    }

    /// The hidden field of a newly opened form that rotates a key.
    pub fn rotation(&self, id: &str) -> String {
        let form = self.get(&format!("{K}/{id}/rotate")).expect(200).html();
        form.attribute("dialog input[name=submission]", "value")
    }

    /// Opens the form that rotates a key and sends it.
    pub fn rotate(&self, id: &str, overlap: &str) -> Answer {
        let submission = self.rotation(id);
        self.post(&format!("{K}/{id}/rotate"), &[("overlap", overlap), ("submission", &submission)])
    }

    /// “End now” and “Extend by 7 days”.
    pub fn move_end(&self, id: &str, end: &str) -> Answer {
        self.post(&format!("{K}/{id}/overlap"), &[("end", end)])
    }

    pub fn edit(&self, id: &str, name: &str, owner: &str) -> Answer {
        self.post(&format!("{K}/{id}/edit"), &[("name", name), ("owner", owner)])
    }

    pub fn key_page(&self, id: &str) -> Html {
        self.get(&format!("{K}/{id}")).expect(200).html()
    }

    pub fn tab(&self, tab: &str) -> Html {
        self.get(&format!("{K}?tab={tab}")).expect(200).html()
    }
}

impl Answer {
    /// The key that this answer shows, and its id first.
    pub fn shown_key(self) -> (String, String) {
        let page = self.expect(201).html();
        (page.attribute("#new-key", "data-key-id"), page.text("#new-key"))
    }
}

impl Html {
    /// The text of the section with that heading.
    pub fn section(&self, heading: &str) -> String {
        self.text(&format!("section[aria-labelledby={heading}]"))
    }

    /// The text of a key's row; nothing where it has none here.
    pub fn row(&self, id: &str) -> String {
        self.texts(&format!("tr[data-key-id='{id}']")).concat()
    }
}

impl TestServer {
    /// The events of a key in order: each action, and the reason where it has one. What is left out is refusals, which are
    /// told of whenever the server gets round to it.
    pub fn history(&self, id: &str) -> Vec<String> {
        let action = "action || CASE WHEN reason IS NULL THEN '' ELSE ' ' || reason END";
        let rest = format!(
            "FROM events WHERE key_id = '{id}' AND action <> 'api_key.refused_after_revocation' ORDER BY sequence"
        );
        database::column(&self.database_url, action, &rest).into_iter().flatten().collect()
    }

    /// That column of the last event of a key.
    pub fn last_event(&self, id: &str, column: &str) -> String {
        let rest = format!("FROM events WHERE key_id = '{id}' ORDER BY sequence DESC");
        database::column(&self.database_url, column, &rest)[0].clone().unwrap_or_default()
    }

    /// Presents a key by a program: the status, and the id of the request.
    pub fn present(&self, key: &str, program: &str) -> (u16, String) {
        self.present_from(key, program, "192.0.2.1")
    }

    /// The same from that address, where this server is behind a proxy.
    pub fn present_from(&self, key: &str, program: &str, address: &str) -> (u16, String) {
        let request = self.anonymous().request("GET", "/v1/whoami").bearer_auth(key);
        let answer = send(request.header("User-Agent", program).header("X-Forwarded-For", address));
        (answer.status, answer.header("x-request-id").to_owned())
    }

    /// How many keys there are.
    pub fn keys(&self) -> u64 {
        database::count(&self.database_url, "api_keys", "TRUE")
    }

    /// What a key is, said alike by the machine endpoint, the tabs and its own page.
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
