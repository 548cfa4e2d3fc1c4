//! Users: people who sign in, and what their role lets them do.

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Creates and revokes keys, manages users.
    Admin,
    /// Sees everything, changes nothing.
    Auditor,
}

impl Role {
    /// The role's word in forms, commands and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Admin, Self::Auditor].into_iter().find(|role| role.as_str() == word)
    }
}
