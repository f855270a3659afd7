//! Exact figures of the real path, without noise.

use dashu::rational::RBig;
use node::answer::{Asked, By};
use policies::figures::half_up;
use policies::figures::indices::{self, Pair, Total};
use policies::plan::compile;
use schemas::dictionary::{Dictionary, References};
use schemas::question::{Filter, Measure, Question};
use serde_json::Value;
use tests::fixture::{block, question, rules, slug};
use tests::noise::Zero;

use super::{answered, built, data, hospitals, node, oracle, year};

/// References of 1,000 units and the highest cap: a thousandth is a cent or a milli-day, and
/// nothing is capped.
fn lifted(mut dictionary: Dictionary) -> Dictionary {
    dictionary.cap = 1_000_000;
    for group in &mut dictionary.groups {
        group.references = References {
            cost: 1000,
            charge: 1000,
            stay: 1000,
            score: None,
        };
    }
    dictionary
}

fn exact_question(dictionary: &Dictionary) -> Question {
    let sum = |field: &str| block(Measure::Sum { field: slug(field) }, "0.005");
    let died = Filter::from([(slug("disposition"), vec!["died".to_owned()])]);
    let whole = vec![
        block(Measure::Count, "0.005"),
        block(Measure::CountWhere { filter: died }, "0.005"),
        sum("cost"),
        sum("charges"),
        sum("los"),
    ];
    let groups = vec![block(Measure::Count, "0.005"), sum("cost"), sum("los")];
    let mut asked = question(&[(&[], whole), (&["case_group"], groups)]);
    asked.dictionary = dictionary.digest().unwrap();
    asked.period = year();
    asked.canonical()
}

/// n, sums, deaths, CMI and indices of the six hospitals equal the expected figures.
#[tokio::test]
async fn exact_figures_equal_the_expected_ones() {
    let Some(folder) = data("exact figures") else {
        return;
    };
    let dictionary = lifted(built(&folder));
    let home = tempfile::tempdir().unwrap();
    let asked = exact_question(&dictionary);
    let layout = compile(&asked, &dictionary, &rules()).unwrap();
    let expected = oracle();
    for id in hospitals() {
        let app = node(&folder, home.path(), &id, &dictionary, Box::new(Zero)).await;
        let asked = Asked {
            question: asked.clone(),
            template: None,
            by: By::Officer,
        };
        let blocks = answered(&app, &asked).await;
        let numbers = |by: &[&str], measure: &Measure| {
            let block = layout.find(layout.table_by(by).unwrap(), measure).unwrap();
            blocks[block].clone().unwrap()
        };
        let want = &expected["hospital"][&id];
        let sum = |field: &str| Measure::Sum { field: slug(field) };
        let died = Filter::from([(slug("disposition"), vec!["died".to_owned()])]);
        let whole = [
            (Measure::Count, "n", 1),
            (Measure::CountWhere { filter: died }, "deaths", 1),
            (sum("cost"), "sum_cost_cents", 1),
            (sum("charges"), "sum_charges_cents", 1),
            (sum("los"), "sum_los", 1000),
        ];
        for (measure, name, unit) in whole {
            assert_eq!(
                numbers(&[], &measure),
                [want[name].as_i64().unwrap() * unit],
                "{id} {name}"
            );
        }
        let by_group = ["case_group"];
        let counts = numbers(&by_group, &Measure::Count);
        let (costs, days) = (
            numbers(&by_group, &sum("cost")),
            numbers(&by_group, &sum("los")),
        );
        assert_eq!(counts.last(), Some(&0), "every group is listed");
        let groups = counts.iter().filter(|n| **n > 0).count();
        assert_eq!(Some(groups as u64), want["drg_count"].as_u64(), "{id}");
        figures(want, &dictionary, &counts, &costs, &days);
    }
}

/// Indices against the statewide means, as exact fractions, to six places.
fn figures(want: &Value, dictionary: &Dictionary, counts: &[i64], costs: &[i64], days: &[i64]) {
    let expected = oracle();
    let statewide = &expected["drg"];
    let number = |value: &Value| RBig::from(value.as_u64().unwrap());
    let all = |name: &str| -> RBig {
        let groups = statewide.as_object().unwrap().values();
        groups
            .map(|group| number(&group[name]))
            .fold(RBig::ZERO, |sum, part| sum + part)
    };
    let mean = all("cost_cents") / all("n");
    let (mut weights, mut by_cost, mut by_days) = (Vec::new(), Vec::new(), Vec::new());
    for (place, group) in dictionary.groups.iter().enumerate() {
        let Some(of) = statewide.get(&group.code) else {
            continue;
        };
        let n = RBig::from(counts[place]);
        weights.push((
            number(&of["cost_cents"]) / number(&of["n"]) / &mean,
            n.clone(),
        ));
        let pair = |own: i64, sum: RBig| Pair {
            own: Total {
                sum: RBig::from(own),
                n: n.clone(),
            },
            benchmark: Total {
                sum,
                n: number(&of["n"]),
            },
        };
        by_cost.push(pair(costs[place], number(&of["cost_cents"])));
        by_days.push(pair(
            days[place],
            number(&of["los_days"]) * RBig::from(1000),
        ));
    }
    let found = [
        (
            "cmi",
            indices::cmi(weights.iter().map(|(weight, n)| (weight, n))),
        ),
        ("cost_index", indices::consumption(&by_cost)),
        ("time_index", indices::consumption(&by_days)),
        ("oe_cost", indices::observed_expected(&by_cost)),
    ];
    for (name, figure) in found {
        let text = format!("{:.6}", want[name].as_f64().unwrap());
        assert_eq!(half_up(&figure.unwrap(), 6), text, "{name}");
    }
}
