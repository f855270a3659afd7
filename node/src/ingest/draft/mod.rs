//! A first mapping for a file that nobody has mapped: guesses from the names of its columns and the shape
//! of some values. Each guess says what it rests on; no value of the file is in it. What was not guessed
//! stands as the column `?`, which no file has: a draft that is not finished loads nothing.

mod column;
mod names;
mod view;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schemas::dictionary::{Dictionary, Dimension, KeySource, Unit};
use schemas::shown;

use self::column::Column;
use super::IngestError;
use super::encoding::Encoding;
use super::origin::Origin;
use super::row::Row;
use super::source::{Source, is_csv};
use crate::store::columns::is_stored;

/// Rows that are looked at.
const ROWS: u64 = 1000;
/// Stands for a column that was not found.
const UNKNOWN: &str = "?";

/// A file's columns with what some of its rows show.
struct Draft<'a> {
    dictionary: &'a Dictionary,
    header: Vec<String>,
    columns: Vec<Column>,
    rows: u64,
    used: BTreeSet<usize>,
    text: String,
}

/// Drafts a mapping for a source, as TOML.
pub fn draft(dictionary: &Dictionary, from: &Origin) -> Result<String, IngestError> {
    let mut encoding = Encoding::Utf8;
    let mut source = match from {
        Origin::File(_) => open(from, &mut encoding)?,
        Origin::View(view) => {
            view.begin(None)?;
            Source::view(view, Some(ROWS))?
        }
    };
    let header = source.header().to_vec();
    let mut columns = vec![Column::new(); header.len()];
    let mut row = Row::new();
    let mut rows = 0;
    while rows < ROWS && source.read(&mut row)? {
        rows += 1;
        for (place, column) in columns.iter_mut().enumerate() {
            column.see(&row, place);
        }
    }
    let mut draft = Draft {
        dictionary,
        header,
        columns,
        rows,
        used: BTreeSet::new(),
        text: String::new(),
    };
    draft.top(encoding);
    if let Some(view) = from.view() {
        draft.view(view);
    }
    let birth = draft.time();
    draft.dimensions(birth);
    draft.fields();
    draft.rest();
    Ok(draft.text)
}

/// A file, in the encoding that its header and first rows are of.
fn open(from: &Origin, encoding: &mut Encoding) -> Result<Source, IngestError> {
    let utf_8 = match from.open(Encoding::Utf8) {
        Ok(mut source) => {
            let mut row = Row::new();
            let mut left = ROWS;
            while left > 0 && source.read(&mut row)? && str::from_utf8(row.bytes()).is_ok() {
                left -= 1;
            }
            left == 0 || str::from_utf8(row.bytes()).is_ok()
        }
        Err(IngestError::Header) => false,
        Err(error) => return Err(error),
    };
    let Origin::File(path) = from else {
        return from.open(*encoding);
    };
    if !utf_8 && is_csv(path) {
        *encoding = Encoding::Gb18030;
    }
    from.open(*encoding)
}

