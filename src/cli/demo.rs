//! `keydesk demo`: a throw-away company with realistic keys, users and a history over months.

mod habits;

use std::collections::HashMap;
use std::time::Duration;

use habits::HABITS;

use super::{Refusal, serve};
use crate::actions::{Actions, Attempter, KeyWish, KeysLeftBehind, NewUser, RotationWish};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::actor::Actor;
use crate::domain::api_key::{Comment, RevocationReason};
use crate::domain::email::EmailAddress;
use crate::domain::event::Origin;
use crate::domain::ids::{CompanyId, KeyId, SessionId, UserId};
use crate::domain::instant::Instant;
use crate::domain::key_policy::{Days, ExpiryWish, KeyPolicy};
use crate::domain::name::{CompanyName, PersonName, ServiceAccountName};
use crate::domain::password::Password;
use crate::domain::rotation::Overlap;
use crate::domain::submission::{KeyForm, SubmissionId};
use crate::domain::usage::KeyUse;
use crate::domain::user::Role;
use crate::random;
use crate::server::{self, Server};

const COMPANY: &str = "Brightwater Foods";
const PEOPLE: [(&str, &str, Role, &str); 5] = [
    ("Maria Lindqvist", "maria.lindqvist@brightwater.example", Role::Admin, "203.0.113.24"),
    ("Tomasz Wójcik", "tomasz.wojcik@brightwater.example", Role::Admin, "198.51.100.7"),
    ("Priya Raman", "priya.raman@brightwater.example", Role::Admin, "192.0.2.61"),
    ("Jonas Bakke", "jonas.bakke@brightwater.example", Role::Auditor, "192.0.2.18"),
    ("Anders Holm", "anders.holm@brightwater.example", Role::Admin, "203.0.113.57"),
];
const NEWCOMER: (&str, &str) = ("Elif Demir", "elif.demir@brightwater.example");
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

const A_DAY: i64 = 24 * 60 * 60 * 1_000_000;
const WORK_BEGINS: Duration = Duration::from_hours(7);

