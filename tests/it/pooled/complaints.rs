//! Complaints of single seats: lies and true ones, and what the round comes to.

use coordinator::pooled as office;
use pooled::published::verify;
use pooled::upload::{Secrets, Upload};
use pooled::vote::Complaint;
use pooled::work::SeatWord;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use tests::fixture::slug;

use super::refused::assembled;
use super::{NOW, Pool};

const ALL: [&str; 5] = ["h01", "h02", "h03", "h04", "h05"];

/// Takes a seat's complaints about these hospitals, whatever it saw.
async fn complain(pool: &Pool, held: &office::Held, seat: &str, about: &[&str]) {
    let app = &pool.party(seat).app;
    let sign = |name: &&str| {
        Complaint::sign(&held.round, &app.hospital, &app.signer, &slug(name)).unwrap()
    };
    let word = SeatWord::Complaints(about.iter().map(sign).collect());
    office::take_word(&pool.state, held, &slug(seat), &word, NOW)
        .await
        .unwrap();
}

async fn in_sum(pool: &Pool, held: &office::Held) -> usize {
    let held = pool.find(&held.asked.id).await;
    assert_eq!(held.state, "done", "{:?}", held.why);
    let files = office::files(&pool.state, &held).await.unwrap();
    verify(&files, &pool.alliance, NOW).unwrap();
    let found = office::certificate(&pool.state, &held.asked.id).await;
    found.unwrap().unwrap().survivors.uploads.len()
}

/// Rows 5 and 16: one seat complains before anybody else has looked, about one hospital and about
/// all of them. The other three certify and add up without it, and nobody is left out.
#[tokio::test]
async fn a_lying_seat_neither_ends_a_round_nor_keeps_a_hospital_out() {
    let pool = Pool::found().await;
    for about in [&ALL[..], &ALL[4..]] {
        let held = pool.open(&[]).await;
        let round = held.asked.id.clone();
        for name in ALL {
            pool.upload(name, &held.offer).await;
        }
        assert_eq!(pool.go_on(&round, NOW).await, "proposed");
        let held = pool.find(&round).await;
        complain(&pool, &held, "c3", about).await;
        assert_eq!(pool.go_on(&round, NOW).await, "proposed");
        let asked = office::proposal(&pool.state, &held, &slug("c4")).await;
        assert_eq!(asked.unwrap().survivors.uploads.len(), 5);
        pool.sit(&round, &["c3", "h01", "h02", "c4"], NOW).await;
        assert_eq!(in_sum(&pool, &held).await, 5, "{about:?}");
    }
}

/// Rows 5 and 16: with another seat away as well, what one says is waited with and then counts, but
/// only as far as n_min hospitals are left; a set that was proposed without them is not taken back.
#[tokio::test]
async fn with_another_seat_away_a_complaint_counts_after_a_grace() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let round = held.asked.id.clone();
    for name in ALL {
        pool.upload(name, &held.offer).await;
    }
    pool.go_on(&round, NOW).await;
    let held = pool.find(&round).await;
    complain(&pool, &held, "c3", &ALL[4..]).await;
    pool.sit(&round, &["h01", "h02"], NOW).await;
    let left = held.round.manifest().answer_by.0 - NOW.0;
    let grace = Timestamp(NOW.0 + left / 2);
    let set = async |seat: &str| {
        let asked = office::proposal(&pool.state, &held, &slug(seat)).await;
        asked.unwrap().survivors.uploads.len()
    };
    pool.go_on(&round, grace).await;
    assert_eq!(set("c4").await, 5);
    pool.go_on(&round, Timestamp(grace.0 + 1)).await;
    assert_eq!(set("c4").await, 4);
    // It says something new about the next set, which would leave too few: nothing follows.
    complain(&pool, &held, "c3", &ALL[3..4]).await;
    let last = held.round.manifest().answer_by;
    assert_eq!(pool.go_on(&round, last).await, "proposed");
    assert_eq!(set("c4").await, 4);
    pool.sit(&round, &["h01", "h02", "c4"], NOW).await;
    assert_eq!(in_sum(&pool, &held).await, 4);
}

/// Rows 5 and 16: a box that is bad for one seat alone. It complains, truly; the others find the set
/// sound, and add up without it.
#[tokio::test]
async fn a_box_bad_for_one_seat_costs_nobody() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let round = held.asked.id.clone();
    for name in &ALL[..4] {
        pool.upload(name, &held.offer).await;
    }
    let h05 = &pool.party("h05").app;
    let cells = vec![0; held.round.cells()];
    let made = || {
        let secrets = Secrets::random(held.round.shape()).unwrap();
        Upload::make(&held.round, &h05.hospital, &h05.signer, &cells, secrets).unwrap()
    };
    // For c3, the third seat, it holds the seeds of another upload.
    let (own, other) = (made(), made());
    let open = |upload: &Upload| upload.masked().sealed().open(&h05.signer.public()).unwrap();
    let (mut parts, others) = (open(&own), open(&other));
    parts.boxes[2] = others.boxes[2];
    let parts = Sealed::seal(&h05.signer, &parts).unwrap();
    let boxes = (0..4_u8).map(|seat| {
        let from = if seat == 2 { &other } else { &own };
        from.sealed_box(seat).unwrap().to_vec()
    });
    let bytes = assembled(&parts, own.masked().vector(), boxes);
    let member = pool.member("h05").await;
    office::take(&pool.state, &held, &member, &bytes, NOW)
        .await
        .unwrap();
    assert_eq!(pool.go_on(&round, NOW).await, "proposed");
    pool.sit(&round, &["c3", "h01", "h02", "c4"], NOW).await;
    let words: i64 = sqlx::query_scalar(
        "select count(*) from pooled_words where kind = 'complaint' and member = 'c3'",
    )
    .fetch_one(pool.state.pool())
    .await
    .unwrap();
    assert_eq!(words, 1);
    assert_eq!(in_sum(&pool, &held).await, 5);
}
