//! QR codes as inline SVG paths. The content security policy allows no other images.

use std::fmt::Write;

use fast_qr::{ECL, QRBuilder};

/// The light margin that a reader needs, in modules (ISO/IEC 18004 section 6.3.8).
pub const QUIET_ZONE: usize = 4;

/// A QR code without its quiet zone, as an SVG path of horizontal runs of dark modules.
#[derive(Clone, Debug)]
pub struct QrCode {
    /// The width and height in modules.
    pub modules: usize,
    /// The `d` attribute of an SVG path, one unit per module.
    pub path: String,
}

impl QrCode {
    /// Encodes a text. Returns `None` if it is too long.
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

    /// The width and height in modules, with the quiet zone.
    pub fn side(&self) -> usize {
        self.modules + 2 * QUIET_ZONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_valid_size_and_three_finder_patterns() {
        let code = QrCode::of("otpauth://totp/Keydesk:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Keydesk").unwrap();
        assert_eq!((code.modules - 17) % 4, 0);
        let last = code.modules - 7;
        for (x, y) in [(0, 0), (last, 0), (0, last)] {
            // The frame and the inner square: 7 × 7 modules, with 5 × 5 light ones and 3 × 3 dark ones inside.
            for row in [0, 6] {
                assert!(is_dark(&code, x, y + row, 7), "{x} {y}");
            }
            for row in 2..5 {
                assert!(is_dark(&code, x, y + row, 1) && is_dark(&code, x + 2, y + row, 3), "{x} {y}");
                assert!(!is_dark(&code, x + 1, y + row, 1) && !is_dark(&code, x + 5, y + row, 1), "{x} {y}");
            }
        }
        assert!(!is_dark(&code, last, last, 7));
    }

    #[test]
    fn a_text_that_is_too_long_has_no_code() {
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
