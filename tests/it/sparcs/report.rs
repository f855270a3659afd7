//! What the report says about the cap.

use std::path::Path;

use dashu::rational::RBig;
use policies::figures::half_up;
use serde_json::Value;

use super::alliance::{Alliance, stays};
use super::data;

/// Share of capped stays and effect of the cap, in the JSON and on the page, against the file.
#[tokio::test]
async fn the_report_says_what_the_cap_does() {
    let Some(folder) = data("the cap in the report") else {
        return;
    };
    let alliance = Alliance::open(&folder).await;
    let found = alliance.exact();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sparcs-report");
    let files = coordinator::report::write(&target, &found).unwrap();
    let read = |end: &str| {
        let file = files
            .iter()
            .find(|file| file.extension().is_some_and(|e| e == end))
            .unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    let (json, page): (Value, String) =
        (serde_json::from_str(&read("json")).unwrap(), read("html"));
    let references: std::collections::BTreeMap<&str, u64> = {
        let groups = alliance.world.dictionary.groups.iter();
        groups
            .map(|group| (group.code.as_str(), group.references.cost))
            .collect()
    };
    let rows = stays(&folder);
    let truth = |hospital: Option<&str>| {
        let own = rows
            .iter()
            .filter(|row| hospital.is_none_or(|id| id == row.0));
        let (mut n, mut capped, mut above) = (0_u64, 0_u64, 0.0);
        for (_, group, cost) in own {
            let reference = references[group.as_str()];
            n += 1;
            // Bins are of thousandths of the reference, rounded half up.
            capped += u64::from((2000 * cost + reference) / (2 * reference) >= 3000);
            above += (*cost as f64 / reference as f64 - 3.0).max(0.0);
        }
        (RBig::from(capped) / RBig::from(n), above / n as f64)
    };
    let check = |figures: &Value, hospital: Option<&str>| {
        let (share, above) = truth(hospital);
        let value = figures["all"]["capped_share"]["value"].as_str().unwrap();
        assert_eq!(value, half_up(&share, 4), "{hospital:?}");
        let percent: f64 = value.parse::<f64>().unwrap() * 100.0;
        assert!(page.contains(&format!("{percent:.2}\u{a0}%")), "{percent}");
        let effect = &figures["all"]["above_cap"];
        let value = effect["value"].as_str().unwrap();
        assert!(page.contains(value), "{value}");
        // Estimated from bins a fifth wide: within a quarter, or two hundredths of the reference.
        let estimate: f64 = value.parse().unwrap();
        println!(
            "{}: capped {percent:.2} %, above the cap {estimate} (true {above:.4}), interval {} - {}",
            hospital.unwrap_or("alliance"),
            effect["noise"]["low"],
            effect["noise"]["high"]
        );
        assert!(
            (estimate - above).abs() <= (above / 4.0).max(0.02),
            "{estimate} {above}"
        );
    };
    check(&json["total"], None);
    for hospital in json["hospitals"].as_array().unwrap() {
        check(&hospital["totals"], hospital["id"].as_str());
    }
    assert!(page.contains("封顶影响") && page.contains("封顶病例占比"));
}
