//! What every page is drawn with: shell, people, times, fields. Owned data only; it must not ask the database.

use crate::domain::actor::Actor;
use crate::domain::user::Theme;
use crate::store::Names;

/// The addresses of the files that every page loads.
#[derive(Clone, Copy, Debug)]
pub struct AssetPaths {
    pub stylesheet: &'static str,
    pub module: &'static str,
    pub favicon: &'static str,
}

/// The frame of a page for someone who is signed in.
#[derive(Clone, Debug)]
pub struct Shell {
    pub company: String,
    pub platform: String,
    pub person: Person,
    pub theme: Theme,
    pub assets: AssetPaths,
}

/// The frame of a page drawn without a session: sign-in, set-up, messages.
#[derive(Clone, Debug)]
pub struct OutsideShell {
    pub platform: String,
    pub assets: AssetPaths,
}

/// A user whose name is known.
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

/// Whoever did something, as lists, dialogs and events draw them.
#[derive(Clone, Debug)]
pub enum Who {
    Person(Person),
    DeletedUser,
    /// Not a user: “Key holder”, “Command line”, “Leak report”, “Keydesk”.
    Words(&'static str),
}

impl Who {
    /// A user by name; one whose name is gone is a deleted user.
    #[must_use]
    pub fn user(name: Option<String>) -> Self {
        name.map_or(Self::DeletedUser, |name| Self::Person(Person::named(name)))
    }

    /// The same as plain text.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Person(person) => &person.name,
            Self::DeletedUser => "Deleted user",
            Self::Words(words) => words,
        }
    }
}

/// An actor as lists, dialogs and events show them.
#[must_use]
pub fn who(actor: Actor, names: &Names) -> Who {
    match actor {
        Actor::User(id) => Who::user(names.get(&id).cloned()),
        Actor::KeyHolder => Who::Words("Key holder"),
        Actor::LeakReport => Who::Words("Leak report"),
        Actor::CommandLine => Who::Words("Command line"),
        Actor::System => Who::Words("Keydesk"),
    }
}

/// An instant as text, with what `<time>` needs around it.
#[derive(Clone, Debug)]
pub struct ShownTime {
    pub text: String,
    /// UTC, RFC 3339, whole seconds.
    pub datetime: String,
    /// Date, time and zone name.
    pub title: String,
}

/// A form field as typed, with the sentence that says what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

impl Field {
    /// A field that nothing is wrong with yet.
    #[must_use]
    pub fn kept(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: None }
    }

    /// A field drawn again with its error.
    #[must_use]
    pub fn refused(value: impl Into<String>, error: impl Into<String>) -> Self {
        Self { value: value.into(), error: Some(error.into()) }
    }
}

/// A number with commas between its thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// “1 active key”, “10,000 active keys”.
#[must_use]
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// An e-mail address before its `@`, and from there on.
#[must_use]
pub fn email_halves(email: &str) -> (&str, &str) {
    email.split_at(email.find('@').unwrap_or(email.len()))
}

/// The beginning of a text that has more than so many characters.
#[must_use]
pub fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_the_first_and_the_last_word() {
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
        assert!(matches!(Who::user(None), Who::DeletedUser));
        assert!(matches!(Who::user(Some("Ada".to_owned())), Who::Person(person) if person.name == "Ada"));
    }

    #[test]
    fn thousands_are_set_apart_by_commas() {
        let texts = [0, 999, 1000, 10_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "10,000", "1,234,567"]);
        assert_eq!(counted(1, "key", "keys"), "1 key");
    }
}
