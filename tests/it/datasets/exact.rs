//! What the scan gives, against a naive recount of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node::answer::{App, exact};
use node::snapshot;
use policies::plan::{Layout, compile};
use schemas::question::Measure;

use super::{Row, SETS, Set};
use crate::hospital::Hospital;

fn body(set: &Set) -> String {
    let sum = set.field.map_or_else(String::new, |(field, ..)| {
        format!("  {{ measure = {{ kind = \"sum\", field = \"{field}\" }}, rho = \"0.01\" }},\n")
    });
    format!(
        "bounds = {{ groups = 3, stays = 1 }}\n[[tables]]\nby = [\"case_group\", \"{}\"]\nblocks = [\n\
         \x20 {{ measure = {{ kind = \"count\" }}, rho = \"0.01\" }},\n{sum}\
         \x20 {{ measure = {{ kind = \"count_where\", filter = {{ {} }} }}, rho = \"0.01\" }},\n]\n",
        set.by.0, set.flag.2
    )
}

/// Without a contribution bound that binds: one row a patient and group.
fn spread(all: Vec<Row>) -> Vec<Row> {
    let mut seen = BTreeSet::new();
    let mut by_patient: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let mut kept = Vec::new();
    for row in all {
        let groups = by_patient.entry(row.patient.clone()).or_default();
        groups.insert(row.group);
        if groups.len() <= 3 && seen.insert((row.patient.clone(), row.group)) {
            kept.push(row);
        }
    }
    kept
}

/// The exact cells of a question about all of it.
async fn counted(hospital: &Hospital, set: &Set) -> (Arc<App>, Layout, Vec<Option<Vec<i64>>>) {
    let app = hospital.app().await;
    let question = set.ask(&app, "2025", &body(set));
    let layout = compile(&question, &app.dictionary, &app.policy).unwrap();
    let of = (set.dataset, &question.period);
    let released = snapshot::released_of(&app.state, &app.data, of)
        .await
        .unwrap();
    let found = exact(&app, &layout, &released).unwrap().into_blocks();
    (app, layout, found)
}

#[tokio::test]
async fn cells_of_every_dataset_are_a_recount_of_the_file() {
    let hospital = Hospital::new("h1").await;
    for set in &SETS {
        let file = spread(set.rows(400));
        assert!(file.len() > 60);
        set.hold(&hospital, &file).await;
        let (app, layout, found) = counted(&hospital, set).await;
        let found: Vec<Vec<i64>> = found.into_iter().map(Option::unwrap).collect();

        let of = app.dictionary.of(set.dataset).unwrap();
        let groups: Vec<&str> = of.groups.iter().map(|group| group.code.as_str()).collect();
        let keys = &of.dimension(set.by.0).unwrap().keys;
        let codes: Vec<&str> = keys.iter().map(|key| key.code.as_str()).collect();
        let place = |row: &Row| {
            let at = |of: &[&str], code: &str| {
                of.iter().position(|c| *c == code).unwrap_or(of.len() - 1)
            };
            at(&groups, set.group(row)) * codes.len() + at(&codes, set.by.1[row.by])
        };
        let cells = groups.len() * codes.len();
        let mut expected = vec![vec![0_i64; cells]; 3];
        for row in &file {
            let at = place(row);
            expected[0][at] += 1;
            expected[2][at] += i64::from(row.flag);
            if let Some((field, ..)) = set.field {
                let group = of.groups.iter().find(|group| group.code == set.group(row));
                let kind = of.field(field).unwrap().reference;
                let reference = group.unwrap_or(of.groups.last().unwrap()).reference(kind);
                let stored = (row.amount * 100).min(u64::from(of.cap) * reference);
                // floor((2000 x + ref) / (2 ref))
                expected[1][at] +=
                    i64::try_from((2000 * stored + reference) / (2 * reference)).unwrap();
            }
        }
        // Blocks stand in the order of their measures.
        let at = |kind: fn(&Measure) -> bool| {
            let mut blocks = layout.blocks.iter();
            blocks.position(|block| kind(&block.measure))
        };
        use Measure::{Count, CountWhere, Sum};
        let of = |kind| found[at(kind).unwrap()].clone();
        assert_eq!(of(|m| matches!(m, Count)), expected[0]);
        assert_eq!(of(|m| matches!(m, CountWhere { .. })), expected[2]);
        if set.field.is_some() {
            assert_eq!(of(|m| matches!(m, Sum { .. })), expected[1]);
        }
        let rows = i64::try_from(file.len()).unwrap();
        assert_eq!(expected[0].iter().sum::<i64>(), rows);
    }
}

/// However many rows a patient has: at most three groups and one row of each count.
#[tokio::test]
async fn a_patient_with_many_rows_weighs_no_more_than_the_bound() {
    let hospital = Hospital::new("h1").await;
    for set in &SETS {
        let mut many = set.rows(300);
        for row in &mut many {
            row.patient = "p1".to_owned();
        }
        set.hold(&hospital, &many).await;
        let (_, _, found) = counted(&hospital, set).await;
        let counts = found[0].clone().unwrap();
        assert_eq!(counts.iter().sum::<i64>(), 3);
        assert!(counts.iter().all(|count| *count <= 1));
    }
}
