//! A budget year at the coordinator: from its target to its end, published, verified by whoever has
//! the file, and recomputed by a program that shares nothing with ours.

mod changed;
mod course;
mod money;
mod verified;

use std::collections::BTreeMap;
use std::process::Command;

use coordinator::administrators;
use coordinator::store::state::State;
use coordinator::year::{self, YearError};
use policies::year::{Fault, Published, Refused, Rules, Stage};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::officer::{Officer, Role};
use schemas::seal::{PublicKey, Sealed, Signer};
use schemas::time::{Month, Timestamp};
use schemas::year::{Matter, Says, Statement};
use tempfile::TempDir;

pub(crate) const MEMBERS: [&str; 4] = ["a", "b", "c", "d"];
pub(crate) const PARTIES: [&str; 6] = [
    "committee",
    "grassroots",
    "insurer",
    "lead-hospital",
    "members",
    "patients",
];
pub(crate) const YEAR: u16 = 2026;

/// Oracle O6.
pub(crate) const PLAN: &str = r#"{"year": 2026, "total": 100000000000, "members": [
 {"id": "a", "tier": "tertiary", "before": [62000000000], "factors": {"case-weighted-volume": {"value": "52000", "variance": "250000"}, "served-population": {"value": "180000"}, "chronic-managed": {"value": "4000"}}, "scores": {"technology": {"value": "1.51"}, "efficiency": {"value": "86"}, "quality": {"value": "86"}}},
 {"id": "b", "tier": "secondary", "before": [21000000000], "factors": {"case-weighted-volume": {"value": "21000", "variance": "250000"}, "served-population": {"value": "150000"}, "capability-score": {"value": "76"}, "chronic-managed": {"value": "9000"}}},
 {"id": "c", "tier": "grassroots", "before": [9000000000], "deduction": 700, "factors": {"case-weighted-volume": {"value": "6500"}, "served-population": {"value": "240000"}, "capability-score": {"value": "71"}, "chronic-managed": {"value": "26000"}}},
 {"id": "d", "tier": "grassroots", "before": [4000000000], "factors": {"case-weighted-volume": {"value": "3100"}, "served-population": {"value": "130000"}, "capability-score": {"value": "64"}, "chronic-managed": {"value": "15000"}}}],
 "groups": [{"group": "ES35", "cost": 600001, "days": "7.1"}, {"group": "FM19", "cost": 4600000, "days": "9"}]}"#;

const SETTLEMENT: &str = r#"{"year": 2026, "overspend": {"a": 800000000, "b": 400000001}, "reserve": 5000000700, "classified": [
 {"member": "a", "cause": "price_swing", "amount": 800000000, "evidence": ["1111111111111111111111111111111111111111111111111111111111111111"]},
 {"member": "b", "cause": "management_gap", "amount": 400000001, "evidence": ["2222222222222222222222222222222222222222222222222222222222222222"]}]}"#;

/// Oracle O7, one member flagged.
const BONUS: &str = r#"{"year": 2026, "basic": 100000000, "performance": 60000000, "strategic": 25000000, "lead": "a", "members": [
 {"id": "a", "tier": "tertiary", "quality_held": true, "dimensions": {"referral-share": {"value": "0.09"}, "chronic-control": {"value": "0.54"}, "grassroots-growth": {"value": "-0.03"}}, "gaming": {"volume-jump": {"value": "0"}}},
 {"id": "b", "tier": "secondary", "quality_held": true, "dimensions": {"referral-share": {"value": "0.21"}, "chronic-control": {"value": "0.60"}, "grassroots-growth": {"value": "0.05"}}, "gaming": {"volume-jump": {"value": "0.4"}}},
 {"id": "c", "tier": "grassroots", "quality_held": true, "dimensions": {"referral-share": {"value": "0.32"}, "chronic-control": {"value": "0.71"}, "grassroots-growth": {"value": "0.12"}}, "gaming": {"volume-jump": {"value": "0"}}},
 {"id": "d", "tier": "grassroots", "quality_held": true, "dimensions": {"referral-share": {"value": "0.28"}, "chronic-control": {"value": "0.66"}, "grassroots-growth": {"value": "0.18"}}, "gaming": {"volume-jump": {"value": "0"}}}]}"#;

