use policies::quality::{CONSUMABLES, DEFAULT, QualityRules, STAYS, State as Stands};
use schemas::answer::Grade;
use schemas::id::Slug;
use schemas::officer::{Officer, Role};
use schemas::question::Dataset;
use schemas::seal::Signer;
use schemas::time::Month;

use super::*;
use crate::access;
use crate::load::fixture::{NOW, Trial, row};
use crate::release::{ReleaseError, SignOff, release};

fn month() -> Month {
    "2025-05".parse().unwrap()
}

fn rules() -> QualityRules {
    QualityRules::parse(DEFAULT).unwrap()
}

async fn examined(trial: &Trial, tables: Option<&Tables>) -> Ran {
    let data = trial.config.data.as_path();
    run(
        &trial.state,
        data,
        &rules(),
        (Dataset::Stays, month(), tables),
        NOW,
    )
    .await
    .unwrap()
}

/// Twenty stays, the first of them without any cost.
async fn loaded(no_cost: usize) -> Trial {
    let trial = Trial::new().await;
    let lines: Vec<String> = (0..20)
        .map(|n| {
            let line = row(&format!("s{n}"), &format!("p{n}"), "2025-05", "FR19");
            if n < no_cost {
                line.replace("100.50,60.25,40.25", "0,0,0")
            } else {
                line
            }
        })
        .collect();
    trial.load("a.csv", &lines).await.unwrap();
    trial
}

/// The register, the keys of its two officers, and the first of them once more.
async fn persons(trial: &Trial) -> (policies::access::Officers, Vec<Signer>, Signer) {
    let hospital: Slug = "h1".parse().unwrap();
    let (mut signers, mut again) = (Vec::new(), None);
    for (name, role) in [
        ("li-hua", Role::Steward),
        ("zhao-min", Role::SecurityOfficer),
    ] {
        let (signer, bytes) = Signer::generate().unwrap();
        again.get_or_insert(Signer::from_pkcs8(&bytes).unwrap());
        let officer = Officer {
            organisation: hospital.clone(),
            name: name.parse().unwrap(),
            role,
            key: signer.public(),
        };
        access::add(&trial.state, &officer, &[], NOW).await.unwrap();
        signers.push(signer);
    }
    let register = access::officers(trial.state.pool(), &hospital)
        .await
        .unwrap();
    (register, signers, again.unwrap())
}

fn by(least: Grade, finance: Vec<Officer>) -> SignOff<'static> {
    SignOff {
        officer: "Li Hua",
        accept_grade_d: false,
        gate: Some(Gate { least, finance }),
        at: NOW,
    }
}

#[tokio::test]
async fn a_month_below_the_grade_waits_until_finance_signs_that_very_report() {
    let trial = loaded(3).await;
    let data = trial.config.data.as_path();
    let (register, mut signers, again) = persons(&trial).await;
    let asked = |finance: Vec<Officer>| release_all(&trial, by(Grade::A, finance));
    // Not examined, no release.
    let refused = asked(Vec::new()).await.unwrap_err();
    assert!(matches!(
        refused,
        ReleaseError::Quality(QualityError::NotRun(_))
    ));
    let ran = examined(&trial, None).await;
    // Three of twenty without cost: 85.
    assert_eq!(
        (ran.rows.report.scores.accuracy, ran.rows.report.grade),
        (85, Grade::B)
    );
    let refused = asked(Vec::new()).await.unwrap_err();
    assert!(
        refused.to_string().contains("quality sign 2025-05"),
        "{refused}"
    );
    // Finance is signed for by two; nobody else's key will do.
    let (key, _) = Signer::generate().unwrap();
    let officer = Officer {
        organisation: "h1".parse().unwrap(),
        name: "wu-jun".parse().unwrap(),
        role: Role::Finance,
        key: key.public(),
    };
    let alone = add_finance(&trial.state, &register, &officer, &signers[..1], NOW).await;
    assert!(matches!(alone, Err(QualityError::Unsigned)));
    let second = std::mem::replace(&mut signers[1], again);
    let alone = add_finance(&trial.state, &register, &officer, &signers, NOW).await;
    assert!(matches!(alone, Err(QualityError::Unsigned)));
    signers[1] = second;
    add_finance(&trial.state, &register, &officer, &signers, NOW)
        .await
        .unwrap();
    let finance = finance_persons(&trial.state, &register).await.unwrap();
    assert_eq!(finance.first(), Some(&officer));
    let hospital: Slug = "h1".parse().unwrap();
    let signed = async |key: &Signer| {
        let who = (&officer.name, key);
        let what = (Dataset::Stays, month(), "opening month of the new ward");
        sign(&trial.state, &hospital, &finance, who, what, NOW).await
    };
    let other = signed(&signers[0]).await;
    assert!(matches!(other, Err(QualityError::NotFinance(_))));
    signed(&key).await.unwrap();
    // Another state of the findings is another report.
    let open = findings(&trial.state, Some(month())).await.unwrap();
    let id = open
        .iter()
        .find(|one| one.finding.rule.as_str() == "cost-outlier");
    let id = id.unwrap().finding.id();
    waive(&trial.state, &id, ("Li Hua", "known"), NOW)
        .await
        .unwrap();
    assert!(asked(finance.clone()).await.is_err());
    signed(&key).await.unwrap();
    asked(finance).await.unwrap();
    let kept = crate::release::months(&trial.state).await.unwrap();
    assert_eq!((kept[0].release, kept[0].grade), (Some(1), Grade::B));
    schemas::entry::verify_chain(&trial.state.log().await.unwrap()).unwrap();
    assert!(data.is_dir());
}

