//! An insurer finds exactly what was planted, and a payer learns of its own settlements only.

use std::collections::BTreeSet;

use coordinator::audit::{self, Fault, Paid};
use proofs::book::Book;
use proofs::oprf::Blinded;
use tests::fixture::long;

use super::*;

/// What the hospital does to its list: omits, changes, repeats, invents. Gives the dishonest list
/// and the numbers by kind.
fn plant(own: &[Settled]) -> (Vec<Settled>, [BTreeSet<String>; 3], Vec<Settled>) {
    let step = own.len() / 100;
    let (mut list, mut planted) = (Vec::new(), [const { BTreeSet::new() }; 3]);
    for (i, one) in own.iter().enumerate() {
        let mut one = one.clone();
        let kind = (i % step == 7).then_some(i / step);
        match kind {
            Some(0..40) => {
                planted[0].insert(one.number);
                continue;
            }
            Some(40..65) => {
                one.fen += 1;
                planted[1].insert(one.number.clone());
            }
            Some(65..80) => {
                planted[2].insert(one.number.clone());
                list.push(one.clone());
            }
            _ => {}
        }
        list.push(one);
    }
    let invented: Vec<Settled> = (0..10)
        .map(|i| Settled {
            number: format!("INVENTED{i}"),
            payer: "I01",
            fen: 500_000 + i,
            group: "FM19",
        })
        .collect();
    list.extend(invented.iter().cloned());
    (list, planted, invented)
}

#[tokio::test]
async fn an_insurer_finds_exactly_what_was_planted() {
    let all = settled(if long() { 100_000 } else { 5_000 });
    let own = of_payer(&all, "I01");
    let (dishonest, [omitted, changed, doubled], invented) = plant(&own);
    assert_eq!([omitted.len(), changed.len(), doubled.len()], [40, 25, 15]);
    let mut list: Vec<Settled> = dishonest.clone();
    list.extend(of_payer(&all, "I02"));
    list.extend(of_payer(&all, "I03"));
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let nonce = [("i01", insurer.nonce)];
    closing
        .close_as(&listed(&list), MAPPING, &nonce, false)
        .await
        .unwrap();
    let report = insurer.audit(&closing, "i01", &paid(&own)).await;
    let found = |fault: Fault| -> Vec<&audit::Finding> {
        let findings = report.findings.iter();
        findings.filter(|finding| finding.fault == fault).collect()
    };
    let numbers = |fault: Fault| -> BTreeSet<String> {
        let found = found(fault).into_iter();
        found.filter_map(|one| one.settlement.clone()).collect()
    };
    assert_eq!(numbers(Fault::Missing), omitted);
    assert_eq!(numbers(Fault::Amount), changed);
    assert_eq!(numbers(Fault::Duplicated), doubled);
    let amounts = found(Fault::Invented).into_iter();
    let amounts: BTreeSet<i64> = amounts
        .map(|one| one.listed.as_ref().unwrap().fen)
        .collect();
    assert_eq!(amounts, invented.iter().map(|one| one.fen).collect());
    assert_eq!(report.findings.len(), 40 + 25 + 15 + 10);
    for finding in found(Fault::Amount) {
        let (paid, listed): (&Paid, &Paid) = (
            finding.paid.as_ref().unwrap(),
            finding.listed.as_ref().unwrap(),
        );
        assert_eq!(listed.fen, paid.fen + 1);
    }
    let committed: i64 = dishonest.iter().map(|one| one.fen).sum();
    assert_eq!(report.committed, committed.to_string());
    assert!(report.accounted, "every fen is explained");
    let pack = Folder::new(&insurer.folder.path("pack"));
    let key = closing.log_key();
    assert_eq!(audit::verify(&pack, &known(&key)).unwrap(), report);
}

#[tokio::test]
async fn an_honest_hospital_gives_no_finding() {
    let all = settled(900);
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i02").await;
    closing.close(&listed(&all)).await.unwrap();
    let own = of_payer(&all, "I02");
    let report = insurer.audit(&closing, "i02", &paid(&own)).await;
    assert_eq!(report.findings, []);
    assert!(report.accounted);
    assert_eq!((report.leaves, report.unmatched), (512, 212));
}

#[tokio::test]
async fn another_payer_probing_learns_nothing() {
    let all = settled(900);
    let closing = Closing::new().await;
    closing.close(&listed(&all)).await.unwrap();
    let theirs = of_payer(&all, "I01");
    let probing = Insurer::begin(&closing, "i02").await;
    // It asks about every claim of I01 that it somehow knows, in its own book …
    probing
        .prepare(&paid(&theirs), &closing.book("i02").await)
        .unwrap();
    closing.answer(&probing).await;
    let matched = probing.find().unwrap();
    assert_eq!(matched.findings.len(), theirs.len());
    assert!(
        matched
            .findings
            .iter()
            .all(|one| one.fault == Fault::Missing)
    );
    // … and looks its evaluations up in the book of I01.
    let case = probing.folder.case().unwrap();
    let request = std::fs::read(probing.folder.path("requests/0001.json")).unwrap();
    let reply = std::fs::read(probing.folder.path("replies/0001.json")).unwrap();
    let answer = case.said("0001", &request, &reply).unwrap();
    let answer = answer.as_evaluated().unwrap();
    let blinds = std::fs::read(probing.folder.path("private/blinds/0001")).unwrap();
    let blinded = Blinded::from_bytes(&blinds).unwrap();
    let inputs: Vec<Vec<u8>> = theirs
        .iter()
        .map(|one| {
            let claim = proofs::leaf::Claim::new(slug("h01"), month(), &one.number);
            claim.unwrap().key()
        })
        .collect();
    let own_key = case.believe(&closing.book("i02").await).unwrap();
    let own_key = own_key.header.public_key().unwrap();
    let outputs = blinded.finalize(&inputs, &answer, &own_key).unwrap();
    let other = Book::from_bytes(&closing.book("i01").await).unwrap();
    for output in &outputs {
        assert!(other.leaves.find(output).unwrap().is_empty());
    }
}
