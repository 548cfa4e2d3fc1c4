//! Permits to hash passwords. Argon2 uses 19 MiB and a whole core, so few run at once. Known browsers have a permit that
//! strangers cannot take.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::PageError;
use crate::actions::HashingQueue;

/// Each queue has one of the two permits.
const PERMITS_PER_QUEUE: usize = 1;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct HashingPermits {
    shared: Semaphore,
    reserved: Semaphore,
}

impl Default for HashingPermits {
    fn default() -> Self {
        Self { shared: Semaphore::new(PERMITS_PER_QUEUE), reserved: Semaphore::new(PERMITS_PER_QUEUE) }
    }
}

impl HashingPermits {
    /// Waits for a permit, and fails with [`PageError::TooManyAtOnce`] after ten seconds.
    pub async fn acquire(&self, queue: HashingQueue) -> Result<SemaphorePermit<'_>, PageError> {
        match tokio::time::timeout(QUEUE_TIMEOUT, self.wait(queue)).await {
            Ok(Some(permit)) => Ok(permit),
            _ => Err(PageError::TooManyAtOnce),
        }
    }

    async fn wait(&self, queue: HashingQueue) -> Option<SemaphorePermit<'_>> {
        let permits = match queue {
            HashingQueue::Shared => &self.shared,
            HashingQueue::Reserved => match self.shared.try_acquire() {
                Ok(permit) => return Some(permit),
                Err(_) => &self.reserved,
            },
        };
        permits.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn strangers_do_not_take_the_permit_of_known_browsers() {
        let permits = HashingPermits::default();
        let try_now = |queue| permits.wait(queue).now_or_never().flatten();
        let stranger = try_now(HashingQueue::Shared);
        assert!(stranger.is_some() && try_now(HashingQueue::Shared).is_none());
        let known = try_now(HashingQueue::Reserved);
        assert!(known.is_some() && try_now(HashingQueue::Reserved).is_none());
        drop(stranger);
        assert!(try_now(HashingQueue::Reserved).is_some(), "a known browser takes any free permit");
    }
}
