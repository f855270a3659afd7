//! A table as CSV: no cell is a formula of a spreadsheet, and the last lines say where it comes from.

use crate::block::{Cell, Table};

/// For spreadsheets: the mark says that it is UTF-8.
const MARK: &str = "\u{feff}";

/// A table could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the table could not be written")]
pub struct NotWritten;

/// A text that a spreadsheet would calculate gets an apostrophe in front; numbers stay as they are.
pub fn harmless(text: &str) -> String {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let formula = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if !number && text.trim_start().starts_with(formula) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A cell as it stands in a file: numbers bare, an interval in two more fields where its column has one.
fn fields(cell: &Cell, ranged: bool) -> Vec<String> {
    let (value, low, high) = match cell {
        Cell::Number(text) | Cell::Share(text) => (text.clone(), String::new(), String::new()),
        Cell::Money(amount) => (amount.to_string(), String::new(), String::new()),
        Cell::Ranged {
            value, low, high, ..
        } => (value.clone(), low.clone(), high.clone().unwrap_or_default()),
        other => (other.shown(), String::new(), String::new()),
    };
    if ranged {
        vec![value, low, high]
    } else {
        vec![value]
    }
}

/// All rows of a table, whatever the page shows of it, and below them the lines of `provenance`.
pub fn csv(table: &Table, provenance: &[(String, String)]) -> Result<Vec<u8>, NotWritten> {
    let ranged: Vec<bool> = (0..table.columns.len())
        .map(|place| {
            let mut cells = table.rows.iter().filter_map(|row| row.get(place));
            cells.any(|cell| matches!(cell, Cell::Ranged { .. }))
        })
        .collect();
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(MARK.as_bytes().to_vec());
    let mut write = |row: Vec<String>| {
        writer
            .write_record(row.iter().map(|text| harmless(text)))
            .map_err(|_| NotWritten)
    };
    let mut head = Vec::new();
    for (column, ranged) in table.columns.iter().zip(&ranged) {
        let unit = if column.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", column.unit)
        };
        head.push(format!("{}{unit}", column.title));
        if *ranged {
            head.extend([
                format!("{} low 95%", column.title),
                format!("{} high 95%", column.title),
            ]);
        }
    }
    write(head)?;
    for row in &table.rows {
        let cells = row.iter().zip(&ranged);
        write(
            cells
                .flat_map(|(cell, ranged)| fields(cell, *ranged))
                .collect(),
        )?;
    }
    for (what, value) in provenance {
        write(vec![format!("# {what}"), value.clone()])?;
    }
    writer.into_inner().map_err(|_| NotWritten)
}

#[cfg(test)]
mod tests {
    use schemas::money::Fen;

    use super::*;

    #[test]
    fn formulas_are_text_and_numbers_are_numbers() {
        for bad in [
            "=1+1", "+1-2", "@SUM(A1)", "-2+3", "\t=1", "\r=1", "＝1", "-", "+1", "-x", " =a",
            "-1-2",
        ] {
            assert!(harmless(bad).starts_with('\''), "{bad}");
        }
        for fine in [
            "-12.50",
            "12",
            "h01",
            "(alliance)",
            "阑尾切除",
            "# page",
            "",
        ] {
            assert_eq!(harmless(fine), fine);
        }
    }

    #[test]
    fn a_file_has_all_rows_their_intervals_and_where_they_come_from() {
        let head = [
            "name".to_owned(),
            "#cost|CNY".to_owned(),
            "#paid".to_owned(),
        ];
        let mut table = Table::new("t", "T".to_owned(), &head, String::new());
        let ranged = |high: Option<&str>| Cell::Ranged {
            value: "5.0".to_owned(),
            low: "4".to_owned(),
            high: high.map(str::to_owned),
            share: false,
        };
        table.rows = vec![
            vec![
                Cell::text("=HYPERLINK(\"x\")"),
                ranged(Some("6")),
                Cell::Money(Fen(-100_000)),
            ],
            vec![
                Cell::text("b"),
                Cell::Missing("suppressed".to_owned()),
                Cell::Money(Fen(5)),
            ],
            vec![Cell::text("c"), ranged(None), Cell::Number("7".to_owned())],
        ];
        table.window = Some(crate::block::Window {
            from: 0,
            most: 1,
            before: None,
            behind: None,
            told: String::new(),
        });
        let text = csv(&table, &[("alliance".to_owned(), "=river".to_owned())]).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "\u{feff}name,cost (CNY),cost low 95%,cost high 95%,paid",
                "\"'=HYPERLINK(\"\"x\"\")\",5.0,4,6,-1000.00",
                "b,suppressed,,,0.05",
                "c,5.0,4,,7",
                "# alliance,'=river",
            ]
        );
        assert_eq!(table.shown().len(), 1);
    }
}
