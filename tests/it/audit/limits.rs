//! What is refused: other people's settlements, more than the cap, a wrong total, a closed window.

use std::str::FromStr as _;

use coordinator::audit::AuditError;
use node::log::{Keeper, Leaves};
use proofs::commit::CommitError;
use proofs::exchange::{Ask, Elements, Refusal, Request};
use schemas::canonical;
use schemas::seal::{Sealed, Signer};

use super::*;

fn signer(insurer: &Insurer) -> Signer {
    let bytes = std::fs::read(insurer.folder.path("private/message.pk8")).unwrap();
    Signer::from_pkcs8(&bytes).unwrap()
}

fn sealed(signer: &Signer, request: &Request) -> Vec<u8> {
    canonical::to_bytes(&Sealed::seal(signer, request).unwrap()).unwrap()
}

fn request(payer: &str, number: u32, claims: usize) -> Request {
    let inputs: Vec<String> = (0..claims).map(|i| format!("{number}-{i}")).collect();
    let blinded = proofs::oprf::Blinded::blind(&inputs).unwrap();
    Request {
        subject: Subject {
            hospital: slug("h01"),
            payer: slug(payer),
            period: month(),
        },
        release: 1,
        number,
        ask: Ask::Evaluate(Elements(blinded.elements().to_vec())),
    }
}

