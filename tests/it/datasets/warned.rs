//! The warning level of settled stays: what the loader sets is what the rules of warnings say of each stay's
//! own cost, and the shipped template counts it.

use std::collections::BTreeMap;

use node::answer::exact;
use node::snapshot;
use policies::figures::alerts::{AlertRules, DEFAULT, Level};
use policies::plan::compile;
use schemas::dictionary::OTHER;
use schemas::money::Fen;
use schemas::question::{Dataset, Measure};

use crate::hospital::{Hospital, Line, shipped};

fn line(number: usize, drg: &str, fen: u64) -> Line {
    let money = format!("{}.{:02}", fen / 100, fen % 100);
    let (patient, stay) = (format!("p{number}"), format!("S{number}"));
    let mut line = Line::new(&patient, &stay, 1, drg, 0);
    line.set("total_cost", &money).set("cost_staff", &money);
    line
}

fn word(level: Level) -> &'static str {
    match level {
        Level::None => "none",
        Level::Blue => "blue",
        Level::Yellow => "yellow",
        Level::Red => "red",
    }
}

#[tokio::test]
async fn levels_are_those_of_the_rules_of_warnings_and_are_counted() {
    let hospital = Hospital::new("h1").await;
    let rules = AlertRules::parse(DEFAULT).unwrap();
    let dictionary = crate::hospital::dictionary();
    let mut lines = Vec::new();
    let mut expected: BTreeMap<(String, &str), i64> = BTreeMap::new();
    for group in dictionary.groups.iter().filter(|group| group.code != OTHER) {
        let standard = group.references.cost;
        let around = [90, 95, 100].map(|percent| standard * percent / 100);
        let around = around.iter().flat_map(|fen| [fen - 1, *fen, fen + 1]);
        for fen in around.chain([0, standard * 4]) {
            lines.push(line(lines.len(), &group.code, fen));
            let level = rules.level(Fen(i64::try_from(fen).unwrap()), Fen(standard as i64));
            *expected
                .entry((group.code.clone(), word(level)))
                .or_default() += 1;
        }
    }
    // Without a group there is no standard.
    lines.push(line(lines.len(), "ZZ99", 1));
    expected.insert((OTHER.to_owned(), OTHER), 1);
    hospital.hold(&lines).await;
    let app = hospital.app().await;
    let body = "bounds = { groups = 3, stays = 1 }\n[[tables]]\nby = [\"alert_level\", \"case_group\"]\n\
                blocks = [{ measure = { kind = \"count\" }, rho = \"0.01\" }]\n";
    let question = crate::hospital::question(&app, "2025", body);
    let layout = compile(&question, &app.dictionary, &app.policy).unwrap();
    let of = (Dataset::Stays, &question.period);
    let released = snapshot::released_of(&app.state, &app.data, of)
        .await
        .unwrap();
    let counts = exact(&app, &layout, &released).unwrap().into_blocks();
    let counts = counts[0].clone().unwrap();
    let [levels, groups] = layout.tables[0].axes.as_slice() else {
        panic!("two axes");
    };
    for (at, group) in groups.keys.iter().enumerate() {
        for (place, level) in levels.keys.iter().enumerate() {
            let wanted = expected.get(&(group.clone(), level.as_str())).copied();
            let found = counts[place * groups.keys.len() + at];
            assert_eq!(found, wanted.unwrap_or(0), "{group} {level}");
        }
    }

    // The template: how many in all, by level, and how many over the standard by group.
    let (question, _) = shipped(&app, "yearly-warnings", "2025");
    let layout = compile(&question, &app.dictionary, &app.policy).unwrap();
    let blocks = exact(&app, &layout, &released).unwrap().into_blocks();
    let total = i64::try_from(lines.len()).unwrap();
    for (block, numbers) in layout.blocks.iter().zip(blocks) {
        let numbers = numbers.unwrap();
        let red = expected.iter().filter(|((_, level), _)| *level == "red");
        let red: i64 = red.map(|(_, count)| count).sum();
        let sum = match block.measure {
            Measure::Count => total,
            _ => red,
        };
        assert_eq!(numbers.iter().sum::<i64>(), sum, "{:?}", block.measure);
    }
}

/// A mapping cannot say what the level is.
#[tokio::test]
async fn no_mapping_sets_the_level() {
    let hospital = Hospital::new("h1").await;
    let mapping = crate::hospital::MAPPING.replace(
        "[dimensions]\n",
        "[dimensions]\nalert_level = { column = \"severity\" }\n",
    );
    assert_ne!(mapping, crate::hospital::MAPPING);
    let file = crate::hospital::file(&[line(1, "FR19", 900)]);
    let refused = hospital.load_as(&file, &mapping).await.unwrap_err();
    assert!(refused.to_string().contains("alert_level"), "{refused}");
}
