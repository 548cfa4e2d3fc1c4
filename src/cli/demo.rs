//! `keydesk demo`: serves a throw-away company with keys, users and a history of 15 months.

mod large;
mod usage_pattern;

use std::collections::HashMap;
use std::time::Duration;

use usage_pattern::USAGE_PATTERNS;

use super::error::CliError;
use super::log::Log;
use super::serve;
use crate::actions::{
    Actions, AuthenticatedUser, CompanyRules, KeyDisposition, KeyEdit, NewKeyRequest, NewUser, RequestContext,
    RotationRequest, SessionClaim, SignedInUser,
};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::client::Client;
use crate::domain::ids::{KeyId, SessionId};
use crate::domain::key::account_details::{DetailsEdit, Purpose};
use crate::domain::key::lifecycle::{Comment, RevocationReason};
use crate::domain::key::rotation::Overlap;
use crate::domain::key::submission::{KeyForm, SubmissionId};
use crate::domain::key::usage::UsageDelta;
use crate::domain::policy::key_policy::{Days, KeyPolicy, RequestedExpiry};
use crate::domain::text::name::{CompanyName, PersonName, ServiceAccountName};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::email::EmailAddress;
use crate::domain::user::password::Password;
use crate::domain::user::profile::Role;
use crate::random;
use crate::server::{self, Server};
use crate::web::app::session::store::Sessions;

const COMPANY: &str = "Brightwater Foods";
const USERS: [(&str, &str, Role, &str); 5] = [
    ("Maria Lindqvist", "maria.lindqvist@brightwater.example", Role::Admin, "203.0.113.24"),
    ("Tomasz Wójcik", "tomasz.wojcik@brightwater.example", Role::Admin, "198.51.100.7"),
    ("Priya Raman", "priya.raman@brightwater.example", Role::Admin, "192.0.2.61"),
    ("Jonas Bakke", "jonas.bakke@brightwater.example", Role::Auditor, "192.0.2.18"),
    ("Anders Holm", "anders.holm@brightwater.example", Role::Admin, "203.0.113.57"),
];
const INVITED_USER: (&str, &str) = ("Elif Demir", "elif.demir@brightwater.example");
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
const WORKDAY_START: Duration = Duration::from_hours(7);

/// What happens in the history.
enum Step {
    Create(&'static str),
    Revoke(&'static str, RevocationReason, &'static str),
    /// A client presents a revoked or expired key this many times, the last time now.
    Present(&'static str, u64),
    /// Creates a key that expires after this many days.
    CreateFor(&'static str, i32),
    Rename(&'static str, &'static str),
    Rotate(&'static str, Overlap),
    /// Sets the rotation period in days.
    Policy(i32),
    SignIn,
    Invite,
    /// Deletes one of [`USERS`] and transfers the keys to another.
    Delete(usize, usize),
}

/// Days ago, minutes into the working day (or minutes ago, if today), the index of the user, and the step.
const HISTORY: [(u64, u64, usize, Step); 31] = [
    (440, 310, 4, Step::Create("Legacy Importer")),
    (412, 95, 2, Step::Create("Power BI Gateway")),
    (371, 505, 2, Step::Create("Mobile Scanner Pilot")),
    (
        338,
        402,
        2,
        Step::Revoke(
            "Mobile Scanner Pilot",
            RevocationReason::NoLongerUsed,
            "The pilot in the Gdańsk warehouse has ended.",
        ),
    ),
    (301, 120, 4, Step::Create("Order Alerts")),
    (264, 33, 0, Step::Create("Supplier Portal Webhooks")),
    (215, 61, 2, Step::Create("Payroll Export")),
    (214, 20, 2, Step::Rename("Payroll Export", "Payroll Export (nightly)")),
    (180, 505, 0, Step::Delete(4, 0)),
    (158, 477, 1, Step::Create("Warehouse Label Printer")),
    (131, 88, 2, Step::CreateFor("Carrier Rate Import", 90)),
    (120, 240, 1, Step::Create("Reporting Dashboard")),
    (
        87,
        410,
        2,
        Step::Revoke(
            "Power BI Gateway",
            RevocationReason::Superseded,
            "Reports now come from the Reporting Dashboard.",
        ),
    ),
    (
        51,
        220,
        1,
        Step::Revoke("Reporting Dashboard", RevocationReason::Compromised, "Key was pasted into a support ticket."),
    ),
    (51, 223, 1, Step::Present("Reporting Dashboard", 2)),
    (51, 224, 1, Step::Create("Reporting Dashboard")),
    (41, 130, 2, Step::Present("Carrier Rate Import", 2)),
    (33, 180, 0, Step::Create("שירות דיווח חודשי")),
    (20, 15, 0, Step::Policy(365)),
    (19, 300, 1, Step::CreateFor("Customs declaration and freight document exchange with Rotterdam", 30)),
    (12, 402, 2, Step::CreateFor("Route Planning", 180)),
    (11, 501, 0, Step::Create("ERP Sync Service")),
    (9, 75, 2, Step::SignIn),
    (4, 132, 3, Step::SignIn),
    (2, 231, 1, Step::SignIn),
    (2, 238, 1, Step::Create("Staging Smoke Tests")),
    (2, 400, 2, Step::Present("Power BI Gateway", 12)),
    (1, 190, 0, Step::Invite),
    (0, 1_140, 1, Step::Rotate("Warehouse Label Printer", Overlap::Day)),
    (0, 14, 0, Step::Revoke("Legacy Importer", RevocationReason::NoLongerUsed, "")),
    (0, 2, 0, Step::Present("Legacy Importer", 4)),
];

/// What some of the service accounts are for.
const PURPOSES: [(&str, &str); 5] = [
    ("ERP Sync Service", "Copies orders and stock levels between the ERP system and the platform, every ten minutes."),
    ("Order Alerts", "Posts orders that wait for more than an hour to the channel of the planners."),
    ("Reporting Dashboard", "Reads the figures of the weekly management report."),
    ("Supplier Portal Webhooks", "Tells suppliers about changed delivery dates."),
    ("Warehouse Label Printer", "Fetches the addresses for the label printers in Gdańsk and Rotterdam."),
];

#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Fill the company with this many keys first, 250,000 without a number: a million rows. A key takes 2.5 KB of the
    /// temporary folder
    #[arg(
        long,
        value_name = "KEYS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "250000",
        value_parser = clap::value_parser!(u64).range(1..=5_000_000)
    )]
    large: Option<u64>,
}

impl Demo {
    pub(super) fn run(&self, settings: Settings, log: &Log) -> Result<(), CliError> {
        run(settings, log, self.large)
    }
}

fn run(settings: Settings, log: &Log, additional_keys: Option<u64>) -> Result<(), CliError> {
    let start = serve::Start::begin(log)?;
    let folder = tempfile::Builder::new().prefix("keydesk-demo-").tempdir()?;
    let config = settings.for_temporary_installation(folder.path().to_owned()).check()?;
    let now = Clock::system().now();
    let history_clock = Clock::manual(now);
    let password = random::hex::<10>();
    let past = server::open(&config, &history_clock)?;
    Replay { actions: &past, now, password: &password, additional_keys }.run()?;
    let present = Actions { clock: Clock::system(), ..past };
    let first = [format!("Email: {}", USERS[0].1), format!("Password: {password}")];
    serve::run(Server::bind(config, present)?, &first, log, start)
}

/// Replays [`HISTORY`] on an installation with a manual clock.
struct Replay<'a> {
    actions: &'a Actions,
    now: Timestamp,
    password: &'a str,
    additional_keys: Option<u64>,
}

