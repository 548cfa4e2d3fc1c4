//! QR codes as paths of inline SVG: the pages' policy lets no other picture in.

use std::fmt::Write;

use fast_qr::{ECL, QRBuilder};

/// The light margin that a reader needs, in modules (ISO/IEC 18004 section 6.3.8).
pub const QUIET_ZONE: usize = 4;

/// A QR code without its quiet zone: dark modules as runs of a path.
#[derive(Clone, Debug)]
pub struct QrCode {
    /// How many modules it is wide and high.
    pub modules: usize,
    /// The `d` of a path, one unit for each module.
    pub path: String,
}

impl QrCode {
    /// The code of a text; `None` for one that is too long.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let mut path = String::new();
        for y in 0..code.size {
            let mut x = 0;
            for run in code[y].chunk_by(|one, next| one.value() == next.value()) {
                let width = run.len();
                if run.first().is_some_and(|module| module.value()) {
                    write!(path, "M{x} {y}h{width}v1h-{width}z").ok()?;
                }
                x += width;
            }
        }
        Some(Self { modules: code.size, path })
    }

    /// How wide and high it is with its quiet zone.
    pub(super) fn side(&self) -> usize {
        self.modules + 2 * QUIET_ZONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_the_size_of_a_version_and_finders_in_three_corners() {
        let code = QrCode::of("otpauth://totp/Keydesk:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Keydesk").unwrap();
        assert_eq!((code.modules - 17) % 4, 0);
        let far = code.modules - 7;
        for (x, y) in [(0, 0), (far, 0), (0, far)] {
            // The frame, its two sides and the square within: 7 × 7 modules, 5 × 5 light ones, 3 × 3 dark ones.
            for row in [0, 6] {
                assert!(is_dark(&code, x, y + row, 7), "{x} {y}");
            }
            for row in 2..5 {
                assert!(is_dark(&code, x, y + row, 1) && is_dark(&code, x + 2, y + row, 3), "{x} {y}");
                assert!(!is_dark(&code, x + 1, y + row, 1) && !is_dark(&code, x + 5, y + row, 1), "{x} {y}");
            }
        }
        assert!(!is_dark(&code, far, far, 7));
    }

    #[test]
    fn a_text_that_no_code_holds_has_none() {
        assert!(QrCode::of(&"x".repeat(3_000)).is_none());
    }

    fn is_dark(code: &QrCode, x: usize, y: usize, width: usize) -> bool {
        code.path.split_terminator('z').any(|run| {
            let numbers: Vec<usize> =
                run.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
            numbers[1] == y && numbers[0] <= x && x + width <= numbers[0] + numbers[2]
        })
    }
}
