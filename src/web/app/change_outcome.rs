//! Whether a request may have changed data, for its error page: one that fails after a commit must not deny the change.

use std::cell::Cell;

tokio::task_local! {
    static MAY_HAVE_CHANGED: Cell<bool>;
}

/// A change that has begun. Until [`deny`](Self::deny) is called, it may have been made.
#[must_use]
pub(super) struct BegunChange {
    may_have_changed_before: bool,
}

/// Handles a request. Also returns whether it may have changed data.
pub async fn track<T>(request: impl Future<Output = T>) -> (T, bool) {
    let tracked = async {
        let response = request.await;
        (response, MAY_HAVE_CHANGED.with(Cell::get))
    };
    MAY_HAVE_CHANGED.scope(Cell::new(false), tracked).await
}

impl BegunChange {
    pub(super) fn begin() -> Self {
        // Without a request, as in a stream, no error page follows.
        let before = MAY_HAVE_CHANGED.try_with(|changed| changed.replace(true));
        Self { may_have_changed_before: before.unwrap_or(false) }
    }

    /// Records that the change was certainly not made.
    pub(super) fn deny(self) {
        let _ = MAY_HAVE_CHANGED.try_with(|changed| changed.set(self.may_have_changed_before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_change_may_have_been_made_until_it_is_denied() {
        assert!(!track(async {}).await.1);
        assert!(!track(async { BegunChange::begin().deny() }).await.1);
        assert!(track(async { drop(BegunChange::begin()) }).await.1);
        let second_is_refused = async {
            drop(BegunChange::begin());
            BegunChange::begin().deny();
        };
        assert!(track(second_is_refused).await.1);
    }
}
