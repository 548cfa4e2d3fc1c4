//! A browser without scripts: keeps cookies, sends Fetch Metadata and parses pages. It follows no redirects.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::cookie::Jar;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use scraper::{ElementRef, Selector};

use super::API_KEYS;

#[derive(Clone)]
pub struct Browser {
    client: Client,
    origin: String,
    pub cookies: Arc<Jar>,
}

/// A complete response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// A parsed page.
pub struct Html(pub scraper::Html);

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        let cookies = Arc::new(Jar::default());
        let client = Client::builder()
            .redirect(Policy::none())
            .cookie_provider(Arc::clone(&cookies))
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        Self { client, origin: format!("http://{address}"), cookies }
    }

    /// The address of the server.
    pub fn address(&self) -> SocketAddr {
        self.origin.trim_start_matches("http://").parse().unwrap()
    }

    pub fn get(&self, path: &str) -> Answer {
        send(self.client.get(format!("{}{path}", self.origin)))
    }

    pub fn head(&self, path: &str) -> Answer {
        send(self.client.head(format!("{}{path}", self.origin)))
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        send(self.request("POST", path).header("Sec-Fetch-Site", "same-origin").form(fields))
    }

    /// Opens the form of `path` and submits it with its version and these fields.
    pub fn save(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let version = self.form_version(path);
        self.post(path, &[fields, &[("version", &version)]].concat())
    }

    /// The version in a newly opened form; empty without a form.
    pub fn form_version(&self, path: &str) -> String {
        let form = self.get(path).html();
        let version = form.all("input[name=version]").first().and_then(|input| input.attr("value"));
        version.unwrap_or_default().to_owned()
    }

    /// A request without any of the headers that a browser adds.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.origin))
    }

    pub fn bearer(&self, path: &str, key: &str) -> Answer {
        send(self.client.get(format!("{}{path}", self.origin)).bearer_auth(key))
    }

    /// Sets the cookie with the browser's time zone.
    pub fn set_time_zone(&self, zone: &str) {
        self.cookies.add_cookie_str(&format!("tz={zone}; Path=/"), &self.origin.parse().unwrap());
    }

    /// Opens the form and submits it. The answer shows the new key or an error.
    pub fn add_key(&self, name: &str) -> Answer {
        let submission = self.submission();
        self.post(API_KEYS, &[("name", name), ("submission", &submission)])
    }

    /// The submission token of a newly opened form.
    pub fn submission(&self) -> String {
        let form = self.get(&format!("{API_KEYS}/new"));
        assert_eq!(form.status, 200, "{}", form.body);
        form.html().attribute("input[name=submission]", "value")
    }

    /// Creates a key. Returns its id and the key itself.
    pub fn create_key(&self, name: &str) -> (String, String) {
        let answer = self.add_key(name);
        assert_eq!(answer.status, 201, "{}", answer.body);
        let page = answer.html();
        (page.attribute("#new-key", "data-key-id"), page.text("#new-key"))
    }

    pub fn revoke(&self, id: &str, reason: &str, comment: &str) -> Answer {
        self.post(&format!("{API_KEYS}/{id}/revoke"), &[("reason", reason), ("comment", comment)])
    }
}

pub fn send(request: RequestBuilder) -> Answer {
    let response: Response = request.send().unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().unwrap() }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of the `Set-Cookie` header for this cookie.
    pub fn cookie(&self, name: &str) -> String {
        let cookies = self.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        let own: Vec<&str> = cookies.filter(|cookie| cookie.starts_with(&format!("{name}="))).collect();
        assert_eq!(own.len(), 1, "{own:?}");
        own[0].to_owned()
    }

    /// The body without the request's id, which an error shows as its reference.
    pub fn without_reference(&self) -> String {
        self.body.replace(self.header("x-request-id"), "")
    }

    pub fn html(&self) -> Html {
        Html(scraper::Html::parse_document(&self.body))
    }

    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    pub fn expect_redirect(self, to: &str) -> Self {
        assert_eq!((self.status, self.header("location")), (303, to), "{}", self.body);
        self
    }
}

impl Html {
    pub fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        self.0.select(&Selector::parse(selector).unwrap()).collect()
    }

    pub fn has(&self, selector: &str) -> bool {
        !self.all(selector).is_empty()
    }

    /// The text of the only element that matches, with white space collapsed.
    pub fn text(&self, selector: &str) -> String {
        let found = self.all(selector);
        assert_eq!(found.len(), 1, "{} elements match {selector}", found.len());
        words(&found[0])
    }

    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector).iter().map(words).collect()
    }

    pub fn attribute(&self, selector: &str, name: &str) -> String {
        let found = self.all(selector);
        assert_eq!(found.len(), 1, "{} elements match {selector}", found.len());
        found[0].attr(name).unwrap_or_default().to_owned()
    }

    /// The names in the list, in order.
    pub fn key_names(&self) -> Vec<String> {
        let rows = self.all("tr[data-key-id] th[scope=row]");
        rows.iter().map(|cell| cell.text().collect()).collect()
    }

    /// The tabs with their counters: active, revoked.
    pub fn counters(&self) -> Vec<String> {
        self.texts("nav[aria-label='API keys by status'] a")
    }
}

pub fn words(element: &ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}
