//! Mapped months are kept from question to question: a release or a restatement is seen all the
//! same, and takes the place of what it restates.

use crate::hospital::{Hospital, Line};

fn line(month: u8, n: u8) -> Line {
    Line::new(
        &format!("P{n}"),
        &format!("S{month}-{n}"),
        month,
        "JR19",
        9000,
    )
}

fn months(rows: &[node::scan::Rows]) -> Vec<(u8, usize)> {
    rows.iter()
        .map(|rows| (rows.month.number(), rows.len()))
        .collect()
}

#[tokio::test]
async fn a_kept_month_gives_way_to_its_restatement() {
    let hospital = Hospital::new("h1").await;
    hospital.hold(&[line(1, 1), line(1, 2), line(2, 3)]).await;
    let app = hospital.app().await;
    let first = hospital.rows(&app).await;
    assert_eq!(months(&first), [(1, 2), (2, 1)]);
    let again = hospital.rows(&app).await;
    let address = |rows: &[node::scan::Rows], at: usize| rows[at].group.as_ptr();
    assert_eq!(address(&first, 0), address(&again, 0), "mapped once");

    // A load that nobody released changes nothing.
    let restated = [line(1, 1), line(1, 2), line(1, 4)];
    hospital
        .load_bytes(&crate::hospital::file(&restated))
        .await
        .unwrap();
    assert_eq!(months(&hospital.rows(&app).await), [(1, 2), (2, 1)]);
    hospital.release().await;
    let after = hospital.rows(&app).await;
    assert_eq!(months(&after), [(1, 3), (2, 1)]);
    assert_eq!(
        address(&first, 1),
        address(&after, 1),
        "February is as it was"
    );

    // A node that maps all anew sees the same.
    let fresh = hospital.app().await;
    assert_eq!(months(&hospital.rows(&fresh).await), months(&after));
}
