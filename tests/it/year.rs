//! A budget year at the coordinator: from its target to its end, published, verified by whoever has
//! the file, and recomputed by a program that shares nothing with ours.

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
use schemas::time::Timestamp;
use schemas::year::{Matter, Says, Statement};
use tempfile::TempDir;

const MEMBERS: [&str; 4] = ["a", "b", "c", "d"];
const PARTIES: [&str; 6] = [
    "committee",
    "grassroots",
    "insurer",
    "lead-hospital",
    "members",
    "patients",
];
const YEAR: u16 = 2026;

/// Oracle O6.
const PLAN: &str = r#"{"year": 2026, "total": 100000000000, "members": [
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
 {"id": "a", "tier": "tertiary", "quality_held": true, "dimensions": {"referral-share": {"value": "0.09"}, "chronic-control": {"value": "0.54"}, "grassroots-growth": {"value": "-0.03"}}},
 {"id": "b", "tier": "secondary", "quality_held": true, "dimensions": {"referral-share": {"value": "0.21"}, "chronic-control": {"value": "0.60"}, "grassroots-growth": {"value": "0.05"}}, "gaming": {"volume-jump": {"value": "0.4"}}},
 {"id": "c", "tier": "grassroots", "quality_held": true, "dimensions": {"referral-share": {"value": "0.32"}, "chronic-control": {"value": "0.71"}, "grassroots-growth": {"value": "0.12"}}},
 {"id": "d", "tier": "grassroots", "quality_held": true, "dimensions": {"referral-share": {"value": "0.28"}, "chronic-control": {"value": "0.66"}, "grassroots-growth": {"value": "0.18"}}}]}"#;

