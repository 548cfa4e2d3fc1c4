//! One event with everything that is known of it: the facts, and what was true before and after in words.

use actix_web::web::Data;
use serde_json::{Map, Value};

use super::labels::{full, label, list_of};
use super::listing::names;
use super::told::ToldEvent;
use crate::domain::action::Action;
use crate::domain::event::Event;
use crate::domain::ids::{EventId, KeyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::user::Role;
use crate::store::{ListedEvent, Names};
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::{ShownTime, Who, counted};
use crate::web::time::Zone;
use crate::web::{Site, blocking};

/// What is drawn over the page.
#[derive(Clone, Debug)]
pub struct EventDetail {
    pub event: ToldEvent,
    pub sequence: i64,
    /// RFC 3339 with microseconds.
    pub utc: String,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub changes: Vec<Change>,
}

/// Something that was or is true.
#[derive(Clone, Debug)]
pub struct Change {
    pub label: String,
    pub before: Option<Shown>,
    pub after: Option<Shown>,
    /// The two are not the same.
    pub is_change: bool,
}

/// A value in words.
#[derive(Clone, Debug)]
pub enum Shown {
    Text(String),
    Code(String),
    Time(ShownTime),
    Person(Who),
    Key { id: String, preview: String },
}

impl EventDetail {
    /// The company's event of that id.
    pub(super) async fn load(
        site: &Data<Site>,
        signed_in: &SignedIn,
        zone: &Zone,
        id: EventId,
    ) -> Result<Self, PageError> {
        let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
        let (listed, names, keys) = blocking(move || {
            store.read(|questions| {
                let event = questions.event(company_id, id)?.ok_or(PageError::NoPage)?;
                let mut keys = Vec::new();
                for id in keys_in(&event) {
                    keys.extend(questions.key_of(company_id, id)?.map(|key| (key.id.to_string(), key.preview)));
                }
                let key_preview = event.key_id.as_ref().and_then(|id| preview_of(&keys, id));
                let listed = [ListedEvent { event, key_preview }];
                let names = names(questions, company_id, &listed)?;
                let [listed] = listed;
                Ok::<_, PageError>((listed, names, keys))
            })
        })
        .await?;
        Ok(Self::of(&listed, &Known { names: &names, keys: &keys, zone }))
    }

    pub(super) fn of(listed: &ListedEvent, known: &Known<'_>) -> Self {
        let event = &listed.event;
        let at = Instant::from_micros(event.at);
        // With the offset that held then.
        let exact = known.zone.exact(at);
        Self {
            event: ToldEvent::of(listed, known.names, known.zone, ShownTime { text: exact.title.clone(), ..exact }),
            sequence: event.sequence,
            utc: at.to_rfc_3339_with_micros().unwrap_or_default(),
            user_agent: event.user_agent.clone(),
            request_id: event.request_id.clone(),
            changes: changes(event, known),
        }
    }
}

/// What ids in an event stand for.
pub(super) struct Known<'a> {
    pub(super) names: &'a Names,
    /// Previews of keys by id.
    pub(super) keys: &'a [(String, String)],
    pub(super) zone: &'a Zone,
}

fn preview_of(keys: &[(String, String)], id: &str) -> Option<String> {
    keys.iter().find(|(known, _)| known == id).map(|(_, preview)| preview.clone())
}

fn keys_in(event: &Event) -> Vec<KeyId> {
    let within = ["replaces", "replaced_by", "key"].into_iter().filter_map(|name| event.detail(name));
    let within = within.filter_map(|id| id.as_str().map(str::to_owned));
    event.key_id.clone().into_iter().chain(within).filter_map(|id| KeyId::parse(&id)).collect()
}

fn changes(event: &Event, known: &Known<'_>) -> Vec<Change> {
    let read = |json: &Option<String>| -> Map<String, Value> {
        json.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    };
    let (before, after) = (read(&event.before), read(&event.after));
    let mut all: Vec<&String> = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    // Names first; what follows keeps the order in which the event has it.
    all.sort_by_key(|name| *name != "name");
    let change = |name: &String| {
        let shown = |values: &Map<String, Value>| values.get(name).map(|value| known.shown(name, value));
        let (is, was) = (shown(&after), shown(&before));
        Change { label: label(name), is_change: before.get(name) != after.get(name), before: was, after: is }
    };
    all.into_iter().map(change).collect()
}

