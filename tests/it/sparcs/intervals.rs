//! Published intervals against the file.

use node::answer;
use node::noise::{self, Gaussian};
use policies::figures::percentile::{self, Bins};
use schemas::question::Measure;
use tests::fixture::{long, slug};

use super::alliance::Alliance;
use super::{data, oracle};

/// 200 draws of the node's own noise on a fresh scan each: the true value of each shown figure lies
/// in its 95 % noise interval as often as it says.
#[tokio::test]
async fn intervals_cover_on_real_data() {
    let Some(folder) = data("coverage on SPARCS") else {
        return;
    };
    let alliance = Alliance::open(&folder).await;
    let mut released = Vec::new();
    for app in &alliance.apps {
        released.push(answer::bind(app, &alliance.asked).await.unwrap().released);
    }
    let runs = if long() { 1000 } else { 200 };
    let tally = alliance.world.cover(runs, |at| {
        let exact = answer::exact(&alliance.apps[at], &alliance.layout, &released[at]).unwrap();
        noise::add(&alliance.layout, exact, &Gaussian, 1)
            .unwrap()
            .into_blocks()
    });
    tally.judge(&format!("SPARCS, six hospitals, {runs} runs"));
}

/// Nearest-rank and type-7 percentiles of three case groups of the six hospitals together lie in
/// the intervals that are published, and in the one bin that an exact histogram gives.
#[tokio::test]
async fn percentiles_lie_in_their_intervals() {
    let Some(folder) = data("percentiles of SPARCS") else {
        return;
    };
    let alliance = Alliance::open(&folder).await;
    let found = alliance.exact();
    let dictionary = &alliance.world.dictionary;
    assert_eq!(dictionary.bin_edges.len(), 32);
    let table = alliance.layout.table_by(&["case_group"]).unwrap();
    let histogram = Measure::Histogram {
        field: slug("cost"),
    };
    let block = alliance.layout.find(table, &histogram).unwrap();
    let expected = oracle();
    let mut published = 0;
    for (code, want) in expected["quantiles_drg"].as_object().unwrap() {
        let group = dictionary
            .groups
            .iter()
            .position(|group| group.code == *code)
            .unwrap();
        let reference = dictionary.groups[group].references.cost as f64;
        let count = |bin: usize| -> i64 {
            let each = alliance.world.hospitals.iter();
            each.map(|held| held.exact[block][group * 32 + bin]).sum()
        };
        let counts: Vec<f64> = (0..32).map(|bin| count(bin) as f64).collect();
        assert_eq!(Some(counts.iter().sum::<f64>()), want["n"].as_f64());
        let edges = dictionary
            .bin_edges
            .iter()
            .map(|edge| f64::from(*edge))
            .collect();
        let bins = Bins {
            edges,
            counts,
            sigma: 1e-9,
            stays: want["n"].as_f64().unwrap(),
        };
        let row = &found.splits[0].rows[group].alliance.percentiles;
        for ((percent, p), said) in [("25", 0.25), ("50", 0.5), ("75", 0.75), ("90", 0.9)]
            .into_iter()
            .zip(row.all())
        {
            let exact = percentile::quantile(&bins, p).unwrap();
            for rule in ["nearest_rank", "linear_type7"] {
                let cents = want[rule][percent].as_f64().unwrap();
                // Half a thousandth of the reference: amounts are rounded before they are binned.
                let at = 1000.0 * cents / reference;
                assert!(
                    exact.low <= at + 0.5 && at - 0.5 <= exact.high.unwrap(),
                    "{code} P{percent} {rule}"
                );
                if let Some(figure) = said.value() {
                    published += 1;
                    let end = |text: &str| text.parse::<f64>().unwrap();
                    let high = figure.noise.high.as_deref().map_or(f64::INFINITY, end);
                    assert!(
                        end(&figure.noise.low) <= cents / 100.0 && cents / 100.0 <= high,
                        "{code} P{percent}"
                    );
                }
            }
        }
    }
    // P90 needs 100 σ of the noise; the other three are published for all three groups.
    assert!(published >= 18, "{published}");
}
