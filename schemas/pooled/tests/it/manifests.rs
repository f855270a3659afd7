//! Manifests that a node and a member refuse: one table, one change a row.

use pooled::key_list::{Kind, Pinned};
use pooled::manifest::{Manifest, ManifestError, Round, Trust};
use pooled::range::RangeError;
use pooled::shape::Shape;
use pooled::threshold::ThresholdError;
use schemas::digest::Digest;
use schemas::seal::Sealed;
use schemas::time::Timestamp;

use crate::fixture::{Alliance, DAY, MARCH, NOW, signer, slug};

fn refused(alliance: &Alliance, change: &dyn Fn(&mut Manifest)) -> String {
    let mut manifest = alliance.manifest();
    change(&mut manifest);
    let error = alliance.open(&manifest).err();
    error.map_or_else(|| "accepted".to_owned(), |error| format!("{error:?}"))
}

#[test]
fn every_lowered_or_swapped_field() {
    let alliance = Alliance::new(Shape::DEFAULT, 6);
    let rows: Vec<(&str, &dyn Fn(&mut Manifest))> = vec![
        ("accepted", &|_| ()),
        ("Alliance", &|m| m.alliance = slug("other")),
        ("OtherList", &|m| m.key_list = Digest::ZERO),
        ("Committee", &|m| m.epoch = 2),
        ("Committee", &|m| m.f = 2),
        ("Committee", &|m| m.f = 0),
        ("Roster", &|m| m.roster.swap(0, 1)),
        ("Roster", &|m| m.roster[1] = m.roster[0].clone()),
        ("Roster", &|m| m.roster.push(slug("h99"))),
        ("Roster", &|m| m.roster.insert(0, slug("c3"))),
        ("Threshold(Survivors { least: 5 })", &|m| m.n_min = 4),
        ("Threshold(Roster)", &|m| m.n_min = 7),
        ("Threshold(Colluding { least: 1 })", &|m| m.t = 0),
        ("AboveMost", &|m| m.t = 3),
        ("Threshold(Survivors { least: 3 })", &|m| {
            m.roster.truncate(2);
            m.n_min = 2;
        }),
        ("Threshold(Variance { block: 1 })", &|m| {
            m.blocks[1].sigma_share = m.blocks[1].sigma_total / 2 - 1;
        }),
        ("accepted", &|m| {
            m.blocks[1].sigma_share = m.blocks[1].sigma_total / 2;
        }),
        ("Range { block: 0, fault: Coarse }", &|m| {
            m.blocks[0].scale = 0;
            m.blocks[0].sigma_total = 1024;
            m.blocks[0].sigma_share = 1024;
        }),
        ("Range { block: 1, fault: Overflow }", &|m| {
            m.blocks[1].max_cell = u64::MAX;
        }),
        ("Range { block: 1, fault: Overflow }", &|m| {
            m.max_rows = 1 << 40;
        }),
        ("Range { block: 0, fault: Block }", &|m| {
            m.blocks[0].cells = 0;
        }),
        ("Cells", &|m| m.blocks.clear()),
        ("Cells", &|m| m.blocks[0].cells = 100_000),
        ("Cells", &|m| m.blocks[0].cells = u32::MAX),
        ("Cells", &|m| m.blocks = vec![m.blocks[0].clone(); 257]),
        ("Cells", &|m| {
            std::mem::swap(&mut m.period.from, &mut m.period.to);
        }),
        ("Times", &|m| m.closes = m.opened),
        ("Times", &|m| m.answer_by = Timestamp(m.closes.0 - 1)),
        ("Times", &|m| {
            m.answer_by = Timestamp(m.opened.0 + 60 * DAY + 1);
        }),
        ("Times", &|m| m.opened = Timestamp(i64::MAX)),
        ("NotNow", &|m| m.opened = Timestamp(NOW.0 + 1)),
        ("SeatKey(h01)", &|m| {
            m.key_month = "2025-04".parse().unwrap();
        }),
        ("SeatKey(h01)", &|m| {
            m.answer_by = Timestamp(MARCH + 45 * DAY + 1);
        }),
        ("accepted", &|m| m.answer_by = Timestamp(MARCH + 45 * DAY)),
    ];
    for (place, (expected, change)) in rows.iter().enumerate() {
        assert_eq!(refused(&alliance, change), *expected, "row {place}");
    }
}

