//! Text as users type it: normalization, names and dates.

pub mod collation;
pub mod date;
pub mod name;
pub mod normalize;
