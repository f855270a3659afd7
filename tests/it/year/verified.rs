//! What is published verifies, by this program and by another; what was changed is found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use serde_json::Value;

use super::*;

#[tokio::test]
async fn a_whole_year_is_published_verified_and_shown() {
    let mut alliance = Alliance::found().await;
    let published = alliance.whole_year().await;
    let stands = published.verify().unwrap();
    assert_eq!(stands.stage, Stage::Closed);
    assert_eq!(alliance.entries().await, published.statements.len());
    let text = serde_json::to_string_pretty(&published).unwrap();
    let again: Published = serde_json::from_str(&text).unwrap();
    assert_eq!(again, published);
    assert_eq!(again.verify().unwrap(), stands);
    let table = year::members(&published, &stands).unwrap();
    let row = table.lines().nth(3).unwrap();
    assert!(
        row.starts_with(
            "c,grassroots,,0.093750,0.257045,0.159068,80156250.00,115781250.00,ceiling,115781250.00,7.00,0.00,"
        ),
        "{row}"
    );
    // The last line adds up what can be: budgets to what is distributed, but no ends of intervals.
    let column = |name: &str, line: usize| {
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        let place = rows.headers().unwrap().iter().position(|one| one == name);
        let row = rows.records().nth(line).unwrap().unwrap();
        row[place.unwrap()].to_owned()
    };
    assert_eq!(column("member", 4), "合计 total");
    assert_eq!(column("budget", 4), "950000000.00");
    assert_eq!(
        (column("share", 4), column("budget_low", 4)),
        (String::new(), String::new())
    );
    assert_eq!(column("earmark_diabetes", 0), "0.00");
    assert_eq!(column("earmark_diabetes", 2), "25471875.00");
    assert_eq!(
        (column("appraisal_points", 0), column("appraisal_score", 0)).1,
        "73.87"
    );
    assert_eq!(column("bonus_lowered_by", 1), "volume-jump");
    let letter = year::letter(&published, &stands).unwrap();
    assert!(letter.contains("已生效") && letter.contains("230,572,916.67"));
    let key = policies::year::spoken(&alliance.keys[&slug("lead-hospital")].public());
    for part in [
        key.as_str(),
        "责任 Duties",
        "budget.toml 第 1 版 version 1 (2025-01)",
    ] {
        assert!(letter.contains(part), "{part}");
    }
    let spent = year::execution(&published, &stands, 1);
    assert_eq!((spent[0].2, spent[1].2), (Fen(500_000_000), Fen(0)));
}

#[tokio::test]
async fn one_fen_one_digit_or_one_bit_changed_is_found() {
    let mut alliance = Alliance::found().await;
    let published = alliance.whole_year().await;
    let changed = |change: &dyn Fn(&mut Published)| {
        let mut other = published.clone();
        change(&mut other);
        other.verify().unwrap_err()
    };
    // One fen of an input, and of a result.
    for (place, from, to) in [
        (0, "21000000000", "21000000001"),
        (0, "\"deduction\": 700", "\"deduction\": 701"),
        (1, "800000000", "800000001"),
        (2, "60000000", "60000001"),
        (3, "\"91\"", "\"92\""),
    ] {
        let fault = changed(&|other| {
            let inputs = &mut other.results[place].inputs;
            assert!(inputs.contains(from));
            *inputs = inputs.replacen(from, to, 1);
        });
        assert!(matches!(fault, Fault::Result { .. }), "{to}: {fault}");
    }
    let text = serde_json::to_string(&published).unwrap();
    for (from, to) in [
        ("23057291667", "23057291668"),
        ("\"retained\":65000000", "\"retained\":65000001"),
        ("\"73.87\"", "\"73.88\""),
    ] {
        assert!(text.contains(from), "{from}");
        let other = Published::read(&text.replacen(from, to, 1)).unwrap();
        assert!(other.verify().is_err(), "{to}");
    }
    // One digit of a rule: neither results nor statements fit.
    let mut rules = published.clone();
    rules.rules.bonus.pool.top = 4;
    assert!(rules.verify().is_err());
    let mut rules = published.clone();
    rules.rules.year.version = 2;
    assert!(matches!(
        rules.verify(),
        Err(Fault::Statement {
            number: 1,
            why: Refused::Rules
        })
    ));
    // A statement left out or repeated; a result left out. Nothing else follows from what was paid:
    // that it was said shows the log, an entry for each statement.
    let mut paid = Vec::new();
    let collect = |number: usize, _: &_, says: &Says| {
        if matches!(says, Says::Paid { .. } | Says::PayOut { .. }) {
            paid.push(number - 1);
        }
        Ok(())
    };
    published.replay(collect).unwrap();
    for place in 0..published.statements.len() - 1 {
        if !paid.contains(&place) {
            let fault = changed(&|other| drop(other.statements.remove(place)));
            assert!(
                matches!(fault, Fault::Statement { .. }),
                "{place} left out: {fault}"
            );
        }
        let twice = changed(&|other| {
            other
                .statements
                .insert(place, other.statements[place].clone())
        });
        assert!(
            matches!(twice, Fault::Statement { .. }),
            "{place} twice: {twice}"
        );
    }
    let missing = changed(&|other| drop(other.results.pop()));
    assert!(matches!(missing, Fault::Missing(_)));
    // One bit of each signature.
    for place in 0..published.statements.len() {
        let mut value = serde_json::to_value(&published).unwrap();
        let statement = &mut value["statements"][place]["statement"];
        let signature = statement
            .as_object()
            .unwrap()
            .keys()
            .find(|key| key.contains("sig"))
            .unwrap()
            .clone();
        let text = statement[&signature].as_str().unwrap().to_owned();
        let flipped = if text.starts_with('A') { "B" } else { "A" };
        statement[&signature] = format!("{flipped}{}", &text[1..]).into();
        if let Ok(other) = serde_json::from_value::<Published>(value) {
            assert!(other.verify().is_err(), "statement {place}");
        }
    }
}

