//! One report of an attributed and a pooled round about one year: what stands in it, how each figure
//! was obtained, and which rounds do not stand together.

use coordinator::pooled as office;
use node::answer::{Asked, By, Unanswered, exact, reply};
use node::ledger::LedgerError;
use node::pooled::{self as party, PooledError, Said};
use node::{noise, snapshot};
use policies::figures::benchmark::{Cell, Figure, Kind, Reply, Way};
use policies::figures::{Benchmark, BenchmarkError, benchmark, together};
use policies::plan::{Layout, compile};
use pooled::published::verify;
use schemas::answer::Answer;
use schemas::outcome::{Outcome, Reason};
use schemas::question::Question;
use schemas::time::Timestamp;
use tests::fixture::{rules, slug};
use tests::noise::Zero;

use super::{NOW, Party, Pool};
use crate::hospital::shipped;

const ANSWERED: [&str; 4] = ["h01", "h02", "h03", "h04"];

fn asked(one: &Party, name: &str) -> Asked {
    let (question, template) = shipped(&one.app, name, "2025");
    Asked {
        question,
        template: Some(template.reference()),
        by: By::Officer,
    }
}

fn layout(one: &Party, question: &Question) -> Layout {
    compile(question, &one.app.dictionary, &one.app.floors).unwrap()
}

/// What a hospital would answer without noise, not charged.
async fn noiseless(one: &Party, question: &Question) -> Reply {
    let app = &one.app;
    let released = snapshot::released(&app.state, &app.data, &question.period)
        .await
        .unwrap();
    let layout = layout(one, question);
    let cells = exact(app, &layout, &released).unwrap();
    let answer = Answer {
        question: layout.question,
        hospital: app.hospital.clone(),
        snapshots: Vec::new(),
        mechanism: layout.digest().unwrap(),
        policy: schemas::digest::Digest::ZERO,
        blocks: noise::add(&layout, cells, &Zero, 1).unwrap().into_blocks(),
    };
    (app.hospital.clone(), Ok(answer))
}

#[tokio::test]
async fn both_ways_stand_in_one_report_and_each_figure_says_which() {
    let pool = Pool::holding(300).await;
    let first = pool.party("h01");
    let held = pool.open_from("yearly-alliance").await;
    // Parts are pooled beside wholes that the hospital tells by itself; h05 tells none.
    let h05 = pool.party("h05");
    let said = party::answer(&pool.desk(h05), &held.offer).await;
    waits(&said);
    assert_eq!(h05.home.spent("all").await, 0);
    let offered = party::offered(&h05.app.state, NOW).await.unwrap();
    assert_eq!(offered[0].state, "waits");
    assert!(offered[0].why.contains("yearly-hospitals"), "{offered:?}");

    let attributed = asked(first, "yearly-hospitals");
    let mut replies: Vec<Reply> = Vec::new();
    for name in ANSWERED {
        let one = pool.party(name);
        let charged = reply(&one.app, &asked(one, "yearly-hospitals"))
            .await
            .unwrap();
        let answer = charged.sealed().open(&one.app.signer.public()).unwrap();
        super::wholes::leave(one, &answer).await;
        replies.push((slug(name), Ok(answer)));
        pool.upload(name, &held.offer).await;
    }
    replies.push((slug("h05"), Err(Reason::Late)));
    // The structure is told pooled now, by nobody attributed, and the cost still attributed.
    let refused = reply(&first.app, &asked(first, "yearly-benchmark")).await;
    assert!(
        matches!(refused, Err(Unanswered::Ledger(LedgerError::OtherWay(_)))),
        "{refused:?}"
    );

    later_it_may(&pool, &held).await;
    let round = held.asked.id.clone();
    let later = Timestamp(held.round.manifest().closes.0 + 1);
    assert_eq!(pool.go_on(&round, later).await, "proposed");
    pool.sit(&round, &["h01", "h02", "c3"], later).await;
    let files = office::files(&pool.state, &pool.find(&round).await)
        .await
        .unwrap();
    let verified = verify(&files, &pool.alliance, NOW).unwrap();
    // Alone its sums show nothing: they count no stays.
    let alone = office::figures(&pool.state, &pool.authority, &rules(), &round, NOW).await;
    let told = alone.unwrap_err().to_string();
    assert!(
        told.contains("benchmark ROUND --pooled p1-yearly-alliance"),
        "{told}"
    );
    let (own, summed) = (
        layout(first, &attributed.question),
        layout(first, &held.asked.question),
    );
    let dictionary = &first.app.dictionary;
    let made = |own: &Layout, replies: &[Reply]| {
        together((own, replies), (&summed, &verified), dictionary, &rules())
    };
    let found = made(&own, &replies).unwrap();

    ways(&found);
    equal(&pool, &found).await;
    let beside = found.pooled.as_ref().unwrap();
    assert_eq!(beside.round.hospitals, ANSWERED.map(slug));
    assert_eq!(beside.round.missing, [slug("h05")]);
    assert_eq!(beside.spent.blocks.len(), summed.blocks.len());
    assert_eq!(beside.spent.charge, "0.050000001");
    assert!(beside.counted.iter().eq(&found.inputs.answers));
    written(&found);

    // A hospital in the sum whose number of stays nobody knows, and rounds about other stays.
    let without = made(&own, &replies[1..]);
    assert_eq!(without, Err(BenchmarkError::NoAnswer(slug("h01"))));
    let mut other = own.clone();
    other.bound = policies::plan::Bound::Year {
        groups: 2,
        stays: 1,
    };
    let differ = made(&other, &replies);
    assert!(
        matches!(differ, Err(BenchmarkError::Differ(_))),
        "{differ:?}"
    );
    let (question, _) = shipped(&first.app, "yearly-hospitals", "2025-01..2025-06");
    let differ = made(&layout(first, &question), &replies);
    assert!(
        matches!(differ, Err(BenchmarkError::Differ(_))),
        "{differ:?}"
    );
}

