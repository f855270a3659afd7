//! Leaves are opened once two officers have signed for exactly this request, and not otherwise.

use coordinator::audit::AuditError;
use node::audit::{AuditError as Refused, Stands};
use policies::access::OfficersError;
use proofs::exchange::{Ask, Refusal, Request};
use schemas::canonical;
use schemas::officer::OpeningApproval;
use schemas::seal::Sealed;

use super::*;

/// A request for the opening of some leaves, signed.
fn open(key: &Signer, payer: &str, number: u32) -> (Vec<u8>, Digest) {
    let request = Request {
        subject: Subject {
            hospital: slug("h01"),
            payer: slug(payer),
            period: month(),
        },
        release: 1,
        number,
        ask: Ask::Open {
            receiver: proofs::parcel::Receiver::generate().unwrap().0.public(),
            nonce: Digest::ZERO,
            places: vec![1, 2, 3],
        },
    };
    let sealed = Sealed::seal(key, &request).unwrap();
    let digest = sealed.digest().unwrap();
    (canonical::to_bytes(&sealed).unwrap(), digest)
}

fn payer_key(insurer: &Insurer) -> Signer {
    let bytes = std::fs::read(insurer.folder.path("private/message.pk8")).unwrap();
    Signer::from_pkcs8(&bytes).unwrap()
}

async fn closed() -> (Closing, Insurer) {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    closing.close(&listed(&settled(90))).await.unwrap();
    (closing, insurer)
}

async fn waits(closing: &Closing, bytes: &[u8]) -> bool {
    matches!(closing.serve(bytes).await.unwrap(), Served::Waits(_))
}

