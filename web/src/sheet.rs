//! A table as a sheet of a workbook (XLSX): numbers are numbers, no cell is a formula, and the last rows
//! say where it comes from.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::block::{Cell, Table};
use crate::download::NotWritten;

/// A spreadsheet's numbers have 15 digits; longer ones are written as text.
const DIGITS: usize = 15;
/// Rows of a sheet.
const MOST: usize = 1_000_000;

/// A number that a spreadsheet holds as it is.
fn number(text: &str) -> Option<f64> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let plain = text
        .chars()
        .all(|c| c.is_ascii_digit() || c == '.' || c == '-');
    let value = text.parse().ok();
    value.filter(|_| plain && digits <= DIGITS)
}

/// A cell's fields: one, or three where its column has intervals.
fn fields(cell: &Cell, ranged: bool) -> Vec<(String, &'static str)> {
    let mut all = match cell {
        Cell::Number(text) => vec![(text.clone(), "General")],
        Cell::Share(text) => vec![(text.clone(), "0.00%")],
        Cell::Money(amount) => vec![(amount.to_string(), "#,##0.00")],
        Cell::Ranged {
            value,
            low,
            high,
            share,
        } => {
            let shape = if *share { "0.00%" } else { "General" };
            let ends = [value, low, high.as_ref().unwrap_or(&String::new())].map(String::clone);
            ends.map(|text| (text, shape)).to_vec()
        }
        other => vec![(other.shown(), "")],
    };
    all.resize(if ranged { 3 } else { 1 }, (String::new(), ""));
    all
}

fn write(
    sheet: &mut Worksheet,
    at: (usize, usize),
    field: &(String, &str),
) -> Result<(), XlsxError> {
    let (text, shape) = field;
    let row = u32::try_from(at.0).map_err(|_| XlsxError::RowColumnLimitError)?;
    let column = u16::try_from(at.1).map_err(|_| XlsxError::RowColumnLimitError)?;
    match number(text).filter(|_| !shape.is_empty()) {
        Some(value) => {
            let format = Format::new().set_num_format(*shape);
            sheet.write_number_with_format(row, column, value, &format)?;
        }
        // A string is never a formula.
        None if !text.is_empty() => {
            sheet.write_string(row, column, text.chars().take(32_000).collect::<String>())?;
        }
        None => {}
    }
    Ok(())
}

fn filled(table: &Table, provenance: &[(String, String)]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // The same table gives the same bytes, whenever it is made.
    let then = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&then));
    let sheet = book.add_worksheet();
    let ranged: Vec<bool> = (0..table.columns.len())
        .map(|place| {
            let mut cells = table.rows.iter().filter_map(|row| row.get(place));
            cells.any(|cell| matches!(cell, Cell::Ranged { .. }))
        })
        .collect();
    let mut head = Vec::new();
    for (column, ranged) in table.columns.iter().zip(&ranged) {
        let unit = if column.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", column.unit)
        };
        head.push(format!("{}{unit}", column.title));
        if *ranged {
            head.push(format!("{} low 95%", column.title));
            head.push(format!("{} high 95%", column.title));
        }
    }
    let bold = Format::new().set_bold();
    for (place, title) in head.iter().enumerate() {
        let column = u16::try_from(place).map_err(|_| XlsxError::RowColumnLimitError)?;
        sheet.write_string_with_format(0, column, title, &bold)?;
        sheet.set_column_width(column, 16)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let mut line = 1_usize;
    for row in table.rows.iter().take(MOST) {
        let cells = row.iter().zip(&ranged);
        let all = cells.flat_map(|(cell, ranged)| fields(cell, *ranged));
        for (place, field) in all.enumerate() {
            write(sheet, (line, place), &field)?;
        }
        line = line.saturating_add(1);
    }
    for (what, value) in provenance {
        line = line.saturating_add(1);
        write(sheet, (line, 0), &(format!("# {what}"), ""))?;
        write(sheet, (line, 1), &(value.clone(), ""))?;
    }
    book.save_to_buffer()
}

/// All rows of a table, whatever the page shows of it, and below them the lines of `provenance`.
pub fn xlsx(table: &Table, provenance: &[(String, String)]) -> Result<Vec<u8>, NotWritten> {
    filled(table, provenance).map_err(|_| NotWritten)
}

#[cfg(test)]
mod tests {
    use schemas::money::Fen;

    use super::*;

    #[test]
    fn numbers_are_numbers_and_formulas_are_text() {
        assert_eq!(number("-12.50"), Some(-12.5));
        for text in ["", "1e9", "inf", "1,000", "1234567890123456", "=1"] {
            assert_eq!(number(text), None, "{text}");
        }
        let mut table = Table::new(
            "t",
            "T".to_owned(),
            &["a".to_owned(), "#b".to_owned()],
            String::new(),
        );
        table.rows = vec![vec![Cell::text("=1+1"), Cell::Money(Fen(-5))]];
        let one = xlsx(&table, &[("from".to_owned(), "=2".to_owned())]).unwrap();
        assert!(
            one.starts_with(b"PK")
                && one == xlsx(&table, &[("from".to_owned(), "=2".to_owned())]).unwrap()
        );
    }
}
