//! Users: people who sign in, what their role lets them do, and how they want their pages.

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Creates and revokes keys, manages users.
    Admin,
    /// Sees everything, changes nothing.
    Auditor,
}

impl Role {
    /// Every role, as forms list them.
    pub const ALL: [Self; 2] = [Self::Admin, Self::Auditor];

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
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// How pages call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::Auditor => "Auditor",
        }
    }

    /// What it lets a user do, as the rest of a sentence.
    #[must_use]
    pub const fn duties(self) -> &'static str {
        match self {
            Self::Admin => "creates and revokes keys, manages users.",
            Self::Auditor => "sees everything, changes nothing.",
        }
    }
}

/// The colours that a user wants their pages in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Whatever their browser asks for.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Every theme, as forms list them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The theme's word in forms and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word)
    }

    /// How pages call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// The word of a theme that overrules the browser.
    #[must_use]
    pub fn forced(self) -> Option<&'static str> {
        (self != Self::System).then_some(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_and_a_theme_are_read_back_from_their_words() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        for theme in Theme::ALL {
            assert_eq!(Theme::parse(theme.as_str()), Some(theme));
        }
        assert_eq!((Role::parse("Admin"), Theme::parse("")), (None, None));
    }

    #[test]
    fn only_light_and_dark_overrule_the_browser() {
        assert_eq!(Theme::default().forced(), None);
        assert_eq!((Theme::Light.forced(), Theme::Dark.forced()), (Some("light"), Some("dark")));
    }
}
