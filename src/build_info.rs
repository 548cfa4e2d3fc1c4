//! The version of the program, and the commit that it was built from.

/// The version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The first digits of the commit's hash; `unknown` without git, and `development` in a build that is not a release.
pub const COMMIT: &str = env!("BUILD_COMMIT");
/// The version and the commit.
pub const DESCRIPTION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("BUILD_COMMIT"), ")");
