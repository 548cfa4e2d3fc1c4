//! The words of the findings, and sets of them.

/// One way in which a key falls short of good practice. The order is that of their weight, heaviest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Practice {
    /// The owner was deleted, or has not signed in for long.
    OwnerGone,
    ExpiresSoon,
    /// The key is older than the policy's rotation period.
    RotationDue,
    /// Several kinds of clients use the key from several networks.
    SeveralPlaces,
    /// A person uses the key, with a browser or a tool for trying out requests.
    HumanClient,
    /// The key was used, but not for long.
    Unused,
    NeverUsed,
    /// The key never expires although the policy sets an expiry.
    NoExpiry,
    /// The name does not say which system uses the key.
    TellsNothing,
    /// The service account has no purpose.
    NoPurpose,
    /// The key was not reviewed for longer than the policy's review period.
    ReviewDue,
}

impl Practice {
    /// Every finding, heaviest first.
    pub const ALL: [Self; 11] = [
        Self::OwnerGone,
        Self::ExpiresSoon,
        Self::RotationDue,
        Self::SeveralPlaces,
        Self::HumanClient,
        Self::Unused,
        Self::NeverUsed,
        Self::NoExpiry,
        Self::TellsNothing,
        Self::NoPurpose,
        Self::ReviewDue,
    ];

    /// The word in addresses, rows and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnerGone => "owner-gone",
            Self::ExpiresSoon => "expires-soon",
            Self::RotationDue => "rotation-due",
            Self::SeveralPlaces => "several-places",
            Self::HumanClient => "human-client",
            Self::Unused => "unused",
            Self::NeverUsed => "never-used",
            Self::NoExpiry => "no-expiry",
            Self::TellsNothing => "tells-nothing",
            Self::NoPurpose => "no-purpose",
            Self::ReviewDue => "review-due",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|practice| practice.as_str() == word)
    }
}

/// The findings of one key, as a set of bits: bit `n` is `Practice::ALL[n]`. Rows store it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings(i64);

impl Findings {
    #[must_use]
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    #[must_use]
    pub const fn bits(self) -> i64 {
        self.0
    }

    pub fn insert(&mut self, practice: Practice) {
        self.0 |= Self::of(practice).0;
    }

    /// The set of one finding.
    #[must_use]
    pub const fn of(practice: Practice) -> Self {
        Self(1 << practice as u8)
    }

    #[must_use]
    pub const fn contains(self, practice: Practice) -> bool {
        self.0 & Self::of(practice).0 != 0
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The findings, heaviest first.
    pub fn iter(self) -> impl Iterator<Item = Practice> {
        Practice::ALL.into_iter().filter(move |practice| self.contains(*practice))
    }
}

impl FromIterator<Practice> for Findings {
    fn from_iter<I: IntoIterator<Item = Practice>>(practices: I) -> Self {
        let mut findings = Self::default();
        practices.into_iter().for_each(|practice| findings.insert(practice));
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_has_its_own_bit() {
        let mut bits = 0;
        for practice in Practice::ALL {
            assert_eq!(Practice::parse(practice.as_str()), Some(practice));
            assert_eq!(bits & Findings::of(practice).bits(), 0);
            bits |= Findings::of(practice).bits();
        }
        assert_eq!(bits.count_ones() as usize, Practice::ALL.len());
        assert_eq!(Practice::parse("owner_gone"), None);
    }

    #[test]
    fn a_set_lists_the_heaviest_finding_first() {
        let findings: Findings = [Practice::NoPurpose, Practice::OwnerGone, Practice::Unused].into_iter().collect();
        assert_eq!(findings.iter().collect::<Vec<_>>(), [Practice::OwnerGone, Practice::Unused, Practice::NoPurpose]);
        assert!(findings.contains(Practice::Unused) && !findings.contains(Practice::NeverUsed));
        assert_eq!(Findings::from_bits(findings.bits()), findings);
    }
}