async fn refused(closing: &Closing, insurer: &Insurer, bytes: &[u8]) -> Refusal {
    let Served::Reply(reply) = closing.serve(bytes).await.unwrap() else {
        panic!("waits");
    };
    match insurer.folder.case().unwrap().said("r", bytes, &reply) {
        Err(AuditError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

async fn stands(closing: &Closing, request: &Digest) -> Stands {
    let (state, config) = (&closing.hospital.state, &closing.hospital.config);
    let standing = standing(state, config).await;
    let all = node::audit::openings(state, &standing, &config.hospital).await;
    let mut all = all.unwrap().into_iter();
    let found = all.find(|one| one.request == *request).unwrap();
    assert_eq!((found.payer.as_str(), found.leaves), ("i01", 3));
    found.state
}

#[tokio::test]
async fn two_different_officers_sign_for_one_request() {
    let (closing, insurer) = closed().await;
    let (bytes, digest) = open(&payer_key(&insurer), "i01", 1);
    let early = closing.sign(officers::STEWARD, &digest).await;
    assert!(matches!(early, Err(Refused::NoOpening(_))), "not asked yet");
    assert!(waits(&closing, &bytes).await);
    assert_eq!(stands(&closing, &digest).await, Stands::Waits(Vec::new()));
    assert_eq!(closing.sign(officers::STEWARD, &digest).await.unwrap(), 1);
    assert!(waits(&closing, &bytes).await, "one is not enough");
    let again = closing.sign(officers::STEWARD, &digest).await;
    assert!(
        matches!(again, Err(Refused::Again(_))),
        "twice is one person"
    );
    assert!(waits(&closing, &bytes).await);
    let one = Stands::Waits(vec![slug(officers::STEWARD)]);
    assert_eq!(stands(&closing, &digest).await, one);
    assert_eq!(closing.sign(officers::SECOND, &digest).await.unwrap(), 2);
    // Another request, though it asks for the same, waits for signatures of its own.
    let (other, _) = open(&payer_key(&insurer), "i01", 2);
    assert!(waits(&closing, &other).await);
    assert!(!waits(&closing, &bytes).await);
    assert_eq!(stands(&closing, &digest).await, Stands::Answered);
    let late = closing.sign(officers::STEWARD, &digest).await;
    assert!(matches!(late, Err(Refused::Decided("answered"))));
    let log = closing.hospital.state.log().await.unwrap();
    let entry = log
        .iter()
        .rfind(|entry| entry.kind.as_str() == "audit")
        .unwrap();
    let names = format!("{},{}", officers::STEWARD, officers::SECOND);
    assert_eq!(entry.detail[&slug("officers")], names);
    assert_eq!(entry.detail[&slug("request")], digest.to_string());
    let signed = log
        .iter()
        .filter(|entry| entry.kind.as_str() == "audit-approve");
    assert_eq!(signed.count(), 2);
    // The signatures outlive the month's key.
    let (state, data) = (&closing.hospital.state, &closing.hospital.config.data);
    node::audit::end(state, data, month(), NOW).await.unwrap();
    assert_eq!(stands(&closing, &digest).await, Stands::Answered);
    let kept: i64 = sqlx::query_scalar("select count(*) from audit_signatures where request = $1")
        .bind(digest.to_string())
        .fetch_one(state.pool())
        .await
        .unwrap();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn a_payer_that_was_removed_is_answered_no_more() {
    let (closing, insurer) = closed().await;
    let state = &closing.hospital.state;
    let (bytes, digest) = open(&payer_key(&insurer), "i01", 1);
    assert!(waits(&closing, &bytes).await);
    closing.agree(&digest).await;
    assert!(
        node::audit::unregister(state, &slug("i01"), NOW)
            .await
            .unwrap()
    );
    assert!(
        !node::audit::unregister(state, &slug("i01"), NOW)
            .await
            .unwrap()
    );
    let shut = closing.serve(&bytes).await;
    assert!(matches!(shut, Err(Refused::Unknown)));
    let log = state.log().await.unwrap();
    assert!(
        log.iter()
            .any(|entry| entry.kind.as_str() == "audit-payer-leaves")
    );
}

/// Puts a signature into the state file as somebody would who owns the file.
async fn plant(
    closing: &Closing,
    request: &Digest,
    name: &str,
    key: &Signer,
    says: &OpeningApproval,
) {
    let sealed = Sealed::seal(key, says).unwrap();
    sqlx::query(
        "insert or replace into audit_signatures (request, officer, approval) values ($1, $2, $3)",
    )
    .bind(request.to_string())
    .bind(name.to_owned())
    .bind(serde_json::to_string(&sealed).unwrap())
    .execute(closing.hospital.state.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn forged_foreign_and_misplaced_signatures_count_for_nothing() {
    let (closing, insurer) = closed().await;
    let (bytes, digest) = open(&payer_key(&insurer), "i01", 1);
    assert!(waits(&closing, &bytes).await);
    closing.sign(officers::STEWARD, &digest).await.unwrap();
    let (state, config) = (&closing.hospital.state, &closing.hospital.config);
    let text: String = sqlx::query_scalar("select approval from audit_signatures")
        .fetch_one(state.pool())
        .await
        .unwrap();
    let sound: Sealed<OpeningApproval> = serde_json::from_str(&text).unwrap();
    let first = officers::key(&config.data, officers::STEWARD);
    let second = officers::key(&config.data, officers::SECOND);
    let sound = OpeningApproval {
        officer: slug(officers::SECOND),
        ..sound.open(&first.public()).unwrap()
    };
    let (foreign, _) = Signer::generate().unwrap();
    let other = Digest::of("other", &[]);
    let says = |change: fn(&mut OpeningApproval, Digest)| {
        let mut says = sound.clone();
        change(&mut says, other);
        says
    };
    let steward = OpeningApproval {
        officer: slug(officers::STEWARD),
        ..sound.clone()
    };
    for (what, key, says) in [
        ("a foreign key", &foreign, sound.clone()),
        (
            "the first officer in the second's name",
            &first,
            sound.clone(),
        ),
        ("the first officer a second time", &first, steward.clone()),
        ("the second in the first's name", &second, steward),
        (
            "another request",
            &second,
            says(|it, other| it.request = other),
        ),
        (
            "another checkpoint",
            &second,
            says(|it, other| it.checkpoint = other),
        ),
        (
            "another policy",
            &second,
            says(|it, other| it.policy = other),
        ),
        (
            "another hospital",
            &second,
            says(|it, _| it.hospital = slug("h02")),
        ),
    ] {
        plant(&closing, &digest, officers::SECOND, key, &says).await;
        assert!(waits(&closing, &bytes).await, "{what}");
    }
    plant(&closing, &digest, officers::SECOND, &second, &sound).await;
    assert!(!waits(&closing, &bytes).await);
    // A name with another's key, and a name that nobody has.
    let standing = standing(state, config).await;
    let (second, nobody) = (slug(officers::SECOND), slug("nobody"));
    let (_, next) = open(&payer_key(&insurer), "i01", 2);
    for (name, key) in [(&second, &foreign), (&nobody, &foreign)] {
        let by = acting(config, &standing, (name, key));
        let refused = node::audit::approve(state, by, &next).await;
        assert!(matches!(
            refused,
            Err(Refused::Officers(
                OfficersError::Seal(_) | OfficersError::Unknown(_)
            ))
        ));
    }
}

#[tokio::test]
async fn an_officers_refusal_is_final_and_its_reason_stays_here() {
    let (closing, insurer) = closed().await;
    let (bytes, digest) = open(&payer_key(&insurer), "i01", 1);
    assert!(waits(&closing, &bytes).await);
    closing.sign(officers::STEWARD, &digest).await.unwrap();
    let (state, config) = (&closing.hospital.state, &closing.hospital.config);
    let standing = standing(state, config).await;
    let (name, key) = (
        slug(officers::SECOND),
        officers::key(&config.data, officers::SECOND),
    );
    let by = acting(config, &standing, (&name, &key));
    let empty = node::audit::refuse(state, by, &digest, "").await;
    assert!(empty.is_err());
    let reason = "asked twice for one month";
    node::audit::refuse(state, by, &digest, reason)
        .await
        .unwrap();
    assert_eq!(refused(&closing, &insurer, &bytes).await, Refusal::Declined);
    assert_eq!(stands(&closing, &digest).await, Stands::Refused(name));
    let late = closing.sign(officers::SECOND, &digest).await;
    assert!(matches!(late, Err(Refused::Decided("refused"))));
    for entry in state.log().await.unwrap() {
        assert!(!entry.detail.values().any(|value| value.contains(reason)));
    }
}

#[tokio::test]
async fn the_policy_in_force_decides_and_its_change_voids_signatures() {
    let (closing, insurer) = closed().await;
    let key = payer_key(&insurer);
    let (bytes, digest) = open(&key, "i01", 1);
    assert!(waits(&closing, &bytes).await);
    closing.agree(&digest).await;
    let (state, config) = (&closing.hospital.state, &closing.hospital.config);
    let narrow = async |policy: &str| {
        std::fs::write(config.data.join(node::access::ACCESS), policy).unwrap();
        let rules = node::answer::policy(config).unwrap();
        officers::sign(config, state, &rules, NOW).await;
    };
    // What was signed under the policy before does not count under this one.
    narrow("@id(\"own\") forbid (principal, action, resource) when { false };").await;
    assert!(waits(&closing, &bytes).await);
    closing.agree(&digest).await;
    assert!(!waits(&closing, &bytes).await);
    narrow(
        "@id(\"own\") forbid (principal, action, resource) when { false };\n\
         @id(\"none\") forbid (principal, action == Alliance::Action::\"openRecord\", resource);",
    )
    .await;
    let (next, _) = open(&key, "i01", 2);
    assert_eq!(refused(&closing, &insurer, &next).await, Refusal::Forbidden);
    narrow(
        "@id(\"own\") forbid (principal, action, resource) when { false };\n\
         @id(\"none\") forbid (principal, action == Alliance::Action::\"openRecord\", resource);\n\
         @id(\"all\") forbid (principal, action == Alliance::Action::\"auditSettlement\", resource);",
    )
    .await;
    let shut = closing.serve(&open(&key, "i01", 3).0).await;
    assert!(matches!(shut, Err(Refused::Forbidden(_))));
}

#[tokio::test]
async fn who_asks_does_not_sign_and_waiting_openings_are_bounded() {
    let (closing, insurer) = closed().await;
    let (state, config) = (&closing.hospital.state, &closing.hospital.config);
    // An officer whose key is registered as a payer's too.
    let own = officers::key(&config.data, officers::SECOND);
    node::audit::register(state, &slug("i02"), &own.public(), NOW)
        .await
        .unwrap();
    let (bytes, digest) = open(&own, "i02", 1);
    assert!(waits(&closing, &bytes).await);
    closing.agree(&digest).await;
    assert!(waits(&closing, &bytes).await, "one of the two asked");
    let key = payer_key(&insurer);
    let mut asked = Vec::new();
    for number in 1..=64 {
        let (bytes, digest) = open(&key, "i01", number);
        assert!(waits(&closing, &bytes).await);
        asked.push(digest);
    }
    // One more is not refused: it stays where it is until the officers have decided about another.
    let (more, _) = open(&key, "i01", 65);
    assert_eq!(closing.serve(&more).await.unwrap(), Served::Later);
    let (name, key) = (
        slug(officers::SECOND),
        officers::key(&config.data, officers::SECOND),
    );
    let standing = standing(state, config).await;
    let by = acting(config, &standing, (&name, &key));
    node::audit::refuse(state, by, &asked[0], "too many")
        .await
        .unwrap();
    assert!(waits(&closing, &more).await);
    // What nothing came of goes with the month, what was decided stays.
    node::audit::end(state, &config.data, month(), NOW)
        .await
        .unwrap();
    let left = node::audit::openings(state, &standing, &config.hospital).await;
    let left: Vec<Digest> = left.unwrap().iter().map(|one| one.request).collect();
    assert_eq!(left, [asked[0]]);
}
