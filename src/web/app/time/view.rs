//! The view of a timestamp.

/// A formatted timestamp with the attributes of its `<time>` element.
#[derive(Clone, Debug)]
pub struct TimeView {
    pub text: String,
    /// UTC, RFC 3339, whole seconds.
    pub datetime: String,
    /// Date, time and zone name.
    pub title: String,
}
