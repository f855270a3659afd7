use proptest::prelude::*;
use schemas::officer::Role;
use schemas::question::Purpose;
use serde_json::{Value, json};

use super::*;

fn slug(text: &str) -> schemas::id::Slug {
    text.parse().unwrap()
}

fn principal(role: &str, organisation: &str) -> Principal {
    Principal {
        role: role.parse().unwrap(),
        organisation: slug(organisation),
    }
}

fn rho(nano: u64) -> schemas::loss::Rho {
    schemas::loss::Rho::from_nano(nano).unwrap()
}

/// Its head says how a line is read.
const DECISIONS: &str = include_str!("decisions.txt");

fn request(action: &str, whose: &str, channel: &str, numbers: &str) -> Request {
    let organisation = slug(whose);
    let channel = match channel {
        "mtls" => Channel::MutualTls,
        "local" => Channel::Local,
        "carried" => Channel::Carried,
        _ => Channel::Open,
    };
    let words: Vec<&str> = numbers.split_whitespace().collect();
    let count = |at: usize| words[at].parse().unwrap();
    let own = words.last() == Some(&"own");
    let decide = |action| Request::Decide {
        action,
        organisation: organisation.clone(),
        channel,
        approvals: count(0),
        self_proposed: own,
    };
    match action {
        "ask" => {
            let (charge, left) = words[2].split_once('/').unwrap();
            let purpose = match words[0] {
                "benchmark" => Purpose::Benchmark,
                "audit" => Purpose::Audit,
                _ => Purpose::Free,
            };
            let named = words[4].split(',').filter(|name| *name != "-");
            Request::AskStatistic {
                organisation,
                channel,
                statistic: Statistic {
                    question: Digest::ZERO,
                    purpose,
                    group_size: count(1),
                    charge: rho(charge.parse().unwrap()),
                    left: rho(left.parse().unwrap()),
                    dimensions: named.map(slug).collect(),
                    approved: words[3] == "yes",
                },
            }
        }
        "approve" => Request::ApproveQuestion {
            organisation,
            channel,
        },
        "audit" => Request::AuditSettlement {
            organisation,
            payer: slug(words[0]),
            channel,
        },
        "open" => Request::OpenRecord {
            organisation,
            payer: slug(words[0]),
            channel,
            approvals: count(1),
            self_proposed: own,
        },
        "policy" => decide(Action::ApprovePolicy),
        "raise" => decide(Action::RaiseAllowance),
        "revoke" => decide(Action::RevokeMember),
        _ => Request::ReadLog {
            organisation,
            channel,
        },
    }
}

/// Every line of the table: who and what, and the expected verdict.
fn decisions() -> Vec<(Principal, Request, bool, Vec<String>, &'static str)> {
    let lines = DECISIONS.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &'static str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (role, organisation) = cells[0].split_once('@').unwrap();
        let policies = cells[6].split(',').filter(|id| !id.is_empty());
        (
            principal(role, organisation),
            request(cells[1], cells[2], cells[3], cells[4]),
            cells[5] == "yes",
            policies.map(str::to_owned).collect(),
            line,
        )
    };
    lines.map(read).collect()
}

#[test]
fn roles_actions_and_boundaries_decide_as_the_table_says() {
    let access = Access::open("").unwrap();
    for (principal, request, allowed, policies, line) in decisions() {
        let verdict = access.judge(&principal, &request);
        assert_eq!(
            (verdict.allowed, verdict.policies),
            (allowed, policies),
            "{line}"
        );
    }
}

#[test]
fn every_floor_and_every_permission_decides_some_line() {
    let named: BTreeSet<String> = decisions().into_iter().flat_map(|line| line.3).collect();
    let all: BTreeSet<String> = Access::open("").unwrap().ids().into_iter().collect();
    assert_eq!(named, all);
}

/// The text of a set without one of its policies.
fn without(text: &str, id: &str) -> String {
    let mark = format!("@id(\"{id}\")");
    let (before, rest) = text.split_once(&mark).unwrap();
    let (_, after) = rest.split_once(";\n").unwrap();
    format!("{before}{after}")
}

