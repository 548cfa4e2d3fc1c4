//! Settings with several values.

/// The values in one part of a list: blanks separate them, and commas separate the parts.
#[derive(Clone, Debug)]
pub(super) struct List<T>(pub Vec<T>);

impl<T> List<T> {
    /// Parses each value.
    ///
    /// # Errors
    /// The error of the first value that is not valid.
    pub fn parse<E>(text: &str, value: impl Fn(&str) -> Result<T, E>) -> Result<Self, E> {
        text.split_whitespace().map(value).collect::<Result<_, _>>().map(Self)
    }
}

/// Returns the values of all parts.
pub(super) fn flatten<T>(parts: Vec<List<T>>) -> impl Iterator<Item = T> {
    parts.into_iter().flat_map(|part| part.0)
}
