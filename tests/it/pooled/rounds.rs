//! Whole rounds: totals, what the coordinator holds, the ledger, publication.

use coordinator::pooled as office;
use node::answer::exact;
use node::{noise, snapshot};
use policies::figures::benchmark::Row;
use pooled::published::Written;
use schemas::time::Timestamp;
use tests::fixture::{rules, slug};
use tests::noise::Zero;

use super::{NOW, Pool, parts};

/// One seat absent, one hospital dropped: the totals equal the plain sum cell by cell, which is
/// also what attributed answers without noise add up to.
#[tokio::test]
async fn totals_equal_the_plain_sum_and_the_attributed_path() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let round = held.asked.id.clone();
    let mut uploads = Vec::new();
    for name in ["h01", "h02", "h03", "h04"] {
        uploads.push(pool.upload(name, &held.offer).await);
        assert_eq!(pool.go_on(&round, NOW).await, "open");
    }
    let later = Timestamp(held.round.manifest().closes.0 + 1);
    assert_eq!(pool.go_on(&round, later).await, "proposed");
    // The seats' clocks stand still; the coordinator's moved on.
    pool.sit(&round, &["h01", "h02", "c3"], later).await;
    assert_eq!(pool.find(&round).await.state, "done");

    let files = office::files(&pool.state, &pool.find(&round).await)
        .await
        .unwrap();
    let totals: Written = schemas::canonical::from_bytes(&files["totals.json"]).unwrap();
    assert_eq!((totals.hospitals, totals.integrity), (4, true));
    let mut plain: Vec<Vec<i64>> = Vec::new();
    for one in &pool.hospitals[..4] {
        let app = &one.app;
        let period = held.asked.question.period;
        let released = snapshot::released(&app.state, &app.data, &period)
            .await
            .unwrap();
        let rules = &app.floors;
        let layout = policies::plan::compile(&held.asked.question, &app.dictionary, rules).unwrap();
        let cells = exact(app, &layout, &released).unwrap();
        let noisy = noise::add(&layout, cells, &Zero, 1).unwrap().into_blocks();
        for (at, block) in noisy.into_iter().enumerate() {
            let block = block.unwrap();
            match plain.get_mut(at) {
                Some(sum) => sum
                    .iter_mut()
                    .zip(block)
                    .for_each(|(sum, cell)| *sum += cell),
                None => plain.push(block),
            }
        }
    }
    assert!(
        plain
            .iter()
            .all(|block| block.iter().any(|cell| *cell != 0))
    );
    for ((total, plain), block) in totals
        .blocks
        .iter()
        .zip(&plain)
        .zip(&held.round.manifest().blocks)
    {
        let scaled: Vec<i64> = plain.iter().map(|cell| cell << total.scale).collect();
        assert_eq!(total.raw, scaled);
        let share = u128::from(block.sigma_share);
        assert_eq!(total.variance, (4 * share * share).to_string());
    }

    parts::each_is_checked(&pool, &files);
    figures(&pool, &held, &plain).await;
    ledger(&pool, &held).await;
    canary(&pool, &held, &uploads).await;
}

/// The figures are those of the plain sums, with intervals as wide as the realised noise; the report
/// is written from them.
async fn figures(pool: &Pool, held: &office::Held, plain: &[Vec<i64>]) {
    let rules = rules();
    let round = &held.asked.id;
    let figures = office::figures(&pool.state, &pool.authority, &rules, round, NOW).await;
    let (pooled, uncounted) = figures.unwrap();
    assert!(uncounted.is_empty(), "{uncounted:?}");
    assert_eq!(
        pooled.about.hospitals,
        ["h01", "h02", "h03", "h04"].map(slug)
    );
    assert_eq!(pooled.about.missing, [slug("h05")]);
    assert_eq!(
        (pooled.about.least, pooled.about.gain.as_str()),
        (4, "1.73")
    );
    assert!(pooled.figures.hospitals.is_empty());
    let by_group = &pooled.figures.splits[0];
    assert!(by_group.rows.iter().all(|row| row.hospitals.is_empty()));
    let stays = |row: &Row| row.alliance.stays.value().map(|f| f.value.clone());
    let counts: Vec<i64> = by_group
        .rows
        .iter()
        .filter_map(stays)
        .map(|text| text.parse().unwrap())
        .collect();
    let shown: Vec<i64> = plain[0].iter().copied().filter(|n| *n >= 11).collect();
    assert_eq!(counts, shown);
    assert!(counts.len() >= 2);
    // Four shares of noise, each of a variance of a third of the whole, and rounding.
    let block = &held.round.manifest().blocks[0];
    let share = f64::from(u32::try_from(block.sigma_share).unwrap()) / 1024.0;
    let sigma: f64 = pooled.figures.spent.blocks[0].sigma.parse().unwrap();
    let wanted = (4.0 * share * share + 1.0 / 12.0).sqrt();
    assert!((sigma - wanted).abs() < 0.02, "{sigma} {wanted}");
    let row = by_group.rows.iter().find(|row| stays(row).is_some());
    let row = &row.unwrap().alliance;
    let high = row.stays.value().unwrap().noise.high.clone().unwrap();
    let reach =
        high.parse::<f64>().unwrap() - row.stays.value().unwrap().value.parse::<f64>().unwrap();
    assert!((reach - 1.96 * sigma).abs() <= 1.0, "{reach}");
    // So few stays carry no structure through this noise: all items are hidden together.
    assert_eq!(row.structure.len(), pooled.figures.items.len());
    let shares: Vec<f64> = row
        .structure
        .iter()
        .filter_map(|share| share.value()?.value.parse().ok())
        .collect();
    let sum: f64 = shares.iter().sum();
    assert!(shares.is_empty() || shares.len() == row.structure.len() && (sum - 1.0).abs() < 1e-9);

    let folder = tempfile::tempdir().unwrap();
    let paths = coordinator::report::write_pooled(folder.path(), &pooled).unwrap();
    let names: Vec<&str> = paths
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    let expected = [
        "pooled.json",
        "alliance.csv",
        "by-case_group.csv",
        "columns.csv",
        "report.html",
    ];
    assert_eq!(names, expected);
    let read = std::fs::read_to_string(folder.path().join("pooled.json")).unwrap();
    let again: policies::figures::Pooled = serde_json::from_str(&read).unwrap();
    assert_eq!(again, pooled);
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    for hospital in ["h01", "h05"] {
        assert!(page.contains(hospital));
    }
    assert!(page.contains("the sum is that hospital's, with noise") && !page.contains("never saw"));
}

