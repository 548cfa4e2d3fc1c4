//! Runs the server on a free port in its own thread, with a clock that the test sets.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::{Args, FromArgMatches};
use keydesk::actions::{Actions, record_key_change};
use keydesk::clock::Clock;
use keydesk::config::{Config, Settings};
use keydesk::domain::ids::CompanyId;
use keydesk::domain::timestamp::Timestamp;
use keydesk::domain::trail::checkpoint::CheckpointSigner;
use keydesk::domain::user::email::EmailAddress;
use keydesk::domain::user::profile::Role;
use keydesk::evidence::StateMonitor;
use keydesk::http::connections::IDLE_TIMEOUT;
use keydesk::server::{self, Continuity, Sampler, Server, UsageRecorder};
use keydesk::store::{StoreError, User};
use keydesk::witness::{WitnessStatus, Witnesses};
use tempfile::TempDir;

use super::companies::{add_brightwater, add_company, add_user};
use super::{Browser, PASSWORD, database};

/// The time at which every test starts: 23 November 2026, 09:00 UTC.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_424_400_000_000);

/// Servers that share sessions have the same public URL, after which the cookies are named.
const SHARED_URL: [&str; 2] = ["--public-url", "http://localhost"];

pub struct TestServer {
    pub address: SocketAddr,
    pub actions: Actions,
    pub clock: Clock,
    pub database_url: String,
    pub folder: Arc<TempDir>,
    pub setup_link: Option<String>,
    recorder: UsageRecorder,
    continuity: Continuity,
    pub witnesses: Witnesses,
    pub monitor: StateMonitor,
    pub sampler: Sampler,
    handle: actix_web::dev::ServerHandle,
}

impl TestServer {
    /// A server on an empty database, with set-up open.
    pub fn empty() -> Self {
        Self::with(&[], |_| {})
    }

    /// A server with the company Brightwater and its admin Maria.
    pub fn start() -> Self {
        Self::with(&[], add_brightwater)
    }

    /// A server that trusts `X-Forwarded-For` from 127.0.0.1.
    pub fn behind_proxy() -> Self {
        Self::with(&["--trusted-proxy", "127.0.0.1"], add_brightwater)
    }

    /// A server with these flags. `prepare` runs before the server accepts connections.
    pub fn with(flags: &[&str], prepare: impl FnOnce(&Actions)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database_url = database::new_url(&folder);
        Self::on(folder, database_url, Clock::manual(NOW), flags, prepare, IDLE_TIMEOUT)
    }

