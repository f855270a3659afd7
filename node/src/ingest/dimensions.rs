//! Binding dimensions: where a row's key comes from.

use schemas::dictionary::{Dictionary, Dimension, KeySource, OTHER};

use super::IngestError;
use super::bound::{BoundDimension, BoundField, DimensionSource, Level, MOST_AGE};
use super::codes::Codes;
use super::columns::Columns;
use super::mapping::{DimensionMapping, Mapping};
use crate::store::columns::is_stored;

/// Binds every dimension that is stored, in dictionary order.
pub(super) fn bind(
    mapping: &Mapping,
    dictionary: &Dictionary,
    columns: Columns<'_>,
    fields: &[BoundField],
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
        .map(|d| {
            let references = references(d, dictionary);
            let from = (columns, fields, references.as_slice());
            bind_dimension(d, mapping.dimensions.get(&d.id), from, notes)
        })
        .collect()
}

/// By group: what the dimension's field is measured against; nothing for `other`, which stands for
/// groups without a payment standard.
fn references(dimension: &Dimension, dictionary: &Dictionary) -> Vec<Option<u64>> {
    let KeySource::Level { field, .. } = &dimension.source else {
        return Vec::new();
    };
    let Some(field) = dictionary.field(field.as_str()) else {
        return Vec::new();
    };
    let groups = dictionary.groups.iter();
    groups
        .map(|group| (group.code != OTHER).then(|| group.reference(field.reference)))
        .collect()
}

/// The one column that all dimensions name for an age or a birth date.
pub(super) fn one_column(
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
    (columns, fields, references): (Columns<'_>, &[BoundField], &[Option<u64>]),
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
    if let KeySource::Level {
        field,
        from,
        beyond,
    } = &dimension.source
    {
        if source.is_some() {
            let rule = "follows from its field: leave it out of the mapping";
            return Err(IngestError::rule(place, rule));
        }
        let named = fields.iter().position(|of| of.name == field.as_str());
        let Some(named) = named else {
            notes.push(format!(
                "dimension `{}` has no `{field}`: always `other`",
                dimension.id
            ));
            return Ok(bound(DimensionSource::Missing));
        };
        return Ok(bound(DimensionSource::Level(Level {
            field: named,
            references: references.to_vec(),
            from: from.clone(),
            beyond: *beyond,
        })));
    }
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
        &source.days,
    ];
    if ways.iter().filter(|way| way.is_some()).count() != 1 {
        return Err(IngestError::rule(
            place,
            "exactly one of column, constant, age, birth_date, days",
        ));
    }
    if let Some(column) = &source.column {
        let column = columns.find(column)?;
        let (codes, unknown) = Codes::new(codes, &source.values, prefix);
        note_unknown(dimension.id.as_str(), &unknown, notes);
        return Ok(bound(DimensionSource::Coded {
            column,
            codes,
            walk: None,
        }));
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
        return Err(IngestError::rule(place, "an age or days give bands only"));
    }
    if let Some(days) = &source.days {
        let field = fields.iter().position(|field| field.name == *days);
        let field = field.ok_or_else(|| IngestError::rule(place, "days names a mapped field"))?;
        let bands = bands(dimension, other, MOST_DAYS);
        return Ok(bound(DimensionSource::Days { field, bands }));
    }
    let bands = bands(dimension, other, MOST_AGE);
    Ok(bound(DimensionSource::Age(bands)))
}

/// Days above which a stay falls in the last band that its days reach.
const MOST_DAYS: usize = 1000;

/// The key of every number from 0 to `most`. Bands read `30-34` or `90+`; where bands overlap the
/// first one counts.
fn bands(dimension: &Dimension, other: u16, most: usize) -> Vec<u16> {
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
    let band = |number: usize| {
        let found = ranges
            .iter()
            .find(|(from, to, _)| (*from..=*to).contains(&number));
        found.map_or(other, |(_, _, index)| *index)
    };
    (0..=most).map(band).collect()
}

/// Notes the keys of a mapping that the dictionary does not have.
pub(super) fn note_unknown(dimension: &str, unknown: &[String], notes: &mut Vec<String>) {
    for key in unknown {
        notes.push(format!(
            "`{dimension}`: the mapping's key `{key}` is not in the dictionary; such rows become `other`"
        ));
    }
}