fn waits(said: &Result<Said, PooledError>) {
    let lacks = matches!(said, Err(PooledError::Ledger(LedgerError::NoWhole(_))));
    assert!(lacks, "{said:?}");
}

/// A hospital that told no wholes looks again until the round closes, and takes part once it told them.
async fn later_it_may(pool: &Pool, held: &office::Held) {
    let h05 = pool.party("h05");
    waits(&party::answer(&pool.desk(h05), &held.offer).await);
    let told = super::wholes::tell(h05).await;
    super::wholes::leave(h05, &told).await;
    let said = party::answer(&pool.desk(h05), &held.offer).await.unwrap();
    assert!(matches!(said, Said::Upload(_)), "{said:?}");
    let offered = party::offered(&h05.app.state, NOW).await.unwrap();
    assert_eq!(offered[0].state, "uploaded");
}

fn way(outcome: &Outcome<Figure>) -> Option<Way> {
    let figure = outcome.value();
    figure.unwrap_or_else(|| panic!("{outcome:?}")).way
}

/// Stays and means by each hospital's own answers, structure and spread of the sum alone.
fn ways(found: &Benchmark) {
    let pooled = |cell: &Cell| {
        let [p25, p50, p75, _] = cell.percentiles.all();
        for figure in cell.structure.iter().chain([p25, p50, p75]) {
            assert_eq!(way(figure), Some(Way::Pooled), "{figure:?}");
        }
        for figure in [&cell.stays, &cell.mean_cost, &cell.mean_stay] {
            assert_eq!(way(figure), Some(Way::Attributed));
        }
    };
    pooled(&found.total.all);
    let by_group = &found.splits[0];
    let rows: Vec<_> = by_group
        .rows
        .iter()
        .filter(|row| row.alliance.stays.value().is_some())
        .collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        pooled(&row.alliance);
    }
    for hospital in &found.hospitals {
        let cell = &hospital.totals.all;
        assert!(cell.percentiles.all().iter().all(|p| p.value().is_none()));
        assert!(cell.structure.iter().all(|share| share.value().is_none()));
        assert_eq!(cell.structure.len(), found.items.len());
    }
    for asked in found.asked.iter().chain(&by_group.asked) {
        let of_sum = matches!(
            asked.figure,
            Kind::P25
                | Kind::P50
                | Kind::P75
                | Kind::P90
                | Kind::CappedShare
                | Kind::AboveCap
                | Kind::Structure
        );
        let wanted = if of_sum { Way::Pooled } else { Way::Attributed };
        assert_eq!(asked.way, Some(wanted), "{:?}", asked.figure);
    }
    let figures: std::collections::BTreeSet<Kind> =
        found.asked.iter().map(|asked| asked.figure).collect();
    assert_eq!(
        figures.len(),
        found.asked.len(),
        "no figure is asked both ways"
    );
}

