//! Sign-in: sessions, and everything on the way to one.

mod devices;
mod failures;
mod invitations;
mod pending_sign_ins;
mod refused_sign_ins;
mod second_factors;
mod sessions;
mod setup_links;
mod submissions;

pub use failures::SignInFailures;
pub use invitations::Invitation;
pub use pending_sign_ins::PendingSignIn;
pub use refused_sign_ins::RefusedSignIn;
pub use second_factors::{NewSecondFactor, SecondFactor};
pub use sessions::{NewSession, Session, SessionExpiry, SessionListItem};
