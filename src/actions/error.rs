//! Separates database failures from refusals, for the errors of all actions.

use super::account::OwnPasswordError;
use super::companies::{CompanyNameError, SetUpError};
use super::delete_user::DeleteUserError;
use super::edit_key::EditKeyError;
use super::gateways::GatewayError;
use super::keys::{CreateKeyError, RevokeKeyError, RevokeKeysError};
use super::rotation::{OverlapError, RotateKeyError};
use super::second_factor::ConfirmSecondFactorError;
use super::sign_in::SignInError;
use super::users::{AcceptInvitationError, AddUserError, ChangeUserError};
use crate::store::StoreError;

/// An error of an action.
pub trait ActionError: Sized {
    /// Returns a refusal as `Ok`, and a failure of the database as `Err`.
    fn separate_store_error(self) -> Result<Self, StoreError>;
}

macro_rules! action_errors {
    ($($error:ident),+ $(,)?) => {
        $(
            impl ActionError for $error {
                fn separate_store_error(self) -> Result<Self, StoreError> {
                    match self {
                        Self::Store(error) => Err(error),
                        refusal => Ok(refusal),
                    }
                }
            }
        )+
    };
}

action_errors!(
    AcceptInvitationError,
    AddUserError,
    ChangeUserError,
    CompanyNameError,
    CreateKeyError,
    EditKeyError,
    GatewayError,
    OverlapError,
    OwnPasswordError,
    RevokeKeyError,
    RevokeKeysError,
    RotateKeyError,
    SetUpError,
    SignInError,
);

impl ActionError for ConfirmSecondFactorError {
    fn separate_store_error(self) -> Result<Self, StoreError> {
        match self {
            Self::Store(error) | Self::Password(OwnPasswordError::Store(error)) => Err(error),
            refusal => Ok(refusal),
        }
    }
}

impl ActionError for DeleteUserError {
    fn separate_store_error(self) -> Result<Self, StoreError> {
        match self {
            Self::Store(error) | Self::Refused(ChangeUserError::Store(error)) => Err(error),
            refusal => Ok(refusal),
        }
    }
}

/// The action has no refusals.
impl ActionError for StoreError {
    fn separate_store_error(self) -> Result<Self, StoreError> {
        Err(self)
    }
}
