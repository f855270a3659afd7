//! Binding a mapping: every name becomes a position, every rule of mappings is checked.

use schemas::dictionary::{Dictionary, Dimension, Field, KeySource, Unit};

use super::IngestError;
use super::amount::SourceUnit;
use super::bound::{Bound, BoundDimension, BoundField, DimensionSource, MOST_AGE, Total, When};
use super::codes::Codes;
use super::date::DateFormat;
use super::mapping::{DimensionMapping, FieldMapping, Granularity, Mapping, Patient};
use crate::store::columns::{Shape, is_stored};

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
        let filters = mapping.only.iter();
        let filters = filters.chain(only.iter().map(|filter| (&filter.0, &filter.1)));
        let only = filters
            .map(|(name, value)| Ok((columns.find(name)?, value.as_bytes().to_vec())))
            .collect::<Result<_, IngestError>>()?;
        let patient = match &mapping.patient {
            Patient::Row => None,
            Patient::Column(name) => Some(columns.find(name)?),
        };
        let dimensions = bind_dimensions(mapping, dictionary, columns, &mut notes)?;
        let fields = bind_fields(mapping, dictionary, columns, &mut notes)?;
        let (groups, unknown) = Codes::new(
            dictionary.groups.iter().map(|group| group.code.as_str()),
            &mapping.case_group.values,
            None,
        );
        note_unknown("case_group", &unknown, &mut notes);
        let group = mapping.case_group.columns.iter();
        let group = group.map(|name| columns.find(name));
        let has = |name: &str| fields.iter().any(|field: &BoundField| field.name == name);
        let bound = Self {
            width: header.len(),
            only,
            patient,
            settlement: columns.find_maybe(mapping.settlement.as_ref())?,
            when: when(mapping, columns)?,
            admission: columns.find_maybe(mapping.time.admission.as_ref())?,
            birth: one_column(mapping, columns, |dimension| dimension.birth_date.as_ref())?,
            age: one_column(mapping, columns, |dimension| dimension.age.as_ref())?,
            format: mapping.time.format.unwrap_or(DateFormat::Dashes),
            group: group.collect::<Result<_, IngestError>>()?,
            group_join: mapping.case_group.join.as_bytes().to_vec(),
            groups,
            totals: totals(dictionary, &fields),
            shape: Shape::new(dictionary, |id| has(id.as_str())),
            dimensions,
            fields,
            notes,
        };
        bound.check(mapping)?;
        Ok(bound)
    }

    /// The rules that join several parts of a mapping.
    fn check(&self, mapping: &Mapping) -> Result<(), IngestError> {
        let by_date = matches!(self.when, When::Discharge(_));
        let dated = self.birth.is_some() || self.admission.is_some() || by_date;
        let from_dates = self.fields.iter().any(|field| field.from_dates);
        let rules = [
            (
                self.birth.is_none() || by_date,
                "time",
                "birth_date needs a discharge date",
            ),
            (
                !dated || mapping.time.format.is_some(),
                "time.format",
                "names how dates are written",
            ),
            (
                !from_dates || (self.admission.is_some() && by_date),
                "time",
                "from_dates needs an admission and a discharge date",
            ),
            (
                !self.group.is_empty(),
                "case_group.columns",
                "names at least one column",
            ),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, place, rule)) => Err(IngestError::rule(place, rule)),
            None => Ok(()),
        }
    }
}

fn bind_dimensions(
    mapping: &Mapping,
    dictionary: &Dictionary,
    columns: Columns<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<BoundDimension>, IngestError> {
    for name in mapping.dimensions.keys() {
        if !dictionary.dimension(name.as_str()).is_some_and(is_stored) {
            notes.push(format!(
                "dimension `{name}` is not in the dictionary and is not read"
            ));
        }
    }
    let stored = dictionary.dimensions.iter().filter(|d| is_stored(d));
    stored
        .map(|d| bind_dimension(d, mapping.dimensions.get(&d.id), columns, notes))
        .collect()
}

fn bind_fields(
    mapping: &Mapping,
    dictionary: &Dictionary,
    columns: Columns<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<BoundField>, IngestError> {
    for name in mapping.fields.keys() {
        if dictionary.field(name.as_str()).is_none() {
            notes.push(format!(
                "field `{name}` is not in the dictionary and is not read"
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
    Ok(fields)
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
