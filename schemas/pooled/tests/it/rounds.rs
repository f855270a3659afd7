//! Whole rounds: totals equal the plain sum for every committee, drop pattern and value.

use pooled::shape::Shape;
use pooled::total::TotalError;
use pooled::upload::{Masked, Secrets, Upload, UploadError};
use proptest::prelude::*;
use schemas::canonical;

use crate::fixture::{Alliance, finish, signer, slug, survivors, votes};

fn values(n: usize) -> Vec<Vec<i64>> {
    let cell = |i: usize, j: usize| -> i64 {
        let value = i64::try_from(i * 1_000 + j * 7 + 1).unwrap();
        if j == 4 {
            -value * 1_000_000_000_000
        } else {
            value
        }
    };
    (0..n)
        .map(|i| (0..5).map(|j| cell(i, j)).collect())
        .collect()
}

fn plain(values: &[Vec<i64>]) -> Vec<i64> {
    (0..5)
        .map(|j| values.iter().map(|row| row[j]).sum())
        .collect()
}

/// Five hospitals, (4, 1): with every subset of the committee. One seat may be absent.
#[test]
fn every_drop_pattern_of_the_default_committee() {
    let alliance = Alliance::new(Shape::DEFAULT, 5);
    let round = alliance.round();
    let values = values(5);
    let uploads: Vec<Upload> = alliance
        .hospitals
        .iter()
        .zip(&values)
        .map(|(hospital, row)| alliance.upload(&round, hospital, row))
        .collect();
    for pattern in 0_u32..16 {
        let present: Vec<usize> = (0..4).filter(|seat| pattern >> seat & 1 == 1).collect();
        let ended = finish(&alliance, &round, &uploads, &present);
        if present.len() >= 3 {
            let totals = ended.unwrap();
            let raw: Vec<i64> = totals
                .blocks
                .iter()
                .flat_map(|block| block.raw.clone())
                .collect();
            assert_eq!(raw, plain(&values), "{pattern:04b}");
            assert!(totals.integrity);
            assert_eq!(totals.blocks[0].variance, 5 * (5 * 1024) * (5 * 1024));
        } else {
            assert_eq!(ended, Err("quorum"), "{pattern:04b}");
        }
    }
}

