//! Users: role, profile and theme.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Creates and revokes keys, manages users.
    Admin,
    /// Sees everything, changes nothing.
    Auditor,
}

impl Role {
    /// Every role, in the order of the form.
    pub const ALL: [Self; 2] = [Self::Admin, Self::Auditor];

    /// The word in forms, commands and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// The label on pages.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::Auditor => "Auditor",
        }
    }

    /// What the role allows, as the end of a sentence.
    #[must_use]
    pub const fn duties(self) -> &'static str {
        match self {
            Self::Admin => "creates and revokes keys, manages users.",
            Self::Auditor => "sees everything, changes nothing.",
        }
    }
}

/// A part of the profile that users change themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileField {
    Name,
    TimeZone,
    Theme,
}

/// The colour scheme of a user's pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// The browser decides.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// Every theme, in the order of the form.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in forms and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word)
    }

    /// The label on pages.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// Returns the word of a theme that overrides the browser's.
    #[must_use]
    pub fn forced(self) -> Option<&'static str> {
        (self != Self::System).then_some(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_and_theme_is_parsed_from_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        for theme in Theme::ALL {
            assert_eq!(Theme::parse(theme.as_str()), Some(theme));
        }
        assert_eq!((Role::parse("Admin"), Theme::parse("")), (None, None));
    }

    #[test]
    fn only_light_and_dark_override_the_browser() {
        assert_eq!(Theme::default().forced(), None);
        assert_eq!((Theme::Light.forced(), Theme::Dark.forced()), (Some("light"), Some("dark")));
    }
}
