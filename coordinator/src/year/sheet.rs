//! A table with a head and typed fields: as CSV, or as a sheet of a workbook (XLSX).

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use schemas::money::Fen;
use web::download::harmless;

/// Beyond this a spreadsheet's numbers lose fen (15 digits); such amounts are written as text.
const WHOLE: i64 = 1_000_000_000_000_000;

/// A field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Field {
    /// As it stands.
    Text(String),
    /// An exact number of declared decimals.
    Number(String),
    /// Yuan.
    Money(Fen),
    /// Not known.
    Empty,
}

/// A table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sheet {
    /// Its name.
    pub(super) name: &'static str,
    /// The columns; money says its unit.
    pub(super) head: Vec<String>,
    /// The rows.
    pub(super) rows: Vec<Vec<Field>>,
}

impl Sheet {
    pub(super) fn new(name: &'static str, head: &[&str]) -> Self {
        Self {
            name,
            head: head.iter().map(|one| (*one).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a last row with the sum of each column that holds money in some row, but for those `apart`.
    /// Its name is in two scripts and has a space: no member has it. Nothing where there are no rows.
    pub(super) fn add_up(&mut self, apart: &[&str]) {
        if self.rows.is_empty() {
            return;
        }
        let columns = self.head.iter().enumerate().map(|(place, name)| {
            let fields = self.rows.iter().filter_map(|row| row.get(place));
            let fen = fields.filter_map(|field| match field {
                Field::Money(fen) => Some(fen.0),
                _ => None,
            });
            let whole = fen.fold(None, |sum: Option<i64>, fen| {
                Some(sum.unwrap_or_default().saturating_add(fen))
            });
            match whole.filter(|_| !apart.contains(&name.as_str())) {
                _ if place == 0 => Field::Text("合计 total".to_owned()),
                Some(fen) => Field::Money(Fen(fen)),
                None => Field::Empty,
            }
        });
        let row = columns.collect();
        self.rows.push(row);
    }

    /// As CSV; what a spreadsheet would take for a formula is quoted away.
    pub(super) fn csv(&self) -> Result<String, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.head)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|field| match field {
                Field::Text(text) => harmless(text),
                Field::Number(text) => text.clone(),
                Field::Money(fen) => fen.to_string(),
                Field::Empty => String::new(),
            }))?;
        }
        let bytes = writer
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn write(&self, to: &mut Worksheet, of: &Formats) -> Result<(), XlsxError> {
        to.set_name(self.name)?;
        to.set_freeze_panes(1, 0)?;
        for (place, name) in (0_u16..).zip(&self.head) {
            to.write_string_with_format(0, place, name, &of.head)?;
        }
        for (line, row) in (1_u32..).zip(&self.rows) {
            for (place, field) in (0_u16..).zip(row) {
                write_field(to, (line, place), field, of)?;
            }
        }
        to.autofit();
        Ok(())
    }
}

struct Formats {
    head: Format,
    money: Format,
}

fn write_field(
    to: &mut Worksheet,
    (line, place): (u32, u16),
    field: &Field,
    of: &Formats,
) -> Result<(), XlsxError> {
    match field {
        Field::Text(text) => to.write_string(line, place, text)?,
        Field::Number(text) => match text.parse::<f64>() {
            Ok(number) => to.write_number(line, place, number)?,
            Err(_) => to.write_string(line, place, text)?,
        },
        Field::Money(fen) if fen.0.abs() < WHOLE => {
            let yuan = fen.to_string().parse::<f64>().unwrap_or_default();
            to.write_number_with_format(line, place, yuan, &of.money)?
        }
        Field::Money(fen) => to.write_string(line, place, fen.to_string())?,
        Field::Empty => to,
    };
    Ok(())
}

/// A workbook of these sheets. The same tables give the same bytes: it bears no time of its own.
pub(super) fn workbook(sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats {
        head: Format::new().set_bold().set_text_wrap(),
        money: Format::new().set_num_format("#,##0.00"),
    };
    let mut book = Workbook::new();
    let never = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&never));
    for sheet in sheets {
        sheet.write(book.add_worksheet(), &formats)?;
    }
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let mut sheet = Sheet::new("members", &["member", "share", "budget (yuan)"]);
        let row = |name: &str, fen| {
            vec![
                Field::Text(name.to_owned()),
                Field::Number("0.25".to_owned()),
                Field::Money(Fen(fen)),
            ]
        };
        sheet.rows = vec![row("h01", 123_456_789), row("=1+1", 2_000_000_000_000_001)];
        sheet
            .rows
            .push(vec![Field::Empty, Field::Empty, Field::Empty]);
        sheet
    }

    #[test]
    fn a_table_of_text_is_one_a_spreadsheet_opens_and_nothing_in_it_is_a_formula() {
        let text = sheet().csv().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "member,share,budget (yuan)");
        assert_eq!(lines[1], "h01,0.25,1234567.89");
        assert!(!lines[2].starts_with('='), "{}", lines[2]);
        assert_eq!(lines[3], ",,");
    }

    #[test]
    fn the_last_row_adds_up_the_money_and_nothing_else() {
        let mut sheet = sheet();
        sheet.add_up(&[]);
        let text = sheet.csv().unwrap();
        assert_eq!(text.lines().last(), Some("合计 total,,20000001234567.90"));
        let mut apart = Sheet::new("members", &["member", "low"]);
        apart.add_up(&["low"]);
        assert!(apart.rows.is_empty());
        apart.rows.push(vec![Field::Empty, Field::Money(Fen(7))]);
        apart.add_up(&["low"]);
        assert_eq!(apart.rows.last().unwrap()[1], Field::Empty);
    }

    #[test]
    fn the_same_tables_give_the_same_workbook() {
        let (one, other) = (workbook(&[sheet()]).unwrap(), workbook(&[sheet()]).unwrap());
        assert_eq!(one, other);
        assert!(one.starts_with(b"PK"));
    }
}
