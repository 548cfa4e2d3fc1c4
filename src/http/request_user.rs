//! The user behind a request, for the log.

use actix_web::{HttpMessage, HttpRequest};

use crate::domain::ids::{CompanyId, UserId};

/// The signed-in user of a request and their company.
#[derive(Clone, Copy, Debug)]
pub struct RequestUser {
    pub user_id: UserId,
    pub company_id: CompanyId,
}

impl RequestUser {
    /// Stores the user of a request: its line in the log names them.
    pub fn set(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }

    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().copied()
    }
}
