//! Views of users and other actors.

use crate::domain::actor::Actor;
use crate::store::UserNames;

/// A user with a name, that is, one who was not deleted.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub initials: String,
}

impl Person {
    /// A person with the initials of the first and the last word of their name.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        let mut words = name.split_whitespace().filter_map(initial);
        let first = words.next();
        let initials = first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect();
        Self { name, initials }
    }
}

fn initial(word: &str) -> Option<char> {
    word.chars().find(|letter| letter.is_alphanumeric())
}

/// An actor as lists, dialogs and events show it.
#[derive(Clone, Debug)]
pub enum ActorView {
    Person(Person),
    DeletedUser,
    /// An actor that is not a user: “Key holder”, “Command line”, “Leak report”, “Keydesk”.
    Label(&'static str),
}

impl ActorView {
    /// A user by name. Only deleted users have no name.
    #[must_use]
    pub fn user(name: Option<String>) -> Self {
        name.map_or(Self::DeletedUser, |name| Self::Person(Person::named(name)))
    }

    /// The actor as plain text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Person(person) => &person.name,
            Self::DeletedUser => "Deleted user",
            Self::Label(label) => label,
        }
    }
}

/// The view of an actor, with the names of the users that `names` holds.
#[must_use]
pub fn actor_view(actor: Actor, names: &UserNames) -> ActorView {
    match actor {
        Actor::User(id) => ActorView::user(names.get(&id).cloned()),
        Actor::KeyHolder => ActorView::Label("Key holder"),
        Actor::LeakReport => ActorView::Label("Leak report"),
        Actor::CommandLine => ActorView::Label("Command line"),
        Actor::System => ActorView::Label("Keydesk"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_the_first_and_the_last_word() {
        let initials = |name: &str| Person::named(name).initials;
        assert_eq!(initials("Maria Lindqvist"), "ML");
        assert_eq!(initials("Åsa de la Cour"), "ÅC");
        assert_eq!(initials("plato"), "P");
        assert_eq!(initials("(Anna) “Bo”"), "AB");
        assert_eq!(initials("דנה לוי"), "דל");
        assert_eq!(initials("☂ ☀"), "");
    }

    #[test]
    fn a_user_without_a_name_is_a_deleted_user() {
        assert!(matches!(ActorView::user(None), ActorView::DeletedUser));
        assert!(matches!(ActorView::user(Some("Ada".to_owned())), ActorView::Person(person) if person.name == "Ada"));
    }
}
