//! Users: profile, email address, password and second factor.

pub mod email;
pub mod password;
pub mod profile;
pub mod second_factor;
pub mod session_lifetime;
