//! Rows of CSV (RFC 4180), of which spreadsheets read no cell as a formula.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

/// Spreadsheets evaluate cells that start with one of these characters. Some read the full-width signs, which are typed
/// in East Asian scripts, like the others.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Appends a row with its line ending.
pub fn write_row(cells: &[&str], out: &mut String) {
    out.push_str(&String::from_utf8_lossy(&row(cells)));
}

#[expect(clippy::expect_used, reason = "writing to memory does not fail")]
fn row(cells: &[&str]) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(256).from_writer(Vec::new());
    for cell in cells {
        writer.write_field(guarded(cell).as_bytes()).expect("a row is written to memory");
    }
    writer.write_record(None::<&[u8]>).expect("a row is written to memory");
    writer.into_inner().expect("a row is written to memory")
}

fn guarded(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA_STARTS) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a cell in a row. A row of one empty cell would be quoted.
    fn cell_text(cell: &str) -> String {
        let mut out = String::new();
        write_row(&["", cell], &mut out);
        out.strip_prefix(',').unwrap().strip_suffix("\r\n").unwrap().to_owned()
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
    fn a_row_ends_with_a_carriage_return_and_a_line_feed() {
        let mut out = String::new();
        write_row(&["a,b", "", "c"], &mut out);
        write_row(&["d", "e", "f"], &mut out);
        assert_eq!(out, "\"a,b\",,c\r\nd,e,f\r\n");
    }
}