/// The independent recomputation agrees, and finds a fen that is not.
#[tokio::test]
async fn a_program_of_its_own_recomputes_every_fen() {
    let mut alliance = Alliance::found().await;
    let published = alliance.whole_year().await;
    let run = recomputed;
    let text = serde_json::to_string(&published).unwrap();
    let (sound, told) = run(&text);
    assert!(sound && told.contains(" 0 differ"), "{told}");
    let (sound, told) = run(&text.replacen("23057291667", "23057291668", 1));
    assert!(!sound && told.contains("b amount"), "{told}");
    // What was overspent is not taken from the inputs: one payment left out, and nothing else.
    let mut unpaid = serde_json::to_value(&published).unwrap();
    let (at, _) = paid(&unpaid, "a", "2026-01");
    let statements = unpaid["statements"].as_array_mut().unwrap();
    statements.remove(at);
    let (sound, told) = run(&unpaid.to_string());
    let line = "settlement: overspend a: 800000000 published, 300000000 recomputed";
    assert!(!sound && told.contains(line), "{told}");
    // Nor is what is shared: c and d had nothing left.
    let mut spent = serde_json::to_value(&published).unwrap();
    for (member, fen) in [("c", 11_578_124_300_i64), ("d", 5_145_833_333)] {
        let (at, mut said) = paid(&spent, member, "2026-12");
        said["says"]["paid"]["amount"] = fen.into();
        let body = BASE64.encode(said.to_string());
        spent["statements"][at]["statement"]["body"] = body.into();
    }
    let (sound, told) = run(&spent.to_string());
    let line = "bonus: surplus: 185000000 published, 0 recomputed";
    assert!(!sound && told.contains(line), "{told}");
    // Nor is a result that is left out, another target than was said, or a key that stands twice.
    let mut without = serde_json::to_value(&published).unwrap();
    without["results"].as_array_mut().unwrap().truncate(1);
    let (sound, told) = run(&without.to_string());
    assert!(!sound && told.contains("is not in the file"), "{told}");
    let mut other = serde_json::to_value(&published).unwrap();
    let mut said: Value = {
        let body = other["statements"][0]["statement"]["body"].as_str();
        serde_json::from_slice(&BASE64.decode(body.unwrap()).unwrap()).unwrap()
    };
    said["says"]["open"]["target"] = 1.into();
    other["statements"][0]["statement"]["body"] = BASE64.encode(said.to_string()).into();
    let (sound, told) = run(&other.to_string());
    assert!(!sound && told.contains("plan: target: "), "{told}");
    let twice = text.replacen("\"alliance\"", "\"alliance\":\"x\",\"alliance\"", 1);
    assert!(!run(&twice).0 && Published::read(&twice).is_err());
}

/// A key that stands twice would be read as its last value by one program and its first by another.
#[tokio::test]
async fn a_key_that_stands_twice_is_refused_in_files_and_inputs() {
    let mut alliance = Alliance::found().await;
    let published = alliance.whole_year().await;
    let text = serde_json::to_string(&published).unwrap();
    for (from, to) in [
        (r#""basic":{"#, r#""basic":{"a":9999,"#),
        (r#"\"overspend\": {"#, r#"\"overspend\": {\"a\": 1, "#),
        (
            r#"\"factors\": {"#,
            r#"\"factors\": {\"served-population\": {\"value\": \"1\"}, "#,
        ),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let sound = Published::read(&changed).is_ok_and(|changed| changed.verify().is_ok());
        assert!(!sound, "{from}");
    }
}

/// What the program of its own says of a published year.
pub(super) fn recomputed(text: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("year.json");
    std::fs::write(&file, text).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/year/recompute.py");
    let output = Command::new("python3").arg(script).arg(&file).output();
    let output = output.expect("python3 is installed: `sh deploy/test.sh` does it");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), told)
}

/// Where a payment is said in a published year, and what the statement says.
fn paid(year: &serde_json::Value, member: &str, month: &str) -> (usize, serde_json::Value) {
    let statements = year["statements"].as_array().unwrap();
    let said = statements.iter().map(|kept| {
        let body = kept["statement"]["body"].as_str().unwrap();
        serde_json::from_slice::<serde_json::Value>(&BASE64.decode(body).unwrap()).unwrap()
    });
    let mut said = said.enumerate();
    let wanted = |said: &serde_json::Value| {
        let paid = &said["says"]["paid"];
        paid["member"] == member && paid["month"] == month
    };
    said.find(|(_, said)| wanted(said)).unwrap()
}
