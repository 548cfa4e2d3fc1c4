//! The view of the dialog that edits a key.

use askama::Template;

use super::fields::EditFields;
use crate::web::components::dialog::Dialog;
use crate::web::components::versioned_form::VersionedForm;
use crate::web::paths;

#[derive(Clone, Debug, Template)]
#[template(path = "api_keys/edit.html")]
pub struct Edit {
    pub key_id: String,
    pub current_name: String,
    pub fields: EditFields,
    /// The id and name of each user who can own the key.
    pub people: Vec<(String, String)>,
    /// The id of the current owner, if that user is deleted.
    pub deleted_owner: Option<String>,
    pub edited: VersionedForm,
}

impl Edit {
    #[must_use]
    pub fn into_dialog(self) -> Dialog {
        let has_error = self.fields.first_error().is_some() || self.edited.notice.is_some();
        Dialog::form("Edit", has_error, self)
    }

    /// Whether to focus this field: the first one with an error, else the name.
    fn has_focus(&self, field: &str) -> bool {
        self.fields.first_error().unwrap_or("name") == field
    }

    fn is_owner(&self, id: &str) -> bool {
        self.fields.owner.value == id
    }
}
