//! Reads an event back from the bytes of its leaf.

use super::event::Event;

const FIRST_LINE: &str = "keydesk event v1\n";

/// The event that these canonical bytes are made of; `None` where they are not exactly what `docs/audit-format.md` says.
#[must_use]
pub fn event(leaf: &str) -> Option<Event> {
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
    // There is one way to write an event: numbers with zeros before them, and what follows the last field, are none.
    (event.canonical_bytes() == leaf.as_bytes()).then_some(event)
}

/// What stands there is not written as a field is.
struct NoField;

/// What is left to read.
struct Fields<'leaf>(&'leaf str);

impl Fields<'_> {
    /// The next field; `None` where it is absent.
    fn next(&mut self) -> Result<Option<String>, NoField> {
        if let Some(rest) = self.0.strip_prefix("-\n") {
            self.0 = rest;
            return Ok(None);
        }
        self.present().map(Some).ok_or(NoField)
    }

    /// The next field, which must be there.
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

    use super::super::event::tests::event as sample;
    use super::*;

    fn written(event: &Event) -> String {
        String::from_utf8(event.canonical_bytes()).unwrap()
    }

    proptest! {
        #[test]
        fn an_event_reads_back_from_its_leaf(
            sequence in 1_i64..1 << 62,
            texts in prop::array::uniform4(any::<String>()),
            perhaps in prop::array::uniform3(any::<Option<String>>()),
        ) {
            let [id, action, target_id, trail_id] = texts;
            let [before, comment, user_agent] = perhaps;
            let event = Event { trail_id, id, action, target_id, before, comment, user_agent, ..sample(sequence) };
            prop_assert_eq!(super::event(&written(&event)), Some(event));
        }
    }

    #[test]
    fn bytes_that_are_not_exactly_a_leaf_are_no_event() {
        let whole = written(&sample(7));
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
            assert_eq!(event(&broken), None, "{broken}");
        }
    }
}
