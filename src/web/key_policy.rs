//! The Key Policy page: what the company is called, and what it asks of its administrators.

#[cfg(test)]
mod samples;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::error::PageError;
use super::guards::{Admin, SignedIn};
use super::request::Query;
use super::{Site, blocking, done, html};
use crate::actions::CompanyNameError;
use crate::domain::action::Action;
use crate::domain::key_policy::{Days, KeyPolicy};
use crate::domain::name::CompanyName;
use crate::domain::user::Role;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::store::{KeysBeyond, StoreError, StoredKey};
use crate::web::keys::expiry::Expiry;
use crate::web::keys::key_page::KeyPage;
use crate::web::page::{Field, Shell, ShownTime, counted, grouped};
use crate::web::paths::KEY_POLICY;
use crate::web::rail::{Rail, RailLink};
use crate::web::time::Zone;

const A_DAY: Duration = Duration::from_hours(24);
/// So many keys are named; of more, the number is.
const KEYS_NAMED: i64 = 20;

#[derive(Template)]
#[template(path = "key_policy/page.html")]
pub struct KeyPolicyPage {
    pub shell: Shell,
    pub company_name: Field,
    pub default_expiry: Field,
    pub maximum_lifetime: Field,
    pub rotation_period: Field,
    /// Active keys that outlive the longest lifetime allowed.
    pub beyond: Vec<PolicyKey>,
    pub more_beyond: u64,
    /// Active keys that are older than the rotation period.
    pub due: Vec<PolicyKey>,
    pub more_due: u64,
    pub require_second_factor: bool,
    /// Admins change it; auditors see the same as facts.
    pub can_change: bool,
    /// How many admins have no second factor.
    pub admins_without: u64,
    pub banner_saved: bool,
}

/// A key that the policy would not have today, with the date that says so.
#[derive(Clone, Debug)]
pub struct PolicyKey {
    pub id: String,
    pub name: String,
    pub preview: String,
    pub created: ShownTime,
    pub expires: Expiry,
}

/// What can be chosen of a number of days.
const DAYS: [&str; 4] = ["30", "90", "180", "365"];

/// What one of the three fields says where no number of days is set.
const NEVER: &str = "Never";
const NO_LIMIT: &str = "No limit";
const NOT_SET: &str = "Not set";

/// An option of a field in days.
struct DaysOption {
    value: String,
    label: String,
    is_chosen: bool,
}

impl KeyPolicyPage {
    const RAIL: Rail = Rail::On(RailLink::KeyPolicy);

    fn title(&self) -> String {
        let fields = [&self.company_name, &self.default_expiry, &self.maximum_lifetime, &self.rotation_period];
        let error = if fields.iter().any(|field| field.error.is_some()) { "Error: " } else { "" };
        format!("{error}Key Policy – Company Settings – {}", self.shell.company)
    }

    /// “30 days”, or what the field says of `none`.
    fn in_days(value: &str, none: &str) -> String {
        match value {
            "none" => none.to_owned(),
            "1" => "1 day".to_owned(),
            days => format!("{days} days"),
        }
    }

    /// The options of a field in days: the usual ones, and its own value where that is none of them.
    fn days_options(field: &Field, none: &str) -> Vec<DaysOption> {
        let mut values = vec!["none"];
        values.extend(DAYS);
        let own = field.value.parse::<u64>().ok().filter(|_| !values.contains(&field.value.as_str()));
        if let Some(own) = own {
            let place = values.iter().position(|value| value.parse().is_ok_and(|days: u64| days > own));
            values.insert(place.unwrap_or(values.len()), &field.value);
        }
        let option = |value: &str| DaysOption {
            value: value.to_owned(),
            label: Self::in_days(value, none),
            is_chosen: value == field.value,
        };
        values.into_iter().map(option).collect()
    }

    /// “1 active key lives”, “12 active keys live”.
    fn live_longer(&self) -> String {
        said_of(&self.beyond, self.more_beyond, "active key lives", "active keys live")
    }

    fn kept(&self) -> &'static str {
        let is_one = self.beyond.len() == 1 && self.more_beyond == 0;
        if is_one { "Its expiry stays as it is." } else { "Their expiry stays as it is." }
    }

    /// “1 active key is”, “12 active keys are”.
    fn are_older(&self) -> String {
        said_of(&self.due, self.more_due, "active key is", "active keys are")
    }

    fn beyond_left_out(&self) -> Option<String> {
        left_out(self.more_beyond)
    }

    fn due_left_out(&self) -> Option<String> {
        left_out(self.more_due)
    }

    fn second_factor_hint(&self) -> String {
        let without = match self.admins_without {
            0 => "All administrators have one.".to_owned(),
            count => {
                let admins = counted(count, "administrator has", "administrators have");
                format!("{admins} none now.")
            }
        };
        format!("Whoever has none is led to set it up at the next page they open. {without}")
    }
}

/// “and 12 more”.
fn left_out(count: u64) -> Option<String> {
    (count > 0).then(|| format!("and {} more", grouped(count)))
}

