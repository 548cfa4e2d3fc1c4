//! Users.

mod changes;
mod credentials;
mod list;
mod names;
mod record;

pub use credentials::Credentials;
pub use list::{UserCursorPosition, UserPageRequest};
pub use names::UserNames;
pub use record::{NewUserRecord, User};
