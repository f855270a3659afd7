//! What the scan of visits gives, against a naive recount of the file.

use std::collections::{BTreeMap, BTreeSet};

use node::answer::exact;
use node::snapshot;
use policies::plan::compile;
use schemas::question::Dataset;

use super::{Visit, ask, hold, visits};
use crate::hospital::Hospital;

const BODY: &str = r#"
bounds = { groups = 3, stays = 1 }
[[tables]]
by = ["case_group", "tier"]
blocks = [
  { measure = { kind = "count" }, rho = "0.01" },
  { measure = { kind = "sum", field = "cost" }, rho = "0.01" },
  { measure = { kind = "count_where", filter = { repeat_test = ["yes"] } }, rho = "0.01" },
]
"#;

/// Without a contribution bound that binds: one visit a patient and family.
fn spread(all: Vec<Visit>) -> Vec<Visit> {
    let mut seen = BTreeSet::new();
    let mut by_patient: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut kept = Vec::new();
    for visit in all {
        let families = by_patient.entry(visit.patient.clone()).or_default();
        families.insert(visit.family);
        if families.len() <= 3 && seen.insert((visit.patient.clone(), visit.family)) {
            kept.push(visit);
        }
    }
    kept
}

#[tokio::test]
async fn cells_of_visits_are_a_recount_of_the_file() {
    let hospital = Hospital::new("h1").await;
    let file = spread(visits(400));
    assert!(file.len() > 60);
    hold(&hospital, &file).await;
    let app = hospital.app().await;
    let question = ask(&app, "2025", BODY);
    let layout = compile(&question, &app.dictionary, &app.policy).unwrap();
    let released =
        snapshot::released_of(&app.state, &app.data, (Dataset::Visits, &question.period))
            .await
            .unwrap();
    let found = exact(&app, &layout, &released).unwrap().into_blocks();
    let found: Vec<Vec<i64>> = found.into_iter().map(Option::unwrap).collect();

    let of = app.dictionary.of(Dataset::Visits).unwrap();
    let families: Vec<&str> = of.groups.iter().map(|group| group.code.as_str()).collect();
    let tiers = &of.dimension("tier").unwrap().keys;
    let place = |visit: &Visit| {
        let at =
            |of: &[&str], code: &str| of.iter().position(|c| *c == code).unwrap_or(of.len() - 1);
        let codes: Vec<&str> = tiers.iter().map(|key| key.code.as_str()).collect();
        at(&families, visit.family) * codes.len() + at(&codes, visit.tier)
    };
    let cells = families.len() * tiers.len();
    let mut expected = vec![vec![0_i64; cells]; 3];
    for visit in &file {
        let (at, family) = (place(visit), visit.family);
        let group = of.groups.iter().find(|group| group.code == family);
        let reference = group.unwrap_or(of.groups.last().unwrap()).references.cost;
        let fen = (visit.yuan * 100).min(u64::from(of.cap) * reference);
        expected[0][at] += 1;
        // floor((2000 x + ref) / (2 ref))
        expected[1][at] += i64::try_from((2000 * fen + reference) / (2 * reference)).unwrap();
        expected[2][at] += i64::from(visit.repeat);
    }
    // Blocks stand in the order of their measures.
    let at = |kind: fn(&schemas::question::Measure) -> bool| {
        layout
            .blocks
            .iter()
            .position(|block| kind(&block.measure))
            .unwrap()
    };
    use schemas::question::Measure::{Count, CountWhere, Sum};
    assert_eq!(found[at(|m| matches!(m, Count))], expected[0]);
    assert_eq!(found[at(|m| matches!(m, Sum { .. }))], expected[1]);
    assert_eq!(found[at(|m| matches!(m, CountWhere { .. }))], expected[2]);
    assert!(expected[0].iter().sum::<i64>() == i64::try_from(file.len()).unwrap());
}

/// However many visits a patient has: at most three families and one visit of each count.
#[tokio::test]
async fn a_patient_with_many_visits_weighs_no_more_than_the_bound() {
    let hospital = Hospital::new("h1").await;
    let mut many = visits(300);
    for visit in &mut many {
        visit.patient = "p1".to_owned();
    }
    hold(&hospital, &many).await;
    let app = hospital.app().await;
    let question = ask(&app, "2025", BODY);
    let layout = compile(&question, &app.dictionary, &app.policy).unwrap();
    let of = (Dataset::Visits, &question.period);
    let released = snapshot::released_of(&app.state, &app.data, of)
        .await
        .unwrap();
    let found = exact(&app, &layout, &released).unwrap().into_blocks();
    let counts = found[0].clone().unwrap();
    assert_eq!(counts.iter().sum::<i64>(), 3);
    assert!(counts.iter().all(|count| *count <= 1));
}
