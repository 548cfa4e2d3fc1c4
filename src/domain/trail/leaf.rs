//! Parses an event from the bytes of its leaf.

use crate::domain::trail::event::Event;

const FIRST_LINE: &str = "keydesk event v1\n";

/// Parses canonical bytes. Returns `None` if they differ in any way from what `docs/audit-format.md` specifies.
#[must_use]
pub fn parse(leaf: &str) -> Option<Event> {
    let mut fields = Fields(leaf.strip_prefix(FIRST_LINE)?);
    let event = Event {
        trail_id: fields.required()?,
        sequence: fields.required()?.parse().ok()?,
        id: fields.required()?,
        at: fields.required()?.parse().ok()?,
        action: fields.required()?,
        actor_type: fields.required()?,
        actor_id: fields.next().ok()?,
        key_id: fields.next().ok()?,
        target_type: fields.required()?,
        target_id: fields.required()?,
        before: fields.next().ok()?,
        after: fields.next().ok()?,
        reason: fields.next().ok()?,
        comment: fields.next().ok()?,
        client_address: fields.next().ok()?,
        user_agent: fields.next().ok()?,
        request_id: fields.next().ok()?,
    };
    // An event has one encoding: leading zeros and bytes after the last field are refused.
    (event.canonical_bytes() == leaf.as_bytes()).then_some(event)
}

/// The next bytes are not a field.
struct MalformedField;

/// The fields that are not parsed yet.
struct Fields<'leaf>(&'leaf str);

impl Fields<'_> {
    /// Returns the next field; `None` if it is absent.
    fn next(&mut self) -> Result<Option<String>, MalformedField> {
        if let Some(rest) = self.0.strip_prefix("-\n") {
            self.0 = rest;
            return Ok(None);
        }
        self.present().map(Some).ok_or(MalformedField)
    }

    fn required(&mut self) -> Option<String> {
        self.next().ok()?
    }

    fn present(&mut self) -> Option<String> {
        let (length, rest) = self.0.strip_prefix('+')?.split_once(':')?;
        let (text, rest) = rest.split_at_checked(length.parse().ok()?)?;
        self.0 = rest.strip_prefix('\n')?;
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::trail::event::tests::event as sample;

    fn leaf_of(event: &Event) -> String {
        String::from_utf8(event.canonical_bytes()).unwrap()
    }

    proptest! {
        #[test]
        fn an_event_is_parsed_from_its_leaf(
            sequence in 1_i64..1 << 62,
            texts in prop::array::uniform4(any::<String>()),
            perhaps in prop::array::uniform3(any::<Option<String>>()),
        ) {
            let [id, action, target_id, trail_id] = texts;
            let [before, comment, user_agent] = perhaps;
            let event = Event { trail_id, id, action, target_id, before, comment, user_agent, ..sample(sequence) };
            prop_assert_eq!(parse(&leaf_of(&event)), Some(event));
        }
    }

    #[test]
    fn changed_bytes_are_refused() {
        let whole = leaf_of(&sample(7));
        for broken in [
            String::new(),
            whole.replace("v1", "v2"),
            whole.replace("+1:7\n", "+2:07\n"),
            whole.replace("+1:7\n", "+01:7\n"),
            whole.replace("+1:7\n", "-\n"),
            whole.replace("+1:7\n", "+1:x\n"),
            whole.replace("+1:7\n", "+99999:7\n"),
            whole.replace("ü", "u"),
            format!("{whole}-\n"),
            whole[..whole.len() - 1].to_owned(),
        ] {
            assert_eq!(parse(&broken), None, "{broken}");
        }
    }
}