    /// A server that closes idle connections after this time.
    pub fn with_idle_timeout(idle_timeout: Duration) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database_url = database::new_url(&folder);
        Self::on(folder, database_url, Clock::manual(NOW), &[], add_brightwater, idle_timeout)
    }

    /// A server on this empty database, with the company Brightwater and its admin Maria.
    pub fn on_database(url: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::on(folder, url.to_owned(), Clock::manual(NOW), &[], add_brightwater, IDLE_TIMEOUT)
    }

    /// Another server on the same database and secrets. Its clock shows the same time, but is set separately.
    pub fn second_server(&self) -> Self {
        self.second_server_with(&[])
    }

    /// Like [`Self::second_server`], with these flags.
    pub fn second_server_with(&self, flags: &[&str]) -> Self {
        let clock = Clock::manual(self.clock.now());
        Self::on(Arc::clone(&self.folder), self.database_url.clone(), clock, flags, |_| {}, IDLE_TIMEOUT)
    }

    /// Replaces the key that signs checkpoints by that of a seed, and starts a server with the new secrets and these flags.
    /// This server keeps the former ones.
    pub fn with_next_key(&self, seed: u8, flags: &[&str]) -> Self {
        replace_key(&self.actions, self.folder.path(), &self.database_url, seed);
        self.second_server_with(flags)
    }

    /// Another server on the same database and secrets, with a data folder of its own.
    pub fn second_node(&self) -> Self {
        let secrets = self.folder.path().join("secrets");
        self.node_with(&["--secrets-file", secrets.to_str().unwrap()])
    }

    /// Another server on the same database, with a data folder of its own and these flags.
    pub fn node_with(&self, flags: &[&str]) -> Self {
        let (folder, clock) = (Arc::new(tempfile::tempdir().unwrap()), Clock::manual(self.clock.now()));
        Self::on(folder, self.database_url.clone(), clock, flags, |_| {}, IDLE_TIMEOUT)
    }

    /// A server with the system's clock.
    pub fn with_system_clock() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database_url = database::new_url(&folder);
        Self::on(folder, database_url, Clock::system(), &SHARED_URL, add_brightwater, IDLE_TIMEOUT)
    }

    /// Another server on the same database, on a machine whose clock is wrong by `skew` microseconds.
    pub fn second_server_with_skew(&self, skew: i64) -> Self {
        let clock = Clock::skewed(skew);
        Self::on(Arc::clone(&self.folder), self.database_url.clone(), clock, &SHARED_URL, |_| {}, IDLE_TIMEOUT)
    }

    fn on(
        folder: Arc<TempDir>,
        database_url: String,
        clock: Clock,
        flags: &[&str],
        prepare: impl FnOnce(&Actions),
        idle_timeout: Duration,
    ) -> Self {
        let config = config(folder.path(), &database_url, flags);
        let actions = server::open(&config, &clock).unwrap();
        prepare(&actions);
        let server = Server::bind(config, actions.clone()).unwrap().with_idle_timeout(idle_timeout);
        let (address, setup_link) = (server.address(), server.setup_link());
        let (recorder, witnesses) = (server.usage_recorder(), server.witnesses());
        let (monitor, sampler, continuity) = (server.state_monitor(), server.sampler(), server.continuity());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = server.start().unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let handle = receiver.recv().unwrap();
        Self {
            address,
            actions,
            clock,
            database_url,
            folder,
            setup_link,
            recorder,
            continuity,
            witnesses,
            monitor,
            sampler,
            handle,
        }
    }

    /// Sets the clock and keeps all sessions valid.
    pub fn set_clock(&self, now: Timestamp) {
        self.clock.set(now);
        let now = now.as_micros();
        let sql = format!("UPDATE sessions SET created_at = {now}, last_seen_at = {now}");
        database::tamper(&self.database_url, &sql);
    }

    pub fn advance(&self, duration: Duration) {
        self.clock.set(self.clock.now() + duration);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The name of the session cookie.
    pub fn cookie_name(&self) -> String {
        format!("keydesk-{}", self.address.port())
    }

    /// A browser without cookies.
    pub fn anonymous(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser in which the user has signed in.
    pub fn signed_in_as(&self, email: &str) -> Browser {
        let browser = self.anonymous();
        browser.post("/sign-in", &[("email", email), ("password", PASSWORD)]).expect_redirect(super::API_KEYS);
        browser
    }

    /// Signs in Maria, the admin of Brightwater.
    pub fn admin(&self) -> Browser {
        self.signed_in_as("maria@brightwater.example")
    }

    /// Adds Jonas, an auditor of Brightwater, and signs him in.
    pub fn auditor(&self) -> Browser {
        let company = self.company("Brightwater");
        add_user(&self.actions, company, "Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
        self.sign_in_auditor()
    }

    /// Signs the auditor in with another browser.
    pub fn sign_in_auditor(&self) -> Browser {
        self.signed_in_as("jonas@brightwater.example")
    }

    /// Adds the company Northwind and signs in its admin.
    pub fn other_company_admin(&self) -> Browser {
        let company = add_company(&self.actions, "Northwind");
        add_user(&self.actions, company, "Ada North", "ada@northwind.example", Role::Admin);
        self.signed_in_as("ada@northwind.example")
    }

    pub fn company(&self, name: &str) -> CompanyId {
        let case_folded = keydesk::domain::text::normalize::case_folded(name);
        self.actions.store.query(|db| db.companies().by_name(&case_folded)).unwrap().unwrap().id
    }

    pub fn user(&self, email: &str) -> User {
        let case_folded = EmailAddress::parse(email).unwrap().case_folded();
        let found = self.actions.store.read(|db| {
            let known = db.users().credentials(&case_folded)?.unwrap();
            db.users().by_id(known.company_id, known.user_id)
        });
        found.unwrap().unwrap()
    }

    /// The events of a company in order: each action and its state afterwards.
    pub fn trail(&self, company: &str) -> Vec<(String, String)> {
        let company = self.company(company);
        self.actions.report_refused_sign_ins().unwrap();
        let events =
            self.actions.store.query(|db| db.trails().events_between(company.into(), 1..=10_000, 10_000)).unwrap();
        events.into_iter().map(|(event, _)| (event.action, event.after.unwrap_or_default())).collect()
    }

    /// Records usage, as the server does every few seconds.
    pub fn record_usage(&self) {
        self.try_record_usage().unwrap();
    }

    pub fn try_record_usage(&self) -> Result<(), StoreError> {
        self.recorder.record()
    }

    /// Checks all trails and tables, as the server does in the background.
    pub fn check_state(&self) {
        self.monitor.check_all(|| self.clock.now(), &|_| true).unwrap();
    }

    /// The value of a metric with its labels, from a scrape. `None` if the server does not show it.
    pub fn metric(&self, name_and_labels: &str) -> Option<f64> {
        let text = self.anonymous().get("/metrics").expect(200).body;
        let prefix = format!("{name_and_labels} ");
        text.lines().find_map(|line| line.strip_prefix(&prefix)).map(|value| value.parse().unwrap())
    }

    /// Reads the numbers for the metrics, as the server does in the background, and returns one of them.
    pub fn sampled(&self, name_and_labels: &str) -> Option<f64> {
        self.sampler.sample().unwrap();
        self.metric(name_and_labels)
    }

    /// Compares the trails with what the server remembers of them, as it does every second.
    pub fn compare_trails(&self) {
        self.continuity.run().unwrap();
    }

    /// Sends new checkpoints to the witnesses, as the server does every few seconds.
    pub fn publish_checkpoints(&self) {
        for witness in self.witnesses.iter() {
            witness.publish().unwrap();
        }
    }

    /// The status of each witness for Brightwater's trail.
    pub fn statuses(&self) -> Vec<WitnessStatus> {
        self.statuses_of("Brightwater")
    }

    /// The status of each witness for the trail of a company.
    pub fn statuses_of(&self, company: &str) -> Vec<WitnessStatus> {
        let trail = self.company(company).into();
        self.actions.store.read(|db| self.witnesses.statuses(db, trail)).unwrap()
    }

    /// The status with which `/v1/whoami` answers for a key.
    pub fn whoami(&self, key: &str) -> u16 {
        self.anonymous().bearer("/v1/whoami", key).status
    }
}

/// The settings of a server with these flags.
pub fn config(data_dir: &Path, database_url: &str, flags: &[&str]) -> Config {
    let data_dir = data_dir.to_str().unwrap();
    let own = ["keydesk", "--listen", "127.0.0.1:0", "--data-dir", data_dir, "--database-url", database_url];
    let command = Settings::augment_args(clap::Command::new("keydesk"));
    let matches = command.try_get_matches_from([&own, flags].concat()).unwrap();
    Settings::from_arg_matches(&matches).unwrap().check().unwrap()
}

/// Replaces the key that signs checkpoints by that of a seed, in the database and in the secrets file.
pub fn replace_key(actions: &Actions, data_dir: &Path, database_url: &str, seed: u8) {
    let (former, next) = (&actions.secrets.signer(), CheckpointSigner::from_seed(&[seed; 32]));
    actions.store.write(|tx| record_key_change(tx, actions.installation, former, &next)).unwrap();
    let path = data_dir.join("secrets");
    let mut secrets: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    secrets["sets"][0]["checkpoint_seed"] = BASE64_STANDARD.encode([seed; 32]).into();
    fs::write(&path, secrets.to_string()).unwrap();
    // The next start recognizes the secrets by the stored public key, and stores their checks.
    database::tamper(database_url, "DELETE FROM secret_checks");
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // Stops the server without waiting for it.
        let _ = futures_util::FutureExt::now_or_never(self.handle.stop(false));
    }
}
