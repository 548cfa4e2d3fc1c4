//! Downloads: the header, and the parts of a file name.

use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType};

/// The header that makes the response a download with this file name.
pub fn attachment(name: String) -> ContentDisposition {
    ContentDisposition { disposition: DispositionType::Attachment, parameters: vec![DispositionParam::Filename(name)] }
}

/// Reduces a company name to lower-case ASCII letters and digits, joined by hyphens. Empty if it has none.
pub fn company_slug(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_have_only_portable_characters() {
        for (company, file) in [
            ("Brightwater Foods", "brightwater-foods"),
            ("  A/S \"Nord\r\n\"..  ", "a-s-nord"),
            ("Łódź & Söhne 7", "d-s-hne-7"),
            ("株式会社", ""),
        ] {
            assert_eq!(company_slug(company), file);
        }
    }
}