fn said_of(keys: &[PolicyKey], more: u64, one: &str, many: &str) -> String {
    counted((keys.len() as u64).saturating_add(more), one, many)
}

pub(super) async fn show(
    signed_in: SignedIn,
    query: Query,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let done = done::load(&site, &signed_in, &query.0).await?;
    let banner_saved = done.is_some_and(|(action, _)| action == Action::CompanyChanged);
    html(StatusCode::OK, &KeyPolicyPage { banner_saved, ..load(&site, &signed_in, &zone).await? })
}

pub(super) async fn submit(
    Admin(admin): Admin,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let typed_name = fields.one("company_name")?;
    let require_second_factor = fields.one("require_second_factor")? == "yes";
    let company_name = site.name_field(typed_name, CompanyName::parse);
    let days = |name: &str| -> Result<Result<Option<Days>, Field>, PageError> {
        let typed = fields.one(name)?;
        let wrong = "Choose a number of days from 1 to 3,650, or none";
        Ok(KeyPolicy::parse_days(typed).ok_or_else(|| Field::refused(typed, wrong)))
    };
    let (default, longest, rotation) = (days("default_expiry")?, days("maximum_lifetime")?, days("rotation_period")?);
    let page = KeyPolicyPage {
        company_name: company_name.as_ref().err().cloned().unwrap_or_else(|| Field::kept(typed_name)),
        default_expiry: days_field(&default),
        maximum_lifetime: days_field(&longest),
        rotation_period: days_field(&rotation),
        require_second_factor,
        ..load(&site, &admin, &zone).await?
    };
    let (Ok(company_name), Ok(default_expiry), Ok(maximum_lifetime), Ok(rotation_period)) =
        (company_name, default, longest, rotation)
    else {
        return html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let policy = KeyPolicy { default_expiry, maximum_lifetime, rotation_period };
    let (actions, origin, company_id) = (site.actions.clone(), caller.as_origin(admin.actor()), admin.company.id);
    let changed = blocking(move || {
        match actions.change_company(company_id, &company_name, require_second_factor, policy, &origin) {
            Err(CompanyNameError::Store(error)) => Err(PageError::from(error)),
            other => Ok(other),
        }
    });
    match changed.await? {
        Ok(event) => Ok(done::lead_to(KEY_POLICY, event)),
        Err(taken) => {
            let page = KeyPolicyPage { company_name: Field::refused(typed_name, taken.to_string()), ..page };
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

fn days_field(days: &Result<Option<Days>, Field>) -> Field {
    match days {
        Ok(days) => Field::kept(days.map_or_else(|| "none".to_owned(), |days| days.count().to_string())),
        Err(refused) => refused.clone(),
    }
}

async fn load(site: &Data<Site>, signed_in: &SignedIn, zone: &Zone) -> Result<KeyPolicyPage, PageError> {
    let (store, company_id, now) = (site.actions.store.clone(), signed_in.company.id, site.actions.clock.now());
    let (settings, admins_without, beyond, due) = blocking(move || {
        store.read(|questions| {
            let settings = questions.company_settings(company_id)?;
            let policy = settings.key_policy;
            // The last day of a date may be used to its end.
            let longest = policy.maximum_lifetime.map(|days| KeysBeyond::Lifetime(days.duration() + A_DAY));
            let oldest = policy.rotation_period.map(|days| KeysBeyond::Age(now - days.duration()));
            let mut keys = |beyond: Option<KeysBeyond>| match beyond {
                Some(beyond) => questions.keys_beyond(company_id, beyond, now, KEYS_NAMED),
                None => Ok((Vec::new(), 0)),
            };
            let (beyond, due) = (keys(longest)?, keys(oldest)?);
            let admins_without = questions.count_admins_without_second_factor(company_id)?;
            Ok::<_, StoreError>((settings, admins_without, beyond, due))
        })
    })
    .await?;
    let listed = |(keys, count): (Vec<StoredKey>, i64)| {
        let more = u64::try_from(count).unwrap_or(0).saturating_sub(keys.len() as u64);
        let keys = keys.into_iter().map(|key| PolicyKey {
            id: key.id.to_string(),
            created: zone.date(key.created_at),
            expires: Expiry::of(key.ends(), zone, now),
            name: key.name,
            preview: key.preview,
        });
        (keys.collect::<Vec<_>>(), more)
    };
    let ((beyond, more_beyond), (due, more_due)) = (listed(beyond), listed(due));
    let KeyPolicy { default_expiry, maximum_lifetime, rotation_period } = settings.key_policy;
    Ok(KeyPolicyPage {
        shell: site.shell(signed_in),
        company_name: Field::kept(settings.name),
        default_expiry: days_field(&Ok(default_expiry)),
        maximum_lifetime: days_field(&Ok(maximum_lifetime)),
        rotation_period: days_field(&Ok(rotation_period)),
        beyond,
        more_beyond,
        due,
        more_due,
        require_second_factor: settings.require_second_factor,
        can_change: signed_in.role == Role::Admin,
        admins_without: u64::try_from(admins_without).unwrap_or(0),
        banner_saved: false,
    })
}
