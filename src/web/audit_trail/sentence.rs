//! The sentence that tells an event, for each action its own.

use serde_json::Value;

use super::labels::list_of;
use crate::domain::action::Action;
use crate::domain::event::Event;
use crate::domain::ids::UserId;
use crate::domain::instant::Instant;
use crate::domain::user::Role;
use crate::store::Names;
use crate::web::page::{ShownTime, Who, counted};
use crate::web::time::Zone;

/// A part of a sentence.
#[derive(Clone, Debug)]
pub enum Part {
    Text(String),
    /// The name of a service account or company.
    Name(String),
    Person(Who),
    Time(ShownTime),
}

/// An event about to be told.
pub(super) struct Telling<'a> {
    pub(super) event: &'a Event,
    pub(super) names: &'a Names,
    pub(super) zone: &'a Zone,
}

impl Telling<'_> {
    pub(super) fn sentence(&self, action: Option<Action>) -> Vec<Part> {
        let Some(action) = action else { return vec![text(self.event.action.clone())] };
        let name = || Part::Name(self.event.subject_name().unwrap_or_default());
        match action {
            Action::ApiKeyCreated => vec![text("created "), name()],
            Action::ApiKeyRenamed => match self.event.detail_before("name") {
                Some(Value::String(old)) => vec![text("renamed "), Part::Name(old), text(" to "), name()],
                _ => vec![text("renamed "), name()],
            },
            Action::ApiKeyRotated => vec![text("rotated "), name()],
            Action::ApiKeyRevoked => vec![text("revoked "), name()],
            Action::ApiKeyExpired => vec![name(), text(" expired")],
            Action::ApiKeyExpiryChanged => match self.time("ends_at") {
                Some(until) => vec![text("let "), name(), text(" work until "), Part::Time(until)],
                None => vec![text("let "), name(), text(" work longer")],
            },
            Action::ApiKeyHandedOver => match self.person("owner") {
                Some(owner) => vec![text("handed "), name(), text(" over to "), owner],
                None => vec![text("handed "), name(), text(" over")],
            },
            Action::ApiKeyRefusedAfterRevocation => vec![name(), text(" was refused after its revocation")],
            other => self.about_users_and_the_company(other),
        }
    }

    fn about_users_and_the_company(&self, action: Action) -> Vec<Part> {
        match action {
            Action::UserAdded => vec![text("added "), self.target()].into_iter().chain(self.role(" as ")).collect(),
            Action::UserDeleted => vec![text("deleted a user")],
            Action::UserInvited => vec![text("invited "), self.target()],
            Action::UserInvitationAccepted => vec![text("accepted the invitation")],
            Action::UserInvitationRenewed => vec![text("made a new link for "), self.target()],
            Action::UserPasswordChanged => self.theirs("changed", "password"),
            Action::UserProfileChanged => vec![text(format!("changed their {}", list_of(&self.changed())))],
            Action::UserRoleChanged => vec![text("made "), self.target()].into_iter().chain(self.role(" ")).collect(),
            Action::UserSecondFactorChanged if self.event.detail("second_factor") == Some(Value::Bool(true)) => {
                self.theirs("set up", "second factor")
            }
            Action::UserSecondFactorChanged => self.theirs("removed", "second factor"),
            Action::UserSessionEnded => match self.count("sessions") {
                Some(count) => vec![text(format!("ended {} of theirs", counted(count, "session", "sessions")))],
                None => vec![text("ended a session of theirs")],
            },
            Action::UserSignInRefused => vec![self.target(), text(" was refused at sign-in")],
            Action::UserSignedIn => vec![text("signed in")],
            Action::UserSignedOut => vec![text("signed out")],
            Action::UserUnlocked => vec![text("unlocked "), self.target()],
            Action::CompanyCreated => {
                vec![text("created the company "), Part::Name(self.event.subject_name().unwrap_or_default())]
            }
            Action::CompanyChanged => vec![text("changed the company’s settings")],
            Action::AuditTrailExported => self.exported(),
            other => vec![text(other.as_str())],
        }
    }

    pub(super) fn aside(&self, action: Option<Action>) -> Vec<Part> {
        match action {
            Some(Action::ApiKeyRefusedAfterRevocation) => {
                self.count("refused").map(|count| text(counted(count, "request", "requests"))).into_iter().collect()
            }
            Some(Action::UserSignInRefused) => {
                self.count("refusals").map(|count| text(counted(count, "attempt", "attempts"))).into_iter().collect()
            }
            Some(Action::ApiKeyRotated) => match self.time("ends_at") {
                Some(until) => vec![text("the old key was left working until "), Part::Time(until)],
                None => vec![text("the old key ended")],
            },
            // It is noticed some time after.
            Some(Action::ApiKeyExpired) => match self.time("ended_at") {
                Some(at) => vec![text("its time was up on "), Part::Time(at)],
                None => Vec::new(),
            },
            Some(Action::UserDeleted) => self.left_behind(),
            _ => Vec::new(),
        }
    }

    /// What became of the keys of a deleted user.
    fn left_behind(&self) -> Vec<Part> {
        let keys = |name| self.count(name).filter(|count| *count > 0).map(|count| counted(count, "key", "keys"));
        let handed_over = keys("keys_handed_over").zip(self.person("new_owner"));
        let mut parts = vec![text("Now shown as “Deleted user”")];
        if let Some((keys, owner)) = handed_over {
            parts.extend([text(format!(" · {keys} handed over to ")), owner]);
        } else if let Some(keys) = keys("keys_revoked") {
            parts.push(text(format!(" · {keys} revoked")));
        }
        parts
    }

    fn exported(&self) -> Vec<Part> {
        let format = self.event.detail("format");
        let format = match format.as_ref().and_then(Value::as_str) {
            Some("csv") => " as CSV",
            Some("json_lines") => " as JSON Lines",
            _ => "",
        };
        let filters = ["from", "until", "user", "actions", "key"];
        let is_part = filters.into_iter().any(|name| self.event.detail(name).is_some());
        vec![text(format!("exported {}the audit trail{format}", if is_part { "a part of " } else { "" }))]
    }

    /// Something that people do to what is theirs, and the command line to what is others'.
    fn theirs(&self, verb: &str, what: &str) -> Vec<Part> {
        if self.event.actor_id.as_ref() == Some(&self.event.target_id) {
            vec![text(format!("{verb} their {what}"))]
        } else {
            vec![text(format!("{verb} the {what} of ")), self.target()]
        }
    }

    fn changed(&self) -> Vec<&'static str> {
        let changed = self.event.detail("changed").unwrap_or_default();
        let words = [("name", "name"), ("time_zone", "time zone"), ("theme", "theme")];
        let is_in = |word: &str| changed.as_array().is_some_and(|all| all.iter().any(|one| one == word));
        words.into_iter().filter(|(word, _)| is_in(word)).map(|(_, shown)| shown).collect()
    }

    fn role(&self, before: &str) -> Option<Part> {
        let role = Role::parse(self.event.detail("role")?.as_str()?)?;
        Some(text(match role {
            Role::Admin => format!("{before}an admin"),
            Role::Auditor => format!("{before}an auditor"),
        }))
    }

    fn target(&self) -> Part {
        Part::Person(Who::user(UserId::parse(&self.event.target_id).and_then(|id| self.names.get(&id).cloned())))
    }

    fn person(&self, name: &str) -> Option<Part> {
        let id = UserId::parse(self.event.detail(name)?.as_str()?)?;
        Some(Part::Person(Who::user(self.names.get(&id).cloned())))
    }

    fn time(&self, name: &str) -> Option<ShownTime> {
        Some(self.zone.date_time(Instant::from_micros(self.event.detail(name)?.as_i64()?)))
    }

    fn count(&self, name: &str) -> Option<u64> {
        self.event.detail(name)?.as_u64()
    }
}