/// Every shape, every hospital that may be missing in turn, as many seats absent as it bears.
#[test]
fn every_shape_and_every_missing_hospital() {
    for shape in Shape::ALLOWED {
        for n in [4, 5, 10] {
            let alliance = Alliance::new(shape, n);
            let round = alliance.round();
            let values = values(n);
            let uploads: Vec<Upload> = alliance
                .hospitals
                .iter()
                .zip(&values)
                .map(|(hospital, row)| alliance.upload(&round, hospital, row))
                .collect();
            let seats: Vec<usize> = (shape.absent()..usize::from(shape.m())).collect();
            for missing in 0..n {
                let (mut left, mut rows) = (uploads.clone(), values.clone());
                left.remove(missing);
                rows.remove(missing);
                let ended = finish(&alliance, &round, &left, &seats);
                if u32::try_from(n - 1).unwrap() < round.manifest().n_min {
                    assert_eq!(ended, Err("survivors"));
                    continue;
                }
                let totals = ended.unwrap();
                let raw: Vec<i64> = totals.blocks.iter().flat_map(|b| b.raw.clone()).collect();
                assert_eq!(raw, plain(&rows), "{shape:?} {n} without {missing}");
                assert_eq!(totals.integrity, shape != Shape::new(3, 2).unwrap());
            }
            // One more absent than the shape bears.
            let too_few = finish(&alliance, &round, &uploads, &seats[1..]);
            assert!(
                matches!(too_few, Err("quorum" | "words" | "class")),
                "{shape:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn totals_equal_the_plain_sum(
        rows in (3_usize..=12).prop_flat_map(|n| {
            prop::collection::vec(prop::collection::vec(-1_000_000..=1_000_000_i64, 2), n)
        }),
        far in prop::collection::vec(-1_000_000_000_000_000..=1_000_000_000_000_000_i64, 3),
        which in 0_usize..4,
        drop in any::<u64>(),
    ) {
        let shape = Shape::ALLOWED[which];
        // f colluding hospitals in the committee need n_min ≥ f + 2.
        prop_assume!(rows.len() >= usize::from(shape.f()) + 2);
        let alliance = Alliance::new(shape, rows.len());
        let round = alliance.round();
        let rows: Vec<Vec<i64>> = rows.iter().map(|row| [&row[..], &far].concat()).collect();
        let n_min = usize::try_from(round.manifest().n_min).unwrap();
        let mut left: Vec<usize> = (0..rows.len()).collect();
        for turn in 0..rows.len() - n_min {
            let len = u64::try_from(left.len()).unwrap();
            left.remove(usize::try_from((drop >> turn) % len).unwrap());
        }
        let uploads: Vec<Upload> = left
            .iter()
            .map(|i| alliance.upload(&round, &alliance.hospitals[*i], &rows[*i]))
            .collect();
        let mut seats: Vec<usize> = (0..usize::from(shape.m())).collect();
        for turn in 0..shape.absent() {
            let len = u64::try_from(seats.len()).unwrap();
            seats.remove(usize::try_from((drop >> (20 + turn)) % len).unwrap());
        }
        let totals = finish(&alliance, &round, &uploads, &seats).unwrap();
        let raw: Vec<i64> = totals.blocks.iter().flat_map(|block| block.raw.clone()).collect();
        let survived: Vec<Vec<i64>> = left.iter().map(|i| rows[*i].clone()).collect();
        prop_assert_eq!(raw, plain(&survived));
    }
}

/// A value that no row could make spoils the round, and is seen.
#[test]
fn a_total_outside_its_range_is_refused() {
    let alliance = Alliance::new(Shape::DEFAULT, 5);
    let round = alliance.round();
    let bound = i64::try_from(round.bounds()[1]).unwrap();
    for (far, fits) in [
        (bound, true),
        (-bound, true),
        (bound + 1, false),
        (-bound - 1, false),
        (i64::MIN, false),
    ] {
        let rows = (0..5).map(|i| {
            if i == 0 {
                vec![0, 0, far, 0, 0]
            } else {
                vec![0; 5]
            }
        });
        let uploads: Vec<Upload> = alliance
            .hospitals
            .iter()
            .zip(rows)
            .map(|(hospital, row)| alliance.upload(&round, hospital, &row))
            .collect();
        let ended = finish(&alliance, &round, &uploads, &[0, 1, 2, 3]);
        assert_eq!(ended.is_ok(), fits, "{far}");
    }
}

/// Uploads of strangers, of other rounds, by other keys; vectors that are not those certified.
#[test]
fn uploads_are_bound_to_round_hospital_and_key() {
    let alliance = Alliance::new(Shape::DEFAULT, 5);
    let round = alliance.round();
    let make = |hospital: &str, key: &str, cells: usize| {
        let secrets = Secrets::random(alliance.shape).unwrap();
        Upload::make(
            &round,
            &slug(hospital),
            &signer(key),
            &vec![0; cells],
            secrets,
        )
    };
    assert!(make("h01", "h01", 5).is_ok());
    assert!(matches!(make("c3", "c3", 5), Err(UploadError::NotAsked)));
    assert!(matches!(make("h01", "h02", 5), Err(UploadError::NotAsked)));
    assert!(matches!(make("h01", "h01", 4), Err(UploadError::Vector)));

    let mut later = alliance.manifest();
    later.round = slug("later");
    let later = alliance.open(&later).unwrap();
    let upload = make("h01", "h01", 5).unwrap().to_bytes().unwrap();
    assert!(matches!(
        Upload::parse(&later, &upload),
        Err(UploadError::OtherRound)
    ));
    let whole = Upload::parse(&round, &upload).unwrap();
    let (signed, vector) = (*whole.masked().digest(), whole.masked().vector());
    assert_eq!(Upload::kept(&round, signed, &upload).unwrap(), whole);
    let sealed = 4 + canonical::to_bytes(whole.masked().sealed()).unwrap().len();
    for place in 0..upload.len() {
        let mut changed = upload.clone();
        changed[place] ^= 1;
        assert!(Upload::parse(&round, &changed).is_err(), "{place}");
        // By the digest of what was signed: a changed signature is not looked at, all else is.
        let kept = Upload::kept(&round, signed, &changed);
        assert!(kept.is_err() || place < sealed, "{place}");
        let kept = Masked::kept(&round, signed, &changed);
        assert!(kept.map_or(true, |kept| kept.vector() == vector), "{place}");
    }
    assert!(Upload::kept(&round, *round.hash(), &upload).is_err());
    assert!(Upload::parse(&round, &[upload.as_slice(), &[0]].concat()).is_err());

    // A second, equally signed upload of one hospital is not the certified one.
    let uploads: Vec<Upload> = alliance
        .hospitals
        .iter()
        .map(|h| alliance.upload(&round, h, &[1; 5]))
        .collect();
    let set = survivors(&round, &uploads);
    let certified = votes(&alliance, &round, &set, &[0, 1, 2])
        .verify(&round)
        .unwrap();
    let mut other = uploads.clone();
    other[2] = alliance.upload(&round, &alliance.hospitals[2], &[2; 5]);
    let sum = |uploads: &[Upload]| {
        pooled::total::total(&round, &certified, uploads.iter().map(Upload::masked), &[])
    };
    assert_eq!(sum(&other), Err(TotalError::Upload(slug("h03"))));
    assert_eq!(sum(&uploads[..4]), Err(TotalError::Upload(slug("h05"))));
    let twice = [&uploads[..], &uploads[..1]].concat();
    assert_eq!(sum(&twice), Err(TotalError::Outsider));
    assert_eq!(sum(&uploads), Err(TotalError::Class));
}

/// An upload is at most 1.1 × 8 bytes a cell and 4 kB. The seven boxes of (7, 2) alone take 11.3 kB, so
/// it has 8 kB there.
#[test]
fn uploads_are_small() {
    for shape in Shape::ALLOWED {
        let alliance = Alliance::new(shape, 5);
        let mut manifest = alliance.manifest();
        manifest.blocks[0].cells = 9_997;
        let round = alliance.open(&manifest).unwrap();
        let upload = alliance.upload(&round, &alliance.hospitals[0], &vec![-1; 10_000]);
        let bytes = upload.to_bytes().unwrap().len();
        let few = shape.m() <= 4;
        let most = if few { 88_000 + 4_096 } else { 88_000 + 8_192 };
        assert!(bytes <= most, "{shape:?}: {bytes}");
        let beside = if few { 8_192 } else { 15_000 };
        assert!(bytes - 80_000 <= beside, "{shape:?}: {bytes}");
    }
}
