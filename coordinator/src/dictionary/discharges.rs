//! Case groups from a public file of discharges (APR-DRG and the like): a group's references are
//! the means of its discharges, rounded half up; its weight is its mean cost over the mean of all.

use std::collections::BTreeMap;
use std::io::Read;

use schemas::dictionary::{Group, References};

use super::decimal::decimal;
use super::groups::{column, label, other, ratio, row, table};
use super::plan::BuildError;

/// The columns of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discharges {
    /// Code of the case group.
    pub group: String,
    /// Name of the case group, if there is one.
    pub name: Option<String>,
    /// Cost with two decimals.
    pub cost: String,
    /// Charges with two decimals; without it charges are measured against the mean cost.
    pub charge: Option<String>,
    /// Length of stay in days.
    pub stay: String,
    /// Column of the major diagnostic category; without it `mdc` stands for all.
    pub mdc_column: Option<String>,
    /// The major diagnostic category of all groups.
    pub mdc: String,
}

/// Sums of a group, whole numbers throughout.
#[derive(Default)]
struct Sums {
    name: String,
    mdc: String,
    rows: i128,
    cost: i128,
    charge: i128,
    stay: i128,
}

type ByGroup = BTreeMap<String, Sums>;

impl Discharges {
    /// Reads the file in one pass; gives the groups by code and the number of rows.
    pub fn read(&self, source: impl Read, delimiter: u8) -> Result<(Vec<Group>, u64), BuildError> {
        let (groups, all) = self.sums(source, delimiter)?;
        if groups.is_empty() {
            return Err(BuildError::Empty);
        }
        let mut made = Vec::with_capacity(groups.len());
        for (code, sums) in &groups {
            made.push(Group {
                code: code.clone(),
                name: label(if sums.name.is_empty() {
                    code
                } else {
                    &sums.name
                }),
                mdc: sums.mdc.clone(),
                // mean / overall mean = (cost / rows) / (all cost / all rows), in millionths
                weight_micro: ratio(
                    code,
                    product(code, &[sums.cost, all.rows, 1_000_000])?,
                    product(code, &[sums.rows, all.cost])?,
                )?,
                references: self.references(code, sums)?,
            });
        }
        made.push(other(self.references("other", &all)?));
        let rows = u64::try_from(all.rows).map_err(|_| BuildError::Range("other".to_owned()))?;
        Ok((made, rows))
    }

    fn references(&self, code: &str, sums: &Sums) -> Result<References, BuildError> {
        let cost = ratio(code, sums.cost, sums.rows)?;
        Ok(References {
            cost,
            charge: match self.charge {
                Some(_) => ratio(code, sums.charge, sums.rows)?,
                None => cost,
            },
            stay: ratio(code, sums.stay, sums.rows)?,
            score: None,
        })
    }

    fn sums(&self, source: impl Read, delimiter: u8) -> Result<(ByGroup, Sums), BuildError> {
        let mut reader = table(source, delimiter);
        let header = reader.headers()?.clone();
        let optional =
            |name: &Option<String>| name.as_ref().map(|n| column(&header, n)).transpose();
        let (group, name) = (column(&header, &self.group)?, optional(&self.name)?);
        let (cost, charge) = (column(&header, &self.cost)?, optional(&self.charge)?);
        let (stay, mdc) = (column(&header, &self.stay)?, optional(&self.mdc_column)?);
        let mut groups = ByGroup::new();
        let mut all = Sums::default();
        for record in reader.records() {
            let record = record?;
            let at = row(&record);
            let text = |index: usize| record.get(index).unwrap_or_default();
            let value = |index: usize, places, column: &str| {
                decimal(text(index), places)
                    .map(i128::from)
                    .map_err(|error| BuildError::decimal(at, column, error))
            };
            let cost = value(cost, 2, &self.cost)?;
            let charge = match (charge, &self.charge) {
                (Some(index), Some(column)) => value(index, 2, column)?,
                (Some(_) | None, _) => 0,
            };
            let stay = value(stay, 3, &self.stay)?;
            let sums = groups.entry(text(group).to_owned()).or_default();
            if sums.rows == 0 {
                name.map_or("", text).clone_into(&mut sums.name);
                mdc.map_or(self.mdc.as_str(), text)
                    .clone_into(&mut sums.mdc);
            }
            for sums in [sums, &mut all] {
                // 64-bit summands in 128 bits: no file is long enough to overflow.
                sums.rows = sums.rows.saturating_add(1);
                sums.cost = sums.cost.saturating_add(cost);
                sums.charge = sums.charge.saturating_add(charge);
                sums.stay = sums.stay.saturating_add(stay);
            }
        }
        Ok((groups, all))
    }
}

fn product(code: &str, factors: &[i128]) -> Result<i128, BuildError> {
    factors
        .iter()
        .try_fold(1_i128, |product, factor| product.checked_mul(*factor))
        .ok_or_else(|| BuildError::Range(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::{Plan, SPARCS};

    fn discharges() -> Discharges {
        Discharges {
            group: "apr_drg".to_owned(),
            name: None,
            cost: "total_costs".to_owned(),
            charge: Some("total_charges".to_owned()),
            stay: "los".to_owned(),
            mdc_column: None,
            mdc: "08".to_owned(),
        }
    }

    #[test]
    fn references_are_means_rounded_half_up() {
        let file = "apr_drg,total_costs,total_charges,los\n301,10.00,20.00,2\n301,10.01,20.03,3\n\
            302,0.02,0.01,1\n";
        let (groups, rows) = discharges().read(file.as_bytes(), b',').unwrap();
        assert_eq!(rows, 3);
        let first = &groups[0];
        // 2001 / 2 = 1000.5 fen, 4003 / 2, 5000 / 2 thousandths of a day
        assert_eq!(
            (first.references.cost, first.references.charge),
            (1001, 2002)
        );
        assert_eq!(first.references.stay, 2500);
        // (2001 / 2) / (2003 / 3) = 1.498502…
        assert_eq!(first.weight_micro, 1_498_502);
        assert_eq!(groups.last().unwrap().references.cost, 668);
        let plan = Plan::parse(SPARCS).unwrap();
        plan.build(&"river".parse().unwrap(), groups).unwrap();
    }

    #[test]
    fn bad_files_are_refused() {
        for file in [
            "apr_drg,total_costs,total_charges\n301,1,1\n",
            "apr_drg,total_costs,total_charges,los\n301,1.005,1,1\n",
            "apr_drg,total_costs,total_charges,los\n301,-1,1,1\n",
            "apr_drg,total_costs,total_charges,los\n301,0,1,1\n",
            "apr_drg,total_costs,total_charges,los\n301,1,1\n",
            "apr_drg,total_costs,total_charges,los\n",
        ] {
            assert!(discharges().read(file.as_bytes(), b',').is_err(), "{file}");
        }
    }
}
