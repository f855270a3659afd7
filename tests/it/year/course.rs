//! What is refused leaves no trace; a year that was taken back is opened again.

use super::*;

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
