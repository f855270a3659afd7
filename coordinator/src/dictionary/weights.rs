//! Case groups from tables of names and weights (CHS-DRG and the like): reference cost =
//! weight × rate, rounded half up to a fen.

use std::collections::BTreeMap;
use std::io::Read;

use schemas::dictionary::{Group, Label, References};

use super::decimal::decimal;
use super::groups::{column, label, other, ratio, row, table};
use super::plan::BuildError;

/// What the tables are called and what stands in for what they lack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weights {
    /// Column of the code in both tables.
    pub code: String,
    /// Column of the name in the table of groups.
    pub name: String,
    /// Column of the weight, up to six decimals.
    pub weight: String,
    /// Column of the name in the table of weights, for codes that the other table lacks.
    pub local_name: Option<String>,
    /// Column of the ordinary charges in the table of weights, in units of the currency; without
    /// it charges are measured against the reference cost.
    pub charge: Option<String>,
    /// Column of the ordinary length of stay in the table of weights, in days.
    pub stay: Option<String>,
    /// Length of stay in thousandths of a day where there is no such column.
    pub default_stay: u64,
    /// Weight, in millionths, of groups that the table of weights lacks; without it they are left
    /// out and their stays fall to `other`.
    pub missing_weight: Option<u64>,
    /// Amount in fen for a weight of 1.
    pub rate: u64,
}

/// One group as the tables give it.
struct Source {
    name: Label,
    weight: Option<u64>,
    charge: Option<u64>,
    stay: Option<u64>,
}

impl Weights {
    /// Reads both tables; gives the groups by code and the number of codes left out for want of a
    /// weight.
    pub fn read(
        &self,
        groups: (impl Read, u8),
        weights: (impl Read, u8),
    ) -> Result<(Vec<Group>, usize), BuildError> {
        let mut sources = self.names(groups)?;
        self.weights(weights, &mut sources)?;
        let listed = sources.len();
        let mut groups = Vec::with_capacity(listed);
        for (code, source) in sources {
            if let Some(weight) = source.weight.or(self.missing_weight) {
                groups.push(self.group(code, source, weight)?);
            }
        }
        if groups.is_empty() {
            return Err(BuildError::Empty);
        }
        let left_out = listed.saturating_sub(groups.len());
        groups.push(other(References {
            cost: self.rate,
            charge: self.rate,
            stay: self.default_stay,
            score: None,
        }));
        Ok((groups, left_out))
    }

    fn names(
        &self,
        (source, delimiter): (impl Read, u8),
    ) -> Result<BTreeMap<String, Source>, BuildError> {
        let mut reader = table(source, delimiter);
        let header = reader.headers()?.clone();
        let (code, name) = (column(&header, &self.code)?, column(&header, &self.name)?);
        let mut sources = BTreeMap::new();
        for record in reader.records() {
            let record = record?;
            let (Some(code), Some(name)) = (record.get(code), record.get(name)) else {
                continue;
            };
            let source = Source {
                name: label(name),
                weight: None,
                charge: None,
                stay: None,
            };
            if sources.insert(code.to_owned(), source).is_some() {
                return Err(self.twice(row(&record)));
            }
        }
        Ok(sources)
    }

