//! Names of views and columns: of a strict shape, and always quoted, so that nothing of a mapping is ever
//! read as SQL.

use super::SqlError;
use super::wire::Wire;

/// Longest name in bytes: PostgreSQL's limit, the smaller one.
const LONGEST: usize = 63;

/// A name of letters, digits and `_`, of any script, that does not begin with a digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Name(String);

impl Name {
    /// Takes a name of that shape.
    pub(super) fn new(text: &str) -> Result<Self, SqlError> {
        let first = text.chars().next();
        let begins = first.is_some_and(|c| c.is_alphabetic() || c == '_');
        let plain = text.chars().all(|c| c.is_alphanumeric() || c == '_');
        if begins && plain && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(SqlError::Name(text.to_owned()))
        }
    }

    /// The name as it stands.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// The name inside a statement.
    pub(super) fn quoted(&self, wire: Wire) -> String {
        let mark = match wire {
            Wire::Postgres => '"',
            Wire::MySql => '`',
        };
        format!("{mark}{}{mark}", self.0)
    }
}

/// A view or table, perhaps with its schema: `schema.view`.
#[derive(Clone, Debug)]
pub(super) struct ViewName {
    pub(super) schema: Option<Name>,
    pub(super) view: Name,
}

impl ViewName {
    /// Takes `view` or `schema.view`.
    pub(super) fn new(text: &str) -> Result<Self, SqlError> {
        match text.split_once('.') {
            Some((schema, view)) => Ok(Self {
                schema: Some(Name::new(schema)?),
                view: Name::new(view)?,
            }),
            None => Ok(Self {
                schema: None,
                view: Name::new(text)?,
            }),
        }
    }

    /// The name inside a statement.
    pub(super) fn quoted(&self, wire: Wire) -> String {
        let view = self.view.quoted(wire);
        match &self.schema {
            Some(schema) => format!("{}.{view}", schema.quoted(wire)),
            None => view,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_a_strict_shape_and_quoted() {
        for odd in [
            "",
            "1a",
            "a b",
            "a\"b",
            "a`b",
            "a;drop",
            "a--",
            "a'",
            "a\\",
            "a\0",
            "a.b",
            "%",
            &"x".repeat(64),
        ] {
            assert!(Name::new(odd).is_err(), "{odd}");
        }
        let view = ViewName::new("reporting.出院_病例").unwrap();
        assert_eq!(view.quoted(Wire::Postgres), "\"reporting\".\"出院_病例\"");
        assert_eq!(view.quoted(Wire::MySql), "`reporting`.`出院_病例`");
        assert!(ViewName::new("a.b.c").is_err());
        assert!(ViewName::new(".b").is_err());
    }
}
