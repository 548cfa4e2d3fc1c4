//! The drawer of one event: its facts, and the values before and after.

use askama::Template;
use serde_json::{Map, Value};

use super::load;
use super::view::Neighbours;
use crate::domain::actor::Actor;
use crate::domain::ids::{EventId, KeyId};
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::user::profile::Role;
use crate::store::{EventListItem, UserNames};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::text::pluralized;
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;
use crate::web::components::dialog::Dialog;
use crate::web::components::event::labels::{field_label, full_label, join_list};
use crate::web::components::event::text::Part;
use crate::web::components::event::view::EventView;
use crate::web::components::people::{ActorView, actor_view};
use crate::web::paths;

#[derive(Clone, Debug, Template)]
#[template(path = "audit_trail/event_drawer.html")]
pub struct EventDrawer {
    pub event: EventView,
    pub sequence: i64,
    /// RFC 3339 with microseconds, which the trail records.
    pub utc: String,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub changes: Vec<Change>,
    /// The address of the page below the drawer.
    pub close_href: String,
    pub neighbours: Neighbours,
}

/// One value before and after the event.
#[derive(Clone, Debug)]
pub struct Change {
    pub label: String,
    pub before: Option<ChangeValue>,
    pub after: Option<ChangeValue>,
    /// The values differ.
    pub is_change: bool,
}

/// A value as the drawer renders it.
#[derive(Clone, Debug)]
pub enum ChangeValue {
    Text(String),
    Code(String),
    Time(TimeView),
    Person(ActorView),
    Key { id: String, preview: String },
}

impl EventDrawer {
    /// Loads the event with this id.
    ///
    /// # Errors
    /// [`PageError::PageNotFound`] if the company has no such event.
    pub async fn load(cx: &PageContext, id: EventId) -> Result<Self, PageError> {
        let company_id = cx.company_id();
        let (item, names, keys) = cx
            .read(move |db| {
                let event = db.trails().event(company_id, id)?.ok_or(PageError::PageNotFound)?;
                let mut keys = Vec::new();
                for id in keys_in(&event) {
                    keys.extend(db.keys().by_id(company_id, id)?.map(|key| (key.id.to_string(), key.preview)));
                }
                let key_preview = event.key_id.as_ref().and_then(|id| preview_of(&keys, id));
                let items = [EventListItem { event, key_preview }];
                let names = load::names(db, company_id, &items)?;
                let [item] = items;
                Ok((item, names, keys))
            })
            .await?;
        Ok(Self::of(&item, &EventContext { names: &names, keys: &keys, zone: &cx.zone }))
    }

    /// Returns the dialog. Closing it leads to `close_href`.
    #[must_use]
    pub fn into_dialog(self, close_href: String, neighbours: Neighbours) -> Dialog {
        Dialog::new(format!("Event {}", self.sequence), Self { close_href, neighbours, ..self })
    }

    /// The values that differ, and those that the event leaves as they were.
    fn changed(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.is_change)
    }

    fn unchanged(&self) -> Vec<&Change> {
        self.changes.iter().filter(|change| !change.is_change).collect()
    }

    pub fn of(item: &EventListItem, context: &EventContext<'_>) -> Self {
        let event = &item.event;
        let at = Timestamp::from_micros(event.at);
        // The title has the UTC offset of that time.
        let exact = context.zone.exact(at);
        Self {
            event: EventView::new(item, context.names, context.zone, TimeView { text: exact.title.clone(), ..exact }),
            sequence: event.sequence,
            utc: at.to_rfc_3339_with_micros().unwrap_or_default(),
            user_agent: event.user_agent.clone(),
            request_id: event.request_id.clone(),
            changes: changes(event, context),
            close_href: String::new(),
            neighbours: Neighbours::default(),
        }
    }
}

/// The names and previews behind the ids in an event, and the zone of the page.
pub struct EventContext<'a> {
    pub names: &'a UserNames,
    /// The id and preview of each key.
    pub keys: &'a [(String, String)],
    pub zone: &'a Zone,
}

fn preview_of(keys: &[(String, String)], id: &str) -> Option<String> {
    keys.iter().find(|(key_id, _)| key_id == id).map(|(_, preview)| preview.clone())
}

fn keys_in(event: &Event) -> Vec<KeyId> {
    let target = event.key_id.as_deref().and_then(KeyId::parse);
    target.into_iter().chain(event.detail().keys()).collect()
}

fn changes(event: &Event, context: &EventContext<'_>) -> Vec<Change> {
    let read = |json: &Option<String>| -> Map<String, Value> {
        json.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    };
    let (before, after) = (read(&event.before), read(&event.after));
    let mut all: Vec<&String> = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    // The name comes first. The others keep their order in the event.
    all.sort_by_key(|name| *name != "name");
    let change = |name: &String| {
        let value = |values: &Map<String, Value>| values.get(name).map(|value| context.value_view(name, value));
        let (before_value, after_value) = (value(&before), value(&after));
        Change {
            label: field_label(name),
            is_change: before.get(name) != after.get(name),
            before: before_value,
            after: after_value,
        }
    };
    all.into_iter().map(change).collect()
}