    fn weights(
        &self,
        (source, delimiter): (impl Read, u8),
        sources: &mut BTreeMap<String, Source>,
    ) -> Result<(), BuildError> {
        let mut reader = table(source, delimiter);
        let header = reader.headers()?.clone();
        let code = column(&header, &self.code)?;
        let weight = column(&header, &self.weight)?;
        let optional =
            |name: &Option<String>| name.as_ref().map(|n| column(&header, n)).transpose();
        let (local_name, charge) = (optional(&self.local_name)?, optional(&self.charge)?);
        let stay = optional(&self.stay)?;
        for record in reader.records() {
            let record = record?;
            let at = row(&record);
            let value = |index: Option<usize>, places, column: &str| {
                let text = index
                    .and_then(|index| record.get(index))
                    .unwrap_or_default();
                let filled = (!text.is_empty()).then_some(text);
                filled
                    .map(|text| decimal(text, places))
                    .transpose()
                    .map_err(|error| BuildError::decimal(at, column, error))
            };
            let Some(weight) = value(Some(weight), 6, &self.weight)? else {
                continue;
            };
            let code = record.get(code).unwrap_or_default();
            let entry = sources.entry(code.to_owned()).or_insert_with(|| {
                let name = local_name.and_then(|index| record.get(index));
                Source {
                    name: label(name.filter(|name| !name.is_empty()).unwrap_or(code)),
                    weight: None,
                    charge: None,
                    stay: None,
                }
            });
            if entry.weight.is_some() {
                return Err(self.twice(at));
            }
            entry.weight = Some(weight);
            entry.charge = value(charge, 2, self.charge.as_deref().unwrap_or_default())?;
            entry.stay = value(stay, 3, self.stay.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn group(&self, code: String, source: Source, weight: u64) -> Result<Group, BuildError> {
        let cost = ratio(
            &code,
            i128::from(weight).saturating_mul(i128::from(self.rate)),
            1_000_000,
        )?;
        // CHS-DRG codes begin with the letter of their major diagnostic category.
        let mdc = code.chars().take(1).map(|letter| format!("MDC{letter}"));
        Ok(Group {
            mdc: mdc.collect(),
            name: source.name,
            weight_micro: weight,
            references: References {
                cost,
                charge: source.charge.unwrap_or(cost),
                stay: source.stay.unwrap_or(self.default_stay),
                score: None,
            },
            code,
        })
    }

    fn twice(&self, row: u64) -> BuildError {
        BuildError::Value {
            row,
            column: self.code.clone(),
            rule: "every code once".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::{CHS, Plan};

    fn weights() -> Weights {
        Weights {
            code: "drg_code".to_owned(),
            name: "drg_name".to_owned(),
            weight: "rw_2024".to_owned(),
            local_name: Some("drg_name_2024".to_owned()),
            charge: None,
            stay: None,
            default_stay: 8000,
            missing_weight: None,
            rate: 1_225_270,
        }
    }

    const NAMES: &str = "drg_code\tdrg_name\nES35\t呼吸\nGD15\t阑尾\nZZ19\t无\n";
    const TABLE: &str = "drg_code\tdrg_name_2024\trw_2023\trw_2024\nGD15\t阑尾\t1.3\t1.2345\n\
        ES35\t\t\t0.3825\nFM11\t支架\t\t3.7877\nOLD1\t旧\t1.0\t\n";

    /// Oracle O5: weight × rate, rounded half up to a fen.
    #[test]
    fn reference_cost_is_weight_times_rate() {
        let (groups, left_out) = weights()
            .read((NAMES.as_bytes(), b'\t'), (TABLE.as_bytes(), b'\t'))
            .unwrap();
        let costs: Vec<(&str, u64)> = groups
            .iter()
            .map(|group| (group.code.as_str(), group.references.cost))
            .collect();
        let expected = [
            ("ES35", 468_666),
            ("FM11", 4_640_955),
            ("GD15", 1_512_596),
            ("other", 1_225_270),
        ];
        assert_eq!(costs, expected);
        assert_eq!(left_out, 1);
        assert_eq!(groups[1].name.zh, "支架");
        assert_eq!(groups[0].mdc, "MDCE");
        let plan = Plan::parse(CHS).unwrap();
        plan.build(&"river".parse().unwrap(), groups).unwrap();
    }

    #[test]
    fn bad_tables_are_refused_by_place() {
        for table in [
            "drg_code\trw_2024\nGD15\t1\n",
            "drg_code\tdrg_name_2024\trw_2024\nGD15\t\t1,5\n",
            "drg_code\tdrg_name_2024\trw_2024\nGD15\t\t1\nGD15\t\t2\n",
            "drg_code\tdrg_name_2024\trw_2024\nGD15\t\t0\n",
            "drg_code\tdrg_name_2024\trw_2024\nGD15\t\t-1\n",
            "drg_code\tdrg_name_2024\trw_2024\n",
        ] {
            let read = weights().read((NAMES.as_bytes(), b'\t'), (table.as_bytes(), b'\t'));
            assert!(read.is_err(), "{table}");
        }
    }
}