async fn said(closing: &Closing, insurer: &Insurer, bytes: &[u8]) -> Result<(), Refusal> {
    let mut served = closing.serve(bytes).await.unwrap();
    if let Served::Waits(request) = served {
        closing.agree(&request).await;
        served = closing.serve(bytes).await.unwrap();
    }
    let Served::Reply(reply) = served else {
        panic!("waits");
    };
    match insurer.folder.case().unwrap().said("r", bytes, &reply) {
        Ok(_) => Ok(()),
        Err(AuditError::Refused(why)) => Err(why),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn the_cap_is_five_percent_above_the_hospitals_own_count() {
    let all = settled(303);
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    closing.close(&listed(&all)).await.unwrap();
    let key = signer(&insurer);
    // 101 settlements of I01: ⌈106.05⌉ = 107 evaluations.
    let first = sealed(&key, &request("i01", 1, 100));
    assert_eq!(said(&closing, &insurer, &first).await, Ok(()));
    // The same bytes again are the same reply and count once.
    let one = closing.serve(&first).await.unwrap();
    assert_eq!(closing.serve(&first).await.unwrap(), one);
    let over = sealed(&key, &request("i01", 2, 8));
    assert_eq!(said(&closing, &insurer, &over).await, Err(Refusal::Cap));
    let rest = sealed(&key, &request("i01", 3, 7));
    assert_eq!(said(&closing, &insurer, &rest).await, Ok(()));
    let one_more = sealed(&key, &request("i01", 4, 1));
    assert_eq!(said(&closing, &insurer, &one_more).await, Err(Refusal::Cap));
    assert_eq!(closing.serve(&first).await.unwrap(), one);
}

#[tokio::test]
async fn racing_requests_never_pass_the_cap() {
    let all = settled(303);
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    closing.close(&listed(&all)).await.unwrap();
    let key = signer(&insurer);
    let asked: Vec<Vec<u8>> = (1..=8)
        .map(|number| sealed(&key, &request("i01", number, 20)))
        .collect();
    let mut running = tokio::task::JoinSet::new();
    for bytes in asked {
        let (state, config) = (
            closing.hospital.state.clone(),
            closing.hospital.config.clone(),
        );
        running.spawn(async move {
            let served = serve(&state, &config, &bytes).await;
            (bytes, served.unwrap())
        });
    }
    let case = insurer.folder.case().unwrap();
    let mut granted = 0;
    for (bytes, served) in running.join_all().await {
        let Served::Reply(reply) = served else {
            panic!("waits")
        };
        granted += usize::from(case.said("r", &bytes, &reply).is_ok());
    }
    assert_eq!(granted, 5, "five times 20 of 107");
}

#[tokio::test]
async fn a_payer_asks_about_its_own_settlements_only() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i02").await;
    closing.close(&listed(&settled(90))).await.unwrap();
    let key = signer(&insurer);
    let theirs = sealed(&key, &request("i01", 1, 1));
    let theirs = closing.serve(&theirs);
    let refused = theirs.await.unwrap_err();
    assert!(matches!(refused, node::audit::AuditError::NotItsOwn));
    let (stranger, _) = Signer::generate().unwrap();
    let unknown = sealed(&stranger, &request("i02", 1, 1));
    let unknown = closing.serve(&unknown);
    let refused = unknown.await.unwrap_err();
    assert!(matches!(refused, node::audit::AuditError::Unknown));
    let mut elsewhere = request("i02", 1, 1);
    elsewhere.subject.hospital = slug("h02");
    let elsewhere = closing.serve(&sealed(&key, &elsewhere)).await;
    assert!(elsewhere.is_err());
    let mut bytes = sealed(&key, &request("i02", 1, 1));
    let place = bytes.len() / 2;
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    assert!(closing.serve(&bytes).await.is_err());
    let junk = Request {
        ask: Ask::Evaluate(Elements(vec![[0xff; 32]])),
        ..request("i02", 2, 1)
    };
    let junk = said(&closing, &insurer, &sealed(&key, &junk)).await;
    assert_eq!(junk, Err(Refusal::Content));
    for places in [vec![], vec![5, 5], vec![256]] {
        let open = Request {
            ask: Ask::Open {
                receiver: proofs::parcel::Receiver::generate().unwrap().0.public(),
                nonce: Digest::ZERO,
                places,
            },
            ..request("i02", 3, 1)
        };
        let open = said(&closing, &insurer, &sealed(&key, &open)).await;
        assert_eq!(open, Err(Refusal::Content));
    }
    let later = Request {
        release: 2,
        ..request("i02", 4, 1)
    };
    let later = said(&closing, &insurer, &sealed(&key, &later)).await;
    assert_eq!(later, Err(Refusal::Closed));
}

#[tokio::test]
async fn the_true_total_opens_and_one_fen_more_or_less_does_not() {
    let all = settled(90);
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    closing.close(&listed(&all)).await.unwrap();
    let own = of_payer(&all, "I01");
    insurer.audit(&closing, "i01", &paid(&own)).await;
    let total: i128 = own.iter().map(|one| i128::from(one.fen)).sum();
    let book = insurer.folder.case().unwrap();
    let book = book.believe(&closing.book("i01").await).unwrap();
    let opened = std::fs::read_to_string(insurer.folder.path("total.json")).unwrap();
    let opened: Vec<proofs::exchange::OpenedLeaf> = serde_json::from_str(&opened).unwrap();
    let mut opening = opened[0].opening().unwrap();
    assert_eq!(opening.amount, total);
    assert_eq!(book.header.total().verify(&opening), Ok(()));
    for other in [total - 1, total + 1, 0, -total] {
        opening.amount = other;
        let refused = book.header.total().verify(&opening);
        assert_eq!(refused, Err(CommitError::Opening));
    }
}

#[tokio::test]
async fn an_ended_audit_answers_nothing_and_stays_ended() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let list = listed(&settled(90));
    closing.close(&list).await.unwrap();
    let (state, data) = (&closing.hospital.state, &closing.hospital.config.data);
    for _ in 0..2 {
        node::audit::end(state, data, month(), NOW).await.unwrap();
    }
    assert!(!data.join(format!("keys/audit-{MONTH}.key")).exists());
    let bytes = sealed(&signer(&insurer), &request("i01", 1, 1));
    let refused = said(&closing, &insurer, &bytes).await;
    assert_eq!(refused, Err(Refusal::Closed));
    let other = listed(&settled(93));
    let again = closing.close_as(&other, MAPPING, &[], true).await;
    assert!(matches!(again, Err(CloseError::Ended { .. })));
    // The book is still there for whoever kept evaluations.
    Key::from_str(&closing.log_key()).unwrap();
    closing.book("i01").await;
}

