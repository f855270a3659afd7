//! Datasets beside stays: from a file to a noised answer, under the one allowance of a patient-year.

mod exact;
mod examined;
mod files;
mod furthest;
mod shared;
mod warned;

use std::sync::Arc;

use node::answer::App;
use schemas::question::{Dataset, Question};

use crate::hospital::Hospital;

/// What the tests know of a dataset's file.
pub(super) struct Set {
    pub(super) dataset: Dataset,
    pub(super) mapping: &'static str,
    pub(super) header: &'static str,
    /// Column of the day, and of the group with some groups, the last of which the dictionary lacks.
    pub(super) day: &'static str,
    pub(super) groups: (&'static str, [&'static str; 4]),
    /// A dimension, its column, with some keys, the last of which the dictionary lacks.
    pub(super) by: (&'static str, [&'static str; 3]),
    /// A column that says yes or no: its two texts, and the filter of yes.
    pub(super) flag: (&'static str, [&'static str; 2], &'static str),
    /// The field, its column and the greatest amount that the tests write, in whole units.
    pub(super) field: Option<(&'static str, &'static str, u64)>,
}

/// Every dataset beside stays.
pub(super) const SETS: [Set; 4] = [
    Set {
        dataset: Dataset::Visits,
        mapping: include_str!("../../../deploy/mappings/visits-csv.toml"),
        header: "visit_no,patient_id,name,resident_id,phone,sex,birth_date,visit_date,tier,department,\
                 insurance,family,total_cost,repeat_test",
        day: "visit_date",
        groups: ("family", ["hypertension", "diabetes", "infection", "rare"]),
        by: ("tier", ["tertiary", "grassroots", "moon"]),
        flag: ("repeat_test", ["0", "1"], "repeat_test = [\"yes\"]"),
        field: Some(("cost", "total_cost", 1800)),
    },
    Set {
        dataset: Dataset::Referrals,
        mapping: include_str!("../../../deploy/mappings/referrals-csv.toml"),
        header: "referral_no,patient_id,name,resident_id,phone,sex,birth_date,referral_date,direction,\
                 from_tier,to_tier,department,family,accepted",
        day: "referral_date",
        groups: ("family", ["hypertension", "diabetes", "infection", "rare"]),
        by: ("direction", ["up", "down", "moon"]),
        flag: ("accepted", ["0", "1"], "accepted = [\"yes\"]"),
        field: None,
    },
    Set {
        dataset: Dataset::Followups,
        mapping: include_str!("../../../deploy/mappings/followups-csv.toml"),
        header: "followup_no,patient_id,name,resident_id,phone,sex,birth_date,followup_date,tier,disease,\
                 done,controlled,readmission",
        day: "followup_date",
        groups: ("disease", ["hypertension", "diabetes", "stroke", "rare"]),
        by: ("readmission", ["none", "within_15", "moon"]),
        flag: ("controlled", ["0", "1"], "controlled = [\"yes\"]"),
        field: None,
    },
    Set {
        dataset: Dataset::Surveys,
        mapping: include_str!("../../../deploy/mappings/surveys-csv.toml"),
        header: "survey_no,patient_id,name,resident_id,phone,sex,birth_date,answer_date,tier,department,\
                 channel,subject,score",
        day: "answer_date",
        groups: ("subject", ["inpatient", "outpatient", "chronic", "rare"]),
        by: ("channel", ["wechat", "phone", "moon"]),
        flag: (
            "tier",
            ["tertiary", "grassroots"],
            "tier = [\"grassroots\"]",
        ),
        field: Some(("score", "score", 100)),
    },
];

/// One line of a file.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) number: String,
    pub(super) patient: String,
    pub(super) month: u8,
    /// Positions among the groups and keys of the set.
    pub(super) group: usize,
    pub(super) by: usize,
    pub(super) flag: bool,
    /// In whole yuan or points.
    pub(super) amount: u64,
}

impl Set {
    pub(super) fn group(&self, row: &Row) -> &'static str {
        self.groups.1[row.group]
    }

    /// A line's values by column.
    pub(super) fn values(&self, row: &Row) -> Vec<(&'static str, String)> {
        let value = |column: &str| match column {
            "patient_id" => row.patient.clone(),
            "name" => "张三".to_owned(),
            "resident_id" => "110101196005050017".to_owned(),
            "phone" => "13912345678".to_owned(),
            "sex" => "f".to_owned(),
            "birth_date" => "1960-05-05".to_owned(),
            of if of == self.day => format!("2025-{:02}-11", row.month),
            of if of == self.groups.0 => self.group(row).to_owned(),
            of if of == self.by.0 => self.by.1[row.by].to_owned(),
            of if of == self.flag.0 => self.flag.1[usize::from(row.flag)].to_owned(),
            of if self.field.is_some_and(|(_, column, _)| column == of) => {
                format!("{}.00", row.amount)
            }
            "department" => "0301".to_owned(),
            "tier" | "from_tier" | "to_tier" => "secondary".to_owned(),
            "insurance" => "employee".to_owned(),
            "done" => "1".to_owned(),
            of if of.ends_with("_no") => row.number.clone(),
            other => panic!("{other}"),
        };
        let columns = self.header.split(',');
        columns.map(|column| (column, value(column))).collect()
    }

    pub(super) fn csv(&self, rows: &[Row]) -> Vec<u8> {
        let mut text = format!("{}\n", self.header);
        for row in rows {
            let values = self.values(row).into_iter().map(|(_, value)| value);
            text += &values.collect::<Vec<_>>().join(",");
            text.push('\n');
        }
        text.into_bytes()
    }

    /// Made-up rows: patients `p0` to `p29`, several a month and group for some.
    pub(super) fn rows(&self, count: u32) -> Vec<Row> {
        let one = |index: u32| {
            let drawn = u64::from(index)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29);
            let part = |shift: u32, of: u64| (drawn >> shift) % of;
            let place = |at: u64| usize::try_from(at).unwrap();
            // Some costs lie above three times their family's reference; no score above full marks.
            let most = self.field.map_or(1, |(_, _, most)| most);
            Row {
                number: format!("N{index:06}"),
                patient: format!("p{}", part(0, 30)),
                month: u8::try_from(1 + part(8, 12)).unwrap(),
                group: place(part(16, 4)),
                by: place(part(24, 3)),
                flag: part(32, 5) == 0,
                amount: 1 + part(40, most),
            }
        };
        (0..count).map(one).collect()
    }

    /// Loads and releases rows.
    pub(super) async fn hold(&self, hospital: &Hospital, rows: &[Row]) {
        let bytes = self.csv(rows);
        let loaded = hospital.load_file("rows.csv", &bytes, self.mapping).await;
        assert_eq!(loaded.unwrap().refused, 0, "{}", self.dataset.as_str());
        hospital.release().await;
    }

    /// A question of the officer's own.
    pub(super) fn ask(&self, app: &Arc<App>, period: &str, body: &str) -> Question {
        let body = format!("dataset = \"{}\"\n{body}", self.dataset.as_str());
        let question = crate::hospital::question(app, period, &body);
        assert_eq!(question.dataset, self.dataset);
        question
    }
}
