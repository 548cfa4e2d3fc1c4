//! What pages say about a finding: a label, a sentence with the number of keys, and what to do.

use super::finding::Practice;

impl Practice {
    /// The name of the finding, in filters and on a key's page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OwnerGone => "Owner gone",
            Self::ExpiresSoon => "Expires within 30 days",
            Self::RotationDue => "Rotation due",
            Self::SeveralPlaces => "Used from several places",
            Self::HumanClient => "Used by a person",
            Self::Unused => "Not used for 90 days",
            Self::NeverUsed => "Never used",
            Self::NoExpiry => "No expiry",
            Self::TellsNothing => "Unclear name",
            Self::NoPurpose => "No purpose",
            Self::ReviewDue => "Review due",
        }
    }

    /// What follows the number of keys: “3 keys …”.
    #[must_use]
    pub const fn predicate(self, keys: i64) -> &'static str {
        match (self, keys) {
            (Self::OwnerGone, 1) => "belongs to someone who has left or has not signed in for 90 days",
            (Self::OwnerGone, _) => "belong to someone who has left or has not signed in for 90 days",
            (Self::ExpiresSoon, 1) => "expires within 30 days",
            (Self::ExpiresSoon, _) => "expire within 30 days",
            (Self::RotationDue, 1) => "is due for rotation",
            (Self::RotationDue, _) => "are due for rotation",
            (Self::SeveralPlaces, 1) => "is used from several places",
            (Self::SeveralPlaces, _) => "are used from several places",
            (Self::HumanClient, 1) => "is used by a person, with a browser or an API tool",
            (Self::HumanClient, _) => "are used by a person, with a browser or an API tool",
            (Self::Unused, 1) => "has not been used for 90 days",
            (Self::Unused, _) => "have not been used for 90 days",
            (Self::NeverUsed, 1) => "has never been used",
            (Self::NeverUsed, _) => "have never been used",
            (Self::NoExpiry, 1) => "never expires, although your policy sets an expiry",
            (Self::NoExpiry, _) => "never expire, although your policy sets an expiry",
            (Self::TellsNothing, 1) => "has a name that does not say which system uses it",
            (Self::TellsNothing, _) => "have a name that does not say which system uses them",
            (Self::NoPurpose, 1) => "has no purpose",
            (Self::NoPurpose, _) => "have no purpose",
            (Self::ReviewDue, 1) => "is due for review",
            (Self::ReviewDue, _) => "are due for review",
        }
    }

    /// What to do about the finding.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::OwnerGone => Remedy::HandOver,
            Self::ExpiresSoon | Self::RotationDue | Self::SeveralPlaces | Self::NoExpiry => Remedy::Rotate,
            Self::HumanClient | Self::ReviewDue => Remedy::AskOwner,
            Self::Unused | Self::NeverUsed => Remedy::Revoke,
            Self::TellsNothing | Self::NoPurpose => Remedy::Describe,
        }
    }

    /// The reason, and what to do, in one or two sentences.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::OwnerGone => {
                "The owner has left or has not signed in for 90 days. Hand the key over to someone who knows it."
            }
            Self::ExpiresSoon => "The key expires within 30 days. Rotate it in time, so that its system keeps working.",
            Self::RotationDue => "The key is older than your policy’s rotation period. Rotate it.",
            Self::SeveralPlaces => {
                "In the last 7 days, different clients used the key from more than two networks. Create a key for each \
                 system, and rotate this one if you do not know all of them."
            }
            Self::HumanClient => {
                "In the last 7 days, someone used the key with a browser, Postman, Insomnia, or curl from several addresses. \
                 Ask the owner why."
            }
            Self::Unused => "The key has not been used for 90 days. Revoke it if its system is gone.",
            Self::NeverUsed => {
                "The key was created at least 14 days ago and has never been used. Revoke it if nobody needs it."
            }
            Self::NoExpiry => "The key never expires, although your policy sets an expiry. Rotate it to give it one.",
            Self::TellsNothing => "The name does not say which system uses the key. Rename it.",
            Self::NoPurpose => "Nothing says what the key is for. Add its purpose.",
            Self::ReviewDue => {
                "The key has not been reviewed for longer than your review period. Ask the owner whether it is needed."
            }
        }
    }
}

/// What an admin can do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    Rotate,
    HandOver,
    AskOwner,
    Revoke,
    /// Change the name or the purpose.
    Describe,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::practice::rules;

    #[test]
    fn every_sentence_agrees_with_its_number_and_names_the_thresholds() {
        for practice in Practice::ALL {
            assert_ne!(practice.predicate(1), practice.predicate(2), "{practice:?}");
            assert_eq!(practice.predicate(2), practice.predicate(0), "{practice:?}");
            assert!(practice.advice().ends_with('.') && !practice.label().ends_with('.'));
        }
        let days = |period: std::time::Duration| format!("{} days", period.as_secs() / 86_400);
        for (practice, period) in [
            (Practice::OwnerGone, rules::OWNER_ABSENCE),
            (Practice::ExpiresSoon, rules::EXPIRY_NOTICE),
            (Practice::SeveralPlaces, rules::CLIENT_PERIOD),
            (Practice::HumanClient, rules::CLIENT_PERIOD),
            (Practice::Unused, rules::UNUSED_PERIOD),
            (Practice::NeverUsed, rules::FIRST_USE_PERIOD),
        ] {
            assert!(practice.advice().contains(&days(period)), "{practice:?}");
        }
    }
}
