//! Separates failures from refusals, for the errors of all actions.

use super::account::{ChangeProfileError, OwnPasswordError};
use super::authority::ActionFailure;
use super::companies::{CompanyNameError, SetupError};
use super::delete_user::DeleteUserError;
use super::edit_key::EditKeyError;
use super::gateways::GatewayError;
use super::import_keys::ImportKeysError;
use super::keys::{CreateKeyError, RevokeKeyError, RevokeKeysError};
use super::rotation::{OverlapError, RotateKeyError};
use super::second_factor::ConfirmSecondFactorError;
use super::sign_in::SignInError;
use super::users::{AcceptInvitationError, AddUserError, ChangeUserError};
use crate::store::StoreError;

/// An error of an action.
pub trait ActionError: Sized {
    /// Returns a refusal as `Ok`, and a missing authority or a failure of the database as `Err`.
    fn separate_failure(self) -> Result<Self, ActionFailure>;
}

macro_rules! action_errors {
    ($($error:ident: $($failure:ident)|+),+ $(,)?) => {
        $(
            impl ActionError for $error {
                fn separate_failure(self) -> Result<Self, ActionFailure> {
                    match self {
                        $(Self::$failure(failure) => Err(failure.into()),)+
                        refusal => Ok(refusal),
                    }
                }
            }
        )+
    };
}

action_errors!(
    AcceptInvitationError: Store,
    AddUserError: Denied | Store,
    ChangeProfileError: Denied | Store,
    ChangeUserError: Denied | Store,
    CompanyNameError: Denied | Store,
    CreateKeyError: Denied | Store,
    EditKeyError: Denied | Store,
    GatewayError: Store,
    ImportKeysError: Denied | Store,
    OverlapError: Denied | Store,
    OwnPasswordError: Denied | Store,
    RevokeKeyError: Denied | Store,
    RevokeKeysError: Denied | Store,
    RotateKeyError: Denied | Store,
    SetupError: Store,
    SignInError: Store,
);

impl ActionError for ConfirmSecondFactorError {
    fn separate_failure(self) -> Result<Self, ActionFailure> {
        match self {
            Self::Denied(denied) => Err(denied.into()),
            Self::Store(error) => Err(error.into()),
            Self::Password(refusal) => refusal.separate_failure().map(Self::Password),
            refusal => Ok(refusal),
        }
    }
}

impl ActionError for DeleteUserError {
    fn separate_failure(self) -> Result<Self, ActionFailure> {
        match self {
            Self::Store(error) => Err(error.into()),
            Self::Refused(refusal) => refusal.separate_failure().map(Self::Refused),
            refusal => Ok(refusal),
        }
    }
}

/// The action has no refusals.
impl ActionError for ActionFailure {
    fn separate_failure(self) -> Result<Self, ActionFailure> {
        Err(self)
    }
}

/// The action has no refusals and needs no authority.
impl ActionError for StoreError {
    fn separate_failure(self) -> Result<Self, ActionFailure> {
        Err(self.into())
    }
}