impl EventContext<'_> {
    fn value_view(&self, name: &str, value: &Value) -> ChangeValue {
        let text = |text: &str| ChangeValue::Text(text.to_owned());
        match (name, value) {
            (
                "expires_at" | "ends_at" | "ended_at" | "overlap_ends_at" | "last_refused_at" | "from" | "until",
                Value::Number(at),
            ) => ChangeValue::Time(self.zone.exact(Timestamp::from_micros(at.as_i64().unwrap_or_default()))),
            ("owner" | "new_owner" | "rotated_by" | "user" | "link_created_by", Value::String(word)) => {
                let actor = Actor::parse_word(word);
                ChangeValue::Person(actor.map_or(ActorView::DeletedUser, |actor| actor_view(actor, self.names)))
            }
            ("replaces" | "replaced_by" | "key", Value::String(id)) => match preview_of(self.keys, id) {
                Some(preview) => ChangeValue::Key { id: id.clone(), preview },
                None => ChangeValue::Code(id.clone()),
            },
            ("preview" | "service_account_id" | "session_id" | "digest_fingerprint", Value::String(word)) => {
                ChangeValue::Code(word.clone())
            }
            ("role", Value::String(role)) => {
                ChangeValue::Text(Role::parse(role).map_or_else(|| role.clone(), |role| role.label().to_owned()))
            }
            ("require_second_factor", Value::Bool(value)) => text(if *value { "Required" } else { "Optional" }),
            ("second_factor", Value::Bool(value)) => text(if *value { "On" } else { "Off" }),
            ("default_expiry_days" | "expires_at", Value::Null) => text("Never"),
            ("maximum_lifetime_days", Value::Null) => text("No limit"),
            ("rotation_period_days", Value::Null) => text("No reminder"),
            ("idle_end_days", Value::Null) => text("Off"),
            (days, Value::Number(count)) if days.ends_with("_days") => {
                ChangeValue::Text(pluralized(count.as_u64().unwrap_or_default(), "day", "days"))
            }
            ("keys_together" | "keys_handed_over" | "keys_revoked", Value::Number(count)) => {
                ChangeValue::Text(pluralized(count.as_u64().unwrap_or_default(), "key", "keys"))
            }
            ("format", Value::String(format)) if format == "csv" => text("CSV"),
            ("format", Value::String(format)) if format == "json_lines" => text("JSON Lines"),
            ("purpose" | "department" | "contact", Value::String(detail)) if detail.is_empty() => text("Not given"),
            (
                "name"
                | "purpose"
                | "department"
                | "contact"
                | "idle_end_reason"
                | "default_expiry_reason"
                | "maximum_lifetime_reason"
                | "rotation_period_reason",
                Value::String(typed),
            ) => text(typed),
            (_, value) => ChangeValue::Text(plain(value)),
        }
    }
}

/// The text of a value without a special form.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "Yes".to_owned(),
        Value::Bool(false) => "No".to_owned(),
        Value::String(word) => match Action::parse(word) {
            Some(action) => full_label(action),
            None => field_label(word),
        },
        Value::Array(values) => {
            let words: Vec<String> = values.iter().map(plain).collect();
            join_list(&words.iter().map(String::as_str).collect::<Vec<_>>())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::UserId;
    use crate::domain::trail::event::tests::event;

    fn text_of(value: Option<&ChangeValue>) -> String {
        match value {
            None => "–".to_owned(),
            Some(ChangeValue::Text(text) | ChangeValue::Code(text)) => text.clone(),
            Some(ChangeValue::Time(at)) => at.text.clone(),
            Some(ChangeValue::Person(person)) => person.text().to_owned(),
            Some(ChangeValue::Key { preview, .. }) => preview.clone(),
        }
    }

    #[test]
    fn values_before_and_after_are_paired_with_readable_labels() {
        let [deleted, owner] = [1, 2].map(|seed| UserId::new(Timestamp::from_micros(0), &[seed; 10]));
        let before = format!(
            r#"{{"role":"admin","name":"ERP","owner":"{deleted}","rotation_period_days":null,"state":"active"}}"#
        );
        let after = format!(
            r#"{{"name":"ERP","owner":"{owner}","rotation_period_days":365,"replaces":"k1","ends_at":0,"actions":["api_key.revoked"]}}"#
        );
        let event = Event { before: Some(before), after: Some(after), ..event(1) };
        let names = UserNames::from([(owner, "Priya Raman".to_owned())]);
        let keys = [("k1".to_owned(), "goa_7Hq2…9fKd".to_owned())];
        let context = EventContext { names: &names, keys: &keys, zone: &Zone::utc() };
        let mut rows: Vec<_> = changes(&event, &context)
            .iter()
            .map(|change| {
                (
                    change.label.clone(),
                    text_of(change.before.as_ref()),
                    text_of(change.after.as_ref()),
                    change.is_change,
                )
            })
            .collect();
        assert_eq!(rows.remove(0), ("Name".to_owned(), "ERP".to_owned(), "ERP".to_owned(), false));
        for (label, before, after) in [
            ("Role", "Admin", "–"),
            ("Owner", "Deleted user", "Priya Raman"),
            ("Rotation reminder", "No reminder", "365 days"),
            ("State", "Active", "–"),
            ("Replaces", "–", "goa_7Hq2…9fKd"),
            ("Works until", "–", "1 Jan 1970, 00:00:00"),
            ("Actions", "–", "API key revoked"),
        ] {
            assert!(rows.contains(&(label.to_owned(), before.to_owned(), after.to_owned(), true)), "{label}: {rows:?}");
        }
        assert_eq!(rows.len(), 7);
    }
}
