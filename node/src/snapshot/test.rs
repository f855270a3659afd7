use schemas::canonical;
use schemas::time::{DataYear, Period};

use crate::ingest::mapping::Mapping;
use crate::load::fixture::{MAPPING, NOW, Trial, row};
use crate::load::{load, test::release_all};

/// A pilot holds the stays of its departments alone and says so; a whole load in its place does not.
#[tokio::test]
async fn a_pilot_is_of_its_departments_and_says_so() {
    let trial = Trial::new().await;
    let rows: Vec<String> = (0..6)
        .map(|n| {
            let row = row(&format!("s{n}"), &format!("p{n}"), "2025-03", "FR19");
            // The first two lie in another department.
            row.replace("employee", if n < 2 { "resident" } else { "employee" })
        })
        .collect();
    let mut request = trial.request("a.csv", &rows);
    let text = MAPPING.replacen(
        "[time]",
        "[pilot]\ncolumn = \"insurance\"\ndepartments = [\"employee\"]\n[time]",
        1,
    );
    let none = text.replace("[\"employee\"]", "[]");
    request.mapping = Mapping::parse(&none).unwrap();
    let refused = load(&trial.state, &trial.config, NOW, &request, &|_| {}).await;
    assert!(refused.unwrap_err().to_string().contains("pilot"));
    request.mapping = Mapping::parse(&text).unwrap();
    let summary = load(&trial.state, &trial.config, NOW, &request, &|_| {})
        .await
        .unwrap();
    assert_eq!((summary.kept, summary.passed_over), (4, 2));

    let months = async || {
        release_all(&trial).await;
        let year = Period::year(DataYear(2025)).unwrap();
        let released = super::released(&trial.state, &trial.config.data, &year);
        released.await.unwrap().months
    };
    let pilot = months().await;
    assert!(pilot[0].pilot);
    assert!(
        String::from_utf8(canonical::to_bytes(&pilot[0]).unwrap())
            .unwrap()
            .contains("\"pilot\":true")
    );
    let entries = trial.state.log().await.unwrap();
    let load = entries.iter().find(|entry| entry.kind.as_str() == "load");
    assert_eq!(load.unwrap().detail["pilot"], "yes");

    // The whole hospital, restated: what an answer says of it is what it was before there were pilots.
    trial.load("b.csv", &rows).await.unwrap();
    let whole = months().await;
    assert!(!whole[0].pilot);
    assert!(
        !String::from_utf8(canonical::to_bytes(&whole[0]).unwrap())
            .unwrap()
            .contains("pilot")
    );
}