async fn release_all(trial: &Trial, by: SignOff<'_>) -> Result<(), ReleaseError> {
    let data = trial.config.data.as_path();
    release(&trial.state, data, None, &by).await.map(|_| ())
}

#[tokio::test]
async fn a_waiver_names_who_and_why_and_lifts_the_grade() {
    let trial = loaded(3).await;
    let ran = examined(&trial, None).await;
    let open = ran.rows.known.iter();
    let mut open = open.filter(|one| one.finding.rule.as_str() == "cost-range");
    let finding = &open.next().unwrap().finding;
    // The fixture has no departments: the finding is the whole hospital's.
    assert_eq!(
        (finding.rows, finding.of, finding.department.as_str()),
        (3, 20, "")
    );
    let id = finding.id();
    for (who, why) in [("", "right"), ("Li Hua", ""), ("Li\nHua", "right")] {
        let refused = waive(&trial.state, &id, (who, why), NOW).await;
        assert!(matches!(
            refused,
            Err(QualityError::Name | QualityError::Reason)
        ));
    }
    let unknown = waive(&trial.state, "0123456789ab", ("Li Hua", "right"), NOW).await;
    assert!(matches!(unknown, Err(QualityError::Unknown(_))));
    waive(&trial.state, &id, ("Li Hua", "charity ward"), NOW)
        .await
        .unwrap();
    let again = waive(&trial.state, &id, ("Li Hua", "charity ward"), NOW).await;
    assert!(matches!(again, Err(QualityError::NotOpen(_))));
    // It holds over the next run of the same rows, and the release needs no signature.
    let ran = examined(&trial, None).await;
    assert_eq!(
        (ran.rows.report.grade, ran.rows.report.found_grade),
        (Grade::A, Grade::B)
    );
    release_all(&trial, by(Grade::A, Vec::new())).await.unwrap();
    // The log says who and which, not why nor how many.
    let log = trial.state.log().await.unwrap();
    let entry = log
        .iter()
        .find(|entry| entry.kind.as_str() == "quality-waive")
        .unwrap();
    let names: Vec<&str> = entry.detail.keys().map(Slug::as_str).collect();
    assert_eq!(names, ["by", "finding", "month", "rule"]);
}

#[tokio::test]
async fn what_a_corrected_load_no_longer_has_is_fixed() {
    let trial = loaded(2).await;
    examined(&trial, None).await;
    release_all(&trial, by(Grade::B, Vec::new())).await.unwrap();
    let lines: Vec<String> = (0..20)
        .map(|n| row(&format!("s{n}"), &format!("p{n}"), "2025-05", "FR19"))
        .collect();
    trial.load("b.csv", &lines).await.unwrap();
    // The run of the earlier load says nothing of this one.
    let refused = release_all(&trial, by(Grade::D, Vec::new()))
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        ReleaseError::Quality(QualityError::NotRun(_))
    ));
    let ran = examined(&trial, None).await;
    assert_eq!((ran.rows.report.grade, ran.rows.report.open), (Grade::A, 0));
    assert!(ran.rows.known.iter().all(|one| one.state == Stands::Fixed));
    assert!(!ran.rows.known.is_empty());
    let other = run(
        &trial.state,
        &trial.config.data,
        &rules(),
        (Dataset::Stays, "2025-04".parse().unwrap(), None),
        NOW,
    )
    .await;
    assert!(matches!(other, Err(QualityError::NotLoaded(_))));
}

#[tokio::test]
async fn the_three_tables_make_a_dataset_of_their_own_and_name_no_case() {
    let trial = loaded(0).await;
    let tables = trial.folder.path().join("tables");
    std::fs::create_dir(&tables).unwrap();
    let write = |name: &str, skip: usize| {
        let lines = (skip..100).map(|n| format!("ZY88{n:03},stent-1,1.5,surgery"));
        let lines: Vec<String> = lines.collect();
        let text = format!("case,item,quantity,department\n{}\n", lines.join("\n"));
        std::fs::write(tables.join(name), text).unwrap();
    };
    let three = Tables {
        folder: tables.clone(),
        ..Tables::default()
    };
    write("surgery.csv", 0);
    write("stock.csv", 0);
    write("charges.csv", 1);
    let ran = examined(&trial, Some(&three)).await;
    let of = ran.consumables.unwrap().report;
    assert_eq!(
        (of.dataset.as_str(), of.rows, of.provisional),
        (CONSUMABLES, 100, false)
    );
    assert_eq!((of.scores.consistency, of.grade), (99, Grade::A));
    write("charges.csv", 2);
    let ran = examined(&trial, Some(&three)).await;
    let of = ran.consumables.unwrap();
    assert!(of.report.provisional && ran.rows.report.provisional);
    let finding = &of.known[0].finding;
    assert_eq!((finding.rows, finding.department.as_str()), (2, "surgery"));
    assert_eq!(ran.rows.report.dataset, STAYS);
    std::fs::write(
        tables.join("stock.csv"),
        "case,item,quantity\nZY88,x,777.7777\n",
    )
    .unwrap();
    let data = trial.config.data.as_path();
    let of = (Dataset::Stays, month(), Some(&three));
    let refused = run(&trial.state, data, &rules(), of, NOW).await;
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("line 2") && !told.contains("777"), "{told}");
    // Case numbers are nowhere below the data folder.
    trial.state.pool().close().await;
    for (path, bytes) in trial.files() {
        let found = bytes.windows(4).any(|part| part == b"ZY88");
        assert!(!found, "{}", path.display());
    }
}