/// Oracle O9.
fn appraisal() -> String {
    let rest = r#""values": {"low-risk-mortality": {"value": "1/50"}, "complications": {"value": "3"}, "length-of-stay": {"value": "8", "variance": "0.01"}, "bed-turnover": {"value": "37"}, "grassroots-visits": {"value": "55"}, "cost-growth": {"value": "5"}, "budget-deviation": {"value": "4"}, "chronic-control": {"value": "66"}, "two-way-referral": {"value": "14"}}, "scores": {"patients": "91", "social": "88"}}"#;
    let members = MEMBERS.map(|id| format!("{{\"id\": \"{id}\", {rest}"));
    format!(
        r#"{{"year": 2026, "stage": "quality", "members": [{}]}}"#,
        members.join(", ")
    )
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

struct Alliance {
    _folder: TempDir,
    state: State,
    keys: BTreeMap<Slug, Signer>,
    now: i64,
}

impl Alliance {
    async fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).await.unwrap();
        let names = MEMBERS
            .iter()
            .chain(&PARTIES)
            .chain(&["wang-fang", "chen-jie"]);
        let keys = names.map(|name| (slug(name), Signer::generate().unwrap().0));
        let keys: BTreeMap<Slug, Signer> = keys.collect();
        for name in ["wang-fang", "chen-jie"] {
            let officer = Officer {
                organisation: slug("river"),
                name: slug(name),
                role: Role::Administrator,
                key: keys[&slug(name)].public(),
            };
            administrators::add(&state, &officer, &[], Timestamp(0))
                .await
                .unwrap();
        }
        let mut alliance = Self {
            _folder: folder,
            state,
            keys,
            now: 1,
        };
        let rules = Rules::read(|_| None).unwrap();
        let of = |names: &[&str]| -> BTreeMap<Slug, PublicKey> {
            let names = names.iter().map(|name| slug(name));
            names
                .map(|name| {
                    let key = alliance.keys[&name].public();
                    (name, key)
                })
                .collect()
        };
        let says = Says::Open {
            target: Fen(100_000_000_000),
            rules: rules.digest().unwrap(),
            members: of(&MEMBERS),
            parties: of(&PARTIES),
        };
        let sealed = alliance.sealed("wang-fang", says);
        let now = alliance.tick();
        year::open(&alliance.state, &slug("river"), &rules, &sealed, now)
            .await
            .unwrap();
        alliance
    }

    fn tick(&mut self) -> Timestamp {
        self.now += 1;
        Timestamp(self.now)
    }

    fn sealed(&self, by: &str, says: Says) -> Sealed<Statement> {
        let statement = Statement {
            alliance: slug("river"),
            year: YEAR,
            by: slug(by),
            at: Timestamp(self.now),
            says,
        };
        Sealed::seal(&self.keys[&slug(by)], &statement).unwrap()
    }

    async fn say(&mut self, by: &str, says: Says) -> Result<(), YearError> {
        let sealed = self.sealed(by, says);
        let now = self.tick();
        year::take(&self.state, (&slug("river"), YEAR), &sealed, now).await?;
        Ok(())
    }

    /// Proposes a result and brings it into force.
    async fn decide(&mut self, matter: Matter, inputs: &str, signers: &[&str]) -> Digest {
        let now = self.tick();
        let river = slug("river");
        let proposed = year::propose(
            &self.state,
            (&river, YEAR),
            (matter, inputs),
            |computed, _| {
                let result = computed.digest().unwrap();
                Ok(self.sealed(
                    "wang-fang",
                    Says::Propose {
                        matter,
                        result,
                        why: "as it was computed".into(),
                    },
                ))
            },
            now,
        );
        let result = proposed.await.unwrap().1.digest().unwrap();
        let year = year::read(&self.state, &river, YEAR).await.unwrap();
        for member in year.members.keys() {
            self.say(member.as_str(), Says::Accept { matter, result })
                .await
                .unwrap();
        }
        for party in signers {
            self.say(party, Says::Sign { matter, result })
                .await
                .unwrap();
        }
        result
    }

    /// A plan in force.
    async fn planned_year(&mut self) {
        self.say("wang-fang", Says::Invite).await.unwrap();
        self.say("wang-fang", Says::Review).await.unwrap();
        let parties = [
            "insurer",
            "lead-hospital",
            "members",
            "grassroots",
            "patients",
        ];
        self.decide(Matter::Plan, PLAN, &parties).await;
    }

    /// A plan in force, and payments of which two members overspent.
    async fn paid_year(&mut self) {
        self.planned_year().await;
        self.pay_year().await;
    }

    async fn pay_year(&mut self) {
        // In all 800,000,000 fen more than a's budget and 400,000,001 more than b's.
        for member in MEMBERS {
            for month in 1..=12 {
                let fen = match (member, month) {
                    ("a", 1) => 500_000_000,
                    ("a", 12) => 55_518_750_000,
                    ("b", 12) => 23_457_291_668,
                    _ => 0,
                };
                let paid = Says::Paid {
                    member: slug(member),
                    month: Month::new(YEAR, month).unwrap(),
                    amount: Fen(fen),
                    restates: false,
                };
                self.say("insurer", paid).await.unwrap();
            }
        }
    }

    async fn whole_year(&mut self) -> Published {
        self.paid_year().await;
        self.decide(Matter::Settlement, SETTLEMENT, &["insurer", "committee"])
            .await;
        let result = self
            .decide(Matter::Bonus, BONUS, &["insurer", "members"])
            .await;
        self.say("insurer", Says::PayOut { result }).await.unwrap();
        self.decide(Matter::Appraisal, &appraisal(), &["insurer", "patients"])
            .await;
        self.say("chen-jie", Says::Close).await.unwrap();
        self.published().await
    }

    async fn published(&self) -> Published {
        year::published(self.state.pool(), &slug("river"), YEAR)
            .await
            .unwrap()
    }

    async fn entries(&self) -> usize {
        let log = self.state.log().await.unwrap();
        log.iter()
            .filter(|entry| entry.kind.as_str() == "year")
            .count()
    }
}
