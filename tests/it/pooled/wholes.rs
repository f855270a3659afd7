//! Parts are pooled beside wholes that the same hospital told of the same data, in an answer that has
//! left.

use node::answer::{Asked, By, reply};
use node::ledger::{self, LedgerError, Of};
use node::pooled::{self as party, PooledError, Said};
use node::snapshot;
use policies::plan::{apart, compile};
use schemas::answer::Answer;
use schemas::outcome::Reason;
use schemas::question::Question;

use super::{NOW, Party, Pool, lines};
use crate::hospital::{Line, shipped};

/// The answer on the wholes, charged but not sent.
pub(super) async fn tell(one: &Party) -> Answer {
    let (question, template) = shipped(&one.app, "yearly-hospitals", "2025");
    let asked = Asked {
        question,
        template: Some(template.reference()),
        by: By::Officer,
    };
    let charged = reply(&one.app, &asked).await.unwrap();
    let key = one.app.signer.public();
    charged.sealed().open(&key).unwrap()
}

/// The coordinator said that it has the answer.
pub(super) async fn leave(one: &Party, answer: &Answer) {
    let mut change = one.app.state.begin().await.unwrap();
    ledger::left(&mut change, answer, NOW).await.unwrap();
    change.commit().await.unwrap();
}

/// What keeps this hospital from telling parts now.
async fn lacks(one: &Party, question: &Question) -> Option<LedgerError> {
    let app = &one.app;
    let layout = compile(question, &app.dictionary, &app.floors).unwrap();
    let wholes = apart(&layout, &app.dictionary).unwrap().wholes;
    let released = snapshot::released(&app.state, &app.data, &layout.period)
        .await
        .unwrap();
    let of = Of::new(layout.period, layout.dictionary, &released.months);
    let told = ledger::wholes_told(&app.state, &wholes, &of).await;
    told.err()
}

/// Row 23: what was charged and has not left is not told yet; what was told before a restatement, or
/// under another dictionary, is told of other data.
#[tokio::test]
async fn parts_stand_beside_wholes_of_the_same_data_that_have_left() {
    let pool = Pool::found().await;
    let held = pool.open_from("yearly-alliance").await;
    let question = &held.asked.question;
    let (h01, h02, h03) = (pool.party("h01"), pool.party("h02"), pool.party("h03"));
    let said = async |one: &Party, held: &coordinator::pooled::Held| {
        let said = party::answer(&pool.desk(one), &held.offer).await;
        said.unwrap()
    };

    // Charged for the officer's own page, or held by the steward: it waits, and costs nothing more.
    assert!(matches!(
        lacks(h01, question).await,
        Some(LedgerError::NoWhole(_))
    ));
    let answer = tell(h01).await;
    let spent = h01.home.spent("all").await;
    assert!(matches!(
        lacks(h01, question).await,
        Some(LedgerError::NotLeft(_))
    ));
    let waits = party::answer(&pool.desk(h01), &held.offer).await;
    assert!(matches!(
        waits,
        Err(PooledError::Ledger(LedgerError::NotLeft(_)))
    ));
    assert_eq!(h01.home.spent("all").await, spent);
    leave(h01, &answer).await;
    assert!(matches!(said(h01, &held).await, Said::Upload(_)));

    // Restated between the two rounds.
    leave(h02, &tell(h02).await).await;
    assert!(lacks(h02, question).await.is_none());
    let mut more = lines(2);
    more.push(Line::new("p2-late", "s2-late", 3, "other", 9_000));
    h02.home.hold(&more).await;
    let spent = h02.home.spent("all").await;
    let why = lacks(h02, question).await;
    assert!(matches!(why, Some(LedgerError::Restated { .. })), "{why:?}");
    let why = why.unwrap().to_string();
    assert!(why.contains("2025-03 release") && why.contains("asks the attributed round again"));
    assert_eq!(said(h02, &held).await, Said::Declined(Reason::Refused));
    assert_eq!(h02.home.spent("all").await, spent);
    // Asked again of the new data it may tell their parts, in a round of their own.
    leave(h02, &tell(h02).await).await;
    let next = pool.open_from("yearly-alliance").await;
    assert!(matches!(said(h02, &next).await, Said::Upload(_)));

    // Under another dictionary.
    leave(h03, &tell(h03).await).await;
    sqlx::query("update told_wholes set dictionary = 'another'")
        .execute(h03.app.state.pool())
        .await
        .unwrap();
    let why = lacks(h03, question).await;
    assert!(
        matches!(why, Some(LedgerError::OtherDictionary(_))),
        "{why:?}"
    );
    assert_eq!(said(h03, &held).await, Said::Declined(Reason::Refused));
}
