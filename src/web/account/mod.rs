//! One's own account: name, preferences, password, second factor, sessions.

mod browser;
pub mod own;
pub mod page;
pub mod qr_code;
#[cfg(test)]
mod samples;
pub mod second_factor;

/// What stands beside a password that was tried too often.
fn too_many(minutes: u64) -> String {
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!("Too many attempts. Try again in {minutes} {unit}.")
}
