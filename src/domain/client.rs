//! The client behind a request.

use std::net::IpAddr;

/// The client behind a request, as events record it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub address: Option<IpAddr>,
    /// Contains no API key: what reads it from a request leaves such a one out.
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
