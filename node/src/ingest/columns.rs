//! A file's columns by name, and the check that all columns that a mapping names are there.

use std::collections::BTreeSet;

use schemas::dictionary::Dictionary;

use super::mapping::{Mapping, Patient};
use super::{IngestError, costed};
use crate::store::columns::is_stored;

/// The header of a file.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a>(pub &'a [String]);

impl Columns<'_> {
    /// The place of a column.
    pub(super) fn find(self, name: &str) -> Result<usize, IngestError> {
        let mut places = self.places(name);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (first, _) => Err(self.refused(
                first.is_none().then_some(name).into_iter().collect(),
                first.is_some().then_some(name).into_iter().collect(),
            )),
        }
    }

    /// The place of a column that a mapping may leave out.
    pub(super) fn find_maybe(self, name: Option<&String>) -> Result<Option<usize>, IngestError> {
        name.map(|name| self.find(name)).transpose()
    }

    /// Refuses a mapping for all the columns that are missing or ambiguous at once, so that nobody
    /// mends them one by one.
    pub(super) fn require(self, names: &BTreeSet<&str>) -> Result<(), IngestError> {
        let with = |found: fn(usize) -> bool| -> Vec<&str> {
            let names = names.iter().copied();
            names
                .filter(|name| found(self.places(name).count()))
                .collect()
        };
        let (missing, twice) = (with(|places| places == 0), with(|places| places > 1));
        if missing.is_empty() && twice.is_empty() {
            Ok(())
        } else {
            Err(self.refused(missing, twice))
        }
    }

    fn places<'n>(self, name: &'n str) -> impl Iterator<Item = usize> + 'n
    where
        Self: 'n,
    {
        let columns = self.0.iter().enumerate();
        columns.filter_map(move |(place, column)| (column == name).then_some(place))
    }

    fn refused(self, missing: Vec<&str>, twice: Vec<&str>) -> IngestError {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        IngestError::Columns {
            missing: owned(missing),
            twice: owned(twice),
            header: self.0.len(),
        }
    }
}

/// Every column that a mapping reads under this dictionary, or under any.
pub(super) fn named<'m>(
    mapping: &'m Mapping,
    only: &'m [(String, String)],
    dictionary: Option<&Dictionary>,
) -> BTreeSet<&'m str> {
    let mut names: BTreeSet<&str> = mapping.only.keys().map(String::as_str).collect();
    names.extend(only.iter().map(|(name, _)| name.as_str()));
    names.extend(mapping.pilot.iter().map(|pilot| pilot.column.as_str()));
    if let Patient::Column(name) = &mapping.patient {
        names.insert(name);
    }
    let time = &mapping.time;
    let single = [
        &mapping.settlement,
        &time.discharge,
        &time.admission,
        &time.year,
    ];
    names.extend(single.into_iter().flatten().map(String::as_str));
    names.extend(mapping.case_group.columns.iter().map(String::as_str));
    for (id, dimension) in &mapping.dimensions {
        let coded = dictionary.is_none_or(|d| d.dimension(id.as_str()).is_some_and(is_stored));
        let column = dimension.column.as_ref().filter(|_| coded);
        let columns = [
            column,
            dimension.age.as_ref(),
            dimension.birth_date.as_ref(),
        ];
        names.extend(columns.into_iter().flatten().map(String::as_str));
    }
    for (id, field) in &mapping.fields {
        let read = dictionary.is_none_or(|d| d.field(id.as_str()).is_some());
        names.extend(field.column.as_deref().filter(|_| read));
    }
    names.extend(mapping.costing.iter().flat_map(costed::named));
    names
}

/// Names for the officer.
pub(super) fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// What is wrong with a header, for the officer.
pub(super) fn told(missing: &[String], twice: &[String], header: &usize) -> String {
    let mut wrong = Vec::new();
    if !missing.is_empty() {
        wrong.push(format!("lacks {}", quoted(missing)));
    }
    if !twice.is_empty() {
        wrong.push(format!("has more than once {}", quoted(twice)));
    }
    let hint = if *header == 1 {
        " (the header has one column only: are the values separated by commas?)"
    } else {
        ""
    };
    format!(
        "the file's header {}; each column that the mapping names must stand there exactly once{hint}",
        wrong.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let header = ["a".to_owned(), "b".to_owned(), "b".to_owned()];
        let columns = Columns(&header);
        assert!(columns.require(&BTreeSet::from(["a"])).is_ok());
        let names = BTreeSet::from(["a", "b", "c", "d"]);
        let error = columns.require(&names).unwrap_err().to_string();
        assert!(
            error.contains("lacks `c`, `d` and has more than once `b`"),
            "{error}"
        );
        assert!(!error.contains("commas"));
        let header = ["a;b;c".to_owned()];
        let error = Columns(&header).find("a").unwrap_err().to_string();
        assert!(
            error.contains("lacks `a`") && error.contains("commas"),
            "{error}"
        );
    }
}
