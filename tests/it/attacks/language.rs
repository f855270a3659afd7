//! T5, T6 and T9: other spellings, other measures, unknown names.

use std::sync::Arc;

use node::answer::{self, App, Unanswered};
use policies::plan::Refusal;
use policies::template::Template;
use schemas::canonical;
use schemas::question::Question;
use tests::noise::Zero;

use super::crowd;
use crate::hospital::{Hospital, by_officer, question};
use crate::simulated::Source;

/// T5. The same question 10,000 times, in other orders, across restarts.
#[tokio::test]
async fn t5_the_same_question_ten_thousand_times() {
    let hospital = Hospital::new("h1").await;
    hospital.hold(&crowd(200)).await;
    let mut app = hospital.app().await;
    let mut random = Source(5);
    let mut spelled = |app: &Arc<App>| {
        let mut shuffled = |list: &[&str]| {
            let mut list: Vec<String> = list.iter().map(|item| (*item).to_owned()).collect();
            for n in (1..list.len()).rev() {
                list.swap(n, (random.uniform() * (n as f64 + 1.0)) as usize);
            }
            list.join(", ")
        };
        let departments = shuffled(&["\"0401\"", "\"0403\"", "\"0304\"", "\"0401\""]);
        let departments = format!("department = [{departments}]");
        let sexes = format!("sex = [{}]", shuffled(&["\"f\"", "\"m\""]));
        let filter = shuffled(&[&departments, &sexes]);
        let blocks = shuffled(&[
            "{ measure = { kind = \"count\" }, rho = \"0.01\" }",
            "{ measure = { kind = \"sum\", field = \"cost\" }, rho = \"0.0100\" }",
        ]);
        let body = format!(
            "bounds = {{ stays = 1, groups = 2 }}\nfilter = {{ {filter} }}\n[[tables]]\n\
             blocks = [{blocks}]\nby = [\"sex\"]"
        );
        question(app, "2025", &body)
    };
    let once = answer::reply(&app, &by_officer(spelled(&app)))
        .await
        .unwrap();
    let bytes = serde_json::to_vec(once.sealed()).unwrap();
    for n in 1..10_000 {
        if n % 1_000 == 0 {
            app = hospital.app().await;
        }
        let again = answer::reply(&app, &by_officer(spelled(&app)))
            .await
            .unwrap();
        assert_eq!(again.paid_now().nano(), 0);
        assert_eq!(serde_json::to_vec(again.sealed()).unwrap(), bytes);
    }
    assert_eq!(hospital.spent("all").await, 20_000_000);
    let log = hospital.state.log().await.unwrap();
    assert_eq!(
        log.iter()
            .filter(|entry| entry.kind.as_str() == "charge")
            .count(),
        1
    );
}

/// T6. Covariance, products and vectors of the attacker's own cannot be said.
#[test]
fn t6_what_cannot_be_said() {
    let question = tests::fixture::question(&[(
        &["case_group"],
        vec![tests::fixture::block(
            schemas::question::Measure::Count,
            "0.05",
        )],
    )]);
    let sound = String::from_utf8(canonical::to_bytes(&question).unwrap()).unwrap();
    assert!(canonical::from_bytes::<Question>(sound.as_bytes()).is_ok());
    for measure in [
        r#"{"kind":"covariance","fields":["cost","los"]}"#,
        r#"{"field":"cost","kind":"covariance"}"#,
        r#"{"field":"cost","kind":"sum","times":"los"}"#,
        r#"{"field":"cost*los","kind":"sum"}"#,
        r#"{"field":["cost","los"],"kind":"sum"}"#,
        r#"{"field":"cost","kind":"sum","weights":[1,0,1]}"#,
        r#"{"field":"cost","kind":"quantile","p":50}"#,
        r#"{"field":"cost","kind":"max"}"#,
        r#"{"kind":"sql","text":"select 1"}"#,
        r#"{"by":"cost","field":"cost","kind":"histogram"}"#,
        r#"{"edges":[0,1,2],"field":"cost","kind":"histogram"}"#,
    ] {
        let asked = sound.replace(r#"{"kind":"count"}"#, measure);
        assert_ne!(asked, sound);
        assert!(
            canonical::from_bytes::<Question>(asked.as_bytes()).is_err(),
            "{measure}"
        );
        let toml = measure.replace("\":", "\" = ");
        let template = format!(
            "id = \"a\"\nversion = 1\nlabel = {{ zh = \"\", en = \"\" }}\npurpose = \"free\"\n\
             release = \"attributed\"\nbounds = {{ groups = 1, stays = 1 }}\n[[tables]]\nby = []\n\
             blocks = [{{ measure = {toml}, rho = \"0.1\" }}]"
        );
        assert!(
            Template::parse(&template).is_err() || measure.contains("cost*los"),
            "{measure}"
        );
    }
}

/// T9. Unknown names are refused before any data; what a row lacks counts as `other`.
#[tokio::test]
async fn t9_unknown_names_and_missing_values() {
    let hospital = Hospital::new("h1").await;
    let mut lines = crowd(30);
    lines[0].set("department", "");
    lines[1].set("department", "9999");
    lines[2].set("drg", "ZZ99");
    lines[3].set("drg", "");
    let summary = hospital.hold(&lines).await;
    assert_eq!((summary.kept, summary.unknown_groups), (30, 2));
    let mut app = Arc::into_inner(hospital.app().await).unwrap();
    app.noise = Box::new(Zero);
    let app = Arc::new(app);
    let body = |by: &str, filter: &str| {
        format!(
            "bounds = {{ groups = 3, stays = 1 }}\nfilter = {{ {filter} }}\n[[tables]]\n\
             by = [{by}]\nblocks = [{{ measure = {{ kind = \"count\" }}, rho = \"0.02\" }}]"
        )
    };
    for by in ["department", "case_group"] {
        let asked = by_officer(question(&app, "2025", &body(&format!("\"{by}\""), "")));
        let charged = answer::reply(&app, &asked).await.unwrap();
        let answer = charged.sealed().open(&app.signer.public()).unwrap();
        let cells = answer.blocks[0].as_ref().unwrap();
        assert_eq!(cells.last(), Some(&2), "{by}: the last key is `other`");
        assert_eq!(cells.iter().sum::<i64>(), 30);
    }
    let spent = hospital.spent("all").await;
    let sound = question(&app, "2025", &body("", "department = [\"0401\"]"));
    let changed = |change: fn(&mut Question)| {
        let mut question = sound.clone();
        change(&mut question);
        question.canonical()
    };
    let unknown: [(fn(&mut Question), fn(&Refusal) -> bool); 4] = [
        (
            |q| q.tables[0].by = vec!["surname".parse().unwrap()],
            |r| matches!(r, Refusal::UnknownDimension(_)),
        ),
        (
            |q| {
                drop(
                    q.filter
                        .insert("case_group".parse().unwrap(), vec!["ZZ99".to_owned()]),
                )
            },
            |r| matches!(r, Refusal::UnknownKey(_)),
        ),
        (
            |q| {
                q.tables[0].blocks[0].measure = schemas::question::Measure::Sum {
                    field: "salary".parse().unwrap(),
                };
            },
            |r| matches!(r, Refusal::UnknownField(_)),
        ),
        (
            |q| q.tables[0].by = vec!["district".parse().unwrap()],
            |r| matches!(r, Refusal::ForbiddenDimension(_)),
        ),
    ];
    for (change, expected) in unknown {
        match answer::reply(&app, &by_officer(changed(change))).await {
            Err(Unanswered::Refused(refusal)) => assert!(expected(&refusal), "{refusal}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(hospital.spent("all").await, spent);
}