/// Without noise the pooled figures are those of attributed answers to the same blocks, and their
/// intervals are narrower.
async fn equal(pool: &Pool, found: &Benchmark) {
    let first = pool.party("h01");
    let (mut question, _) = shipped(&first.app, "yearly-hospitals", "2025");
    let (pooled, _) = shipped(&first.app, "yearly-alliance", "2025");
    for (own, more) in question
        .tables
        .iter_mut()
        .filter(|table| !table.by.is_empty())
        .zip(pooled.tables)
    {
        own.blocks.extend(more.blocks);
    }
    let question = question.canonical();
    let layout = layout(first, &question);
    let mut replies = Vec::new();
    for name in ANSWERED {
        replies.push(noiseless(pool.party(name), &question).await);
    }
    let plain = benchmark(&layout, &first.app.dictionary, &rules(), &replies).unwrap();
    let same = |found: &Cell, plain: &Cell| {
        let figures = |cell: &Cell| -> Vec<Option<Figure>> {
            let [p25, p50, p75, _] = cell.percentiles.all();
            let all = cell.structure.iter().chain([p25, p50, p75]);
            all.map(|figure| figure.value().cloned()).collect()
        };
        let width = |figure: &Figure| {
            let high = figure
                .noise
                .high
                .as_ref()
                .map_or(f64::INFINITY, |high| high.parse().unwrap());
            high - figure.noise.low.parse::<f64>().unwrap()
        };
        let (mut compared, mut narrower) = (0, 0);
        for (found, plain) in figures(found).iter().zip(&figures(plain)) {
            let found = found.as_ref().unwrap();
            // The wider noise of attributed answers may hide what the sum shows.
            let Some(plain) = plain else { continue };
            assert_eq!(found.value, plain.value);
            assert!(width(found) <= width(plain), "{found:?} {plain:?}");
            compared += 1;
            narrower += u32::from(width(found) < width(plain));
        }
        assert!(compared >= 3 && narrower >= 1, "{compared} {narrower}");
    };
    same(&found.total.all, &plain.total.all);
    for (found, plain) in found.splits[0].rows.iter().zip(&plain.splits[0].rows) {
        assert_eq!(
            found.alliance.stays.value().is_some(),
            plain.alliance.stays.value().is_some()
        );
        if found.alliance.stays.value().is_some() {
            same(&found.alliance, &plain.alliance);
        }
    }
}

/// The files: a column that says how beside every figure, empty cells where only a sum is known.
fn written(found: &Benchmark) {
    let folder = tempfile::tempdir().unwrap();
    coordinator::report::write(folder.path(), found).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let again: Benchmark = serde_json::from_str(&read("benchmark.json")).unwrap();
    assert_eq!(again, *found);
    for (name, key) in [
        ("hospitals.csv", "hospital"),
        ("by-case_group.csv", "hospital"),
    ] {
        let text = read(name);
        let mut table = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let head = table.headers().unwrap().clone();
        let at = |column: &str| head.iter().position(|name| name == column).unwrap();
        let (status, obtained) = (at("p50_status"), at("p50_obtained"));
        let summed = (at("stays_hospitals"), at("p50_hospitals"));
        let stays = at("stays_obtained");
        let share = head
            .iter()
            .position(|name| name.starts_with("share_") && name.ends_with("_obtained"));
        let mut sums = 0;
        for row in table.records() {
            let row = row.unwrap();
            let alliance = &row[at(key)] == "(alliance)";
            if row[stays].is_empty() {
                continue;
            }
            assert_eq!(&row[stays], "attributed");
            sums += usize::from(alliance);
            let wanted = if alliance {
                ("value", "pooled")
            } else {
                ("", "")
            };
            assert_eq!((&row[status], &row[obtained]), wanted);
            // Every figure says how many hospitals it sums.
            let wanted_of = if alliance { ("4", "4") } else { ("", "") };
            assert_eq!((&row[summed.0], &row[summed.1]), wanted_of);
            assert_eq!(&row[share.unwrap()], wanted.1);
        }
        assert!(sums > 0);
    }
    let page = read("report.html");
    for word in [
        "合并 pooled，4 家 hospitals",
        "分别 attributed，4 家 hospitals",
        "h01",
        "p1-yearly-alliance",
        "that hospital's own, with noise",
        "<code>totals.json</code>",
        // Who is missing, each way; columns without a figure in any row; units of the totals.
        "of the answers: h05（逾期 late）；合并之和 of the sums: h05",
        "未列 Left out: ",
        "参考值的倍数 × reference",
    ] {
        assert!(page.contains(word), "{word}");
    }
    assert!(read("columns.csv").contains("p50_obtained"));
}
