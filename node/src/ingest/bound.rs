//! A mapping bound to a dictionary and a file's header: every name resolved once, to a position.

use schemas::dictionary::{Dictionary, Dimension, Field, KeySource, Unit};

use super::IngestError;
use super::amount::SourceUnit;
use super::codes::Codes;
use super::date::DateFormat;
use super::mapping::{DimensionMapping, FieldMapping, Granularity, Mapping, Patient};
use super::source::Row;
use crate::store::columns::{Shape, is_stored};

/// Oldest age that has a band of its own; older people count as this old.
pub const MOST_AGE: usize = 130;

/// A mapping by positions.
#[derive(Debug)]
pub struct Bound {
    /// Number of columns in the header.
    pub width: usize,
    /// Rows with another value in this column are passed over.
    pub only: Vec<(usize, Vec<u8>)>,
    /// Column of the patient's number; `None`: every row is its own patient.
    pub patient: Option<usize>,
    /// Column of the settlement number.
    pub settlement: Option<usize>,
    /// When the stay was settled.
    pub when: When,
    /// Column of the admission date.
    pub admission: Option<usize>,
    /// Column of the birth date.
    pub birth: Option<usize>,
    /// Column of the age in years.
    pub age: Option<usize>,
    /// How dates are written.
    pub format: DateFormat,
    /// Columns whose values, joined, are the case group.
    pub group: Vec<usize>,
    /// What stands between them.
    pub group_join: Vec<u8>,
    /// Source code → index of the group.
    pub groups: Codes,
    /// Stored dimensions in dictionary order.
    pub dimensions: Vec<BoundDimension>,
    /// Fields that the source has, in dictionary order.
    pub fields: Vec<BoundField>,
    /// Sums that must hold within a row.
    pub totals: Vec<Total>,
    /// The columns that the file will have.
    pub shape: Shape,
    /// What the officer should know about this mapping.
    pub notes: Vec<String>,
}

/// When the stay was settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// In the month of the date in this column.
    Discharge(usize),
    /// In December of the year in this column.
    Year(usize),
}

/// A stored dimension.
#[derive(Debug)]
pub struct BoundDimension {
    /// Its name.
    pub name: String,
    /// Where a row's key comes from.
    pub source: DimensionSource,
    /// Index of the key `other`.
    pub other: u16,
}

/// Where a row's key comes from.
#[derive(Debug)]
pub enum DimensionSource {
    /// The source does not have it: always `other`.
    Missing,
    /// Always the same key.
    Constant(u16),
    /// From a column.
    Coded {
        /// The column.
        column: usize,
        /// Source value → key.
        codes: Codes,
    },
    /// From the age: key by whole years.
    Age(Vec<u16>),
}

/// A field that the source has.
#[derive(Debug)]
pub struct BoundField {
    /// Its name.
    pub name: String,
    /// Greatest value.
    pub most: u64,
    /// Column and unit; `None` for a length of stay that follows from the dates.
    pub column: Option<(usize, SourceUnit)>,
    /// Whether it must be the days between the dates.
    pub from_dates: bool,
}

/// Parts that add up to a whole, as positions in [`Bound::fields`].
#[derive(Debug)]
pub struct Total {
    /// The whole.
    pub whole: usize,
    /// The parts that the source has.
    pub parts: Vec<usize>,
    /// Whether these are all parts; otherwise they may only not exceed the whole.
    pub complete: bool,
}

