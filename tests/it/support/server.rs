//! The real server on a free port of this machine, in a thread of its own, with a clock that a test can move.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use clap::{Args, FromArgMatches};
use keydesk::actions::{Actions, NewUser};
use keydesk::clock::Clock;
use keydesk::config::Settings;
use keydesk::domain::email::EmailAddress;
use keydesk::domain::event::Origin;
use keydesk::domain::ids::CompanyId;
use keydesk::domain::instant::Instant;
use keydesk::domain::name::{CompanyName, PersonName};
use keydesk::domain::password::Password;
use keydesk::domain::user::Role;
use keydesk::edge::connections::LONGEST_SILENCE;
use keydesk::server::{self, Server, UsageRecorder};
use keydesk::store::{StoreError, User};
use keydesk::witness::{Standing, Witnesses};
use tempfile::TempDir;

use super::{Browser, PASSWORD, database};

/// The clock's first instant: 23 November 2026, 09:00 UTC.
pub const NOW: Instant = Instant::from_micros(1_795_424_400_000_000);

/// A running server.
pub struct TestServer {
    pub address: SocketAddr,
    pub actions: Actions,
    pub clock: Clock,
    pub database_url: String,
    pub folder: Arc<TempDir>,
    pub setup_link: Option<String>,
    recorder: UsageRecorder,
    pub witnesses: Witnesses,
    handle: actix_web::dev::ServerHandle,
}

impl TestServer {
    /// A server on an empty database: set-up is open.
    pub fn empty() -> Self {
        Self::with(&[], |_| {})
    }

    /// A server with the company Brightwater and its admin Maria.
    pub fn start() -> Self {
        Self::with(&[], add_brightwater)
    }

    /// The same behind a proxy on this machine, which says where requests come from.
    pub fn behind_a_proxy() -> Self {
        Self::with(&["--trusted-proxy", "127.0.0.1"], add_brightwater)
    }

    /// A server with these flags, prepared before it begins to answer.
    pub fn with(flags: &[&str], prepare: impl FnOnce(&Actions)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database_url = database::new_url(&folder);
        Self::on(folder, database_url, Clock::set_by_hand(NOW), flags, prepare, LONGEST_SILENCE)
    }

