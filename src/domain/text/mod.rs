//! Text as users type it: normalization, names and dates; and as it is printed safely.

pub mod collation;
pub mod csv;
pub mod date;
pub mod escape;
pub mod name;
pub mod normalize;
