//! The context of a change: who makes it, in which company, through which request.

use std::net::IpAddr;

use crate::domain::actor::Actor;
use crate::domain::ids::{CompanyId, UserId};

/// The client behind a request, as events record it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub address: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

impl Client {
    /// No client: the change does not come from a request.
    #[must_use]
    pub const fn none() -> Self {
        Self { address: None, user_agent: None, request_id: None }
    }
}

/// Who makes a change, in which company, through which request.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub company_id: CompanyId,
    pub actor: Actor,
    pub client: Client,
}

impl RequestContext {
    /// A change by a user, requested by `client`.
    #[must_use]
    pub const fn of_user(company_id: CompanyId, user_id: UserId, client: Client) -> Self {
        Self { company_id, actor: Actor::User(user_id), client }
    }

    /// A change by Keydesk itself.
    #[must_use]
    pub const fn system(company_id: CompanyId) -> Self {
        Self { company_id, actor: Actor::System, client: Client::none() }
    }

    /// A change by a command that an operator runs on the server.
    #[must_use]
    pub const fn command_line(company_id: CompanyId) -> Self {
        Self { company_id, actor: Actor::CommandLine, client: Client::none() }
    }
}
