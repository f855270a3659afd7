//! Hospitals that join and leave in mid-year: the plan is made again, settled, shared and published, and a
//! program of its own comes to the same fen.

use policies::year::{Computed, Unfounded};
use serde_json::{Value, json};

use super::verified::recomputed;
use super::*;

const ALL: [&str; 5] = [
    "insurer",
    "lead-hospital",
    "members",
    "grassroots",
    "patients",
];

fn change(joins: bool, alliance: &Alliance, member: &str, month: u8) -> Says {
    let (member, why) = (slug(member), "as agreed in the council".to_owned());
    let from = Month::new(YEAR, month).unwrap();
    if joins {
        let key = alliance.keys[&member].public();
        Says::Join {
            member,
            key,
            from,
            why,
        }
    } else {
        Says::Leave { member, from, why }
    }
}

impl Alliance {
    async fn propose_plan(&mut self, inputs: &Value) -> Result<(), YearError> {
        let now = self.tick();
        let seal = |computed: &Computed, _| {
            let says = Says::Propose {
                matter: Matter::Plan,
                result: computed.digest().unwrap(),
                why: "members changed".into(),
            };
            Ok(self.sealed("wang-fang", says))
        };
        let (river, inputs) = (slug("river"), inputs.to_string());
        let about = (&river, YEAR);
        let proposed = (Matter::Plan, inputs.as_str());
        year::propose(&self.state, about, proposed, seal, now).await?;
        Ok(())
    }

    /// What the insurer paid for months in which members take part: nothing, but `much` to a in the last.
    async fn pay(&mut self, months: std::ops::RangeInclusive<u8>, much: i64) {
        let year = year::read(&self.state, &slug("river"), YEAR).await.unwrap();
        for member in year.members.keys() {
            let there = year.months_of(member).into_iter();
            for month in there.filter(|month| months.contains(&month.number())) {
                let last = month.number() == 12 && *member == slug("a");
                let paid = Says::Paid {
                    member: member.clone(),
                    month,
                    amount: Fen(if last { much } else { 0 }),
                    restates: false,
                };
                self.say("insurer", paid).await.unwrap();
            }
        }
    }
}

/// The inputs of the plan in force without `gone` and with `came` in d's place.
fn inputs(published: &Published, gone: &str, came: &str) -> Value {
    let stands = published.verify().unwrap();
    let mut inputs: Value = serde_json::from_str(PLAN).unwrap();
    let members = inputs["members"].as_array_mut().unwrap();
    for member in members.iter_mut().filter(|one| one["id"] == gone) {
        member["id"] = came.into();
    }
    inputs["revision"] = serde_json::to_value(year::revision(published, &stands)).unwrap();
    inputs
}

