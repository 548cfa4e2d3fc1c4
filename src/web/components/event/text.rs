//! The sentence that describes an event, one for each action.

use crate::domain::ids::UserId;
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::filter::ExportFormat;
use crate::domain::user::profile::{ProfileField, Role};
use crate::store::UserNames;
use crate::web::app::text::{pluralized, with_thousands};
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;
use crate::web::components::event::labels::join_list;
use crate::web::components::people::ActorView;

/// A part of a sentence.
#[derive(Clone, Debug)]
pub enum Part {
    Text(String),
    /// The name of a service account or company.
    Name(String),
    Person(ActorView),
    Time(TimeView),
}

/// Writes the text of one event.
pub struct EventText<'a> {
    pub event: &'a Event,
    pub detail: &'a EventDetail,
    pub names: &'a UserNames,
    pub zone: &'a Zone,
}

impl EventText<'_> {
    pub fn sentence(&self, action: Option<Action>) -> Vec<Part> {
        let Some(action) = action else { return vec![text(self.event.action.clone())] };
        let name = || Part::Name(self.detail.name().unwrap_or_default());
        match action {
            Action::ApiKeyCreated => vec![text("created "), name()],
            Action::ApiKeyRenamed => match self.detail {
                EventDetail::ApiKeyRenamed { before, .. } => {
                    vec![text("renamed "), Part::Name(before.name.clone()), text(" to "), name()]
                }
                _ => vec![text("renamed "), name()],
            },
            Action::ApiKeyRotated => vec![text("rotated "), name()],
            Action::ApiKeyRevoked => [text("revoked "), name()].into_iter().chain(self.reason()).collect(),
            Action::ApiKeyDigestRenewed => vec![text("renewed the stored digest of "), name()],
            Action::ApiKeyExpired => match self.detail {
                EventDetail::ApiKeyExpired { after, .. } if let Some(days) = after.idle_days => {
                    vec![name(), text(format!(" expired: not used for {days} days"))]
                }
                _ => vec![name(), text(" expired")],
            },
            Action::ApiKeyDetailsChanged => {
                vec![text(format!("changed the {} of ", join_list(&self.changed_details()))), name()]
            }
            Action::ApiKeyExpiryChanged => match self.detail {
                EventDetail::ApiKeyOverlapExtended { after, .. } => {
                    vec![text("extended "), name(), text(" until "), self.time(after.ends_at)]
                }
                EventDetail::ApiKeyExpiryChanged { after, .. } => match after.expires_at {
                    Some(at) => vec![text("set "), name(), text(" to expire on "), self.time(at)],
                    None => vec![text("set "), name(), text(" to never expire")],
                },
                _ => vec![text("changed the expiry of "), name()],
            },
            Action::ApiKeyHandedOver => match self.detail {
                EventDetail::ApiKeyHandedOver { after, .. } => {
                    vec![text("changed the owner of "), name(), text(" to "), self.person(after.owner)]
                }
                _ => vec![text("changed the owner of "), name()],
            },
            Action::ApiKeyRefusedAfterRevocation => {
                vec![text("A request with the revoked key "), name(), text(" was rejected")]
            }
            other => self.user_or_company_sentence(other),
        }
    }

    fn user_or_company_sentence(&self, action: Action) -> Vec<Part> {
        match action {
            Action::UserAdded => vec![text("added "), self.target()].into_iter().chain(self.role()).collect(),
            Action::UserDeleted => vec![text("deleted a user")],
            Action::UserInvited => vec![text("invited "), self.target()],
            Action::UserInvitationAccepted => vec![text("accepted the invitation")],
            Action::UserInvitationRenewed => vec![text("created a password link for "), self.target()],
            Action::UserPasswordChanged => {
                self.possessive("changed", "password").into_iter().chain(self.used_link()).collect()
            }
            Action::UserProfileChanged => vec![text(format!("updated their {}", join_list(&self.changed_fields())))],
            Action::UserRoleChanged => match self.detail {
                EventDetail::UserRoleChanged { after, .. } => {
                    vec![text("changed the role of "), self.target(), text(format!(" to {}", after.role.label()))]
                }
                _ => vec![text("changed the role of "), self.target()],
            },
            Action::UserSecondFactorChanged => match self.detail {
                EventDetail::UserSecondFactorChanged { after, .. } if after.recovery_codes_renewed => {
                    vec![text("renewed their recovery codes")]
                }
                EventDetail::UserSecondFactorChanged { after, .. } if after.second_factor => {
                    self.possessive("set up", "second factor")
                }
                _ => self.possessive("removed", "second factor"),
            },
            Action::UserSessionEnded => match self.detail {
                EventDetail::UserSessionsEnded { after } => {
                    vec![text(format!("signed out {} of their sessions", with_thousands(after.sessions)))]
                }
                _ => vec![text("signed out one of their sessions")],
            },
            Action::UserSignInRefused => vec![text("Failed sign-in for "), self.target()],
            Action::UserSignedIn => vec![text("signed in")],
            Action::UserSignedOut => vec![text("signed out")],
            Action::UserUnlocked => vec![text("unlocked "), self.target()],
            Action::CompanyCreated => {
                vec![text("created the company "), Part::Name(self.detail.name().unwrap_or_default())]
            }
            Action::CompanyChanged => vec![text("updated company settings")],
            Action::ApiKeysExported => vec![text(self.key_export_sentence())],
            Action::AuditTrailExported => self.export_sentence(),
            Action::AuditTrailLossAccepted => self.loss_sentence(),
            other => vec![text(other.as_str())],
        }
    }

    pub fn aside(&self, action: Option<Action>) -> Vec<Part> {
        match (action, self.detail) {
            (_, EventDetail::ApiKeyRefusedAfterRevocation { after }) => count(after.refused, "request", "requests"),
            (_, EventDetail::UserSignInRefused { after }) => count(after.refusals, "attempt", "attempts"),
            (Some(Action::ApiKeyRotated), detail) => match detail {
                EventDetail::ApiKeyRotated { after, .. } if let Some(until) = after.ends_at => {
                    vec![text("overlap until "), self.time(until)]
                }
                _ => vec![text("no overlap")],
            },
            // Keydesk records the expiry some time later.
            (_, EventDetail::ApiKeyExpired { after, .. }) => {
                vec![text("expired on "), self.time(after.ended_at)]
            }
            (Some(Action::UserDeleted), _) => self.key_disposition(),
            _ => Vec::new(),
        }
    }

    /// What happened to the keys of a deleted user.
    fn key_disposition(&self) -> Vec<Part> {
        let keys = |count| pluralized(count, "key", "keys");
        let mut parts = vec![text("Now shown as “Deleted user”")];
        match self.detail {
            EventDetail::UserDeletedKeysHandedOver { after, .. } => {
                let handed_over = text(format!(" · {} handed over to ", keys(after.keys_handed_over)));
                parts.extend([handed_over, self.person(after.new_owner)]);
            }
            EventDetail::UserDeletedKeysRevoked { after, .. } => {
                parts.push(text(format!(" · {} revoked", keys(after.keys_revoked))));
            }
            _ => {}
        }
        parts
    }

    fn export_sentence(&self) -> Vec<Part> {
        let (format, is_filtered) = match self.detail {
            EventDetail::AuditTrailExported { after } => (Some(after.format), after.is_filtered()),
            _ => (None, false),
        };
        let format = match format {
            Some(ExportFormat::Csv) => " as CSV",
            Some(ExportFormat::JsonLines) => " as JSONL",
            None => "",
        };
        let what = if is_filtered { "filtered events" } else { "the audit trail" };
        vec![text(format!("exported {what}{format}"))]
    }

    fn key_export_sentence(&self) -> &'static str {
        match self.detail {
            EventDetail::ApiKeysExported { after } if after.is_filtered() => "exported filtered keys as CSV",
            EventDetail::ApiKeysExported { after } if after.tab == "revoked" => "exported the revoked keys as CSV",
            _ => "exported the active keys as CSV",
        }
    }

    fn loss_sentence(&self) -> Vec<Part> {
        let lost = match self.detail {
            EventDetail::AuditTrailLossAccepted { after } => match after.first_lost {
                Some(first) => pluralized((after.last_lost + 1).saturating_sub(first), "event", "events"),
                None => "replaced events".to_owned(),
            },
            _ => "events".to_owned(),
        };
        vec![text(format!("accepted the loss of {lost} of the audit trail"))]
    }

    /// “changed their password” for a user's own password, or “changed the password of …”.
    fn possessive(&self, verb: &str, object: &str) -> Vec<Part> {
        if self.event.actor_id.as_ref() == Some(&self.event.target_id) {
            vec![text(format!("{verb} their {object}"))]
        } else {
            vec![text(format!("{verb} the {object} of ")), self.target()]
        }
    }

    /// “ with a link from …”, if a link was used.
    fn used_link(&self) -> Vec<Part> {
        let EventDetail::UserPasswordChangedByLink { after } = self.detail else { return Vec::new() };
        match (after.link_created_by, after.link_created_by_type.as_deref()) {
            (Some(creator), _) => vec![text(" with a link from "), self.person(creator)],
            (None, Some("command_line")) => vec![text(" with a link from the command line")],
            (None, _) => vec![text(" with a link")],
        }
    }

    fn changed_details(&self) -> Vec<&'static str> {
        let EventDetail::ApiKeyDetailsChanged { before, after } = self.detail else { return vec!["details"] };
        let details = [
            ("purpose", before.purpose != after.purpose),
            ("department", before.department != after.department),
            ("contact", before.contact != after.contact),
        ];
        details.into_iter().filter(|(_, is_changed)| *is_changed).map(|(detail, _)| detail).collect()
    }

    fn changed_fields(&self) -> Vec<&'static str> {
        let EventDetail::UserProfileChanged { after } = self.detail else { return Vec::new() };
        let name = |field: &ProfileField| match field {
            ProfileField::Name => "name",
            ProfileField::TimeZone => "time zone",
            ProfileField::Theme => "theme",
        };
        after.changed.iter().map(name).collect()
    }

    fn role(&self) -> Option<Part> {
        let EventDetail::UserAdded { after } = self.detail else { return None };
        Some(text(match after.role {
            Role::Admin => " as an admin",
            Role::Auditor => " as an auditor",
        }))
    }

    /// “ (No longer used)”, if there is a reason.
    fn reason(&self) -> Option<Part> {
        let reason = RevocationReason::given(self.event.reason.as_deref())?;
        Some(text(format!(" ({})", reason.label())))
    }

    fn target(&self) -> Part {
        Part::Person(ActorView::user(UserId::parse(&self.event.target_id).and_then(|id| self.names.get(&id).cloned())))
    }

    fn person(&self, id: UserId) -> Part {
        Part::Person(ActorView::user(self.names.get(&id).cloned()))
    }

    fn time(&self, at: Timestamp) -> Part {
        Part::Time(self.zone.date_time(at))
    }
}

fn count(count: i64, one: &'static str, many: &'static str) -> Vec<Part> {
    u64::try_from(count).map(|count| text(pluralized(count, one, many))).into_iter().collect()
}

fn text(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

#[cfg(test)]
mod tests;