#[test]
fn no_policy_can_be_left_out_unnoticed() {
    for id in FLOOR_IDS {
        let floors = without(FLOORS, id);
        assert_eq!(
            Access::of(&floors, SHIPPED, "").unwrap_err(),
            AccessError::NoFloor(id)
        );
        let weaker = Access::assemble(&floors, SHIPPED, "").unwrap();
        let changed = decisions()
            .into_iter()
            .any(|(principal, request, allowed, _, _)| {
                !allowed && weaker.judge(&principal, &request).allowed
            });
        assert!(changed, "nothing shows that `{id}` is gone");
    }
    for id in Access::open("").unwrap().ids() {
        if FLOOR_IDS.contains(&id.as_str()) {
            continue;
        }
        let less = Access::of(FLOORS, &without(SHIPPED, &id), "").unwrap();
        let changed = decisions()
            .into_iter()
            .any(|(principal, request, allowed, _, _)| {
                allowed && !less.judge(&principal, &request).allowed
            });
        assert!(changed, "nothing shows that `{id}` is gone");
    }
}

#[test]
fn a_floor_turned_round_is_missing() {
    let turned = FLOORS.replace(
        "@id(\"floor-group-size\")\nforbid",
        "@id(\"floor-group-size\")\npermit",
    );
    assert_eq!(
        Access::of(&turned, SHIPPED, "").unwrap_err(),
        AccessError::NoFloor("floor-group-size")
    );
}

#[test]
fn an_empty_set_permits_nothing() {
    let empty = Access::assemble("", "", "").unwrap();
    let floors = Access::of(FLOORS, "", "").unwrap();
    for (principal, request, ..) in decisions() {
        assert!(!empty.judge(&principal, &request).allowed);
        assert!(!floors.judge(&principal, &request).allowed);
    }
}

#[test]
fn an_own_file_may_only_forbid() {
    let narrow = "@id(\"no-diagnoses\")\n\
        forbid (principal, action == Alliance::Action::\"askStatistic\", resource)\n\
        when { context.dimensions.contains(\"mdc\") };";
    let own = Access::open(narrow).unwrap();
    assert_ne!(own.digest(), Access::open("").unwrap().digest());
    let asks = principal("administrator", "river");
    let verdict = own.judge(
        &asks,
        &request("ask", "h1", "mtls", "benchmark 11 5/5 yes mdc"),
    );
    assert!(verdict.only("no-diagnoses"), "{verdict:?}");
    assert!(
        own.judge(
            &asks,
            &request("ask", "h1", "mtls", "benchmark 11 5/5 yes -")
        )
        .allowed
    );

    let bad = [
        (
            "@id(\"all\")\npermit (principal, action, resource);",
            "Permits",
        ),
        ("forbid (principal, action, resource);", "NoId"),
        (
            "@id(\"floor-channel\")\nforbid (principal, action, resource);",
            "Twice",
        ),
        (
            "@id(\"x\")\nforbid (principal == ?principal, action, resource);",
            "Slots",
        ),
        (
            "@id(\"x\")\nforbid (principal, action, resource) when { principal.rol == \"it\" };",
            "Invalid",
        ),
        (
            "@id(\"x\")\nforbid (principal, action, resource) when { principal.role == 3 };",
            "Invalid",
        ),
        (
            "@id(\"x\")\nforbid (principal, action == Alliance::Action::\"fly\", resource);",
            "Invalid",
        ),
        (
            "@id(\"x\")\nforbid (principal, action == Alliance::Action::\"askStatistic\", resource) \
             when { context.groupSize < 11.5 };",
            "Form",
        ),
        ("not a policy", "Form"),
    ];
    for (text, kind) in bad {
        let error = Access::open(text).unwrap_err();
        assert!(format!("{error:?}").starts_with(kind), "{text}: {error:?}");
    }
}

/// A sound question of the alliance as Cedar reads it, with another context.
fn asked(context: Value) -> Raw {
    let sound = request("ask", "h1", "mtls", "benchmark 11 5/5 yes mdc");
    let mut raw = Raw::new(&principal("administrator", "river"), &sound);
    raw.context = context;
    raw
}

