//! What later loads of a view read.

use node::release;

use super::server::Kind;
use super::{Database, held, lines, mapping};
use crate::hospital::{Hospital, Line, MAPPING, NOW, bytes_below, file, holds};

const KINDS: [Kind; 2] = [Kind::Postgres, Kind::MariaDb];

#[tokio::test(flavor = "multi_thread")]
async fn a_view_loads_to_the_stays_that_csv_gives() {
    for kind in KINDS {
        let Some(database) = Database::start(kind).await else {
            continue;
        };
        let lines = lines(0, 700);
        let by_file = Hospital::new("h01").await;
        let loaded = by_file.load_bytes(&file(&lines)).await.unwrap();
        by_file.release().await;
        let by_view = by_file.twin().await;
        database.add(&lines, None).await;
        for command in ["map test", "check"] {
            let said = database.run(&by_view, command, &mapping());
            assert!(said.ok, "{command}: {}", said.err);
        }
        let said = database.run(&by_view, "load", &mapping());
        assert!(said.ok, "{}", said.err);
        assert_eq!(
            (said.number("kept"), said.number("refused")),
            (loaded.kept, 0)
        );
        by_view.release().await;
        assert_eq!(held(&by_view).await, held(&by_file).await);
        assert_eq!(held(&by_view).await, database.expected().await);
        // Neither a password nor a number of a patient is anywhere below the folder.
        for (path, bytes) in bytes_below(&by_view.config.data) {
            for word in [super::SECRET, "P0000007", "S0000007"] {
                assert!(!holds(&bytes, word), "{}", path.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn later_loads_read_the_months_of_new_and_changed_rows() {
    for kind in KINDS {
        let Some(database) = Database::start(kind).await else {
            continue;
        };
        let hospital = Hospital::new("h01").await;
        let at = "2026-01-01 00:00:00.000001";
        database.add(&lines(0, 119), Some("2026-01-01")).await;
        database.add(&lines(119, 120), Some(at)).await;
        assert_eq!(database.load(&hospital).await, 120);
        // Nothing is new: that is no failure.
        let said = database.run(&hospital, "load", &mapping());
        assert!(said.ok && said.out.trim() == "null", "{}", said.err);
        // A row of the very same watermark is told by the count; the months of both are read whole.
        database.add(&[lines(120, 121).remove(0)], Some(at)).await;
        assert_eq!(database.load(&hospital).await, 21);
        assert_eq!(held(&hospital).await, database.expected().await);
        // A changed row replaces what was read of it.
        database
            .change(
                "total_cost = 77, cost_staff = 77, cost_drugs = 0",
                "settlement_no = 'S0000005'",
            )
            .await;
        assert_eq!(database.load(&hospital).await, 10);
        assert_eq!(held(&hospital).await, database.expected().await);
        // A row that moves from May to August is in August alone afterwards: both months are read.
        let moved = "discharge_date = '2025-08-20', admission_date = '2025-08-18'";
        database.change(moved, "settlement_no = 'S0000004'").await;
        assert_eq!(database.load(&hospital).await, 20);
        assert_eq!(held(&hospital).await, database.expected().await);
        // A late row below the watermark waits for the next change of its month, or for --whole.
        database
            .add(&[Line::new("PL", "SL", 3, "ES35", 5)], Some("2025-12-31"))
            .await;
        let said = database.run(&hospital, "load", &mapping());
        assert_eq!(said.out.trim(), "null", "{}", said.err);
        let said = database.run(&hospital, "load --whole", &mapping());
        assert_eq!(said.number("kept"), 122, "{}", said.err);
        hospital.release().await;
        assert_eq!(held(&hospital).await, database.expected().await);
    }
}

/// The greatest watermark is nowhere, and a row that moves to another year counts in that one alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_moves_to_another_year_leaves_the_one_it_was_in() {
    for kind in KINDS {
        let Some(database) = Database::start(kind).await else {
            continue;
        };
        let hospital = Hospital::new("h01").await;
        let at = "2026-01-03 04:05:06.123457";
        database.add(&lines(0, 120), Some(at)).await;
        // A number that is used in two years by one patient, and stays in both.
        let mut again = lines(4, 5).remove(0).with("settlement_no", "AGAIN");
        database.add(&[again.clone()], Some("2026-01-02")).await;
        again
            .set("discharge_date", "2024-03-20")
            .set("admission_date", "2024-03-18");
        let other = lines(5, 6).remove(0).with("discharge_date", "2024-11-20");
        let other = other
            .with("admission_date", "2024-11-18")
            .with("settlement_no", "OLD");
        database.add(&[again, other], Some("2026-01-02")).await;
        assert_eq!(database.load(&hospital).await, 123);
        let released = async || {
            let months = release::months(&hospital.state).await.unwrap();
            let of = |year: &str| {
                let own = months
                    .iter()
                    .filter(|one| one.month.to_string().starts_with(year));
                own.count()
            };
            (of("2024"), of("2025"))
        };
        assert_eq!(released().await, (2, 12));
        // From May 2025 to November 2024: both months are read, and no other one.
        let moved = "discharge_date = '2024-11-20', admission_date = '2024-11-18'";
        database.change(moved, "settlement_no = 'S0000016'").await;
        database.load(&hospital).await;
        assert_eq!(held(&hospital).await, database.expected().await);
        assert_eq!(released().await, (3, 13));
        // And back, to June.
        let moved = "discharge_date = '2025-06-20', admission_date = '2025-06-18'";
        database.change(moved, "settlement_no = 'S0000016'").await;
        database.load(&hospital).await;
        assert_eq!(held(&hospital).await, database.expected().await);
        assert_eq!(released().await, (4, 14));
        // The number that stands in both years moves nothing: May 2025 alone is read anew.
        database
            .change(
                "total_cost = 77, cost_staff = 77, cost_drugs = 0",
                "settlement_no = 'AGAIN' and discharge_date > '2025-01-01'",
            )
            .await;
        database.load(&hospital).await;
        assert_eq!(held(&hospital).await, database.expected().await);
        assert_eq!(released().await, (4, 15));
        // Read last: closing a file of the state lets go of its locks.
        for (path, bytes) in bytes_below(&hospital.config.data) {
            for text in [at, "04:05:06"] {
                assert!(!holds(&bytes, text), "{}", path.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_discarded_is_read_again() {
    let Some(database) = Database::start(Kind::Postgres).await else {
        return;
    };
    let hospital = Hospital::new("h01").await;
    database.add(&lines(0, 24), None).await;
    assert_eq!(database.load(&hospital).await, 24);
    database.add(&lines(24, 26), None).await;
    for _ in 0..2 {
        let said = database.run(&hospital, "load", &mapping());
        assert_eq!(said.number("kept"), 6, "{}", said.err);
        let summary: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        // A month that waits for the officer is not read again under it.
        database.add(&lines(26, 27), None).await;
        let again = database.run(&hospital, "load", &mapping());
        assert!(
            again.ok || again.err.contains("is staged by load"),
            "{}",
            again.err
        );
        let waits = release::months(&hospital.state).await.unwrap();
        let waits = waits.iter().filter(|month| month.release.is_none()).count();
        let load = summary["load"].as_str().unwrap();
        release::discard(&hospital.state, &hospital.config.data, load, NOW)
            .await
            .unwrap();
        database
            .server
            .run("delete from his.stays where settlement_no = 'S0000026'")
            .await;
        if waits > 2 {
            let months = release::months(&hospital.state).await.unwrap();
            let other = months.iter().find(|month| month.release.is_none()).unwrap();
            release::discard(&hospital.state, &hospital.config.data, &other.load, NOW)
                .await
                .unwrap();
        }
    }
    assert_eq!(database.load(&hospital).await, 6);
    assert_eq!(held(&hospital).await, database.expected().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drafted_mapping_names_view_key_and_watermark() {
    for kind in KINDS {
        let Some(database) = Database::start(kind).await else {
            continue;
        };
        let hospital = Hospital::new("h01").await;
        database.add(&lines(0, 40), None).await;
        let url = database.url("draft", &database.server.url("reader", super::SECRET));
        let mut program = std::process::Command::new(crate::binary::binary("consilium-node"));
        program.arg("--data").arg(&hospital.config.data);
        program
            .args(["map", "init", "--view", "reporting.stays", "--database"])
            .arg(url);
        let drafted = super::said(program);
        assert!(drafted.ok, "{}", drafted.err);
        for line in [
            "view = \"reporting.stays\"",
            "key = [\"settlement_no\"]",
            "watermark = \"changed_at\"",
        ] {
            assert!(drafted.out.contains(line), "{}", drafted.out);
        }
        let said = database.run(&hospital, "load", &drafted.out);
        assert!(said.ok, "{}\n{}", said.err, drafted.out);
        assert_eq!(said.number("kept"), 40);
    }
    assert!(!MAPPING.contains("[source]"));
}