/// Oracle O9.
const APPRAISAL: &str = r#"{"year": 2026, "stage": "quality", "members": [{"id": "a", "values": {"low-risk-mortality": {"value": "1/50"}, "complications": {"value": "3"}, "length-of-stay": {"value": "8", "variance": "0.01"}, "bed-turnover": {"value": "37"}, "grassroots-visits": {"value": "55"}, "cost-growth": {"value": "5"}, "budget-deviation": {"value": "4"}, "chronic-control": {"value": "66"}, "two-way-referral": {"value": "14"}}, "scores": {"patients": "91", "social": "88"}}, {"id": "b", "values": {"low-risk-mortality": {"value": "1/50"}, "complications": {"value": "3"}, "length-of-stay": {"value": "8", "variance": "0.01"}, "bed-turnover": {"value": "37"}, "grassroots-visits": {"value": "55"}, "cost-growth": {"value": "5"}, "budget-deviation": {"value": "4"}, "chronic-control": {"value": "66"}, "two-way-referral": {"value": "14"}}, "scores": {"patients": "91", "social": "88"}}, {"id": "c", "values": {"low-risk-mortality": {"value": "1/50"}, "complications": {"value": "3"}, "length-of-stay": {"value": "8", "variance": "0.01"}, "bed-turnover": {"value": "37"}, "grassroots-visits": {"value": "55"}, "cost-growth": {"value": "5"}, "budget-deviation": {"value": "4"}, "chronic-control": {"value": "66"}, "two-way-referral": {"value": "14"}}, "scores": {"patients": "91", "social": "88"}}, {"id": "d", "values": {"low-risk-mortality": {"value": "1/50"}, "complications": {"value": "3"}, "length-of-stay": {"value": "8", "variance": "0.01"}, "bed-turnover": {"value": "37"}, "grassroots-visits": {"value": "55"}, "cost-growth": {"value": "5"}, "budget-deviation": {"value": "4"}, "chronic-control": {"value": "66"}, "two-way-referral": {"value": "14"}}, "scores": {"patients": "91", "social": "88"}}]}"#;

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
                        why: String::new(),
                    },
                ))
            },
            now,
        );
        let result = proposed.await.unwrap().1.digest().unwrap();
        for member in MEMBERS {
            self.say(member, Says::Accept { matter, result })
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

    /// A plan in force, and payments of which two members overspent.
    async fn paid_year(&mut self) {
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
        // In all 800,000,000 fen more than a's budget and 400,000,001 more than b's.
        for (member, month, fen) in [
            ("a", "2026-01", 500_000_000),
            ("a", "2026-12", 55_518_750_000),
            ("b", "2026-12", 23_457_291_668),
        ] {
            let (member, month) = (slug(member), month.parse().unwrap());
            let paid = Says::Paid {
                member,
                month,
                amount: Fen(fen),
                restates: false,
            };
            self.say("insurer", paid).await.unwrap();
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
        self.decide(Matter::Appraisal, APPRAISAL, &["insurer", "patients"])
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
    let letter = year::letter(&published, &stands).unwrap();
    assert!(letter.contains("已生效") && letter.contains("230,572,916.67"));
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
        let other: Published = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
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

#[tokio::test]
async fn what_is_refused_leaves_everything_as_it_was() {
    let mut alliance = Alliance::found().await;
    let before = (alliance.published().await, alliance.entries().await);
    let result = Digest::ZERO;
    for (by, says) in [
        ("a", Says::Review),
        (
            "insurer",
            Says::Sign {
                matter: Matter::Plan,
                result,
            },
        ),
        ("wang-fang", Says::Close),
        ("wang-fang", Says::Review),
    ] {
        assert!(matches!(
            alliance.say(by, says).await,
            Err(YearError::Refused(_))
        ));
    }
    let now = alliance.tick();
    let river = slug("river");
    for inputs in [
        "{",
        "{}",
        &PLAN.replace("2026", "2025"),
        &PLAN.replace("100000000000", "100000000001"),
    ] {
        let proposed = year::propose(
            &alliance.state,
            (&river, YEAR),
            (Matter::Plan, inputs),
            |_, _| panic!("signed what does not hold"),
            now,
        );
        assert!(proposed.await.is_err());
    }
    // Sound inputs, but no plan is due yet.
    let proposed = year::propose(
        &alliance.state,
        (&river, YEAR),
        (Matter::Plan, PLAN),
        |computed, _| {
            let result = computed.digest().unwrap();
            let says = Says::Propose {
                matter: Matter::Plan,
                result,
                why: String::new(),
            };
            Ok(alliance.sealed("wang-fang", says))
        },
        now,
    );
    assert!(matches!(
        proposed.await,
        Err(YearError::Refused(Refused::Stage(_)))
    ));
    let other = year::read(&alliance.state, &river, 2027).await;
    assert!(matches!(other, Err(YearError::Unknown(2027))));
    assert_eq!(
        (alliance.published().await, alliance.entries().await),
        before
    );
}

/// The independent recomputation agrees, and finds a fen that is not.
#[tokio::test]
async fn a_program_of_its_own_recomputes_every_fen() {
    let mut alliance = Alliance::found().await;
    let published = alliance.whole_year().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("year.json");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/year/recompute.py");
    let run = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let output = Command::new("python3")
            .arg(script)
            .arg(&file)
            .output()
            .ok()?;
        Some((
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        ))
    };
    let text = serde_json::to_string(&published).unwrap();
    let Some((sound, told)) = run(&text) else {
        println!("NOT COMPARED: python3 is not on this machine");
        return;
    };
    assert!(sound && told.contains(" 0 differ"), "{told}");
    let (sound, told) = run(&text.replacen("23057291667", "23057291668", 1)).unwrap();
    assert!(!sound && told.contains("b amount"), "{told}");
}

#[tokio::test]
async fn a_year_that_two_take_back_may_be_opened_again() {
    let mut alliance = Alliance::found().await;
    let river = slug("river");
    let rules = Rules::read(|_| None).unwrap();
    let opening = |alliance: &Alliance, rules: &Rules, target: i64| {
        let of = |names: &[&str]| -> BTreeMap<Slug, PublicKey> {
            let names = names.iter().map(|name| slug(name));
            names
                .map(|name| (name.clone(), alliance.keys[&name].public()))
                .collect()
        };
        let says = Says::Open {
            target: Fen(target),
            rules: rules.digest().unwrap(),
            members: of(&MEMBERS[1..]),
            parties: of(&PARTIES),
        };
        alliance.sealed("wang-fang", says)
    };
    let early = opening(&alliance, &rules, 7);
    let now = alliance.tick();
    let refused = year::open(&alliance.state, &river, &rules, &early, now).await;
    assert!(matches!(refused, Err(YearError::Known(YEAR))));
    let withdraw = || Says::Withdraw {
        why: "four members, not three".into(),
    };
    for by in ["wang-fang", "chen-jie"] {
        alliance.say(by, withdraw()).await.unwrap();
    }
    assert_eq!(
        alliance.published().await.verify().unwrap().stage,
        Stage::Withdrawn
    );
    // The rules may be others then.
    let mut others = rules.clone();
    others.budget.alpha = "0.5".parse().unwrap();
    let again = opening(&alliance, &others, 8);
    let now = alliance.tick();
    let refused = year::open(&alliance.state, &river, &rules, &again, now).await;
    assert!(matches!(refused, Err(YearError::Refused(Refused::Rules))));
    year::open(&alliance.state, &river, &others, &again, now)
        .await
        .unwrap();
    // All of it is published and verifies: what was taken back, and what counts.
    let published = alliance.published().await;
    assert_eq!(published.statements.len(), 4);
    assert_eq!(
        (&published.rules, &published.earlier[..]),
        (&others, &[rules][..])
    );
    let stands = published.verify().unwrap();
    assert_eq!(
        (stands.stage, stands.target, stands.members.len()),
        (Stage::Target, Fen(8), 3)
    );
    let mut without = published.clone();
    without.earlier.clear();
    assert!(without.verify().is_err());
    let all = year::all(&alliance.state, &river).await.unwrap();
    assert_eq!((all.len(), all[0].target), (1, Fen(8)));
}

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
    alliance.paid_year().await;
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
    let without_b = r#"{"year": 2026, "overspend": {}, "reserve": 5000000700, "classified": []}"#;
    let fewer = SETTLEMENT.replace("5000000700", "0");
    let rich = BONUS.replace("100000000", "90000000000");
    let tier = BONUS.replacen("secondary", "grassroots", 1);
    let alone = APPRAISAL.replacen("\"id\": \"d\"", "\"id\": \"x\"", 1);
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
        restates: false,
    };
    alliance.say("insurer", paid).await.unwrap();
    let matter = Matter::Settlement;
    let late = alliance.say("a", Says::Accept { matter, result }).await;
    assert!(matches!(late, Err(YearError::Refused(Refused::Superseded))));
}
