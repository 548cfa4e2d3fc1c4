//! The last peer that sent `X-Forwarded-For` without being a trusted proxy.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Requests of the same peer within this time are not noted again.
const INTERVAL: Duration = Duration::from_secs(1);

/// The last unlisted proxy of a server.
#[derive(Debug, Default)]
pub struct UnlistedProxy(Mutex<Option<(IpAddr, Instant)>>);

impl UnlistedProxy {
    /// Notes a request of a peer. Does not wait for other threads, which note one, too.
    pub(super) fn note(&self, peer: IpAddr) {
        if let Ok(mut last) = self.0.try_lock()
            && last.is_none_or(|(_, at)| at.elapsed() >= INTERVAL)
        {
            *last = Some((peer, Instant::now()));
        }
    }

    /// Returns the peer, and the time since its request.
    #[must_use]
    pub fn last(&self) -> Option<(IpAddr, Duration)> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.map(|(peer, at)| (peer, at.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_peer_is_noted_once_in_a_second() {
        let (proxy, peers) = (UnlistedProxy::default(), ["10.0.0.7", "::1"].map(|peer| peer.parse().unwrap()));
        assert!(proxy.last().is_none());
        for peer in peers {
            proxy.note(peer);
        }
        assert_eq!(proxy.last().unwrap().0, peers[0]);
        *proxy.0.lock().unwrap() = Some((peers[0], Instant::now().checked_sub(INTERVAL).unwrap()));
        assert!(proxy.last().unwrap().1 >= INTERVAL);
        proxy.note(peers[1]);
        assert_eq!(proxy.last().unwrap().0, peers[1]);
    }
}
