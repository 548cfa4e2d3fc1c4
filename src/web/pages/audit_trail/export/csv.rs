//! Exports events as CSV (RFC 4180). Spreadsheets do not read any cell as a formula.

use super::row::ExportedEvent;
use crate::domain::timestamp::Timestamp;

pub const HEADER: &str = "sequence,event_id,time,action,actor_type,actor_id,actor_name,key_id,key_preview,target_type,\
     target_id,target_name,reason,comment,client_address,user_agent,request_id,before,after\r\n";

/// Spreadsheets evaluate cells that start with one of these characters. Some read the full-width signs, which are typed
/// in East Asian scripts, like the others.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

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
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_cell(cell, out);
    }
    out.push_str("\r\n");
}

fn write_cell(cell: &str, out: &mut String) {
    let guard = if cell.starts_with(FORMULA_STARTS) { "'" } else { "" };
    if cell.contains(['"', ',', '\r', '\n']) {
        out.push('"');
        out.push_str(guard);
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(guard);
        out.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::event::tests::event;

    fn cell_text(cell: &str) -> String {
        let mut out = String::new();
        write_cell(cell, &mut out);
        out
    }

    #[test]
    fn cells_are_quoted_if_needed_and_quotes_are_doubled() {
        for (cell, expected) in [
            ("", ""),
            ("ERP Sync", "ERP Sync"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("é…שירות", "é…שירות"),
        ] {
            assert_eq!(cell_text(cell), expected);
        }
    }

    #[test]
    fn cells_that_look_like_formulas_are_neutralised() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\n=1+1", "\"'\n=1+1\""),
            ("＝1+1", "'＝1+1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠SUM(A1)", "'＠SUM(A1)"),
            ("=HYPERLINK(\"a\",\"b\")", "\"'=HYPERLINK(\"\"a\"\",\"\"b\"\")\""),
            ("a=b", "a=b"),
            (" =b", " =b"),
            ("'=b", "'=b"),
        ] {
            assert_eq!(cell_text(cell), expected);
        }
    }

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
