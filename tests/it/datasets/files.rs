//! What loading visits leaves on disk, and what it refuses.

use super::{VISITS, csv, hold, visits};
use crate::hospital::{Hospital, Line, bytes_below, file, holds};

#[tokio::test]
async fn identifiers_of_visits_are_nowhere() {
    let hospital = Hospital::new("h1").await;
    let mut planted = visits(40);
    planted[3].patient = "MR77712345".to_owned();
    planted[4].number = "V2025SECRET99".to_owned();
    hold(&hospital, &planted).await;
    for (path, bytes) in bytes_below(&hospital.config.data) {
        for text in [
            "张三",
            "110101196005050017",
            "13912345678",
            "MR77712345",
            "V2025SECRET99",
            "2025-03-11",
            "1960-05-05",
        ] {
            assert!(!holds(&bytes, text), "{text} in {}", path.display());
        }
    }
}

#[tokio::test]
async fn lines_that_break_a_rule_are_quarantined_by_its_name() {
    let hospital = Hospital::new("h1").await;
    let sound = String::from_utf8(csv(&visits(30))).unwrap();
    let bad = [
        "V900001,p1,n,r,1,f,1960-05-05,2025-02-30,tertiary,0301,employee,heart,10.00,0",
        "V900002,p1,n,r,1,f,1960-05-05,2025-02-03,tertiary,0301,employee,heart,ten,0",
        "V900003,p1,n,r,1,f,1960-05-05,2025-02-03,tertiary,0301,employee,heart,-1.00,0",
        "V900004,,n,r,1,f,1960-05-05,2025-02-03,tertiary,0301,employee,heart,1.00,0",
        "V900005,p1,n,r,1,f,1960-05-05,2025-02-03,13912345678,0301,employee,heart,1.00,0",
        "V900006,p1,n,r,1,f,1960-05-05,2025-02-03,tertiary,0301,employee,heart,999999.00,0",
    ];
    let file = format!("{sound}{}\n", bad.join("\n"));
    let summary = hospital
        .load_file("visits.csv", file.as_bytes(), VISITS)
        .await
        .unwrap();
    assert_eq!((summary.kept, summary.refused), (30, 6));
    let rules: Vec<&str> = summary.rules.keys().copied().collect();
    println!("{rules:?}");
    assert_eq!(summary.rules.values().sum::<u64>(), 6);
    assert!(rules.len() >= 5, "{rules:?}");
    let quarantine: Vec<Vec<u8>> = bytes_below(&hospital.config.data)
        .into_iter()
        .filter(|(path, _)| path.to_string_lossy().contains("quarantine"))
        .map(|(_, bytes)| bytes)
        .collect();
    let quarantine = quarantine.concat();
    for rule in &rules {
        assert!(holds(&quarantine, rule), "{rule} is named");
    }
    assert!(!holds(&quarantine, "13912345678"));
}

/// Months of two datasets stand beside each other; each is released and replaced by itself.
#[tokio::test]
async fn releases_of_one_dataset_leave_the_other_alone() {
    let hospital = Hospital::new("h1").await;
    let stays: Vec<Line> = (1..=12)
        .map(|month| {
            Line::new(
                &format!("p{month}"),
                &format!("S{month}"),
                month,
                "FR19",
                9000,
            )
        })
        .collect();
    hospital.hold(&stays).await;
    hold(&hospital, &visits(200)).await;
    let again = visits(240);
    hold(&hospital, &again).await;
    let months = node::release::months(&hospital.state).await.unwrap();
    let restated = |name: &str| {
        let of = months.iter().filter(|one| one.dataset.as_str() == name);
        of.filter(|one| one.restated_by.is_some()).count()
    };
    assert_eq!((restated("stays"), restated("visits")), (0, 12));
    // The same file as stays would be under another mapping is refused by its header.
    assert!(hospital.load_as(&file(&stays), VISITS).await.is_err());
}
