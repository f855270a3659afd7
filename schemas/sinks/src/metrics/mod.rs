//! Metrics for the organisation's own Prometheus: whole numbers under names and labels of closed lists.
//!
//! A label's values are listed with its family; anything else becomes `other`, so that no name of a case,
//! a person or a round can get into a label.

mod process;
mod serve;

pub use process::process;
pub use serve::{ListenError, Listener, serve};

/// What a label may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Values {
    /// One of these words.
    Of(&'static [&'static str]),
    /// A calendar year of four digits.
    Year,
    /// A version: digits and points.
    Version,
}

impl Values {
    fn holds(self, value: &str) -> bool {
        let digits = |value: &str| value.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Of(words) => words.contains(&value),
            Self::Year => value.len() == 4 && digits(value),
            Self::Version => {
                (1..=32).contains(&value.len())
                    && value
                        .split('.')
                        .all(|part| !part.is_empty() && digits(part))
            }
        }
    }
}

/// How a value moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Up and down.
    Gauge,
    /// Up only, from 0 at the start of the process or of the state.
    Counter,
}

/// Metrics of one name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Family {
    /// Its name, with its unit at the end.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Its labels and what they may be.
    pub labels: &'static [(&'static str, Values)],
}

/// A page of metrics, in Prometheus's text format 0.0.4.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page(String);

impl Page {
    /// Adds a family and its samples: for each the labels' values in the family's order, and a whole number.
    pub fn put<'a>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = (&'a [&'a str], i64)>,
    ) {
        let Family { name, help, .. } = family;
        let kind = match family.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        for (values, value) in samples {
            let pairs = family
                .labels
                .iter()
                .zip(values)
                .map(|((label, of), value)| {
                    let value = if of.holds(value) { value } else { "other" };
                    format!("{label}=\"{value}\"")
                });
            let pairs = pairs.collect::<Vec<_>>().join(",");
            if pairs.is_empty() {
                self.line(format_args!("{name} {value}"));
            } else {
                self.line(format_args!("{name}{{{pairs}}} {value}"));
            }
        }
    }

    /// Adds a family of one sample without labels.
    pub fn one(&mut self, family: &Family, value: i64) {
        self.put(family, [(&[][..], value)]);
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.0.push_str(&line.to_string());
        self.0.push('\n');
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_of_their_lists_and_lines_of_the_format() {
        let family = Family {
            name: "consilium_ledger_spent_nano",
            help: "Loss spent.",
            kind: Kind::Gauge,
            labels: &[("year", Values::Year), ("purpose", Values::Of(&["all"]))],
        };
        let mut page = Page::default();
        let samples: [(&[&str], i64); 3] = [
            (&["2025", "all"], 5),
            (&["20x5", "JR19\"}\n1"], -1),
            (&["12025", "patients"], 0),
        ];
        page.put(&family, samples);
        let text = "# HELP consilium_ledger_spent_nano Loss spent.\n\
                    # TYPE consilium_ledger_spent_nano gauge\n\
                    consilium_ledger_spent_nano{year=\"2025\",purpose=\"all\"} 5\n\
                    consilium_ledger_spent_nano{year=\"other\",purpose=\"other\"} -1\n\
                    consilium_ledger_spent_nano{year=\"other\",purpose=\"other\"} 0\n";
        assert_eq!(page.into_text(), text);
        assert!(Values::Version.holds("0.1.0") && !Values::Version.holds("0.1-x"));
    }
}