/// The charge is Σρ + 1 nano in the whole allowance and the quota, and (n_min − t) times that in
/// the line for a failing committee. Every state file is sound.
async fn ledger(pool: &Pool, held: &office::Held) {
    let manifest = held.round.manifest();
    let rho: u64 = manifest.blocks.iter().map(|block| block.rho.nano()).sum();
    assert_eq!(rho, 200_000_000);
    assert_eq!((manifest.n_min, manifest.t), (4, 1));
    for one in &pool.hospitals[..4] {
        assert_eq!(one.home.spent("all").await, rho + 1);
        assert_eq!(one.home.spent("benchmark").await, rho + 1);
        assert_eq!(one.home.spent("pooled-worst").await, 3 * (rho + 1));
    }
    assert_eq!(pool.hospitals[4].home.spent("all").await, 0);
    for one in pool.parties() {
        node::log::fsck(&one.app.state, &one.app.signer.public())
            .await
            .unwrap();
    }
}

/// Nothing that the coordinator holds is a hospital's own cell: neither as a number of 8 bytes nor
/// in decimal in any table. The exact cells are large enough not to stand there by chance.
async fn canary(pool: &Pool, held: &office::Held, uploads: &[Vec<u8>]) {
    let mut stored = Vec::new();
    for table in [
        "pooled_sets",
        "pooled_words",
        "pooled_totals",
        "pooled_certificates",
        "log",
    ] {
        let rows: Vec<String> = match table {
            "log" => sqlx::query_scalar("select entry from log"),
            "pooled_sets" => sqlx::query_scalar("select survivors from pooled_sets"),
            "pooled_words" => sqlx::query_scalar("select word from pooled_words"),
            "pooled_totals" => sqlx::query_scalar("select totals from pooled_totals"),
            _ => sqlx::query_scalar("select certificate from pooled_certificates"),
        }
        .fetch_all(pool.state.pool())
        .await
        .unwrap();
        stored.extend(rows.into_iter().flat_map(String::into_bytes));
    }
    let sums: Vec<Vec<u8>> = sqlx::query_scalar("select sent from pooled_sums")
        .fetch_all(pool.state.pool())
        .await
        .unwrap();
    assert!(!sums.is_empty());
    for one in &pool.hospitals[..4] {
        let app = &one.app;
        let period = held.asked.question.period;
        let released = snapshot::released(&app.state, &app.data, &period)
            .await
            .unwrap();
        let layout =
            policies::plan::compile(&held.asked.question, &app.dictionary, &app.floors).unwrap();
        let blocks = exact(app, &layout, &released).unwrap().into_blocks();
        let blocks = blocks.into_iter().zip(&held.round.manifest().blocks);
        let mut canaries = 0;
        for (cells, block) in blocks {
            for cell in cells.unwrap().into_iter().filter(|cell| *cell > 3_000) {
                canaries += 1;
                let scaled = cell << block.scale;
                assert!(!number_in(&stored, &scaled.to_string()), "{scaled}");
                for bytes in uploads.iter().chain(&sums) {
                    let wanted = scaled.to_le_bytes();
                    assert!(!bytes.windows(8).any(|window| window == wanted));
                }
            }
        }
        assert!(canaries > 0);
    }
}

/// Whether a number stands in a text by itself, not inside a longer word.
fn number_in(text: &[u8], number: &str) -> bool {
    let number = number.as_bytes();
    let alone = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let mut windows = text.windows(number.len()).enumerate();
    windows.any(|(at, window)| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        window == number && alone(before) && alone(text.get(at + number.len()))
    })
}
