//! Binding fields: the column and unit of every amount.

use schemas::dictionary::{Dictionary, Field, Unit};

use super::IngestError;
use super::amount::SourceUnit;
use super::bound::BoundField;
use super::columns::Columns;
use super::mapping::{FieldMapping, Mapping};

/// Binds the fields that the mapping has, in dictionary order.
pub(super) fn bind(
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