impl Known<'_> {
    fn shown(&self, name: &str, value: &Value) -> Shown {
        let text = |text: &str| Shown::Text(text.to_owned());
        match (name, value) {
            ("expires_at" | "ends_at" | "ended_at" | "last_refused_at" | "from" | "until", Value::Number(at)) => {
                Shown::Time(self.zone.exact(Instant::from_micros(at.as_i64().unwrap_or_default())))
            }
            ("owner" | "new_owner" | "rotated_by" | "user", Value::String(id)) => {
                Shown::Person(Who::user(UserId::parse(id).and_then(|id| self.names.get(&id).cloned())))
            }
            ("replaces" | "replaced_by" | "key", Value::String(id)) => match preview_of(self.keys, id) {
                Some(preview) => Shown::Key { id: id.clone(), preview },
                None => Shown::Code(id.clone()),
            },
            ("preview" | "service_account_id" | "session_id", Value::String(word)) => Shown::Code(word.clone()),
            ("role", Value::String(role)) => {
                Shown::Text(Role::parse(role).map_or_else(|| role.clone(), |role| role.label().to_owned()))
            }
            ("require_second_factor", Value::Bool(is)) => text(if *is { "Required" } else { "Not required" }),
            ("second_factor", Value::Bool(is)) => text(if *is { "On" } else { "Off" }),
            ("default_expiry_days", Value::Null) => text("Never"),
            ("maximum_lifetime_days", Value::Null) => text("No limit"),
            ("rotation_period_days", Value::Null) => text("Not set"),
            (days, Value::Number(count)) if days.ends_with("_days") => {
                Shown::Text(counted(count.as_u64().unwrap_or_default(), "day", "days"))
            }
            ("keys_together" | "keys_handed_over" | "keys_revoked", Value::Number(count)) => {
                Shown::Text(counted(count.as_u64().unwrap_or_default(), "key", "keys"))
            }
            ("format", Value::String(format)) if format == "csv" => text("CSV"),
            ("format", Value::String(format)) if format == "json_lines" => text("JSON Lines"),
            ("name", Value::String(name)) => text(name),
            (_, value) => Shown::Text(plain(value)),
        }
    }
}

/// A value that has no words of its own, as it would be said.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "Yes".to_owned(),
        Value::Bool(false) => "No".to_owned(),
        Value::String(word) => match Action::parse(word) {
            Some(action) => full(action),
            None => label(word),
        },
        Value::Array(values) => {
            let words: Vec<String> = values.iter().map(plain).collect();
            list_of(&words.iter().map(String::as_str).collect::<Vec<_>>())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::tests::event;

    fn words(shown: Option<&Shown>) -> String {
        match shown {
            None => "–".to_owned(),
            Some(Shown::Text(text) | Shown::Code(text)) => text.clone(),
            Some(Shown::Time(at)) => at.text.clone(),
            Some(Shown::Person(who)) => who.words().to_owned(),
            Some(Shown::Key { preview, .. }) => preview.clone(),
        }
    }

    #[test]
    fn what_was_and_what_is_stand_in_words_side_by_side() {
        let [gone, owner] = [1, 2].map(|seed| UserId::new(Instant::from_micros(0), &[seed; 10]));
        let before =
            format!(r#"{{"role":"admin","name":"ERP","owner":"{gone}","rotation_period_days":null,"state":"active"}}"#);
        let after = format!(
            r#"{{"name":"ERP","owner":"{owner}","rotation_period_days":365,"replaces":"k1","ends_at":0,"actions":["api_key.revoked"]}}"#
        );
        let event = Event { before: Some(before), after: Some(after), ..event(1) };
        let names = Names::from([(owner, "Priya Raman".to_owned())]);
        let keys = [("k1".to_owned(), "goa_7Hq2…9fKd".to_owned())];
        let known = Known { names: &names, keys: &keys, zone: &Zone::utc() };
        let mut seen: Vec<_> = changes(&event, &known)
            .iter()
            .map(|it| (it.label.clone(), words(it.before.as_ref()), words(it.after.as_ref()), it.is_change))
            .collect();
        assert_eq!(seen.remove(0), ("Name".to_owned(), "ERP".to_owned(), "ERP".to_owned(), false));
        for (label, before, after) in [
            ("Role", "Admin", "–"),
            ("Owner", "Deleted user", "Priya Raman"),
            ("Rotate keys every", "Not set", "365 days"),
            ("State", "Active", "–"),
            ("Replaces", "–", "goa_7Hq2…9fKd"),
            ("Works until", "–", "1 Jan 1970, 00:00:00"),
            ("Actions", "–", "API key revoked"),
        ] {
            assert!(seen.contains(&(label.to_owned(), before.to_owned(), after.to_owned(), true)), "{label}: {seen:?}");
        }
        assert_eq!(seen.len(), 7);
    }
}
