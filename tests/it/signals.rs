//! Signals from real answers: a hospital whose stays are split is found, and it costs the audit's own
//! quota.

use std::sync::Arc;

use node::answer::{Asked, By, reply};
use node::synth::{Settings, write_alliance};
use policies::figures::signals::{Kind, Signals, Source, Verdict, signals};
use policies::plan::compile;
use policies::rules::{DEFAULT, Privacy};
use schemas::answer::Answer;
use schemas::outcome::Reason;
use tests::noise::Zero;

use crate::hospital::{Hospital, shipped};

/// Half of a hospital's stays in the second half of the year end on the day after they began.
fn split(text: &str) -> String {
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let (admission, discharge) = (at("admission_date"), at("discharge_date"));
    let mut out = head.join(",");
    for (number, line) in lines.enumerate() {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        let late = cells[discharge].get(5..7).is_some_and(|month| month > "06");
        if late && number % 2 == 0 {
            cells[admission] = cells[discharge].clone();
        }
        out.push('\n');
        out.push_str(&cells.join(","));
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_that_splits_stays_is_flagged() {
    let files = tempfile::tempdir().unwrap();
    let settings = Settings {
        seed: 5,
        year: 2025,
        defects_ppm: 0,
        planted: false,
    };
    let written = write_alliance(files.path(), &settings, 6, 12_000).unwrap();
    let rules = Privacy::parse(DEFAULT).unwrap();
    let halves = ["2025-01..2025-06", "2025-07..2025-12"];
    let mut answers: [Vec<(_, Result<Answer, Reason>)>; 2] = [Vec::new(), Vec::new()];
    let mut compiled = None;
    for one in &written {
        let name = one.file.trim_end_matches(".csv");
        let hospital = Hospital::new(name).await;
        let text = std::fs::read_to_string(files.path().join(&one.file)).unwrap();
        let text = if name == "h03" { split(&text) } else { text };
        hospital.load_bytes(text.as_bytes()).await.unwrap();
        hospital.release().await;
        // Without noise the same hospital is found each time; what noise does is simulated beside
        // the rule.
        let mut app = Arc::into_inner(hospital.app().await).unwrap();
        app.noise = Box::new(Zero);
        let app = Arc::new(app);
        let mut layouts = Vec::new();
        for (half, answers) in halves.iter().zip(&mut answers) {
            let (question, template) = shipped(&app, "audit-signals", half);
            layouts.push(compile(&question, &app.dictionary, &rules).unwrap());
            let asked = Asked {
                question,
                template: Some(template.reference()),
                by: By::Officer,
            };
            let charged = reply(&app, &asked).await.unwrap();
            let key = app.signer.public();
            answers.push((
                name.parse().unwrap(),
                Ok(charged.sealed().open(&key).unwrap()),
            ));
        }
        // Two halves are the whole quota for audits.
        assert_eq!(hospital.spent("audit").await, 100_000_000);
        compiled = Some((layouts, app.dictionary.clone()));
    }
    let (layouts, dictionary) = compiled.unwrap();
    let source = |half: usize| Source {
        layout: &layouts[half],
        dictionary: &dictionary,
        replies: &answers[half],
    };
    let flagged = |signals: &Signals, kind| -> Vec<String> {
        let flags = signals.each.iter().filter(|signal| {
            let tested = matches!(signal.verdict, Verdict::Tested { flagged: true, .. });
            tested && signal.kind == kind && signal.category.is_none()
        });
        flags.map(|signal| signal.hospital.to_string()).collect()
    };
    let first = signals(source(0), None, &rules).unwrap();
    assert!(first.tests > 40, "{}", first.tests);
    assert!(flagged(&first, Kind::ShortStays).is_empty());
    let second = signals(source(1), Some(source(0)), &rules).unwrap();
    assert_eq!(flagged(&second, Kind::ShortStays), ["h03"]);
    assert!(flagged(&second, Kind::CheaperAndWorse).is_empty());
    // The order of replies changes nothing.
    let mut turned = answers[1].clone();
    turned.reverse();
    let again = Source {
        replies: &turned,
        ..source(1)
    };
    assert_eq!(signals(again, Some(source(0)), &rules).unwrap(), second);
}
