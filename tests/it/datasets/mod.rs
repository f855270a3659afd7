//! Datasets beside stays: from a file to a noised answer, under the one allowance of a patient-year.

mod exact;
mod files;
mod shared;

use std::sync::Arc;

use node::answer::App;
use schemas::question::{Dataset, Question};

use crate::hospital::Hospital;

pub(super) const VISITS: &str = include_str!("../../../deploy/mappings/visits-csv.toml");

/// One line of a file of visits.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) number: String,
    pub(super) patient: String,
    pub(super) month: u8,
    pub(super) family: &'static str,
    pub(super) tier: &'static str,
    pub(super) repeat: bool,
    pub(super) yuan: u64,
}

impl Visit {
    fn text(&self) -> String {
        format!(
            "{},{},张三,110101196005050017,13912345678,f,1960-05-05,2025-{:02}-11,{},0301,employee,{},{}.00,{}",
            self.number,
            self.patient,
            self.month,
            self.tier,
            self.family,
            self.yuan,
            u8::from(self.repeat)
        )
    }
}

/// Made-up visits: patients `p0` to `p29`, several a month and family for some.
pub(super) fn visits(count: u32) -> Vec<Visit> {
    let one = |index: u32| {
        let drawn = u64::from(index)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
        let part = |shift: u32, of: u64| (drawn >> shift) % of;
        let pick = |at: u64, of: &[&'static str]| of[usize::try_from(at).unwrap()];
        Visit {
            number: format!("V{index:06}"),
            patient: format!("p{}", part(0, 30)),
            month: u8::try_from(1 + part(8, 12)).unwrap(),
            family: pick(
                part(16, 4),
                &["hypertension", "diabetes", "infection", "rare"],
            ),
            tier: pick(part(24, 3), &["tertiary", "grassroots", "moon"]),
            repeat: part(32, 5) == 0,
            // Some lie above three times their family's reference.
            yuan: 10 + part(40, 1800),
        }
    };
    (0..count).map(one).collect()
}

pub(super) fn csv(visits: &[Visit]) -> Vec<u8> {
    let mut text = "visit_no,patient_id,name,resident_id,phone,sex,birth_date,visit_date,tier,\
                    department,insurance,family,total_cost,repeat_test\n"
        .to_owned();
    for visit in visits {
        text.push_str(&visit.text());
        text.push('\n');
    }
    text.into_bytes()
}

/// Loads and releases visits.
pub(super) async fn hold(hospital: &Hospital, visits: &[Visit]) {
    let summary = hospital
        .load_file("visits.csv", &csv(visits), VISITS)
        .await
        .unwrap();
    assert_eq!(summary.refused, 0);
    hospital.release().await;
}

/// A question of the officer's own about visits.
pub(super) fn ask(app: &Arc<App>, period: &str, body: &str) -> Question {
    let question = crate::hospital::question(app, period, &format!("dataset = \"visits\"\n{body}"));
    assert_eq!(question.dataset, Dataset::Visits);
    question
}