impl Draft<'_> {
    fn say(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The column of a name: the dictionary's own name, else one that is known.
    fn find(&mut self, name: &str) -> Option<usize> {
        let known = names::NAMES.iter().find(|(of, _)| *of == name);
        let others = known.map_or(&[][..], |(_, names)| *names).iter().copied();
        let mut all = std::iter::once(name).chain(others);
        let place = all.find_map(|name| {
            let mut header = self.header.iter();
            header.position(|column| names::is(column, name))
        })?;
        self.used.insert(place);
        Some(place)
    }

    /// A column's name in quotation marks; `"?"` where there is none.
    fn quoted(&self, place: Option<usize>) -> String {
        let name = place.and_then(|place| self.header.get(place));
        toml::Value::String(name.map_or(UNKNOWN, String::as_str).to_owned()).to_string()
    }

    fn column(&self, place: Option<usize>) -> Column {
        let column = place.and_then(|place| self.columns.get(place));
        column.cloned().unwrap_or_else(Column::new)
    }

    fn top(&mut self, encoding: Encoding) {
        let rows = self.rows;
        self.say(&format!(
            "# Drafted from the header and {rows} rows. Check every line, fill in each `?`, then: map test"
        ));
        self.say("\ndataset = \"stays\"");
        if encoding == Encoding::Gb18030 {
            self.say("# The first rows are not UTF-8.");
            self.say("encoding = \"gb18030\"");
        }
        let patient = self.find("patient");
        let quoted = self.quoted(patient);
        self.say("# By the column's name. It must be the same for all stays of one person: the promise is per patient.");
        self.say(&format!("patient = {{ column = {quoted} }}"));
        if let Some(settlement) = self.find("settlement") {
            let quoted = self.quoted(Some(settlement));
            self.say("# By the column's name. The same number again is a duplicate.");
            self.say(&format!("settlement = {quoted}"));
        }
    }

    /// Dates; gives the column of the birth date.
    fn time(&mut self) -> Option<usize> {
        let (discharge, admission) = (self.find("discharge"), self.find("admission"));
        let birth = self.find("birth_date");
        let places = [discharge, admission, birth];
        let formats: BTreeSet<Option<&str>> = places
            .iter()
            .filter(|place| place.is_some())
            .map(|place| self.column(*place).format())
            .collect();
        let (format, why) = match (formats.first(), formats.len()) {
            (Some(Some(format)), 1) => (*format, "every date of the rows is written so"),
            _ => (
                "YYYY-MM-DD",
                "not sure: the rows hold dates that are written otherwise",
            ),
        };
        self.say("\n[time]");
        self.say(&format!("format = \"{format}\" # {why}"));
        let quoted = self.quoted(discharge);
        self.say(&format!("discharge = {quoted} # by the column's name"));
        if admission.is_some() {
            let quoted = self.quoted(admission);
            self.say(&format!("admission = {quoted} # by the column's name"));
        }
        let group = self.find("case_group");
        let quoted = self.quoted(group);
        self.say("\n[case_group]");
        self.say(&format!("columns = [{quoted}] # by the column's name"));
        birth
    }

    fn dimensions(&mut self, birth: Option<usize>) {
        self.say("\n[dimensions]");
        let dictionary = self.dictionary;
        for dimension in dictionary.dimensions.iter().filter(|d| is_stored(d)) {
            let id = dimension.id.as_str();
            if let KeySource::Level { field, .. } = &dimension.source {
                self.say(&format!("# {id}: follows from {field}, nothing to map"));
                continue;
            }
            let bands = dimension.source == KeySource::Bands;
            let guess = if bands && id.contains("age") {
                if birth.is_some() {
                    Some(("birth_date", birth, "the age on the day of discharge"))
                } else {
                    let age = self.find("age");
                    age.map(|age| ("age", Some(age), "by the column's name"))
                }
            } else if bands && id.contains("stay") {
                self.say(&format!(
                    "{id} = {{ days = \"los\" }} # bands of the length of stay"
                ));
                continue;
            } else {
                let place = self.find(id);
                place.map(|place| {
                    (
                        "column",
                        Some(place),
                        "by the column's name; map test counts codes without a key",
                    )
                })
            };
            let Some((how, place, why)) = guess else {
                self.say(&format!(
                    "# {id}: no column found; it will be `other` in every row"
                ));
                continue;
            };
            let (quoted, values) = (self.quoted(place), self.values(dimension, place));
            self.say(&format!("{id} = {{ {how} = {quoted}{values} }} # {why}"));
        }
    }

    /// The translation of codes that everybody writes alike: of sex, where they are not the keys.
    fn values(&self, dimension: &Dimension, place: Option<usize>) -> String {
        let column = self.column(place);
        let has = |key: &&str| dimension.keys.iter().any(|own| own.code == **key);
        let keys = names::SEX_KEYS.iter().find(|keys| keys.iter().all(&has));
        let codes = names::SEXES.iter().find(|codes| column.within(*codes));
        match (codes, keys) {
            (Some(codes), Some(keys)) if codes != keys && dimension.id.as_str() == "sex" => {
                let ([m, f], [male, female]) = (codes, keys);
                format!(", values = {{ \"{m}\" = \"{male}\", \"{f}\" = \"{female}\" }}")
            }
            _ => String::new(),
        }
    }

    fn fields(&mut self) {
        self.say("\n[fields]");
        let dictionary = self.dictionary;
        let dated = names_any(&self.header, "admission") && names_any(&self.header, "discharge");
        for field in &dictionary.fields {
            let id = field.id.as_str();
            if field.unit == Unit::MilliDay && dated {
                self.find(id);
                self.say(&format!(
                    "{id} = {{ from_dates = true }} # from admission to discharge"
                ));
                continue;
            }
            let place = self.find(id);
            if place.is_none() && !field.required {
                self.say(&format!(
                    "# {id}: no column found; the stays have no such field"
                ));
                continue;
            }
            let (unit, why) = self.unit(field.unit, place);
            let quoted = self.quoted(place);
            self.say(&format!(
                "{id} = {{ column = {quoted}, unit = \"{unit}\" }} # {why}"
            ));
        }
    }

    fn unit(&self, unit: Unit, place: Option<usize>) -> (&'static str, &'static str) {
        let column = self.column(place);
        let dollars = self.dictionary.currency == "USD";
        match unit {
            Unit::MilliDay => return ("day", "by the column's name"),
            Unit::CentiPoint => return ("point", "by the column's name"),
            Unit::Fen => {}
        }
        let (whole, small) = if dollars {
            ("dollar", "cent")
        } else {
            ("yuan", "fen")
        };
        let name = place.and_then(|place| self.header.get(place));
        let named = name.is_some_and(|name| {
            names::is_part(name, small) || (!dollars && names::is_part(name, "分"))
        });
        match (named, column.decimals, column.filled == column.amounts) {
            _ if place.is_none() => (whole, "no column found, and the dictionary requires it"),
            (true, 0, _) => (small, "the column's name says so"),
            (_, 1.., true) => (whole, "the rows have decimals"),
            (_, 0, true) => (
                whole,
                "not sure: the rows have no decimals; are they hundredths?",
            ),
            _ => (whole, "not sure: some rows hold no plain amounts"),
        }
    }

    /// The columns that no guess fits.
    fn rest(&mut self) {
        let names: Vec<String> = self
            .header
            .iter()
            .enumerate()
            .filter(|(place, _)| !self.used.contains(place))
            .map(|(_, name)| shown::line(name).into_owned())
            .collect();
        if names.is_empty() {
            return;
        }
        self.say("\n# No guess fits these columns; they are not read:");
        for name in names {
            let line = writeln!(self.text, "#   {name}");
            debug_assert!(line.is_ok(), "writing to a string does not fail");
        }
    }
}

/// Whether a header has a column for this.
fn names_any(header: &[String], of: &str) -> bool {
    let known = names::NAMES.iter().find(|(name, _)| *name == of);
    let all = known.map_or(&[][..], |(_, names)| *names);
    header
        .iter()
        .any(|column| all.iter().any(|name| names::is(column, name)))
}

#[cfg(test)]
mod test;
