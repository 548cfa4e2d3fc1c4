//! Labels for the actions and the fields of events.

use crate::domain::trail::action::Action;

/// The actions in a company's trail in groups, with their labels within the group.
pub const ACTION_GROUPS: [(&str, &[(Action, &str)]); 3] = [
    (
        "API keys",
        &[
            (Action::ApiKeyCreated, "Created"),
            (Action::ApiKeyRenamed, "Renamed"),
            (Action::ApiKeyHandedOver, "Owner changed"),
            (Action::ApiKeyRotated, "Rotated"),
            (Action::ApiKeyDetailsChanged, "Details changed"),
            (Action::ApiKeyExpiryChanged, "Expiry changed"),
            (Action::ApiKeyRevoked, "Revoked"),
            (Action::ApiKeyExpired, "Expired"),
            (Action::ApiKeyDigestRenewed, "Digest renewed"),
            (Action::ApiKeyRefusedAfterRevocation, "Rejected after revocation"),
        ],
    ),
    (
        "Users",
        &[
            (Action::UserAdded, "Added"),
            (Action::UserInvited, "Invited"),
            (Action::UserInvitationRenewed, "Invitation renewed"),
            (Action::UserInvitationAccepted, "Invitation accepted"),
            (Action::UserRoleChanged, "Role changed"),
            (Action::UserProfileChanged, "Profile updated"),
            (Action::UserPasswordChanged, "Password changed"),
            (Action::UserSecondFactorChanged, "Second factor changed"),
            (Action::UserDeleted, "Deleted"),
            (Action::UserSignedIn, "Signed in"),
            (Action::UserSignInRefused, "Sign-in failed"),
            (Action::UserSignedOut, "Signed out"),
            (Action::UserSessionEnded, "Signed out remotely"),
            (Action::UserUnlocked, "Unlocked"),
        ],
    ),
    (
        "Company",
        &[
            (Action::CompanyCreated, "Created"),
            (Action::CompanyChanged, "Settings changed"),
            (Action::ApiKeysExported, "API keys exported"),
            (Action::AuditTrailExported, "Audit trail exported"),
            (Action::AuditTrailLossAccepted, "Loss of events accepted"),
        ],
    ),
];

/// The label of an action, with the name of its group.
pub fn full_label(action: Action) -> String {
    let in_group = |(group, actions): &(&str, &[(Action, &str)])| {
        let (_, label) = actions.iter().find(|(listed, _)| *listed == action)?;
        let label = label.to_lowercase();
        Some(match *group {
            "API keys" => format!("API key {label}"),
            "Users" => format!("User: {label}"),
            _ => format!("Company: {label}"),
        })
    };
    ACTION_GROUPS.iter().find_map(in_group).unwrap_or_else(|| action.as_str().to_owned())
}

/// “name, time zone and theme”.
pub fn join_list(words: &[&str]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The label of a field in the detail of an event.
pub fn field_label(name: &str) -> String {
    let text = match name {
        "expires_at" => "Expires",
        "ends_at" => "Works until",
        "ended_at" => "Ended",
        "overlap_ends_at" => "Overlap ends",
        "digest_fingerprint" => "Fingerprint of the digest",
        "last_refused_at" => "Last rejected",
        "refused" => "Rejected requests",
        "refusals" => "Failed attempts",
        "service_account_id" => "Service account",
        "preview" => "Key",
        "keys_together" => "Keys revoked in this batch",
        "changed" => "Changed",
        "require_second_factor" => "Second factor for administrators",
        "default_expiry_days" => "Default expiry",
        "maximum_lifetime_days" => "Maximum lifetime",
        "rotation_period_days" => "Rotation reminder",
        "idle_end_days" => "Idle end",
        "idle_days" => "Not used for",
        "session_id" => "Session",
        "link_created_by" => "Link from",
        "events_left" => "Events before the loss",
        "link_created_by_type" => "Link created by",
        "until" => "To",
        "q" => "Search",
        other => {
            let words = other.replace('_', " ");
            let mut letters = words.chars();
            return letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
        }
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_company_action_is_listed_once() {
        let listed: Vec<Action> =
            ACTION_GROUPS.iter().flat_map(|(_, actions)| actions.iter().map(|(action, _)| *action)).collect();
        for action in Action::ALL {
            let is_global = matches!(action.as_str().split('.').next(), Some("gateway" | "secrets"));
            let count = listed.iter().filter(|other| *other == action).count();
            assert_eq!(count, usize::from(!is_global), "{action:?}");
        }
    }

    #[test]
    fn words_are_joined_with_commas_and_and() {
        assert_eq!(join_list(&[]), "");
        assert_eq!(join_list(&["name"]), "name");
        assert_eq!(join_list(&["name", "time zone", "theme"]), "name, time zone and theme");
    }

    #[test]
    fn a_field_without_a_label_is_labelled_by_its_name() {
        assert_eq!(field_label("new_owner"), "New owner");
        assert_eq!(field_label("ends_at"), "Works until");
        assert_eq!(field_label(""), "");
    }
}