impl Replay<'_> {
    fn run(&self) -> Result<(), CliError> {
        let first_day = HISTORY[0].0 + 1;
        self.set_clock(first_day + self.additional_keys.map_or(0, large::days), 0);
        let company = self.actions.add_company(&CompanyName::parse(COMPANY)?)?;
        let password_hash = self.actions.passwords.hash(&Password::presented(self.password))?;
        let mut users = Vec::new();
        for (name, email, role, _) in USERS {
            let (name, email) = (PersonName::parse(name)?, EmailAddress::parse(email)?);
            let user = NewUser { role, name: &name, email: &email };
            users.push(self.actions.add_user(&RequestContext::command_line(company), &user, &password_hash)?);
        }
        if let Some(keys) = self.additional_keys {
            self.set_clock(first_day, 0);
            large::fill(self.actions, (company, &users), keys, self.actions.clock.now())?;
        }
        let mut newest_first: Vec<(&str, KeyId)> = Vec::new();
        let find = |newest_first: &[(&str, KeyId)], name: &str| {
            let key = newest_first.iter().find(|(other, _)| *other == name).map(|(_, key)| *key);
            key.ok_or("The demo uses a key that it has not created.")
        };
        for (days, minutes, user, step) in &HISTORY {
            self.set_clock(*days, *minutes);
            self.actions.record_ended_keys()?;
            self.actions.assess_keys_of(company)?;
            let user_id = users[*user];
            let context = self.sign_in(SignedInUser { user_id, company_id: company }, client(USERS[*user].3)?)?;
            match step {
                Step::Create(name) => {
                    newest_first.insert(0, (name, self.create(&context, name, RequestedExpiry::Default)?));
                }
                Step::CreateFor(name, days) => {
                    let expiry = Days::new(*days).map_or(RequestedExpiry::Default, RequestedExpiry::For);
                    newest_first.insert(0, (name, self.create(&context, name, expiry)?));
                }
                Step::Rename(name, new) => {
                    let key = find(&newest_first, name)?;
                    let name = ServiceAccountName::parse(new)?;
                    let details = DetailsEdit::default();
                    let edit = KeyEdit { version: None, name, owner: None, details, expiry: None };
                    self.actions.edit_key(&context, key, &edit)?;
                    newest_first.insert(0, (new, key));
                }
                Step::Rotate(name, overlap) => {
                    let request = RotationRequest { overlap: *overlap, expiry: RequestedExpiry::Default };
                    let (key, submission) = (find(&newest_first, name)?, self.submission(KeyForm::Rotate)?);
                    let rotated = self.actions.rotate_key(&context, key, &request, submission)?;
                    newest_first.insert(0, (name, rotated.created.id));
                }
                Step::Policy(days) => {
                    let key_policy = KeyPolicy { rotation_period: Days::new(*days), ..KeyPolicy::default() };
                    let rules = CompanyRules { key_policy, ..CompanyRules::default() };
                    self.actions.change_company(&context, None, None, &rules)?;
                }
                Step::Revoke(name, reason, comment) => {
                    let key = find(&newest_first, name)?;
                    self.actions.revoke_key(&context, key, *reason, Comment::parse(comment)?)?;
                }
                Step::Present(name, count) => {
                    let now = self.actions.clock.now();
                    let program = ("203.0.113.140", "libwww-perl/6.77");
                    self.record(usage_pattern::refusals(find(&newest_first, name)?, company, *count, now, &program)?)?;
                    self.actions.report_refusals()?;
                }
                Step::SignIn => {
                    let password = Password::presented(self.password);
                    self.actions.sign_in(USERS[*user].1, &password, None, &context.client)?;
                }
                Step::Invite => {
                    let (name, email) = (PersonName::parse(INVITED_USER.0)?, EmailAddress::parse(INVITED_USER.1)?);
                    let user = NewUser { role: Role::Auditor, name: &name, email: &email };
                    self.actions.invite_user(&context, &user)?;
                }
                Step::Delete(user, new_owner) => {
                    let keys = KeyDisposition::HandOver(users[*new_owner]);
                    self.actions.delete_user(&context, users[*user], keys)?;
                }
            }
        }
        self.actions.clock.set(self.now);
        let mut usage = HashMap::new();
        for pattern in &USAGE_PATTERNS {
            let mut keys = newest_first.iter().filter(|(name, _)| *name == pattern.account);
            let (_, key) = keys.nth(pattern.key).ok_or("The demo uses a key that it has not created.")?;
            usage.insert(*key, pattern.usage_until(self.now, company)?);
        }
        self.record(usage)?;
        Ok(self.actions.assess_keys_of(company)?)
    }

    fn record(&self, usage: HashMap<KeyId, UsageDelta>) -> Result<(), CliError> {
        let (unwritten, recorded) = self.actions.record_usage(usage, self.actions.clock.now());
        recorded?;
        if unwritten.is_empty() { Ok(()) } else { Err("The demo used a key whose end is not recorded.".into()) }
    }

    /// Sets the clock to a time of [`HISTORY`].
    fn set_clock(&self, days: u64, minutes: u64) {
        let at = if days == 0 {
            self.now - Duration::from_mins(minutes)
        } else {
            let day = (self.now - Duration::from_hours(24 * days)).as_micros();
            Timestamp::from_micros(day - day.rem_euclid(DAY_MICROS)) + WORKDAY_START + Duration::from_mins(minutes)
        };
        self.actions.clock.set(at);
    }

    fn create(&self, context: &RequestContext, name: &str, expiry: RequestedExpiry) -> Result<KeyId, CliError> {
        let purpose = PURPOSES.iter().find(|(account, _)| *account == name).map_or("", |(_, purpose)| purpose);
        let (name, purpose) = (ServiceAccountName::parse(name)?, Purpose::parse(purpose)?);
        let request = NewKeyRequest { name, expiry, purpose };
        Ok(self.actions.create_key(context, &request, self.submission(KeyForm::Create)?)?.id)
    }

    /// Begins a session, so that the user can make a change.
    fn sign_in(&self, user: SignedInUser, client: Client) -> Result<RequestContext, CliError> {
        let Actions { store, clock, .. } = self.actions;
        let sessions = Sessions { store: store.clone(), clock: clock.clone() };
        let epoch = store.query(|db| db.users().sign_in_epoch(user.user_id))?.unwrap_or_default();
        let token = sessions.begin(AuthenticatedUser { user, epoch }, &client)?;
        let session = store.query(|db| db.sessions().by_token(&token.digest()))?;
        let session = session.ok_or("A user of the demo has no session.")?;
        Ok(RequestContext::of_session(SessionClaim::from(&session), client))
    }

    /// Opens and submits a form.
    fn submission(&self, form: KeyForm) -> Result<SubmissionId, CliError> {
        let now = self.actions.clock.now();
        let session = SessionId::new(now, &random::bytes());
        let secrets = self.actions.secrets.active();
        let submissions = &secrets.submissions;
        let opened = submissions.issue(form, session, now, random::bytes());
        Ok(submissions.check(&opened, form, session, now).ok_or("The form of the demo is not valid.")?)
    }
}

fn client(address: &str) -> Result<Client, CliError> {
    Ok(Client {
        address: Some(address.parse()?),
        user_agent: Some(USER_AGENT.to_owned()),
        request_id: Some(random::hex::<8>()),
    })
}
