//! The noise of pooled sums, drawn by the node's real path from real cells: its deviation against
//! what the manifest promises, and against attributed answers added up.

use std::sync::Arc;

use node::answer::{App, exact};
use node::noise::{self, Gaussian};
use node::snapshot::{self, Released};
use policies::plan::{Layout, compile, pooled_blocks};
use policies::template;
use pooled::range::Block;
use schemas::question::Question;
use tests::fixture::long;

use super::party;

/// Numbers that each comparison is made of, and how far it may be off: 50 cells in 2,000 rounds within
/// 3 %, or in 200 rounds within 6 %.
///
/// A deviation estimated from N independent normal numbers has relative standard error 1/√(2N), the
/// ratio of two such √2 times that: 0.32 % at N = 100,000 and 1 % at N = 10,000. The bars are 9 and 6
/// standard errors of the ratio: a right program fails one of the ten comparisons with probability
/// below 10^−7.
fn numbers() -> (usize, f64) {
    if long() {
        (50 * 2_000, 0.03)
    } else {
        (50 * 200, 0.06)
    }
}

struct Asked {
    app: Arc<App>,
    question: Question,
    layout: Layout,
    released: Released,
}

async fn asked() -> (super::Party, Asked) {
    let one = party("h01", Some((1, 1))).await;
    let app = Arc::clone(&one.app);
    let shipped = template::shipped();
    let yearly = shipped
        .iter()
        .find(|one| one.id.as_str() == "yearly-pooled")
        .unwrap();
    let period = "2025-01..2025-12".parse().unwrap();
    let digest = app.floors.digest().unwrap();
    let question = yearly
        .draft(&app.dictionary, digest, period)
        .unwrap()
        .question;
    let layout = compile(&question, &app.dictionary, &app.floors).unwrap();
    let released = snapshot::released(&app.state, &app.data, &period)
        .await
        .unwrap();
    let asked = Asked {
        app,
        question,
        layout,
        released,
    };
    (one, asked)
}

impl Asked {
    /// Errors of one round's totals over `survivors` hospitals in standard deviations promised,
    /// pooled and attributed.
    fn round(&self, blocks: &[Block], honest: u32, survivors: u32) -> (Vec<f64>, Vec<f64>) {
        let cells = || exact(&self.app, &self.layout, &self.released).unwrap();
        let plain: Vec<Vec<i64>> = cells()
            .into_blocks()
            .into_iter()
            .map(Option::unwrap)
            .collect();
        let length: usize = plain.iter().map(Vec::len).sum();
        let (mut pooled, mut apart) = (vec![0_i64; length], vec![0_i64; length]);
        for _ in 0..survivors {
            let share = noise::share(&self.layout, blocks, honest, cells(), &Gaussian, 2).unwrap();
            for (sum, cell) in pooled.iter_mut().zip(share.cells()) {
                *sum += cell;
            }
            let noisy = noise::add(&self.layout, cells(), &Gaussian, 2).unwrap();
            let noisy = noisy.into_blocks().into_iter().flat_map(Option::unwrap);
            for (sum, cell) in apart.iter_mut().zip(noisy) {
                *sum += cell;
            }
        }
        let (mut here, mut there) = (Vec::new(), Vec::new());
        let mut rest = pooled.into_iter().zip(apart);
        for ((block, layout), plain) in blocks.iter().zip(&self.layout.blocks).zip(&plain) {
            let survived = f64::from(survivors);
            let promised = layout.sigma.as_f64() * (survived / f64::from(honest)).sqrt();
            for (plain, (pooled, apart)) in plain.iter().zip(rest.by_ref()) {
                let plain = plain * i64::from(survivors);
                let grid = f64::from(1_u32 << block.scale);
                here.push(float(pooled - (plain << block.scale)) / grid / promised);
                there.push(float(apart - plain) / promised);
            }
        }
        (here, there)
    }
}

fn float(whole: i64) -> f64 {
    // Far below 2^53.
    whole as f64
}

fn deviation(numbers: &[f64]) -> f64 {
    let squares: f64 = numbers.iter().map(|number| number * number).sum();
    (squares / float(i64::try_from(numbers.len()).unwrap())).sqrt()
}

#[tokio::test]
async fn stat_totals_have_the_promised_noise_and_less_than_attributed_sums() {
    let (_home, asked) = asked().await;
    let (numbers, bar) = numbers();
    println!("  n  n_min  in the sum  pooled/promised  attributed/promised  ratio  1/√(n_min − t)");
    for n in [3_u32, 6, 12, 20, 50] {
        let t = 1;
        let n_min = (n * 4).div_ceil(5).max(3);
        let survivors = n_min.midpoint(n);
        let honest = n_min - t;
        let dictionary = &asked.app.dictionary;
        let blocks = pooled_blocks(&asked.question, &asked.layout, dictionary, (n_min, t)).unwrap();
        let (mut pooled, mut apart) = (Vec::new(), Vec::new());
        while pooled.len() < numbers {
            let (here, there) = asked.round(&blocks, honest, survivors);
            pooled.extend(here);
            apart.extend(there);
        }
        let (pooled, apart) = (deviation(&pooled), deviation(&apart));
        let (ratio, wanted) = (pooled / apart, 1.0 / f64::from(honest).sqrt());
        println!(
            "{n:3}  {n_min:5}  {survivors:10}  {pooled:15.4}  {apart:19.4}  {ratio:.4}  {wanted:.4}"
        );
        assert!((pooled - 1.0).abs() < bar, "n = {n}: {pooled}");
        assert!(ratio < wanted * (1.0 + bar), "n = {n}: {ratio} {wanted}");
    }
}