    /// A server with the company Brightwater and its admin Maria, which cuts connections after that long a silence.
    pub fn impatient(longest_silence: Duration) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database_url = database::new_url(&folder);
        Self::on(folder, database_url, Clock::set_by_hand(NOW), &[], add_brightwater, longest_silence)
    }

    /// Another server on the same database and secrets, with a clock of its own that says the same.
    pub fn beside(&self) -> Self {
        self.beside_with(&[])
    }

    /// The same with these flags.
    pub fn beside_with(&self, flags: &[&str]) -> Self {
        let clock = Clock::set_by_hand(self.clock.now());
        Self::on(Arc::clone(&self.folder), self.database_url.clone(), clock, flags, |_| {}, LONGEST_SILENCE)
    }

    fn on(
        folder: Arc<TempDir>,
        database_url: String,
        clock: Clock,
        flags: &[&str],
        prepare: impl FnOnce(&Actions),
        longest_silence: Duration,
    ) -> Self {
        let data_dir = folder.path().to_str().unwrap();
        let own = ["keydesk", "--listen", "127.0.0.1:0", "--data-dir", data_dir, "--database-url", &database_url];
        let command = Settings::augment_args(clap::Command::new("keydesk"));
        let matches = command.try_get_matches_from([&own, flags].concat()).unwrap();
        let config = Settings::from_arg_matches(&matches).unwrap().check().unwrap();
        let actions = server::open(&config, &clock).unwrap();
        prepare(&actions);
        let server = Server::bind(config, actions.clone()).unwrap().with_longest_silence(longest_silence);
        let (address, setup_link) = (server.address(), server.setup_link().unwrap());
        let (recorder, witnesses) = (server.usage_recorder(), server.witnesses());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = server.start().unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let handle = receiver.recv().unwrap();
        Self { address, actions, clock, database_url, folder, setup_link, recorder, witnesses, handle }
    }

    /// Moves the clock to an instant, and whoever is signed in stays so however far that is.
    pub fn stand_at(&self, now: Instant) {
        self.clock.set(now);
        let now = now.as_micros();
        let sql = format!("UPDATE sessions SET created_at = {now}, last_seen_at = {now}");
        database::tamper(&self.database_url, &sql);
    }

    /// Moves the clock on.
    pub fn wait(&self, duration: Duration) {
        self.clock.set(self.clock.now() + duration);
    }

    /// Where a path is on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Somebody who has never been here.
    pub fn anonymous(&self) -> Browser {
        Browser::new(self.address)
    }

    /// Somebody who signed in.
    pub fn signed_in_as(&self, email: &str) -> Browser {
        let browser = self.anonymous();
        browser.post("/sign-in", &[("email", email), ("password", PASSWORD)]).expect_redirect(super::K);
        browser
    }

    /// Maria, who is an admin.
    pub fn admin(&self) -> Browser {
        self.signed_in_as("maria@brightwater.example")
    }

    /// An auditor of Brightwater.
    pub fn auditor(&self) -> Browser {
        let company = self.company("Brightwater");
        add_user(&self.actions, company, "Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
        self.auditor_again()
    }

    /// The same auditor in another browser.
    pub fn auditor_again(&self) -> Browser {
        self.signed_in_as("jonas@brightwater.example")
    }

    /// An admin of another company, which is added for them.
    pub fn admin_elsewhere(&self) -> Browser {
        let company = add_company(&self.actions, "Northwind");
        add_user(&self.actions, company, "Ada North", "ada@northwind.example", Role::Admin);
        self.signed_in_as("ada@northwind.example")
    }

    /// The id of a company.
    pub fn company(&self, name: &str) -> CompanyId {
        let folded = keydesk::domain::text::folded(name);
        self.actions.store.ask(|questions| questions.company_by_name(&folded)).unwrap().unwrap().id
    }

    /// The user of that address.
    pub fn user(&self, email: &str) -> User {
        let folded = EmailAddress::parse(email).unwrap().folded();
        let found = self.actions.store.read(|questions| {
            let known = questions.credentials(&folded)?.unwrap();
            questions.user(known.company_id, known.user_id)
        });
        found.unwrap().unwrap()
    }

    /// What happened in a company, in order: each action, and what is true since.
    pub fn trail(&self, company: &str) -> Vec<(String, String)> {
        let company = self.company(company);
        let events =
            self.actions.store.ask(|questions| questions.events_between(company.into(), 1..=10_000, 10_000)).unwrap();
        events.into_iter().map(|(event, _)| (event.action, event.after.unwrap_or_default())).collect()
    }

    /// Writes down how keys were used until now, which the server does every few seconds.
    pub fn record_usage(&self) {
        self.try_to_record_usage().unwrap();
    }

    /// The same, where it may fail.
    pub fn try_to_record_usage(&self) -> Result<(), StoreError> {
        self.recorder.record()
    }

    /// Tells the witnesses of new checkpoints, which the server does every few seconds.
    pub fn tell_witnesses(&self) {
        for witness in self.witnesses.each() {
            witness.tell().unwrap();
        }
    }

    /// How the witnesses stand to Brightwater's trail.
    pub fn standings(&self) -> Vec<Standing> {
        self.standings_of("Brightwater")
    }

    /// How they stand to the trail of a company.
    pub fn standings_of(&self, company: &str) -> Vec<Standing> {
        let trail = self.company(company).into();
        self.actions.store.read(|questions| self.witnesses.standings(questions, trail)).unwrap()
    }

    /// Asks the machine endpoint about a key: the status.
    pub fn whoami(&self, key: &str) -> u16 {
        self.anonymous().bearer("/v1/whoami", key).status
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // Told to stop at once; nobody waits for it.
        let _ = futures_util::FutureExt::now_or_never(self.handle.stop(false));
    }
}

pub fn add_brightwater(actions: &Actions) {
    let company = add_company(actions, "Brightwater");
    add_user(actions, company, "Maria Lindqvist", "maria@brightwater.example", Role::Admin);
}

pub fn add_company(actions: &Actions, name: &str) -> CompanyId {
    actions.add_company(&CompanyName::parse(name).unwrap(), &Origin::command_line()).unwrap()
}

pub fn add_user(actions: &Actions, company: CompanyId, name: &str, email: &str, role: Role) {
    let (name, email) = (PersonName::parse(name).unwrap(), EmailAddress::parse(email).unwrap());
    let password_hash = actions.passwords.hash(&Password::presented(PASSWORD)).unwrap();
    let user = NewUser { role, name: &name, email: &email };
    actions.add_user(company, &user, &password_hash, &Origin::command_line()).unwrap();
}
