//! Look-ups of a few values by one prepared statement.

/// The number of values that one statement looks up.
pub(in crate::store) const LOOKUP_BATCH: usize = 8;

/// Whether a column equals one of 1 to [`LOOKUP_BATCH`] values. The last value fills the list up, so that there is one
/// statement for any number of values, and it is prepared once.
macro_rules! in_padded {
    ($column:expr, $values:expr) => {{
        let is = |index: usize| $column.eq($values[index.min($values.len() - 1)]);
        is(0).or(is(1)).or(is(2)).or(is(3)).or(is(4)).or(is(5)).or(is(6)).or(is(7))
    }};
}
pub(in crate::store) use in_padded;
