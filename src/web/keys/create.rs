//! Add API Key: the form, and the page part that shows the new key once.

use crate::web::page::Field;

/// The form over the list.
#[derive(Clone, Debug)]
pub struct AddKey {
    pub name: Field,
    pub submission: String,
    /// The hidden `submission` that came was missing, foreign or too old; the one above is new.
    pub outdated: bool,
}

impl AddKey {
    pub(super) fn failed(&self) -> bool {
        self.outdated || self.name.error.is_some()
    }
}

/// The new key, shown in this one answer.
pub struct NewKey {
    pub key_id: String,
    pub name: String,
    pub new_key: String,
    /// Without a slash at its end.
    pub public_url: String,
}
