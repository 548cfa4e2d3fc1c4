//! What things of the trail are called on its page: actions to choose from, and what an event says of before and after.

use crate::domain::action::Action;

/// The actions of a company's trail in groups, with what each is called within its group.
pub(super) const GROUPS: [(&str, &[(Action, &str)]); 3] = [
    (
        "API keys",
        &[
            (Action::ApiKeyCreated, "Created"),
            (Action::ApiKeyRenamed, "Renamed"),
            (Action::ApiKeyHandedOver, "Handed over"),
            (Action::ApiKeyRotated, "Rotated"),
            (Action::ApiKeyExpiryChanged, "Extended"),
            (Action::ApiKeyRevoked, "Revoked"),
            (Action::ApiKeyExpired, "Expired"),
            (Action::ApiKeyRefusedAfterRevocation, "Refused after revocation"),
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
            (Action::UserProfileChanged, "Preferences changed"),
            (Action::UserPasswordChanged, "Password changed"),
            (Action::UserSecondFactorChanged, "Second factor changed"),
            (Action::UserDeleted, "Deleted"),
            (Action::UserSignedIn, "Signed in"),
            (Action::UserSignInRefused, "Refused at sign-in"),
            (Action::UserSignedOut, "Signed out"),
            (Action::UserSessionEnded, "Session ended"),
            (Action::UserUnlocked, "Unlocked"),
        ],
    ),
    (
        "Company",
        &[
            (Action::CompanyCreated, "Created"),
            (Action::CompanyChanged, "Settings changed"),
            (Action::AuditTrailExported, "Audit trail exported"),
        ],
    ),
];

/// What an action is called where nothing says which group it is of.
pub(super) fn full(action: Action) -> String {
    let of = |(group, actions): &(&str, &[(Action, &str)])| {
        let (_, label) = actions.iter().find(|(known, _)| *known == action)?;
        let label = label.to_lowercase();
        Some(match *group {
            "API keys" => format!("API key {label}"),
            "Users" => format!("User: {label}"),
            _ => format!("Company: {label}"),
        })
    };
    GROUPS.iter().find_map(of).unwrap_or_else(|| action.as_str().to_owned())
}

/// “name, time zone and theme”.
pub(super) fn list_of(words: &[&str]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// What an event calls by that name in its before and after.
pub(super) fn label(name: &str) -> String {
    let known = match name {
        "expires_at" => "Expires",
        "ends_at" => "Works until",
        "ended_at" => "Ended",
        "last_refused_at" => "Last refused",
        "refused" => "Requests refused",
        "refusals" => "Attempts refused",
        "service_account_id" => "Service account",
        "preview" => "Key",
        "keys_together" => "Revoked together",
        "changed" => "Changed",
        "require_second_factor" => "Second factor of administrators",
        "default_expiry_days" => "Keys expire after",
        "maximum_lifetime_days" => "Longest lifetime allowed",
        "rotation_period_days" => "Rotate keys every",
        "session_id" => "Session",
        "until" => "To",
        other => {
            let words = other.replace('_', " ");
            let mut letters = words.chars();
            return letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
        }
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_a_company_can_be_chosen_once() {
        let offered: Vec<Action> =
            GROUPS.iter().flat_map(|(_, actions)| actions.iter().map(|(action, _)| *action)).collect();
        for action in Action::ALL {
            let of_the_installation = matches!(action.as_str().split('.').next(), Some("gateway" | "secrets"));
            let times = offered.iter().filter(|offered| *offered == action).count();
            assert_eq!(times, usize::from(!of_the_installation), "{action:?}");
        }
    }

    #[test]
    fn several_words_are_a_list() {
        assert_eq!(list_of(&[]), "");
        assert_eq!(list_of(&["name"]), "name");
        assert_eq!(list_of(&["name", "time zone", "theme"]), "name, time zone and theme");
    }

    #[test]
    fn a_name_without_words_of_its_own_is_read_as_it_is() {
        assert_eq!(label("new_owner"), "New owner");
        assert_eq!(label("ends_at"), "Works until");
        assert_eq!(label(""), "");
    }
}