fn text(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

#[cfg(test)]
mod tests {
    use super::super::told::ToldEvent;
    use super::*;
    use crate::domain::event::tests::event;
    use crate::store::ListedEvent;

    fn words(parts: &[Part]) -> String {
        let word = |part: &Part| match part {
            Part::Text(text) | Part::Name(text) => text.clone(),
            Part::Person(who) => who.words().to_owned(),
            Part::Time(at) => at.text.clone(),
        };
        parts.iter().map(word).collect()
    }

    fn told(action: &str, after: &str) -> (String, String) {
        let id = UserId::new(Instant::from_micros(0), &[1; 10]);
        let names = Names::from([(id, "Priya Raman".to_owned())]);
        let event = Event {
            action: action.to_owned(),
            before: Some(r#"{"name":"ERP"}"#.to_owned()),
            after: (!after.is_empty()).then(|| after.replace("ID", &id.to_string())),
            target_id: id.to_string(),
            actor_id: Some(id.to_string()),
            ..event(1)
        };
        let zone = Zone::utc();
        let told = ToldEvent::of(
            &ListedEvent { event, key_preview: None },
            &names,
            &zone,
            zone.clock(Instant::from_micros(0)),
        );
        (words(&told.sentence), words(&told.aside))
    }

    #[test]
    fn every_action_is_told_in_words_of_its_own() {
        let mut sentences: Vec<String> = Action::ALL.iter().map(|action| told(action.as_str(), "").0).collect();
        sentences.sort();
        sentences.dedup();
        assert_eq!(sentences.len(), Action::ALL.len());
        assert_eq!(told("api_key.deleted", "").0, "api_key.deleted");
    }

    #[test]
    fn a_sentence_says_what_its_event_holds() {
        for (action, after, expected) in [
            ("api_key.renamed", r#"{"name":"ERP Sync"}"#, "renamed ERP to ERP Sync"),
            ("api_key.handed_over", r#"{"name":"ERP","owner":"ID"}"#, "handed ERP over to Priya Raman"),
            ("api_key.expiry_changed", r#"{"name":"ERP","ends_at":0}"#, "let ERP work until 1 Jan 1970, 00:00"),
            ("user.added", r#"{"role":"auditor"}"#, "added Priya Raman as an auditor"),
            ("user.role_changed", r#"{"role":"admin"}"#, "made Priya Raman an admin"),
            ("user.profile_changed", r#"{"changed":["name","theme"]}"#, "changed their name and theme"),
            ("user.second_factor_changed", r#"{"second_factor":true}"#, "set up their second factor"),
            ("user.session_ended", r#"{"sessions":2}"#, "ended 2 sessions of theirs"),
            ("audit_trail.exported", r#"{"format":"csv"}"#, "exported the audit trail as CSV"),
            (
                "audit_trail.exported",
                r#"{"format":"json_lines","key":"k"}"#,
                "exported a part of the audit trail as JSON Lines",
            ),
        ] {
            assert_eq!(told(action, after).0, expected);
        }
    }

    #[test]
    fn a_deletion_says_what_became_of_the_keys() {
        let handed_over = told("user.deleted", r#"{"keys_handed_over":3,"new_owner":"ID"}"#).1;
        assert_eq!(handed_over, "Now shown as “Deleted user” · 3 keys handed over to Priya Raman");
        assert_eq!(told("user.deleted", r#"{"keys_revoked":1}"#).1, "Now shown as “Deleted user” · 1 key revoked");
        assert_eq!(told("user.deleted", "").1, "Now shown as “Deleted user”");
    }
}