/// Something that somebody did.
enum Act {
    Create(&'static str),
    Revoke(&'static str, RevocationReason, &'static str),
    /// Presents a revoked or expired key so many times, until then.
    Present(&'static str, u64),
    /// Creates one that is good for so many days.
    CreateFor(&'static str, i32),
    Rename(&'static str, &'static str),
    Rotate(&'static str, Overlap),
    /// Asks for a rotation after so many days.
    Policy(i32),
    SignIn,
    Invite,
    /// Deletes one of [`PEOPLE`] and hands their keys to another.
    Delete(usize, usize),
}

/// How many days ago, how many minutes into the working day (or, today, how many minutes ago), who did it, and what.
const HISTORY: [(u64, u64, usize, Act); 31] = [
    (440, 310, 4, Act::Create("Legacy Importer")),
    (412, 95, 2, Act::Create("Power BI Gateway")),
    (371, 505, 2, Act::Create("Mobile Scanner Pilot")),
    (
        338,
        402,
        2,
        Act::Revoke(
            "Mobile Scanner Pilot",
            RevocationReason::NoLongerUsed,
            "The pilot in the Gdańsk warehouse has ended.",
        ),
    ),
    (301, 120, 4, Act::Create("Order Alerts")),
    (264, 33, 0, Act::Create("Supplier Portal Webhooks")),
    (215, 61, 2, Act::Create("Payroll Export")),
    (214, 20, 2, Act::Rename("Payroll Export", "Payroll Export (nightly)")),
    (180, 505, 0, Act::Delete(4, 0)),
    (158, 477, 1, Act::Create("Warehouse Label Printer")),
    (131, 88, 2, Act::CreateFor("Carrier Rate Import", 90)),
    (120, 240, 1, Act::Create("Reporting Dashboard")),
    (
        87,
        410,
        2,
        Act::Revoke("Power BI Gateway", RevocationReason::Superseded, "Reports now come from the Reporting Dashboard."),
    ),
    (
        51,
        220,
        1,
        Act::Revoke("Reporting Dashboard", RevocationReason::Compromised, "Key was pasted into a support ticket."),
    ),
    (51, 223, 1, Act::Present("Reporting Dashboard", 2)),
    (51, 224, 1, Act::Create("Reporting Dashboard")),
    (41, 130, 2, Act::Present("Carrier Rate Import", 2)),
    (33, 180, 0, Act::Create("שירות דיווח חודשי")),
    (20, 15, 0, Act::Policy(365)),
    (19, 300, 1, Act::CreateFor("Customs declaration and freight document exchange with Rotterdam", 30)),
    (12, 402, 2, Act::CreateFor("Route Planning", 180)),
    (11, 501, 0, Act::Create("ERP Sync Service")),
    (9, 75, 2, Act::SignIn),
    (4, 132, 3, Act::SignIn),
    (2, 231, 1, Act::SignIn),
    (2, 238, 1, Act::Create("Staging Smoke Tests")),
    (2, 400, 2, Act::Present("Power BI Gateway", 12)),
    (1, 190, 0, Act::Invite),
    (0, 1_140, 1, Act::Rotate("Warehouse Label Printer", Overlap::Day)),
    (0, 14, 0, Act::Revoke("Legacy Importer", RevocationReason::NoLongerUsed, "")),
    (0, 2, 0, Act::Present("Legacy Importer", 4)),
];

pub(super) fn demo(settings: Settings) -> Result<(), Refusal> {
    let folder = tempfile::Builder::new().prefix("keydesk-demo-").tempdir()?;
    let config = settings.inside(folder.path().to_owned()).check()?;
    let now = Clock::machine().now();
    let then = Clock::set_by_hand(now);
    let password = random::hex::<10>();
    let past = server::open(&config, &then)?;
    Story { actions: &past, now, password: &password }.tell()?;
    let present = Actions { clock: Clock::machine(), ..past };
    let first = [format!("Email: {}", PEOPLE[0].1), format!("Password: {password}")];
    serve::run(Server::bind(config, present)?, &first)
}

struct Story<'a> {
    actions: &'a Actions,
    now: Instant,
    password: &'a str,
}

impl Story<'_> {
    fn tell(&self) -> Result<(), Refusal> {
        self.at(HISTORY[0].0 + 1, 0);
        let company = self.actions.add_company(&CompanyName::parse(COMPANY)?, &Origin::command_line())?;
        let password_hash = self.actions.passwords.hash(&Password::presented(self.password))?;
        let mut users = Vec::new();
        for (name, email, role, _) in PEOPLE {
            let (name, email) = (PersonName::parse(name)?, EmailAddress::parse(email)?);
            let user = NewUser { role, name: &name, email: &email };
            users.push(self.actions.add_user(company, &user, &password_hash, &Origin::command_line())?);
        }
        let mut newest: Vec<(&str, KeyId)> = Vec::new();
        let known = |newest: &[(&str, KeyId)], name: &str| {
            let key = newest.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
            key.ok_or("The demo speaks of a key that it never made.")
        };
        for (days, minutes, person, act) in &HISTORY {
            self.at(*days, *minutes);
            self.actions.record_ends()?;
            let (user, origin) = (users[*person], by(users[*person], PEOPLE[*person].3));
            match act {
                Act::Create(name) => {
                    newest.insert(0, (name, self.create(company, user, name, ExpiryWish::Default, &origin)?));
                }
                Act::CreateFor(name, days) => {
                    let expiry = Days::new(*days).map_or(ExpiryWish::Default, ExpiryWish::For);
                    newest.insert(0, (name, self.create(company, user, name, expiry, &origin)?));
                }
                Act::Rename(name, new) => {
                    let key = known(&newest, name)?;
                    self.actions.edit_key(company, key, &ServiceAccountName::parse(new)?, None, &origin)?;
                    newest.insert(0, (new, key));
                }
                Act::Rotate(name, overlap) => {
                    let wish = RotationWish { overlap: *overlap, expiry: ExpiryWish::Default };
                    let (key, sent) = (known(&newest, name)?, self.sent(KeyForm::Rotate)?);
                    let rotated = self.actions.rotate_key(company, key, user, &wish, sent, &origin)?;
                    newest.insert(0, (name, rotated.created.id));
                }
                Act::Policy(days) => {
                    let key_policy = KeyPolicy { rotation_period: Days::new(*days), ..KeyPolicy::default() };
                    self.actions.change_company(company, &CompanyName::parse(COMPANY)?, false, key_policy, &origin)?;
                }
                Act::Revoke(name, reason, comment) => {
                    let key = known(&newest, name)?;
                    self.actions.revoke_key(company, key, *reason, Comment::parse(comment)?, &origin)?;
                }
                Act::Present(name, count) => {
                    let then = self.actions.clock.now();
                    let program = ("203.0.113.140", "libwww-perl/6.77");
                    self.record(habits::refused(known(&newest, name)?, company, *count, then, &program)?)?;
                    self.actions.report_refusals()?;
                }
                Act::SignIn => {
                    let password = Password::presented(self.password);
                    self.actions.sign_in(PEOPLE[*person].1, &password, &Attempter::default(), &origin)?;
                }
                Act::Invite => {
                    let (name, email) = (PersonName::parse(NEWCOMER.0)?, EmailAddress::parse(NEWCOMER.1)?);
                    let user = NewUser { role: Role::Auditor, name: &name, email: &email };
                    self.actions.invite_user(company, &user, &origin)?;
                }
                Act::Delete(leaver, heir) => {
                    let keys = KeysLeftBehind::HandOver(users[*heir]);
                    self.actions.delete_user(company, users[*leaver], keys, &origin)?;
                }
            }
        }
        self.actions.clock.set(self.now);
        let mut used = HashMap::new();
        for habit in &HABITS {
            let mut keys = newest.iter().filter(|(known, _)| *known == habit.account);
            let (_, key) = keys.nth(habit.key).ok_or("The demo uses a key that it never made.")?;
            used.insert(*key, habit.lived(company, self.now)?);
        }
        self.record(used)
    }

    /// Writes down how keys were used.
    fn record(&self, used: HashMap<KeyId, KeyUse>) -> Result<(), Refusal> {
        let (left, recorded) = self.actions.record_usage(used, self.actions.clock.now());
        recorded?;
        if left.is_empty() { Ok(()) } else { Err("The demo used a key whose end it never noted.".into()) }
    }

    /// Sets the clock to a time of [`HISTORY`].
    fn at(&self, days: u64, minutes: u64) {
        let at = if days == 0 {
            self.now - Duration::from_mins(minutes)
        } else {
            let then = (self.now - Duration::from_hours(24 * days)).as_micros();
            Instant::from_micros(then - then.rem_euclid(A_DAY)) + WORK_BEGINS + Duration::from_mins(minutes)
        };
        self.actions.clock.set(at);
    }

    fn create(
        &self,
        company: CompanyId,
        user: UserId,
        name: &str,
        expiry: ExpiryWish,
        origin: &Origin,
    ) -> Result<KeyId, Refusal> {
        let wish = KeyWish { name: ServiceAccountName::parse(name)?, expiry };
        Ok(self.actions.create_key(company, user, &wish, self.sent(KeyForm::Create)?, origin)?.id)
    }

    /// A form that was opened and sent.
    fn sent(&self, form: KeyForm) -> Result<SubmissionId, Refusal> {
        let then = self.actions.clock.now();
        let session = SessionId::new(then, &random::bytes());
        let submissions = &self.actions.secrets.submissions;
        let opened = submissions.issue(form, session, then, random::bytes());
        Ok(submissions.check(&opened, form, session, then).ok_or("The demo's form is not good.")?)
    }
}

fn by(user: UserId, address: &str) -> Origin {
    Origin {
        actor: Actor::User(user),
        client_address: Some(address.to_owned()),
        user_agent: Some(BROWSER.to_owned()),
        request_id: Some(random::hex::<8>()),
    }
}
