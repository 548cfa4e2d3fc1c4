//! How files that are taken away from the trail are named.

use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType};

/// Says that an answer is a file of that name.
pub(super) fn attachment(name: String) -> ContentDisposition {
    ContentDisposition { disposition: DispositionType::Attachment, parameters: vec![DispositionParam::Filename(name)] }
}

/// A company's name as every system takes it in a file's: of ASCII letters and digits, in lower case; empty where it has
/// none.
pub(super) fn of_company(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_what_every_system_takes() {
        for (company, file) in [
            ("Brightwater Foods", "brightwater-foods"),
            ("  A/S \"Nord\r\n\"..  ", "a-s-nord"),
            ("Łódź & Söhne 7", "d-s-hne-7"),
            ("株式会社", ""),
        ] {
            assert_eq!(of_company(company), file);
        }
    }
}
