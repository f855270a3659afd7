//! Warnings and results follow from what was paid.

use super::*;

#[tokio::test]
async fn warnings_follow_from_what_was_paid() {
    use policies::figures::watch::{Certainty, Kind};
    let mut alliance = Alliance::found().await;
    for says in [Says::Invite, Says::Review] {
        alliance.say("wang-fang", says).await.unwrap();
    }
    let until = "2026-12".parse().unwrap();
    let none = alliance.published().await;
    let stands = none.verify().unwrap();
    assert!(year::warnings((&none, &stands), None, &[], until).is_empty());
    let parties = [
        "insurer",
        "lead-hospital",
        "members",
        "grassroots",
        "patients",
    ];
    alliance.decide(Matter::Plan, PLAN, &parties).await;
    // The plan gives d 5,145,833,333 fen; it spends 1.2 times a month's part in every month.
    for month in 1..=12 {
        let paid = Says::Paid {
            member: slug("d"),
            month: format!("2026-{month:02}").parse().unwrap(),
            amount: Fen(514_583_333),
            restates: false,
        };
        alliance.say("insurer", paid).await.unwrap();
    }
    let published = alliance.published().await;
    let stands = published.verify().unwrap();
    let found = year::warnings((&published, &stands), None, &[], until);
    let of = |kind| {
        let all = found.iter().filter(|one| one.kind == kind);
        all.map(|one| (one.member.as_str(), one.month.number()))
            .collect::<Vec<_>>()
    };
    // Three fen short of 90 % in the ninth month and of 100 % in the tenth, beyond in the eleventh.
    assert_eq!(of(Kind::Budget), [("d", 10), ("d", 11)]);
    assert_eq!(of(Kind::OverTarget).first(), Some(&("d", 3)));
    assert!(of(Kind::Splurge).is_empty() && of(Kind::Deviation).is_empty());
    assert!(found.iter().all(|one| one.certainty == Certainty::Decided));
    let early = year::warnings((&published, &stands), None, &[], "2026-02".parse().unwrap());
    assert!(early.is_empty());
    // What it overspent follows from plan and payments; the table only says why.
    let proof = "11".repeat(32);
    let facts = format!(
        "member,cause,amount,evidence\nd,price_swing,10000000.00,{proof}\n\
         d,over_treatment,291666.63,{proof};{proof}\n"
    );
    let input = year::settlement(&published, &stands, &facts).unwrap();
    assert_eq!(input.overspend, [(slug("d"), Fen(1_029_166_663))].into());
    assert_eq!(input.reserve, Fen(5_000_000_700));
    policies::figures::overspend::settle(&published.rules.overspend, &input).unwrap();
    let wrong = year::settlement(&published, &stands, &facts.replace("price_swing", "luck"));
    assert!(matches!(wrong, Err(YearError::Facts { line: 2, .. })));
    let none = year::settlement(&none, &none.verify().unwrap(), &facts);
    assert!(matches!(none, Err(YearError::NoPlan)));
}

