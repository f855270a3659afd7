//! Binding fields: the column and unit of every amount.

use schemas::dictionary::{Dictionary, Field, Unit};

use super::IngestError;
use super::amount::SourceUnit;
use super::bound::BoundField;
use super::columns::Columns;
use super::costed::{self, Costed};
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
                Unit::Fen => unit.is_money(),
                Unit::MilliDay => unit == SourceUnit::Day,
                Unit::CentiPoint => unit == SourceUnit::Point,
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
    if source.costing.is_some() && (column.is_some() || field.unit != Unit::Fen) {
        return Err(IngestError::rule(
            place,
            "costing is for money that no column holds",
        ));
    }
    if column.is_none() && !source.from_dates && source.costing.is_none() {
        return Err(IngestError::rule(
            place,
            "names a column, from_dates or costing",
        ));
    }
    let costed = match source.costing.as_deref() {
        None => None,
        Some(costed::ALL) => Some(Costed::All),
        Some(item) => {
            let item = item.parse();
            let item = item.map_err(|_| IngestError::rule(place, "costing is all or an item"))?;
            Some(Costed::Item(item))
        }
    };
    Ok(BoundField {
        name: field.id.to_string(),
        most: u64::from(field.most),
        unit: field.unit,
        costed,
        column,
        from_dates: source.from_dates,
    })
}
