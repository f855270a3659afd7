//! The SQL of a plan. It is built from fixed words, names that follow from the dictionary, and numbers; no
//! text of a question is in it, because a plan has none: keys are places in the dictionary's lists.

use policies::plan::Bound;
use schemas::id::Slug;
use schemas::question::Dataset;

use super::super::ScanError;
use super::super::program::{Operation, Place, Program, Sieve};
use super::super::scale::Scale;
use crate::engine::{Dialect, Part, field, key, list, table};

/// What the columns of an answer behind its first, the cell, are.
#[derive(Debug)]
pub(super) enum Fills {
    /// By column: block and number within the cell.
    Values(Vec<(usize, usize)>),
    /// Bin and count of a histogram.
    Bins(usize),
}

/// One query.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) fills: Fills,
}

/// What the statements of one question share.
struct Asked<'a> {
    program: &'a Program,
    dialect: Dialect,
    dataset: Dataset,
    numbers: String,
    /// Months since 1900-01 of the period's first.
    first: i64,
}

/// All queries of a plan: one a table for counts and sums, one a histogram.
pub(super) fn all(
    program: &Program,
    missing: &[bool],
    dialect: Dialect,
    (dataset, parts): (Dataset, &[Part]),
) -> Result<Vec<Statement>, ScanError> {
    let asked = Asked {
        program,
        dialect,
        dataset,
        numbers: list(parts.iter().map(|part| part.number)),
        first: i64::from(program.period.from.index()),
    };
    let mut all = Vec::new();
    for (table, place) in program.places.iter().enumerate() {
        let (mut sums, mut targets) = (Vec::new(), Vec::new());
        let blocks = program.fills.iter().zip(missing).enumerate();
        let own = blocks.filter(|(_, (fill, missing))| fill.table == table && !**missing);
        for (block, (fill, _)) in own {
            if let Operation::Histogram(at) = fill.operation {
                all.push(asked.histogram(place, block, at)?);
                continue;
            }
            for (lane, sum) in asked.sums(&fill.operation)?.into_iter().enumerate() {
                sums.push(sum);
                targets.push((block, lane));
            }
        }
        if !sums.is_empty() {
            all.push(Statement {
                sql: asked.grouped(place, &sums, "")?,
                fills: Fills::Values(targets),
            });
        }
    }
    Ok(all)
}