/// Results rest on what the year holds: overspend on payments, surplus on what is left, grades on all
/// members; other payments void what was proposed.
#[tokio::test]
async fn results_rest_on_what_the_year_holds() {
    use policies::year::Unfounded;
    let mut alliance = Alliance::found().await;
    alliance.planned_year().await;
    let river = slug("river");
    let proposed = async |alliance: &mut Alliance, matter, inputs: &str| {
        let now = alliance.tick();
        let sealed = |computed: &policies::year::Computed, _| {
            let says = Says::Propose {
                matter,
                result: computed.digest().unwrap(),
                why: String::new(),
            };
            Ok(alliance.sealed("wang-fang", says))
        };
        let about = (&river, YEAR);
        year::propose(&alliance.state, about, (matter, inputs), sealed, now).await
    };
    for (matter, inputs) in [(Matter::Settlement, SETTLEMENT), (Matter::Bonus, BONUS)] {
        let early = proposed(&mut alliance, matter, inputs).await;
        let Err(YearError::Unfounded(Unfounded::Unpaid {
            member,
            months: 0,
            of: 12,
        })) = early
        else {
            panic!("{matter:?} of a year that is not over was taken");
        };
        assert_eq!(member, slug("a"));
    }
    alliance.pay_year().await;
    let without_b = r#"{"year": 2026, "overspend": {}, "reserve": 5000000700, "classified": []}"#;
    let fewer = SETTLEMENT.replace("5000000700", "0");
    let rich = BONUS.replace("100000000", "90000000000");
    let tier = BONUS.replacen("secondary", "grassroots", 1);
    let alone = appraisal().replacen("\"id\": \"d\"", "\"id\": \"x\"", 1);
    let refused = [
        (
            Matter::Settlement,
            without_b.to_owned(),
            Unfounded::Overspend,
        ),
        (
            Matter::Settlement,
            fewer,
            Unfounded::Reserve {
                given: Fen(0),
                kept: Fen(5_000_000_700),
            },
        ),
        (
            Matter::Bonus,
            rich,
            Unfounded::Surplus {
                given: Fen(90_085_000_000),
                left: Fen(16_723_957_633),
            },
        ),
        (Matter::Bonus, tier, Unfounded::Tier(slug("b"))),
        (Matter::Appraisal, alone, Unfounded::Members),
    ];
    for (matter, inputs, why) in refused {
        let found = proposed(&mut alliance, matter, &inputs).await;
        let Err(YearError::Unfounded(found)) = found else {
            panic!("{matter:?} was taken");
        };
        assert_eq!(found, why);
    }
    let result = proposed(&mut alliance, Matter::Settlement, SETTLEMENT).await;
    let result = result.unwrap().1.digest().unwrap();
    let paid = Says::Paid {
        member: slug("b"),
        month: "2026-11".parse().unwrap(),
        amount: Fen(1),
        restates: true,
    };
    alliance.say("insurer", paid).await.unwrap();
    let matter = Matter::Settlement;
    let late = alliance.say("a", Says::Accept { matter, result }).await;
    assert!(matches!(late, Err(YearError::Refused(Refused::Superseded))));
}

/// What a settlement in force and late tasks leave to the next year.
#[tokio::test]
async fn the_next_year_takes_over_what_was_left() {
    use policies::figures::appraisal::Shortcoming;
    let mut alliance = Alliance::found().await;
    alliance.paid_year().await;
    let river = slug("river");
    let next = async |alliance: &Alliance, now| {
        let owed = year::owed(&alliance.state, &river, YEAR + 1).await.unwrap();
        let about = (&river, YEAR + 1);
        let undone = year::undone(&alliance.state, about, now).await.unwrap();
        (owed, undone)
    };
    let now = alliance.tick();
    assert_eq!(
        next(&alliance, now).await,
        (BTreeMap::new(), BTreeMap::new())
    );
    let task = |task: &str, days| Says::Task {
        task: slug(task),
        member: slug("c"),
        goal: "shorter stays".to_owned(),
        measures: "rounds twice a day".to_owned(),
        owner: "the medical office".to_owned(),
        days,
    };
    for (name, days) in [("stays", 1), ("records", 300)] {
        alliance.say("wang-fang", task(name, days)).await.unwrap();
    }
    let deciders = ["insurer", "committee"];
    alliance
        .decide(Matter::Settlement, SETTLEMENT, &deciders)
        .await;
    let now = alliance.tick();
    // b bears its management gap, and as much next year; c's second task has time.
    let later = Timestamp(now.0 + 2 * 86_400);
    let (owed, undone) = next(&alliance, later).await;
    assert_eq!(owed, [(slug("b"), Fen(400_000_001))].into());
    let of = |kind| BTreeMap::from([(kind, 1)]);
    let wanted = BTreeMap::from([
        (slug("b"), of(Shortcoming::ManagementGap)),
        (slug("c"), of(Shortcoming::LateTask)),
    ]);
    assert_eq!(undone, wanted);
    let about = (&river, YEAR + 2);
    assert!(
        year::undone(&alliance.state, about, later)
            .await
            .unwrap()
            .is_empty()
    );
}
