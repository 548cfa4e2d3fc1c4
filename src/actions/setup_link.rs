//! The links that open set-up. Each running server has its own, which is valid on all servers of the installation.

use std::time::Duration;

use super::service::Actions;
use crate::domain::token::{Token, TokenDigest};
use crate::random;
use crate::store::StoreError;

/// How long a link is valid without renewal: that of a server that was killed ends after this time.
const LINK_LIFETIME: Duration = Duration::from_secs(30);

impl Actions {
    /// Creates a link and returns its token; `None` if set-up is done.
    pub fn open_setup_link(&self) -> Result<Option<Token>, StoreError> {
        let token = Token::new(random::bytes());
        Ok(self.renew_setup_link(&token.digest())?.then_some(token))
    }

    /// Keeps a link valid for a while. Returns whether set-up is still open; otherwise it deletes all links.
    pub fn renew_setup_link(&self, token: &TokenDigest) -> Result<bool, StoreError> {
        if self.store.query(|db| db.users().any_exists())? {
            return Ok(false);
        }
        let now = self.clock.now();
        self.store.write(|tx| {
            // Set-up takes the same lock, so that no link appears after it.
            tx.trails().lock(self.installation.into())?;
            if tx.users().any_exists()? {
                return tx.setup_links().delete_all().map(|()| false);
            }
            tx.setup_links().renew(token, now, now - LINK_LIFETIME).map(|()| true)
        })
    }

    /// Deletes the link of a server that stops.
    pub fn close_setup_link(&self, token: &TokenDigest) -> Result<(), StoreError> {
        self.store.write(|tx| tx.setup_links().delete(token))
    }

    /// Whether a presented token is that of a valid link of any server.
    pub fn is_setup_link(&self, presented: &str) -> Result<bool, StoreError> {
        let token = TokenDigest::of(presented);
        let oldest = self.clock.now() - LINK_LIFETIME;
        self.store.query(|db| db.setup_links().exists(&token, oldest))
    }
}
