//! What is asked of the trail: the filters of an address, read and held against what the company has.

use actix_web::web::Data;
use time::Date;

use super::address::TrailAddress;
use crate::domain::action::Action;
use crate::domain::calendar;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::trail_filter::TrailFilter;
use crate::edge::body::{BodyError, Fields};
use crate::store::StoredKey;
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::Field;
use crate::web::time::Zone;
use crate::web::{Site, blocking};

pub(super) const NO_DATE: &str = "Enter a date such as 2026-11-23";
const REVERSED: &str = "Choose a date that is not before the first one";

/// The filters of an address.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) filter: TrailFilter,
    pub(super) from: Field,
    pub(super) to: Field,
    /// The size of a checkpoint that an export is to be connected with.
    pub(super) since: Field,
    /// The one key whose events are asked for.
    pub(super) key: Option<StoredKey>,
    /// The name of the user whose events are asked for, where it is not erased.
    pub(super) actor_name: Option<String>,
}

impl Asked {
    /// Reads the filters. Dates that cannot be used are no failure here: they stay in their fields, with what is wrong.
    pub(super) async fn read(
        site: &Data<Site>,
        signed_in: &SignedIn,
        zone: &Zone,
        query: &Fields,
    ) -> Result<Self, PageError> {
        let actor = given(query, "user")?.map(|id| UserId::parse(id).ok_or(PageError::NoUser)).transpose()?;
        let key = given(query, "key")?.map(|id| KeyId::parse(id).ok_or(PageError::NoKey)).transpose()?;
        let actions = actions(query)?;
        let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
        let (actor_name, key) = blocking(move || {
            store.read(|questions| {
                if let Some(id) = actor
                    && !questions.has_had_user(company_id, id)?
                {
                    return Err(PageError::NoUser);
                }
                let actor_name = questions.names_of(company_id, actor)?.into_values().next();
                let key = key.map(|id| questions.key_of(company_id, id)?.ok_or(PageError::NoKey)).transpose()?;
                Ok((actor_name, key))
            })
        })
        .await?;
        let (from, first) = read_date(query.one("from")?, |date| zone.start_of_day(date));
        let (mut to, last) = read_date(query.one("to")?, |date| zone.end_of_day(date));
        if first.zip(last).is_some_and(|(first, last)| last < first) {
            to.error = Some(REVERSED.to_owned());
        }
        let filter = TrailFilter { from: first, until: last, actor, actions, key: key.as_ref().map(|key| key.id) };
        Ok(Self { filter, from, to, since: Field::default(), key, actor_name })
    }

    /// A date cannot be used.
    pub(super) fn is_refused(&self) -> bool {
        self.from.error.is_some() || self.to.error.is_some()
    }

    pub(super) fn address(&self) -> TrailAddress {
        TrailAddress {
            from: self.from.value.clone(),
            to: self.to.value.clone(),
            user: self.filter.actor.map(|id| id.to_string()),
            actions: self.filter.actions.clone(),
            key: self.filter.key.map(|id| id.to_string()),
        }
    }
}

/// A parameter that may be given once; a form sends an empty one for a filter that is not used.
fn given<'a>(query: &'a Fields, name: &str) -> Result<Option<&'a str>, BodyError> {
    Ok(query.given(name)?.filter(|value| !value.is_empty()))
}

/// The actions that are asked for, each once, in the order they have among themselves.
fn actions(query: &Fields) -> Result<Vec<Action>, PageError> {
    let words = query.all("action").filter(|word| !word.is_empty());
    let asked = words.map(|word| Action::parse(word).ok_or(PageError::NoPage)).collect::<Result<Vec<_>, _>>()?;
    Ok(Action::ALL.iter().copied().filter(|action| asked.contains(action)).collect())
}

fn read_date(typed: &str, instant: impl Fn(Date) -> Option<Instant>) -> (Field, Option<Instant>) {
    let typed = typed.trim();
    if typed.is_empty() {
        return (Field::default(), None);
    }
    match calendar::date(typed).and_then(instant) {
        Some(at) => (Field::kept(typed), Some(at)),
        None => (Field::refused(typed, NO_DATE), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_each_asked_for_once_and_a_word_that_is_none_is_no_page() {
        let of = |query: &str| actions(&Fields::decode(query.as_bytes()).unwrap());
        let asked = of("action=user.deleted&action=&action=api_key.created&action=user.deleted").unwrap();
        assert_eq!(asked, [Action::ApiKeyCreated, Action::UserDeleted]);
        assert!(of("").unwrap().is_empty());
        assert!(matches!(of("action=api_key.deleted"), Err(PageError::NoPage)));
    }

    #[test]
    fn only_a_day_of_the_calendar_is_a_date() {
        let utc = Zone::utc();
        let read = |typed: &str| read_date(typed, |date| utc.start_of_day(date));
        assert_eq!(read(" 2026-11-23 ").1, Some(Instant::from_micros(1_795_392_000_000_000)));
        assert!(read("").0.error.is_none() && read("").1.is_none());
        for wrong in
            ["+2026-11-23", "-2026-11-23", "2026-02-30", "23.11.2026", "2026-1-2", "tomorrow", "2026-11-23T00:00"]
        {
            let (field, at) = read(wrong);
            assert!(field.error.is_some() && at.is_none() && field.value == wrong, "{wrong}");
        }
        for last in ["9999-12-29", "9999-12-30", "9999-12-31"] {
            for at in [read_date(last, |date| utc.start_of_day(date)), read_date(last, |date| utc.end_of_day(date))] {
                assert!(at.0.error.is_none() && at.1.is_some(), "{last}");
            }
        }
    }
}
