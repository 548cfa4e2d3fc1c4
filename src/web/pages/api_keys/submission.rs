//! The submission token, which lets each form create only one key.

use crate::domain::key::submission::{KeyForm, SubmissionId};
use crate::random;
use crate::secrets::SecretSet;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;

/// Issues a token for a form in this session.
#[must_use]
pub fn issue(cx: &PageContext, form: KeyForm) -> String {
    cx.app.actions.secrets.active().submissions.issue(form, cx.user.session_id, cx.now(), random::bytes())
}

/// Checks the token of a form. Returns `None` if it is missing, too old, or belongs to another session or form.
///
/// # Errors
/// [`PageError::KeyAlreadyShown`] if the token was already used.
pub async fn check(cx: &PageContext, form: KeyForm, token: &str) -> Result<Option<SubmissionId>, PageError> {
    // A form may have been opened before the secrets were rotated.
    let keyring = cx.app.actions.secrets.keyring();
    let checked = |set: &SecretSet| set.submissions.check(token, form, cx.user.session_id, cx.now());
    let Some(id) = keyring.sets().find_map(checked) else { return Ok(None) };
    if cx.query(move |db| db.submissions().is_used(id)).await? {
        return Err(PageError::KeyAlreadyShown);
    }
    Ok(Some(id))
}
