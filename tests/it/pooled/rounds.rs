//! Whole rounds: totals, what the coordinator holds, the ledger, publication.

use coordinator::pooled as office;
use node::answer::exact;
use node::pooled as party;
use node::{noise, snapshot};
use pooled::published::Written;
use schemas::time::Timestamp;
use tests::noise::Zero;

use super::{NOW, Pool};

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
    assert!(plain.iter().all(|block| block.iter().any(|cell| *cell > 0)));
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

    published(&pool, &files);
    ledger(&pool, &held).await;
    canary(&pool, &held, &uploads).await;
}

/// Both verifiers agree; one changed byte anywhere is seen.
fn published(pool: &Pool, files: &pooled::published::Files) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("round");
    office::write_folder(files, &folder).unwrap();
    let read = office::read_folder(&folder).unwrap();
    assert_eq!(&read, files);
    let verified = party::verify(&folder, &pool.alliance, NOW).unwrap();
    let other = pooled::published::verify(files, &pool.alliance, NOW).unwrap();
    assert_eq!(verified, other);
    assert!(verified.dissenters.is_empty());
    for name in files.keys() {
        let mut changed = files.clone();
        let bytes = changed.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let refused = pooled::published::verify(&changed, &pool.alliance, NOW);
        // Of three words on a sum two are enough; a vector or word of no use is passed over.
        if !name.starts_with("sum-") {
            assert!(refused.is_err(), "{name}");
        }
        let mut lost = files.clone();
        lost.remove(name);
        if !name.starts_with("sum-") {
            assert!(
                pooled::published::verify(&lost, &pool.alliance, NOW).is_err(),
                "{name}"
            );
        }
    }
    assert!(files.keys().all(|name| !name.contains("h05")));
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