impl Asked<'_> {
    /// Sums by cell, and by `more` where it names a column of `sums`.
    fn grouped(&self, place: &Place, sums: &[String], more: &str) -> Result<String, ScanError> {
        let dialect = self.dialect;
        let mut inner = vec![format!("{} as cell", self.cell(place))];
        let mut outer = vec![dialect.text("cell")];
        for (at, sum) in sums.iter().enumerate() {
            inner.push(format!("{sum} as s{at}"));
            outer.push(dialect.text(&format!("s{at}")));
        }
        Ok(format!(
            "select {} from (select {} from {} where {} group by cell{more}) answer",
            outer.join(", "),
            inner.join(", "),
            table(self.dataset),
            self.counts(place)?,
        ))
    }

    fn histogram(&self, place: &Place, block: usize, at: usize) -> Result<Statement, ScanError> {
        let (raw, _) = self.scaled(at)?;
        let bin = self.dialect.bin(&raw, &self.program.edges);
        let sums = [bin, "count(*)".to_owned()];
        Ok(Statement {
            sql: self.grouped(place, &sums, ", s0")?,
            fills: Fills::Bins(block),
        })
    }

    /// What is added up for a block: one sum a number of the cell.
    fn sums(&self, operation: &Operation) -> Result<Vec<String>, ScanError> {
        Ok(match operation {
            Operation::Count => vec!["count(*)".to_owned()],
            Operation::CountWhere(sieve) => {
                let holds = self.sieve(sieve);
                let holds = if holds.is_empty() {
                    "1 = 1".to_owned()
                } else {
                    holds.join(" and ")
                };
                vec![format!("sum(case when {holds} then 1 else 0 end)")]
            }
            Operation::Sum(at) => vec![format!("sum({})", self.scaled(*at)?.1)],
            Operation::Squares(at) => {
                let clamped = self.scaled(*at)?.1;
                vec![format!("sum({clamped} * {clamped})")]
            }
            Operation::Structure { whole, items } => {
                let clamped = self.scaled(*whole)?.1;
                let column = |item: &Slug| self.dialect.whole(&field(item));
                let columns: Vec<String> = items.iter().map(column).collect();
                let whole = self.dialect.whole("1");
                // Where all items are 0, 0 of 1 is 0.
                let total = format!("greatest({}, {whole})", columns.join(" + "));
                let share = |column: &String| {
                    let share = self
                        .dialect
                        .divided(&format!("{column} * {clamped}"), &total);
                    format!("sum({share})")
                };
                columns.iter().map(share).collect()
            }
            // A query of its own.
            Operation::Histogram(_) => return Err(ScanError::Layout),
        })
    }

    /// Amount in thousandths of its reference, and clamped at the cap.
    fn scaled(&self, at: usize) -> Result<(String, String), ScanError> {
        let spec = self.program.scaled.get(at).ok_or(ScanError::Layout)?;
        let dialect = self.dialect;
        let scales = spec.scales.iter();
        let references: Vec<u64> = scales.clone().map(Scale::reference).collect();
        let caps: Vec<u64> = scales.map(|one| u64::from(one.most)).collect();
        let reference = dialect.lookup("case_group", &references);
        let amount = dialect.whole(&field(&spec.field));
        // floor((2000·x + R) / 2R) = floor((floor(2000·x / R) + 1) / 2): the list stands there once.
        let times = dialect.divided(&format!("2000 * {amount}"), &reference);
        let raw = format!("({})", dialect.divided(&format!("{times} + 1"), "2"));
        let cap = dialect.lookup("case_group", &caps);
        let clamped = format!("least({raw}, {cap})");
        Ok((raw, clamped))
    }

    /// Number of the cell in which a row falls.
    fn cell(&self, place: &Place) -> String {
        let groups: Vec<u64> = place.groups.iter().map(|at| u64::from(*at)).collect();
        let mut parts = vec![self.dialect.lookup("case_group", &groups)];
        if place.month > 0 {
            let month = self.dialect.whole("month");
            parts.push(format!("({month} - {}) * {}", self.first, place.month));
        }
        for (dimension, stride) in &place.keys {
            let code = self.dialect.whole(&key(dimension));
            parts.push(format!("{code} * {stride}"));
        }
        parts.join(" + ")
    }

    /// Which rows count: those of the released parts, within the contribution bound, that pass the filter.
    /// A code that the dictionary does not list counts nowhere.
    fn counts(&self, place: &Place) -> Result<String, ScanError> {
        let program = self.program;
        let mut holds = vec![format!("part in ({})", self.numbers)];
        match program.bound {
            Bound::Year { groups, stays } => {
                holds.push(format!("group_rank < {groups}"));
                holds.push(format!("stay_rank < {stays}"));
            }
            Bound::Series { months } => holds.push(format!("series_rank < {months}")),
        }
        holds.push(format!("case_group < {}", place.groups.len()));
        for (dimension, keys) in &place.lengths {
            holds.push(format!("{} < {keys}", key(dimension)));
        }
        let months = program.sieve.months.len();
        let end = self.first + i64::try_from(months).map_err(|_| ScanError::Layout)?;
        holds.push(format!("month >= {} and month < {end}", self.first));
        holds.extend(self.sieve(&program.sieve));
        Ok(holds.join(" and "))
    }

    /// What a filter asks for.
    fn sieve(&self, sieve: &Sieve) -> Vec<String> {
        let mut holds = Vec::new();
        let places = |allowed: &[bool], first: i64| -> Vec<i64> {
            let numbered = (first..).zip(allowed);
            numbered
                .filter(|(_, ok)| **ok)
                .map(|(place, _)| place)
                .collect()
        };
        let mut one_of = |column: &str, allowed: &[bool], first: i64| {
            let places = places(allowed, first);
            holds.push(if places.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("{column} in ({})", list(places))
            });
        };
        if sieve.groups.contains(&false) {
            one_of("case_group", &sieve.groups, 0);
        }
        if sieve.months.contains(&false) {
            one_of("month", &sieve.months, self.first);
        }
        for (dimension, allowed) in &sieve.keys {
            one_of(&key(dimension), allowed, 0);
        }
        holds
    }
}
