//! Binding a mapping: every name becomes a position, every rule of mappings is checked.

use schemas::dictionary::{Dictionary, Field};
use schemas::question::Dataset;
use schemas::time::{DataYear, Month};

use super::IngestError;
use super::bound::{Bound, BoundDimension, BoundField, DimensionSource, Total, When};
use super::codes::Codes;
use super::columns::{self, Columns};
use super::costed;
use super::date::DateFormat;
use super::dimensions::{self, note_unknown, one_column};
use super::fields;
use super::free_text;
use super::mapping::{Granularity, Mapping, Patient};
use crate::store::columns::Shape;

impl Bound {
    /// Resolves a mapping. `only` adds to the mapping's own row filter.
    pub fn new(
        mapping: &Mapping,
        only: &[(String, String)],
        dictionary: &Dictionary,
        header: &[String],
    ) -> Result<Self, IngestError> {
        free_text::refuse(mapping)?;
        let columns = Columns(header);
        columns.require(&columns::named(mapping, only, Some(dictionary)))?;
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
        let fields = fields::bind(mapping, dictionary, columns, &mut notes)?;
        let dimensions = dimensions::bind(mapping, dictionary, columns, &fields, &mut notes)?;
        let (groups, unknown) = Codes::new(
            dictionary.groups.iter().map(|group| group.code.as_str()),
            &mapping.case_group.values,
            None,
        );
        note_unknown("case_group", &unknown, &mut notes);
        let group = mapping.case_group.columns.iter();
        let group = group.map(|name| columns.find(name));
        let has = |name: &str| fields.iter().any(|field: &BoundField| field.name == name);
        if mapping
            .pilot
            .as_ref()
            .is_some_and(|of| of.departments.is_empty())
        {
            return Err(IngestError::rule("pilot", "names its departments"));
        }
        let pilot = mapping.pilot.as_ref().map(|of| {
            let names = of.departments.iter().map(|name| name.as_bytes().to_vec());
            Ok::<_, IngestError>((columns.find(&of.column)?, names.collect()))
        });
        let mut bound = Self {
            width: header.len(),
            only,
            pilot: pilot.transpose()?,
            patient,
            settlement: columns.find_maybe(mapping.settlement.as_ref())?,
            when: when(mapping, columns)?,
            encoding: mapping.encoding,
            oldest: DataYear(mapping.time.oldest_year),
            admission: columns.find_maybe(mapping.time.admission.as_ref())?,
            birth: one_column(mapping, columns, |dimension| dimension.birth_date.as_ref())?,
            age: one_column(mapping, columns, |dimension| dimension.age.as_ref())?,
            format: mapping.time.format.unwrap_or(DateFormat::Dashes),
            group: group.collect::<Result<_, IngestError>>()?,
            group_join: mapping.case_group.join.as_bytes().to_vec(),
            groups,
            totals: totals(dictionary, &fields),
            costing: costed::bind(mapping, &fields, columns)?,
            shape: Shape::new(dictionary, |id| has(id.as_str())),
            dimensions,
            fields,
            read: Vec::new(),
            notes,
        };
        bound.check(mapping)?;
        bound.read = bound.columns_read();
        Ok(bound)
    }

    /// The columns that rows are read from, with what each of them is.
    fn columns_read(&self) -> Vec<(usize, String)> {
        let when = match self.when {
            When::Discharge(column) => (Some(column), "discharge"),
            When::Year(column) => (Some(column), "year"),
        };
        let single = [
            (self.patient, "patient"),
            (self.settlement, "settlement"),
            when,
            (self.admission, "admission"),
            (self.birth, "birth_date"),
            (self.age, "age"),
        ];
        let single = single
            .into_iter()
            .filter_map(|(column, name)| Some((column?, name)));
        let groups = self.group.iter().map(|column| (*column, "case_group"));
        let coded = |dimension: &'_ BoundDimension| match dimension.source {
            DimensionSource::Coded { column, .. } => Some((column, dimension.name.clone())),
            _ => None,
        };
        let amount = |field: &BoundField| Some((field.column?.0, field.name.clone()));
        let costing = self.costing.iter();
        let costing = costing.map(|of| (of.department, "costing.department"));
        single
            .chain(groups)
            .chain(costing)
            .map(|(column, name)| (column, name.to_owned()))
            .chain(self.dimensions.iter().filter_map(coded))
            .chain(self.fields.iter().filter_map(amount))
            .collect()
    }

    /// The rules that join several parts of a mapping.
    fn check(&self, mapping: &Mapping) -> Result<(), IngestError> {
        let by_date = matches!(self.when, When::Discharge(_));
        let dated = self.birth.is_some() || self.admission.is_some() || by_date;
        let from_dates = self.fields.iter().any(|field| field.from_dates);
        let rules = [
            (
                mapping.dataset == Dataset::Stays || mapping.costing.is_none(),
                "costing",
                "is of stays: other datasets bring their costs",
            ),
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
                Month::new(self.oldest.0, 1).is_ok(),
                "time.oldest_year",
                "from 1900 to the current year",
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