#[tokio::test]
async fn beyond_the_bound_a_seeded_sample_is_opened() {
    // 1,300 settlements of I01 and an insurer that holds 100 of them: 1,436 leaves of no claim.
    let all = settled(3_900);
    let own = of_payer(&all, "I01");
    for committed in [true, false] {
        let closing = Closing::new().await;
        let insurer = Insurer::begin(&closing, "i01").await;
        let nonces = [("i01", insurer.nonce)];
        let nonces = if committed { &nonces[..] } else { &[] };
        let list = listed(&all);
        closing
            .close_as(&list, MAPPING, nonces, false)
            .await
            .unwrap();
        if committed {
            let report = insurer.audit(&closing, "i01", &paid(&own[..100])).await;
            assert_eq!((report.unmatched, report.opened), (1436, 1024));
            assert!(!report.accounted);
            let pack = Folder::new(&insurer.folder.path("pack"));
            assert_eq!(audit::verify(&pack, &Known::default()).unwrap(), report);
            // Nothing more is opened: the bound holds over all requests.
            let more = Request {
                ask: Ask::Open {
                    receiver: proofs::parcel::Receiver::generate().unwrap().0.public(),
                    nonce: Digest::ZERO,
                    places: vec![0],
                },
                ..request("i01", 9, 1)
            };
            let more = said(&closing, &insurer, &sealed(&signer(&insurer), &more)).await;
            assert_eq!(more, Err(Refusal::Opened));
        } else {
            insurer
                .prepare(&paid(&own[..100]), &closing.book("i01").await)
                .unwrap();
            closing.answer(&insurer).await;
            insurer.find().unwrap();
            assert!(audit::sample(&insurer.folder).is_err());
            // Without the nonce that was committed to, no officer is troubled.
            assert_eq!(closing.answer(&insurer).await, 0);
            let refused = audit::sample(&insurer.folder).unwrap_err();
            assert!(matches!(refused, AuditError::Refused(Refusal::Nonce)));
        }
    }
}

#[tokio::test]
async fn a_locked_or_rolled_back_node_answers_no_audit() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    closing.close(&listed(&settled(303))).await.unwrap();
    let key = signer(&insurer);
    let ask = |number| sealed(&key, &request("i01", number, 10));
    let state = &closing.hospital.state;
    let run = async |sql: &'static str| {
        sqlx::query(sql).execute(state.pool()).await.unwrap();
    };
    assert_eq!(said(&closing, &insurer, &ask(1)).await, Ok(()));
    run("insert into locks (position, locked, who, at) values (1, 1, 'zhang', 0)").await;
    let locked = closing.serve(&ask(2)).await;
    assert!(matches!(locked, Err(node::audit::AuditError::Locked)));
    run("insert into locks (position, locked, who, at) values (2, 0, 'zhang', 0)").await;
    // The coordinator shows a longer log that this node signed: its state file is an old backup.
    let (own, hospital) = (hospital_key(&closing), &closing.hospital.config.hospital);
    let keeper = Keeper::open(state, &own, hospital).await.unwrap().unwrap();
    let mut longer = proofs::tree::Log::default();
    for n in 0..99_u8 {
        longer.append(proofs::tree::leaf_hash(&[n])).unwrap();
    }
    let note = keeper.sign(&keeper.origin().await.unwrap(), &longer);
    let mut leaves = Leaves::default();
    let tree = leaves.follow(state).await.unwrap();
    keeper.compare(tree, &note.unwrap(), NOW).await.unwrap();
    let behind = closing.serve(&ask(2)).await;
    assert!(matches!(behind, Err(node::audit::AuditError::RolledBack)));
    let limits = node::answer::floors().unwrap();
    let steward = slug("zhang");
    let burned = node::ledger::burn(state, None, &limits, &steward, NOW).await;
    burned.unwrap();
    // What was asked since the backup is not known: the open month answers no more.
    let after = said(&closing, &insurer, &ask(2)).await;
    assert_eq!(after, Err(Refusal::Cap));
}

fn hospital_key(closing: &Closing) -> Signer {
    let keys = node::config::keys::Keys::open(&closing.hospital.config.data).unwrap();
    keys.message_key().unwrap()
}