impl Bound {
    /// Resolves a mapping. `only` adds to the mapping's own row filter.
    pub fn new(
        mapping: &Mapping,
        only: &[(String, String)],
        dictionary: &Dictionary,
        header: &[String],
    ) -> Result<Self, IngestError> {
        let columns = Columns(header);
        let mut notes = Vec::new();
        let filters = mapping.only.iter().map(|(name, value)| (name, value));
        let filters = filters.chain(only.iter().map(|(name, value)| (name, value)));
        let only = filters
            .map(|(name, value)| Ok((columns.find(name)?, value.as_bytes().to_vec())))
            .collect::<Result<_, IngestError>>()?;
        let patient = match &mapping.patient {
            Patient::Row => None,
            Patient::Column(name) => Some(columns.find(name)?),
        };
        let when = when(mapping, columns)?;
        let age = one_column(mapping, columns, |dimension| dimension.age.as_ref())?;
        let birth = one_column(mapping, columns, |dimension| dimension.birth_date.as_ref())?;
        let admission = columns.find_maybe(mapping.time.admission.as_ref())?;
        if birth.is_some() && !matches!(when, When::Discharge(_)) {
            return Err(IngestError::rule(
                "time",
                "birth_date needs a discharge date",
            ));
        }
        let dated = birth.is_some() || admission.is_some() || matches!(when, When::Discharge(_));
        if dated && mapping.time.format.is_none() {
            return Err(IngestError::rule(
                "time.format",
                "names how dates are written",
            ));
        }
        let stored = dictionary.dimensions.iter().filter(|d| is_stored(d));
        let dimensions = stored
            .map(|d| bind_dimension(d, mapping.dimensions.get(&d.id), columns, &mut notes))
            .collect::<Result<Vec<_>, IngestError>>()?;
        for name in mapping.dimensions.keys() {
            if !dictionary.dimension(name.as_str()).is_some_and(is_stored) {
                notes.push(format!(
                    "dimension `{name}` is not in the dictionary and is not read"
                ));
            }
        }
        let mut fields = Vec::new();
        for field in &dictionary.fields {
            match mapping.fields.get(&field.id) {
                Some(source) => fields.push(bind_field(field, source, columns)?),
                None if field.required => {
                    let place = format!("fields.{}", field.id);
                    return Err(IngestError::rule(
                        place,
                        "the dictionary requires this field",
                    ));
                }
                None => notes.push(format!("field `{}` is not mapped: no data", field.id)),
            }
        }
        for name in mapping.fields.keys() {
            if dictionary.field(name.as_str()).is_none() {
                notes.push(format!(
                    "field `{name}` is not in the dictionary and is not read"
                ));
            }
        }
        let needs_dates = fields.iter().any(|field| field.from_dates);
        if needs_dates && (admission.is_none() || !matches!(when, When::Discharge(_))) {
            return Err(IngestError::rule(
                "time",
                "from_dates needs an admission and a discharge date",
            ));
        }
        if mapping.case_group.columns.is_empty() {
            return Err(IngestError::rule(
                "case_group.columns",
                "names at least one column",
            ));
        }
        let group = mapping
            .case_group
            .columns
            .iter()
            .map(|name| columns.find(name));
        let codes = dictionary.groups.iter().map(|group| group.code.as_str());
        let (groups, unknown) = Codes::new(codes, &mapping.case_group.values, None);
        note_unknown("case_group", &unknown, &mut notes);
        let has = |name: &str| fields.iter().any(|field: &BoundField| field.name == name);
        let shape = Shape::new(dictionary, |id| has(id.as_str()));
        Ok(Self {
            width: header.len(),
            only,
            patient,
            settlement: columns.find_maybe(mapping.settlement.as_ref())?,
            when,
            admission,
            birth,
            age,
            format: mapping.time.format.unwrap_or(DateFormat::Dashes),
            group: group.collect::<Result<_, IngestError>>()?,
            group_join: mapping.case_group.join.as_bytes().to_vec(),
            groups,
            totals: totals(dictionary, &fields),
            dimensions,
            fields,
            shape,
            notes,
        })
    }

    /// Whether the row filter passes over a row.
    pub fn passes_over(&self, row: &Row) -> bool {
        self.only
            .iter()
            .any(|(column, value)| row.value(*column) != value)
    }
}

#[derive(Clone, Copy)]
struct Columns<'a>(&'a [String]);

impl Columns<'_> {
    fn find(self, name: &str) -> Result<usize, IngestError> {
        let mut places = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, column)| *column == name);
        match (places.next(), places.next()) {
            (Some((place, _)), None) => Ok(place),
            _ => Err(IngestError::Column {
                column: name.to_owned(),
            }),
        }
    }

    fn find_maybe(self, name: Option<&String>) -> Result<Option<usize>, IngestError> {
        name.map(|name| self.find(name)).transpose()
    }
}

fn when(mapping: &Mapping, columns: Columns<'_>) -> Result<When, IngestError> {
    let time = &mapping.time;
    match (time.granularity, &time.discharge, &time.year) {
        (Granularity::Month, Some(discharge), None) => {
            Ok(When::Discharge(columns.find(discharge)?))
        }
        (Granularity::Year, None, Some(year)) => Ok(When::Year(columns.find(year)?)),
        (Granularity::Month, ..) => Err(IngestError::rule("time", "names the discharge column")),
        (Granularity::Year, ..) => Err(IngestError::rule("time", "names the year column only")),
    }
}

/// The one column that all dimensions name for an age or a birth date.
fn one_column(
    mapping: &Mapping,
    columns: Columns<'_>,
    of: impl Fn(&DimensionMapping) -> Option<&String>,
) -> Result<Option<usize>, IngestError> {
    let mut found = None;
    for (name, dimension) in &mapping.dimensions {
        let Some(column) = of(dimension) else {
            continue;
        };
        let place = columns.find(column)?;
        if found.is_some_and(|other| other != place) {
            let place = format!("dimensions.{name}");
            return Err(IngestError::rule(place, "all ages come from one column"));
        }
        found = Some(place);
    }
    Ok(found)
}

