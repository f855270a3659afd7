//! The six nodes together, and the stays of the file they were filled from.

use std::path::Path;
use std::sync::Arc;

use node::answer::{App, Asked, By};
use policies::figures::benchmark::Benchmark;
use policies::plan::{Layout, compile};
use policies::template;
use schemas::digest::Digest;
use schemas::question::Purpose;
use tests::fixture::{rules, slug};
use tests::noise::Zero;

use super::{answered, built, file, hospitals, node, year};
use crate::coverage::{Held, World};

/// The stays of the file: hospital, case group, cost in cents.
pub(super) fn stays(folder: &Path) -> Vec<(String, String, u64)> {
    let mut reader = csv::Reader::from_path(file(folder)).unwrap();
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (hospital, group, cost) = (at("facility_key"), at("apr_drg"), at("total_costs"));
    let row = |row: csv::StringRecord| {
        let (whole, cents) = row[cost].split_once('.').unwrap();
        assert_eq!(cents.len(), 2);
        (
            row[hospital].to_owned(),
            row[group].to_owned(),
            format!("{whole}{cents}").parse().unwrap(),
        )
    };
    reader.records().map(|found| row(found.unwrap())).collect()
}

/// The six nodes under the real dictionary, asked the yearly benchmark with scripted noise.
pub(super) struct Alliance {
    _home: tempfile::TempDir,
    pub(super) apps: Vec<Arc<App>>,
    pub(super) asked: Asked,
    pub(super) layout: Layout,
    pub(super) world: World,
}

impl Alliance {
    pub(super) async fn open(folder: &Path) -> Self {
        let dictionary = built(folder);
        let home = tempfile::tempdir().unwrap();
        let yearly = template::shipped()
            .into_iter()
            .find(|t| t.id.as_str() == "yearly-benchmark")
            .unwrap();
        let draft = yearly
            .draft(&dictionary, rules().digest().unwrap(), year())
            .unwrap();
        let layout = compile(&draft.question, &dictionary, &rules()).unwrap();
        let asked = Asked {
            question: draft.question,
            template: Some(yearly.reference()),
            by: By::Alliance {
                round: Digest::ZERO,
                purpose: Purpose::Benchmark,
            },
        };
        let rows = stays(folder);
        let (mut apps, mut held) = (Vec::new(), Vec::new());
        for id in hospitals() {
            let app = node(folder, home.path(), &id, &dictionary, Box::new(Zero)).await;
            let blocks = answered(&app, &asked).await;
            let of = |code: &String| -> Vec<f64> {
                let own = rows.iter().filter(|row| row.0 == id && row.1 == *code);
                own.map(|row| row.2 as f64).collect()
            };
            held.push(Held {
                id: slug(&id),
                exact: blocks.into_iter().map(Option::unwrap).collect(),
                costs: dictionary
                    .groups
                    .iter()
                    .map(|group| of(&group.code))
                    .collect(),
            });
            apps.push(app);
        }
        let world = World {
            dictionary,
            layout: layout.clone(),
            rules: rules(),
            hospitals: held,
        };
        Self {
            _home: home,
            apps,
            asked,
            layout,
            world,
        }
    }

    /// The benchmark without noise; its intervals are those of the noise that would be drawn.
    pub(super) fn exact(&self) -> Benchmark {
        let blocks = self
            .world
            .hospitals
            .iter()
            .map(|held| held.exact.iter().cloned().map(Some).collect());
        self.world.benchmark(blocks.collect()).1
    }
}
