//! Exports events as CSV.

use super::row::ExportedEvent;
use crate::domain::text::csv;
use crate::domain::timestamp::Timestamp;

pub const HEADER: &str = "sequence,event_id,time,action,actor_type,actor_id,actor_name,key_id,key_preview,target_type,\
     target_id,target_name,reason,comment,client_address,user_agent,request_id,before,after\r\n";

/// Appends an event as a row.
pub fn write_row(exported: &ExportedEvent, out: &mut String) {
    let ExportedEvent { event, actor_name, key_preview, target_name } = exported;
    let at = Timestamp::from_micros(event.at);
    let (sequence, time) = (event.sequence.to_string(), at.to_rfc_3339_with_micros().unwrap_or_default());
    let cells: [&str; 19] = [
        &sequence,
        &event.id,
        &time,
        &event.action,
        &event.actor_type,
        event.actor_id.as_deref().unwrap_or_default(),
        actor_name,
        event.key_id.as_deref().unwrap_or_default(),
        key_preview.as_deref().unwrap_or_default(),
        &event.target_type,
        &event.target_id,
        target_name,
        event.reason.as_deref().unwrap_or_default(),
        event.comment.as_deref().unwrap_or_default(),
        event.client_address.as_deref().unwrap_or_default(),
        event.user_agent.as_deref().unwrap_or_default(),
        event.request_id.as_deref().unwrap_or_default(),
        event.before.as_deref().unwrap_or_default(),
        event.after.as_deref().unwrap_or_default(),
    ];
    csv::write_row(&cells, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::event::tests::event;

    #[test]
    fn a_row_has_one_cell_per_header_column() {
        let exported = ExportedEvent {
            event: event(7),
            actor_name: "Maria Lindqvist".to_owned(),
            key_preview: Some("goa_7Hq2…9fKd".to_owned()),
            target_name: "ERP".to_owned(),
        };
        let mut row = String::new();
        write_row(&exported, &mut row);
        let expected = "7,event-7,2026-09-21T14:13:20.000007Z,api_key.revoked,user,user-1,Maria Lindqvist,key-1,goa_7Hq2…9fKd,\
            api_key,key-1,ERP,compromised,\"zwei\nZeilen ü\",192.0.2.1,,r,\"{\"\"name\"\":\"\"ERP\"\"}\",\r\n";
        assert_eq!(row, expected);
        assert_eq!(HEADER.matches(',').count(), 18);
    }
}