fn bind_dimension(
    dimension: &Dimension,
    source: Option<&DimensionMapping>,
    columns: Columns<'_>,
    notes: &mut Vec<String>,
) -> Result<BoundDimension, IngestError> {
    let place = format!("dimensions.{}", dimension.id);
    let codes = dimension.keys.iter().map(|key| key.code.as_str());
    let prefix = match dimension.source {
        KeySource::Prefix { chars } => Some(usize::from(chars)),
        _ => None,
    };
    // A checked dictionary has at most 4,096 keys, the last of them `other`.
    let other = u16::try_from(dimension.keys.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let bound = |source| BoundDimension {
        name: dimension.id.to_string(),
        source,
        other,
    };
    let Some(source) = source else {
        notes.push(format!(
            "dimension `{}` is not mapped: always `other`",
            dimension.id
        ));
        return Ok(bound(DimensionSource::Missing));
    };
    let ways = [
        &source.column,
        &source.constant,
        &source.age,
        &source.birth_date,
    ];
    if ways.iter().filter(|way| way.is_some()).count() != 1 {
        return Err(IngestError::rule(
            place,
            "exactly one of column, constant, age, birth_date",
        ));
    }
    if let Some(column) = &source.column {
        let column = columns.find(column)?;
        let (codes, unknown) = Codes::new(codes, &source.values, prefix);
        note_unknown(dimension.id.as_str(), &unknown, notes);
        return Ok(bound(DimensionSource::Coded { column, codes }));
    }
    if !source.values.is_empty() {
        return Err(IngestError::rule(place, "values go with a column"));
    }
    if let Some(constant) = &source.constant {
        let key = dimension.keys.iter().position(|key| key.code == *constant);
        let key = key.and_then(|key| u16::try_from(key).ok());
        let key = key.ok_or_else(|| IngestError::rule(place, "the constant is a key"))?;
        return Ok(bound(DimensionSource::Constant(key)));
    }
    if dimension.source != KeySource::Bands {
        return Err(IngestError::rule(place, "an age gives bands only"));
    }
    Ok(bound(DimensionSource::Age(bands(dimension, other))))
}

/// The key of every age, 0 to [`MOST_AGE`]. Bands read `30-34` or `90+`; where bands overlap the
/// first one counts.
fn bands(dimension: &Dimension, other: u16) -> Vec<u16> {
    let read = |code: &str| -> Option<(usize, usize)> {
        if let Some(from) = code.strip_suffix('+') {
            return Some((from.parse().ok()?, usize::MAX));
        }
        let (from, to) = code.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    let ranges: Vec<(usize, usize, u16)> = (0_u16..)
        .zip(&dimension.keys)
        .filter_map(|(index, key)| read(&key.code).map(|(from, to)| (from, to, index)))
        .collect();
    let band = |age: usize| {
        let found = ranges
            .iter()
            .find(|(from, to, _)| (*from..=*to).contains(&age));
        found.map_or(other, |(_, _, index)| *index)
    };
    (0..=MOST_AGE).map(band).collect()
}

fn bind_field(
    field: &Field,
    source: &FieldMapping,
    columns: Columns<'_>,
) -> Result<BoundField, IngestError> {
    let place = format!("fields.{}", field.id);
    let column = match (&source.column, source.unit) {
        (Some(column), Some(unit)) => {
            let fits = match field.unit {
                Unit::Fen => unit != SourceUnit::Day,
                Unit::MilliDay => unit == SourceUnit::Day,
            };
            if !fits {
                return Err(IngestError::rule(
                    place,
                    "the unit is one of the field's kind",
                ));
            }
            Some((columns.find(column)?, unit))
        }
        (None, None) => None,
        _ => return Err(IngestError::rule(place, "a column has a unit")),
    };
    if source.from_dates && field.unit != Unit::MilliDay {
        return Err(IngestError::rule(
            place,
            "from_dates is for lengths of stay",
        ));
    }
    if column.is_none() && !source.from_dates {
        return Err(IngestError::rule(place, "names a column or from_dates"));
    }
    Ok(BoundField {
        name: field.id.to_string(),
        most: u64::from(field.most),
        column,
        from_dates: source.from_dates,
    })
}

fn totals(dictionary: &Dictionary, fields: &[BoundField]) -> Vec<Total> {
    let place = |name: &str| fields.iter().position(|field| field.name == name);
    let total = |whole: &Field| {
        let items: Vec<&Field> = dictionary.items_of(&whole.id).collect();
        let parts: Vec<usize> = items
            .iter()
            .filter_map(|item| place(item.id.as_str()))
            .collect();
        let complete = parts.len() == items.len();
        let whole = place(whole.id.as_str()).filter(|_| !parts.is_empty())?;
        Some(Total {
            whole,
            parts,
            complete,
        })
    };
    dictionary.fields.iter().filter_map(total).collect()
}

fn note_unknown(dimension: &str, unknown: &[String], notes: &mut Vec<String>) {
    for key in unknown {
        notes.push(format!(
            "`{dimension}`: the mapping's key `{key}` is not in the dictionary; such rows become `other`"
        ));
    }
}
