//! The filters of an address, parsed and checked against the company's users and keys.

use time::Date;

use crate::domain::actor::Actor;
use crate::domain::ids::KeyId;
use crate::domain::key::api_key::KeyFormat;
use crate::domain::text::date;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::action::Action;
use crate::domain::trail::filter::TrailFilter;
use crate::http::body::{BodyError, Fields};
use crate::store::KeyRecord;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::components::field::Field;
use crate::web::pages::audit_trail::address::TrailAddress;

pub const INVALID_DATE: &str = "Enter a date as YYYY-MM-DD";
const REVERSED_RANGE: &str = "Choose an end date on or after the start date";

/// The filters of an address.
#[derive(Clone, Debug)]
pub struct TrailQuery {
    pub filter: TrailFilter,
    pub from: Field,
    pub to: Field,
    /// The key to filter by.
    pub key: Option<KeyRecord>,
    /// The name of the user to filter by. `None` for a deleted user, and for an actor that is not a user.
    pub actor_name: Option<String>,
}

impl TrailQuery {
    /// Parses the filters. An invalid date is no error: its field holds the error sentence.
    ///
    /// # Errors
    /// [`PageError`] for an unknown user, key or action.
    pub async fn parse(cx: &PageContext, query: &Fields) -> Result<Self, PageError> {
        let actor = non_empty(query, "user")?.map(|word| Actor::parse_word(word).ok_or(PageError::UserNotFound));
        let actor = actor.transpose()?;
        let key = non_empty(query, "key")?.map(|id| KeyId::parse(id).ok_or(PageError::KeyNotFound)).transpose()?;
        let actions = actions(query)?;
        let company_id = cx.company_id();
        let (actor_name, key) = cx
            .read(move |db| {
                let user_id = actor.and_then(Actor::user);
                if let Some(id) = user_id
                    && !db.users().ever_existed(company_id, id)?
                {
                    return Err(PageError::UserNotFound);
                }
                let actor_name = db.users().names(company_id, user_id)?.into_values().next();
                let key = key.map(|id| db.keys().by_id(company_id, id)?.ok_or(PageError::KeyNotFound)).transpose()?;
                Ok((actor_name, key))
            })
            .await?;
        let (zone, format) = (&cx.zone, &cx.app.actions.key_format);
        let (from, first) = parse_date_field(format, query.get_or_empty("from")?, |date| zone.start_of_day(date));
        let (mut to, last) = parse_date_field(format, query.get_or_empty("to")?, |date| zone.end_of_day(date));
        if first.zip(last).is_some_and(|(first, last)| last < first) {
            to.error = Some(REVERSED_RANGE.to_owned());
        }
        let filter = TrailFilter { from: first, until: last, actor, actions, key: key.as_ref().map(|key| key.id) };
        Ok(Self { filter, from, to, key, actor_name })
    }

    /// Returns whether a date has an error.
    pub fn has_error(&self) -> bool {
        self.from.error.is_some() || self.to.error.is_some()
    }

    pub fn address(&self) -> TrailAddress {
        TrailAddress {
            from: self.from.value.clone(),
            to: self.to.value.clone(),
            user: self.filter.actor.map(Actor::word),
            actions: self.filter.actions.clone(),
            key: self.filter.key.map(|id| id.to_string()),
        }
    }
}

/// Returns a parameter unless it is empty: a form sends unused filters as empty parameters.
fn non_empty<'a>(query: &'a Fields, name: &str) -> Result<Option<&'a str>, BodyError> {
    Ok(query.get(name)?.filter(|value| !value.is_empty()))
}

/// The actions to filter by, each once, in the order of [`Action::ALL`].
fn actions(query: &Fields) -> Result<Vec<Action>, PageError> {
    let words = query.get_all("action").filter(|word| !word.is_empty());
    let requested =
        words.map(|word| Action::parse(word).ok_or(PageError::PageNotFound)).collect::<Result<Vec<_>, _>>()?;
    Ok(Action::ALL.iter().copied().filter(|action| requested.contains(action)).collect())
}

fn parse_date_field(
    format: &KeyFormat,
    typed: &str,
    to_timestamp: impl Fn(Date) -> Option<Timestamp>,
) -> (Field, Option<Timestamp>) {
    let typed = typed.trim();
    if typed.is_empty() {
        return (Field::default(), None);
    }
    let parse = |typed: &str| date::parse_date(typed).and_then(to_timestamp).ok_or(INVALID_DATE);
    match Field::parse(format, typed, parse) {
        Ok(at) => (Field::new(typed), Some(at)),
        Err(field) => (field, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::api_key::KeyPrefix;
    use crate::web::app::time::zone::Zone;

    #[test]
    fn actions_are_deduplicated_and_unknown_ones_rejected() {
        let parse = |query: &str| actions(&Fields::decode(query.as_bytes()).unwrap());
        let requested = parse("action=user.deleted&action=&action=api_key.created&action=user.deleted").unwrap();
        assert_eq!(requested, [Action::ApiKeyCreated, Action::UserDeleted]);
        assert!(parse("").unwrap().is_empty());
        assert!(matches!(parse("action=api_key.deleted"), Err(PageError::PageNotFound)));
    }

    #[test]
    fn only_calendar_days_are_dates() {
        let utc = Zone::utc();
        let format = KeyFormat::new("goa".parse::<KeyPrefix>().unwrap(), []);
        let read = |typed: &str| parse_date_field(&format, typed, |date| utc.start_of_day(date));
        assert_eq!(read(" 2026-11-23 ").1, Some(Timestamp::from_micros(1_795_392_000_000_000)));
        assert!(read("").0.error.is_none() && read("").1.is_none());
        for wrong in
            ["+2026-11-23", "-2026-11-23", "2026-02-30", "23.11.2026", "2026-1-2", "tomorrow", "2026-11-23T00:00"]
        {
            let (field, at) = read(wrong);
            assert!(field.error.is_some() && at.is_none() && field.value == wrong, "{wrong}");
        }
        for last in ["9999-12-29", "9999-12-30", "9999-12-31"] {
            for at in [
                parse_date_field(&format, last, |date| utc.start_of_day(date)),
                parse_date_field(&format, last, |date| utc.end_of_day(date)),
            ] {
                assert!(at.0.error.is_none() && at.1.is_some(), "{last}");
            }
        }
    }
}