fn sound() -> Value {
    Raw::new(
        &principal("administrator", "river"),
        &request("ask", "h1", "mtls", "benchmark 11 5/5 yes mdc"),
    )
    .context
}

#[test]
fn a_missing_or_wrongly_typed_attribute_denies() {
    let access = Access::open("").unwrap();
    assert!(access.decide(asked(sound())).allowed);
    let fields: Vec<String> = sound().as_object().unwrap().keys().cloned().collect();
    for field in fields {
        let mut missing = sound();
        missing.as_object_mut().unwrap().remove(&field);
        let verdict = access.decide(asked(missing));
        assert!(
            !verdict.allowed && verdict.policies.is_empty(),
            "{field}: {verdict:?}"
        );
        let wrong = [
            json!(null),
            json!("11"),
            json!(11),
            json!(11.5),
            json!([11]),
            json!({}),
        ];
        for value in wrong {
            let mut changed = sound();
            let same = std::mem::discriminant(&changed[&field]) == std::mem::discriminant(&value);
            if same {
                continue;
            }
            changed[&field] = value;
            assert!(!access.decide(asked(changed)).allowed, "{field}");
        }
    }
    let mut more = sound();
    more["further"] = json!(1);
    assert!(!access.decide(asked(more)).allowed);
    let mut raw = asked(sound());
    raw.entities = json!([]);
    assert!(!access.decide(raw).allowed, "a person without a role");
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z]{0,8}".prop_map(Value::from),
        prop::collection::vec("[a-z_]{1,10}".prop_map(Value::from), 0..4).prop_map(Value::from),
    ]
}

/// A context: mostly of the right types, sometimes with a field changed or gone.
fn any_context() -> impl Strategy<Value = Value> {
    let right = (
        prop::sample::select(vec!["mtls", "local", "open"]),
        prop::sample::select(vec!["benchmark", "budget", "audit", "free", "other"]),
        prop_oneof![5 => -5_i64..35, 1 => any::<i64>()],
        (0_i64..20, 0_i64..20),
        prop::sample::subsequence(vec!["mdc", "sex", "month", "patient_id"], 0..4),
        any::<bool>(),
    );
    let right = right.prop_map(
        |(channel, purpose, size, (charge, left), dimensions, approved)| {
            json!({
                "channel": channel, "purpose": purpose, "groupSize": size, "charge": charge,
                "left": left, "dimensions": dimensions, "approved": approved,
            })
        },
    );
    let fields = vec![
        "channel",
        "purpose",
        "groupSize",
        "charge",
        "left",
        "dimensions",
        "approved",
    ];
    let damage = prop::option::weighted(
        0.3,
        (prop::sample::select(fields), prop::option::of(any_value())),
    );
    (right, damage).prop_map(|(mut context, damage)| {
        let object = context.as_object_mut().unwrap();
        match damage {
            Some((field, Some(value))) => drop(object.insert(field.to_owned(), value)),
            Some((field, None)) => drop(object.remove(field)),
            None => {}
        }
        context
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_group_below_the_floor_is_ever_shown(
        context in any_context(),
        role in prop::sample::select(Role::ALL.to_vec()),
        organisation in prop::sample::select(vec!["river", "h1", "h2", "fund"]),
    ) {
        thread_local! {
            static ACCESS: Access = Access::open("").unwrap();
        }
        let mut raw = asked(context.clone());
        raw.entities[0]["attrs"] = json!({"role": role.as_str(), "organisation": organisation});
        let verdict = ACCESS.with(|access| access.decide(raw));
        if verdict.allowed {
            let size = context["groupSize"].as_i64().unwrap();
            let least = if role == Role::InsurerAuditor { 30 } else { 11 };
            prop_assert!(size >= least);
            prop_assert!(context["charge"].as_i64() <= context["left"].as_i64());
            prop_assert!(context["dimensions"].as_array().unwrap().iter().all(|d| d != "patient_id"));
        }
    }
}
