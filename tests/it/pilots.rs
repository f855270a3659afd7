//! Figures of a hospital that tries the system in some departments: shown as that, and no budget rests on them.

use coordinator::year::{self, Before};
use policies::figures::Benchmark;
use policies::year::Rules;
use schemas::id::Slug;

use crate::benchmark::made;
use crate::simulated::slug;

#[test]
fn no_result_of_a_year_rests_on_a_pilot() {
    let mut benchmark = made(false);
    let rules = Rules::read(|_| None).unwrap().appraisal;
    let stage = slug("quality");
    let member = benchmark.hospitals[0].id.clone();
    let mut columns: Vec<String> = rules.stages[&stage].keys().map(Slug::to_string).collect();
    columns.extend(["patients", "social"].map(str::to_owned));
    let values: Vec<&str> = columns
        .iter()
        .map(|name| {
            if name == "length-of-stay" {
                "@mean-stay"
            } else {
                "9"
            }
        })
        .collect();
    let facts = format!(
        "member,{}\n{member},{}\n",
        columns.join(","),
        values.join(",")
    );
    let before = Before::new();
    let read = |benchmark: &Benchmark| {
        let about = (2026, &stage);
        year::appraisal(&rules, about, (&facts, &before), Some(benchmark))
    };
    assert!(year::pilots(&benchmark).is_empty());
    let found = read(&benchmark).unwrap();
    assert!(
        found.members[0].values[&slug("length-of-stay")]
            .variance
            .is_some()
    );
    let volumes = year::volumes(std::slice::from_ref(&benchmark));

    // One month of it is enough.
    let data = match &mut benchmark.hospitals[0].data {
        schemas::outcome::Outcome::Value(data) => data,
        _ => panic!("the hospital answered"),
    };
    data.snapshots[0].pilot = true;
    assert_eq!(year::pilots(&benchmark), [member.to_string()]);
    let error = read(&benchmark).unwrap_err().to_string();
    assert!(
        error.contains("pilot") && error.contains("mean-stay"),
        "{error}"
    );
    let fewer = year::volumes(std::slice::from_ref(&benchmark));
    assert!(!fewer.contains(&format!("{member},")) && fewer.len() <= volumes.len());
    let folder = tempfile::tempdir().unwrap();
    let files = coordinator::report::write(folder.path(), &benchmark).unwrap();
    let shown = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    assert!(shown.filter(|text| text.contains("试点 pilot")).count() > 1);
}
