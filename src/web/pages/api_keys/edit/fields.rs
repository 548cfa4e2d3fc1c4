//! The fields of the form that edits a key.

use serde::Deserialize;

use crate::actions::KeyEdit;
use crate::domain::ids::UserId;
use crate::domain::key::account_details::{Contact, Department, DetailsEdit, Purpose};
use crate::domain::key::api_key::KeyFormat;
use crate::domain::text::name::ServiceAccountName;
use crate::store::KeyRecord;
use crate::web::app::error::PageError;
use crate::web::app::time::zone::Zone;
use crate::web::components::field::Field;
use crate::web::pages::api_keys::expiry::{ExpiryField, KEEP, TypedExpiry};

/// The labels of the fields, in the order of [`EditKeyForm::values`].
pub const LABELS: [&str; VALUES] =
    ["Service account name", "Owner", "Purpose", "Department", "Contact", "Expires", "Date"];
const VALUES: usize = 7;

/// The fields as they are drawn.
#[derive(Clone, Debug)]
pub struct EditFields {
    pub name: Field,
    /// Holds the id of a user, possibly a deleted one.
    pub owner: Field,
    pub purpose: Field,
    pub department: Field,
    pub contact: Field,
    /// `None` for an expired key, which stays expired.
    pub expiry: Option<ExpiryField>,
}

/// A text that may be missing, which keeps the stored one. An empty one erases it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "String")]
struct TypedText(Option<String>);

impl From<String> for TypedText {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EditKeyForm {
    pub name: String,
    pub owner: String,
    purpose: TypedText,
    department: TypedText,
    contact: TypedText,
    expires: String,
    expires_on: String,
    pub version: String,
}

impl EditKeyForm {
    /// The new owner. `None` keeps the current one.
    pub fn owner(&self) -> Result<Option<UserId>, PageError> {
        match self.owner.as_str() {
            "" => Ok(None),
            id => UserId::parse(id).map(Some).ok_or(PageError::UserNotFound),
        }
    }

    /// The submitted values. `stored` has those of fields that are missing.
    pub fn values<'v>(&'v self, stored: &[&'v str; VALUES]) -> [&'v str; VALUES] {
        let typed = |text: &'v TypedText, index: usize| text.0.as_deref().unwrap_or(stored[index]);
        let expires = if self.expires.is_empty() { KEEP } else { &self.expires };
        [
            &self.name,
            if self.owner.is_empty() { stored[1] } else { &self.owner },
            typed(&self.purpose, 2),
            typed(&self.department, 3),
            typed(&self.contact, 4),
            expires,
            &self.expires_on,
        ]
    }

    /// Parses the fields. `offered` has the choices of the expiry.
    ///
    /// # Errors
    /// The fields with their errors.
    pub fn parse(
        &self,
        format: &KeyFormat,
        zone: &Zone,
        key: &KeyRecord,
        offered: Option<ExpiryField>,
    ) -> Result<KeyEdit, Box<EditFields>> {
        let name = Field::parse(format, &self.name, ServiceAccountName::parse);
        let purpose = self.purpose.parse(format, Purpose::parse);
        let department = self.department.parse(format, Department::parse);
        let contact = self.contact.parse(format, Contact::parse);
        let expiry = self.typed_expiry().map(|typed| typed.parse(zone)).transpose();
        if let (Ok(name), Ok(purpose), Ok(department), Ok(contact), Ok(expiry)) =
            (&name, &purpose, &department, &contact, &expiry)
        {
            let details =
                DetailsEdit { purpose: purpose.clone(), department: department.clone(), contact: contact.clone() };
            return Ok(KeyEdit { version: None, name: name.clone(), owner: None, details, expiry: *expiry });
        }
        let filled = self.filled(key, offered);
        Err(Box::new(EditFields {
            name: name.err().unwrap_or(filled.name),
            purpose: purpose.err().unwrap_or(filled.purpose),
            department: department.err().unwrap_or(filled.department),
            contact: contact.err().unwrap_or(filled.contact),
            expiry: match expiry {
                Ok(_) => filled.expiry,
                Err(error) => filled.expiry.map(|field| field.with_error(error)),
            },
            owner: filled.owner,
        }))
    }

    /// The fields as submitted.
    pub fn filled(&self, key: &KeyRecord, offered: Option<ExpiryField>) -> EditFields {
        let owner = key.owner.to_string();
        EditFields::of(self.values(&stored_values(key, &owner)), offered)
    }

    /// `None` keeps the expiry.
    fn typed_expiry(&self) -> Option<TypedExpiry> {
        let is_kept = self.expires.is_empty() || self.expires == KEEP;
        (!is_kept).then(|| TypedExpiry { expires: self.expires.clone(), expires_on: self.expires_on.clone() })
    }
}

impl TypedText {
    fn parse<T, E: std::fmt::Display>(
        &self,
        format: &KeyFormat,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Field> {
        self.0.as_deref().map(|typed| Field::parse(format, typed, parse)).transpose()
    }
}

impl EditFields {
    #[must_use]
    pub fn of(
        [name, owner, purpose, department, contact, expires, on]: [&str; VALUES],
        offered: Option<ExpiryField>,
    ) -> Self {
        let typed = TypedExpiry { expires: expires.to_owned(), expires_on: on.to_owned() };
        let [name, owner, purpose, department, contact] = [name, owner, purpose, department, contact].map(Field::new);
        Self { name, owner, purpose, department, contact, expiry: offered.map(|field| field.with_typed(&typed)) }
    }

    /// The name of the first field with an error.
    pub fn first_error(&self) -> Option<&'static str> {
        let fields = [
            ("name", &self.name),
            ("owner", &self.owner),
            ("purpose", &self.purpose),
            ("department", &self.department),
            ("contact", &self.contact),
        ];
        let first = fields.into_iter().find(|(_, field)| field.error.is_some()).map(|(name, _)| name);
        first.or_else(|| self.expiry.as_ref().filter(|expiry| expiry.has_error()).map(|_| "expires"))
    }
}

/// The stored values of the fields. `owner` is the id of the key's owner.
pub fn stored_values<'v>(key: &'v KeyRecord, owner: &'v str) -> [&'v str; VALUES] {
    [&key.name, owner, &key.purpose, &key.department, &key.contact, KEEP, ""]
}
