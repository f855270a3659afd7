//! Case groups from a finished table: `code, name_zh, name_en, mdc, weight, cost_fen, charge_fen,
//! los_milli`.

use std::io::Read;

use schemas::dictionary::{Group, Label, OTHER, References};

use super::decimal::decimal;
use super::groups::{column, other, row, table};
use super::plan::BuildError;

const COLUMNS: [&str; 8] = [
    "code",
    "name_zh",
    "name_en",
    "mdc",
    "weight",
    "cost_fen",
    "charge_fen",
    "los_milli",
];

/// Reads the table in its own order. A last row `other` gives the references of everything else;
/// without it they are the plain means of the groups'.
pub fn read_listed(source: impl Read, delimiter: u8) -> Result<Vec<Group>, BuildError> {
    let mut reader = table(source, delimiter);
    let header = reader.headers()?.clone();
    let mut at = [0; COLUMNS.len()];
    for (index, name) in at.iter_mut().zip(COLUMNS) {
        *index = column(&header, name)?;
    }
    let [code, zh, en, mdc, weight, cost, charge, stay] = at;
    let mut groups: Vec<Group> = Vec::new();
    for record in reader.records() {
        let record = record?;
        let text = |index: usize| record.get(index).unwrap_or_default().to_owned();
        let number = |index: usize, places| {
            let column = header.get(index).unwrap_or_default();
            decimal(&text(index), places)
                .map_err(|error| BuildError::decimal(row(&record), column, error))
        };
        groups.push(Group {
            code: text(code),
            name: Label {
                zh: text(zh),
                en: text(en),
            },
            mdc: text(mdc),
            weight_micro: number(weight, 6)?,
            references: References {
                cost: number(cost, 0)?,
                charge: number(charge, 0)?,
                stay: number(stay, 0)?,
                score: None,
            },
        });
    }
    if groups.last().is_some_and(|last| last.code == OTHER) {
        return Ok(groups);
    }
    let mean = |value: fn(&References) -> u64| {
        let sum = groups.iter().try_fold(0_u64, |sum, group| {
            sum.checked_add(value(&group.references))
        });
        let count = u64::try_from(groups.len()).ok();
        sum.zip(count)
            .and_then(|(sum, count)| sum.checked_div(count))
            .ok_or(BuildError::Empty)
    };
    let references = References {
        cost: mean(|r| r.cost)?,
        charge: mean(|r| r.charge)?,
        stay: mean(|r| r.stay)?,
        score: None,
    };
    groups.push(other(references));
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::{CHS, Plan};

    #[test]
    fn a_finished_table_is_taken_as_it_stands() {
        let text = "code,name_zh,name_en,mdc,weight,cost_fen,charge_fen,los_milli\n\
            ES35,肺炎，轻,Pneumonia (mild),MDCE,0.38,400000,420000,7000\n\
            GD15,阑尾,Appendix,MDCG,1.2345,1512596,1600000,6000\n";
        let groups = read_listed(text.as_bytes(), b',').unwrap();
        assert_eq!(groups[1].weight_micro, 1_234_500);
        assert_eq!(groups[2].references.cost, 956_298);
        let plan = Plan::parse(CHS).unwrap();
        plan.build(&"river".parse().unwrap(), groups).unwrap();
        assert!(read_listed(text.replace("7000", "7.5").as_bytes(), b',').is_err());
        assert!(read_listed(text.replace("mdc", "m").as_bytes(), b',').is_err());
    }
}
