//! Formats numbers and text.

/// A number with commas between groups of thousands.
#[must_use]
pub fn with_thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// “1 active key”, “10,000 active keys”.
#[must_use]
pub fn pluralized(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", with_thousands(number), if number == 1 { one } else { many })
}

/// Splits an email address before its `@`, where a line may break.
#[must_use]
pub fn split_email(email: &str) -> (&str, &str) {
    email.split_at(email.find('@').unwrap_or(email.len()))
}

/// The text, cut to `max_chars` characters and “…” if it is longer.
#[must_use]
pub fn truncated(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_by_commas() {
        let texts = [0, 999, 1000, 10_000, 1_234_567].map(with_thousands);
        assert_eq!(texts, ["0", "999", "1,000", "10,000", "1,234,567"]);
        assert_eq!(pluralized(1, "key", "keys"), "1 key");
    }
}