/// Two hospitals of one legal entity are one party: `t` covers both, and `n_min` counts entities.
#[test]
fn hospitals_of_one_entity_count_as_one() {
    let with = |pairs: &[[&str; 2]]| {
        let mut alliance = Alliance::new(Shape::DEFAULT, 6);
        let mut list = alliance.pinned.list().clone();
        for [first, second] in pairs {
            let entity = list.member(&slug(first)).unwrap().entity.clone();
            let mut members = list.members.iter_mut();
            let member = members.find(|one| one.id == slug(second)).unwrap();
            member.entity = entity;
        }
        let members = list.members.iter();
        alliance.accepted = members.map(|one| one.fingerprint().unwrap()).collect();
        alliance.pinned = Pinned::stored(list).unwrap();
        alliance
    };
    let none = with(&[]);
    assert_eq!(refused(&none, &|_| ()), "accepted");
    let pair = with(&[["h05", "h06"]]);
    assert_eq!(refused(&pair, &|_| ()), "Threshold(Entity { least: 2 })");
    assert_eq!(refused(&pair, &|m| m.t = 2), "accepted");
    let more = "Threshold(Entities { entities: 5, n_min: 6 })";
    let six = |m: &mut Manifest| (m.t, m.n_min) = (2, 6);
    assert_eq!(refused(&pair, &six), more);
    // Where fewer of them are asked, they are one each.
    let fewer = |m: &mut Manifest| drop(m.roster.pop());
    assert_eq!(refused(&pair, &fewer), "accepted");
    let two = with(&[["h05", "h06"], ["h03", "h04"]]);
    let fewer = "Threshold(Entities { entities: 4, n_min: 5 })";
    assert_eq!(refused(&two, &|m| m.t = 2), fewer);
}

#[test]
fn windows_and_the_list_s_validity() {
    let alliance = Alliance::new(Shape::DEFAULT, 5);
    let manifest = alliance.manifest();
    let at = |seconds: i64| alliance.open_at(&manifest, Timestamp(seconds));
    assert!(at(manifest.opened.0).is_ok() && at(manifest.answer_by.0).is_ok());
    assert!(matches!(
        at(manifest.opened.0 - 1),
        Err(ManifestError::NotNow)
    ));
    assert!(matches!(
        at(manifest.answer_by.0 + 1),
        Err(ManifestError::NotNow)
    ));
    assert!(matches!(
        at(MARCH + 32 * DAY),
        Err(ManifestError::KeyList(_))
    ));
    let round = alliance.round();
    assert!(
        round.takes_uploads(manifest.closes)
            && !round.takes_uploads(Timestamp(manifest.closes.0 + 1))
    );
    assert!(
        round.answers(manifest.answer_by) && !round.answers(Timestamp(manifest.answer_by.0 + 1))
    );
}

#[test]
fn newcomers_wait_for_the_steward_and_strangers_do_not_sign() {
    let mut alliance = Alliance::new(Shape::DEFAULT, 5);
    let manifest = alliance.manifest();
    for name in ["h05", "c3"] {
        let member = alliance.pinned.list().member(&slug(name)).unwrap();
        let fingerprint = member.fingerprint().unwrap();
        alliance.accepted.remove(&fingerprint);
        let opened = alliance.open(&manifest);
        assert!(matches!(opened, Err(ManifestError::Newcomer(id)) if id == slug(name)));
        assert_eq!(alliance.pinned.newcomers(&alliance.accepted).len(), 1);
        alliance.accepted.insert(fingerprint);
    }
    let coordinator = signer("coordinator").public();
    let trust = Trust {
        coordinator: &coordinator,
        pinned: &alliance.pinned,
        policy: &alliance.policy,
        accepted: &alliance.accepted,
    };
    let forged = Sealed::seal(&signer("h01"), &manifest).unwrap();
    assert!(matches!(
        Round::open(&forged, &trust, NOW),
        Err(ManifestError::Seal(_))
    ));
}

/// A seat by another name of a hospital's own entity counts as that hospital.
#[test]
fn collusion_is_counted_by_entity() {
    let shape = Shape::new(7, 2).unwrap();
    let alliance = Alliance::new(shape, 6);
    let seats = alliance
        .pinned
        .list()
        .members
        .iter()
        .filter(|member| member.kind == Kind::Authority);
    assert_eq!(seats.count(), 5);
    // h01 and h02 sit in the committee and are asked: t must be 2.
    let error = refused(&alliance, &|m| m.t = 1);
    assert_eq!(error, "Threshold(Colluding { least: 2 })");
    let mut without = alliance.manifest();
    without.roster.drain(..2);
    without.t = 1;
    without.n_min = 4;
    assert!(alliance.open(&without).is_ok());
}

#[test]
fn bounds_cover_all_of_the_roster() {
    let alliance = Alliance::new(Shape::DEFAULT, 5);
    let round = alliance.round();
    // 5 hospitals · 10^6 rows · 10^11, and 16·⌈√5·900⌉.
    assert_eq!(round.bounds()[1], 500_000_000_000_000_000 + 16 * 2_013);
    let error: ManifestError = ThresholdError::Shape.into();
    assert!(error.to_string().contains("shape"));
    assert!(RangeError::Overflow.to_string().contains("2^62"));
}