#[tokio::test]
async fn a_year_whose_members_change_adds_up_and_is_recomputed() {
    let mut alliance = Alliance::found().await;
    alliance
        .keys
        .insert(slug("e"), Signer::generate().unwrap().0);
    alliance.planned_year().await;
    alliance.pay(1..=6, 0).await;
    let first = alliance.published().await;
    let first_plan = first.plan(&first.verify().unwrap()).unwrap().clone();

    for (joins, member) in [(true, "e"), (false, "d")] {
        let says = change(joins, &alliance, member, 7);
        alliance.say("chen-jie", says).await.unwrap();
    }
    let now = alliance.published().await;
    let good = inputs(&now, "d", "e");
    // Another past, no past, or somebody who has left, is no ground for a plan.
    let mut bad = [good.clone(), good.clone(), good.clone()];
    bad[0]["revision"]["given"][0]["monthly"][0] = json!(1);
    bad[1].as_object_mut().unwrap().remove("revision");
    let mut d = bad[2]["members"][3].clone();
    d["id"] = json!("d");
    bad[2]["members"].as_array_mut().unwrap().push(d);
    let reasons = [Unfounded::Revision, Unfounded::Revision, Unfounded::Members];
    for (bad, why) in bad.iter().zip(reasons) {
        let refused = alliance.propose_plan(bad).await;
        let Err(YearError::Unfounded(found)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(found, why);
    }
    // A plan that is proposed is not in force: the one before stands, in what is shown too.
    alliance.propose_plan(&good).await.unwrap();
    let between = alliance.published().await;
    let stands = between.verify().unwrap();
    assert_eq!(between.plan(&stands), Some(&first_plan));
    let mut other = good.clone();
    other["groups"] = json!([]);
    alliance
        .decide(Matter::Plan, &other.to_string(), &ALL)
        .await;

    let published = alliance.published().await;
    let stands = published.verify().unwrap();
    let plan = published.plan(&stands).unwrap().clone();
    let sum: i64 = plan.members.iter().map(|part| part.amount.0).sum();
    assert_eq!((sum, plan.members.len()), (plan.distributable.0, 5));
    for (old, id) in first_plan.members.iter().zip(MEMBERS) {
        let mut parts = plan.members.iter();
        let new = parts.find(|part| part.id == slug(id)).unwrap();
        assert_eq!(new.monthly[..6], old.monthly[..6], "{id}");
    }

    // The rest of the year: a overspends by 1,000 fen; who left is settled with and gets no bonus.
    let a = plan.members[0].amount.0;
    alliance.pay(7..=12, a + 1_000).await;
    let settlement = SETTLEMENT
        .replace("\"b\": 400000001", "")
        .replace("800000000, }", "1000}");
    let mut settlement: Value = serde_json::from_str(&settlement).unwrap();
    let parts = settlement["classified"].as_array_mut().unwrap();
    parts.truncate(1);
    parts[0]["amount"] = json!(1_000);
    let settlement = settlement.to_string();
    alliance
        .decide(Matter::Settlement, &settlement, &["insurer", "committee"])
        .await;
    let refused = {
        let now = alliance.tick();
        let (river, sealed) = (slug("river"), alliance.sealed("wang-fang", Says::Review));
        let about = (&river, YEAR);
        let seal = |_: &Computed, _| Ok(sealed);
        year::propose(&alliance.state, about, (Matter::Bonus, BONUS), seal, now).await
    };
    assert!(matches!(
        refused,
        Err(YearError::Unfounded(Unfounded::Members))
    ));
    let bonus = BONUS.replace("\"id\": \"d\"", "\"id\": \"e\"");
    let result = alliance
        .decide(Matter::Bonus, &bonus, &["insurer", "members"])
        .await;
    alliance
        .say("insurer", Says::PayOut { result })
        .await
        .unwrap();
    let graded = appraisal().replace("\"id\": \"d\"", "\"id\": \"e\"");
    alliance
        .decide(Matter::Appraisal, &graded, &["insurer", "patients"])
        .await;
    alliance.say("chen-jie", Says::Close).await.unwrap();

    let published = alliance.published().await;
    let stands = published.verify().unwrap();
    assert_eq!(stands.stage, Stage::Closed);
    let table = year::members(&published, &stands).unwrap();
    assert!(table.contains("\ne,grassroots,") && table.contains("950000000.00"));
    assert!(year::letter(&published, &stands).is_some());
    let half = year::execution(&published, &stands, 9);
    let e = half.iter().find(|row| row.0 == slug("e")).unwrap();
    // Three of its six months.
    assert_eq!(e.3.as_ref().unwrap().time, "50.00");

    let text = serde_json::to_string(&published).unwrap();
    let (sound, told) = recomputed(&text);
    assert!(sound && told.contains("6 results, "), "{told}");
    let fen = first_plan.members[3].monthly[0].0;
    let changed = text.replace(&fen.to_string(), &(fen + 1).to_string());
    let (sound, told) = recomputed(&changed);
    assert!(!sound && told.contains("plan:"), "{told}");
}

#[tokio::test]
async fn a_plan_made_again_for_a_mistake_keeps_the_months_before_and_is_recomputed() {
    let mut alliance = Alliance::found().await;
    alliance.planned_year().await;
    alliance.pay(1..=3, 0).await;
    let first = alliance.published().await;
    let first_plan = first.plan(&first.verify().unwrap()).unwrap().clone();
    let target = first_plan.total.0 + 120_000_001;
    let says = Says::Replan {
        from: Month::new(YEAR, 4).unwrap(),
        target: Some(Fen(target)),
        why: "the insurer raised the target".into(),
    };
    alliance.say("chen-jie", says).await.unwrap();
    let now = alliance.published().await;
    let mut good = inputs(&now, "nobody", "nobody");
    // The target before is no ground any more, and the new one is with its months.
    let refused = alliance.propose_plan(&good).await;
    let Err(YearError::Unfounded(Unfounded::Target { .. })) = refused else {
        panic!("{refused:?}");
    };
    good["total"] = json!(target);
    alliance.decide(Matter::Plan, &good.to_string(), &ALL).await;

    let published = alliance.published().await;
    let stands = published.verify().unwrap();
    assert_eq!(
        (stands.target, stands.changing.is_none()),
        (Fen(target), true)
    );
    let plan = published.plan(&stands).unwrap();
    let sum: i64 = plan.members.iter().map(|part| part.amount.0).sum();
    assert_eq!(sum, plan.distributable.0);
    assert!(plan.distributable > first_plan.distributable);
    for (old, new) in first_plan.members.iter().zip(&plan.members) {
        assert_eq!(new.monthly[..3], old.monthly[..3], "{}", old.id);
    }
    let text = serde_json::to_string(&published).unwrap();
    let (sound, told) = recomputed(&text);
    assert!(sound && told.contains("2 results, "), "{told}");
    let other = text.replace(&target.to_string(), &(target + 1).to_string());
    let (sound, _) = recomputed(&other);
    assert!(!sound);
}
