//! Key lists: what their rules refuse, and what a new version must be to follow the pinned one.

use pooled::key_list::{Committee, Followed, KeyList, KeyListError, Pinned, Seat, SignedList};
use pooled::shape::Shape;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::seal::Sealed;
use schemas::time::Timestamp;

use crate::fixture::{DAY, MARCH, list, member, seat_key, sign, signer, slug};
use pooled::key_list::Kind;

fn fault(change: &dyn Fn(&mut KeyList)) -> String {
    let mut list = list(Shape::DEFAULT, 5);
    change(&mut list);
    list.check()
        .err()
        .map_or_else(|| "sound".to_owned(), |error| error.to_string())
}

fn reseat(committee: &mut Committee, seat: usize, name: &str) {
    let key = seat_key(name, 1, "2025-03", MARCH + 45 * DAY);
    let keys = vec![Sealed::seal(&signer(name), &key).unwrap()];
    committee.seats[seat] = Seat {
        member: slug(name),
        keys,
    };
}

#[test]
fn every_rule_about_a_list() {
    let rows: Vec<(&str, &dyn Fn(&mut KeyList))> = vec![
        ("sound", &|_| ()),
        ("version before", &|l| l.version = 0),
        ("version before", &|l| l.version = 2),
        ("version before", &|l| l.previous = Digest::of("x", &[])),
        ("31 days", &|l| {
            l.valid_to = Timestamp(l.valid_from.0 + 31 * DAY + 1);
        }),
        ("31 days", &|l| l.valid_to = l.valid_from),
        ("31 days", &|l| l.valid_from = Timestamp(i64::MAX - 1)),
        ("sorted", &|l| l.members.swap(0, 1)),
        ("sorted", &|l| l.members[1] = l.members[0].clone()),
        ("own key", &|l| l.members[3].key = l.members[4].key),
        ("rising epoch", &|l| l.committees.clear()),
        ("rising epoch", &|l| {
            l.committees.push(l.committees[0].clone());
        }),
        ("not in the table", &|l| l.committees[0].f = 2),
        ("not in the table", &|l| l.committees[0].seats.truncate(2)),
        ("stands in the list", &|l| {
            l.committees[0].seats[1].member = slug("h99");
        }),
        ("one entity", &|l| {
            l.committees[0].seats[1] = l.committees[0].seats[0].clone();
        }),
        ("one entity", &|l| {
            let place = l.members.iter().position(|m| m.id == slug("c3")).unwrap();
            l.members[place].entity = slug("h01-ltd");
        }),
        // The coordinator's operator sits there uncounted, counted, and more often than f.
        ("counted in f", &|l| l.operator = slug("c3-ltd")),
        ("sound", &|l| {
            l.operator = slug("c3-ltd");
            l.committees[0].operator_seats = 1;
        }),
        ("counted in f", &|l| l.committees[0].operator_seats = 1),
        ("signed by its member", &|l| {
            let [first, second, ..] = l.committees[0].seats.as_mut_slice() else {
                return;
            };
            std::mem::swap(&mut first.keys, &mut second.keys);
        }),
        ("names alliance", &|l| {
            let key = seat_key("c3", 9, "2025-03", MARCH + 45 * DAY);
            l.committees[0].seats[2].keys = vec![Sealed::seal(&signer("c3"), &key).unwrap()];
        }),
        ("rising months", &|l| {
            let again = l.committees[0].seats[2].keys[0].clone();
            l.committees[0].seats[2].keys.push(again);
        }),
        ("at most 4", &|l| {
            let again = l.committees[0].seats[2].keys[0].clone();
            l.committees[0].seats[2].keys = vec![again; 5];
        }),
        ("14 days", &|l| {
            let key = seat_key("c3", 1, "2025-03", MARCH + 45 * DAY + 1);
            l.committees[0].seats[2].keys = vec![Sealed::seal(&signer("c3"), &key).unwrap()];
        }),
        ("14 days", &|l| {
            let key = seat_key("c3", 1, "2025-03", MARCH);
            l.committees[0].seats[2].keys = vec![Sealed::seal(&signer("c3"), &key).unwrap()];
        }),
        ("twice", &|l| {
            let mut key = seat_key("c3", 1, "2025-03", MARCH + 45 * DAY);
            key.key = seat_key("h01", 1, "2025-03", MARCH + 45 * DAY).key;
            l.committees[0].seats[2].keys = vec![Sealed::seal(&signer("c3"), &key).unwrap()];
        }),
    ];
    for (place, (expected, change)) in rows.iter().enumerate() {
        let fault = fault(change);
        assert!(fault.contains(expected), "row {place}: {fault}");
    }
}

fn first() -> (KeyList, Pinned) {
    let list = list(Shape::DEFAULT, 5);
    let signed = sign(&list, &["h01", "h02"]);
    let bytes = canonical::to_bytes(&signed).unwrap();
    let read = SignedList::parse(&bytes).unwrap();
    assert_eq!(read, signed);
    // The first list's own t_max is 2: three hospitals stand behind the next.
    let few = Pinned::first(&signed, &signer("alliance").public(), 1);
    assert!(matches!(
        few,
        Err(KeyListError::Countersigned {
            found: 2,
            needed: 3
        })
    ));
    let signed = sign(&list, &["h01", "h02", "h03"]);
    let other = Pinned::first(&signed, &signer("h01").public(), 1);
    assert!(matches!(other, Err(KeyListError::Seal(_))));
    let pinned = Pinned::first(&signed, &signer("alliance").public(), 1).unwrap();
    assert_eq!(Pinned::stored(list.clone()).unwrap(), pinned);
    (list, pinned)
}

fn next(list: &KeyList, pinned: &Pinned) -> KeyList {
    KeyList {
        version: 2,
        previous: pinned.hash(),
        ..list.clone()
    }
}

#[test]
fn versions_follow_each_other_and_need_hospitals_of_the_list_before() {
    let (list, pinned) = first();
    let alliance = signer("alliance").public();
    let three = ["h01", "h02", "h03"];
    let follow = |next: &KeyList, by: &[&str]| pinned.follow(&sign(next, by), &alliance, 1);
    let mut grown = next(&list, &pinned);
    grown.members.push(member("h06", Kind::Hospital));
    let Followed::Next(newer) = follow(&grown, &three).unwrap() else {
        panic!()
    };
    assert_eq!(newer.list().version, 2);
    assert_eq!(
        newer.newcomers(&accepted(&pinned)),
        [newer.list().member(&slug("h06")).unwrap()]
    );
    assert!(matches!(follow(&list, &[]), Ok(Followed::Same)));

    // Colluders, the newcomer itself, others than hospitals, one hospital twice.
    for by in [
        &["h01", "h02"][..],
        &["h01", "h02", "h06"],
        &["h01", "h02", "c3", "c4"],
        &["h01", "h02", "h02"],
    ] {
        let few = follow(&grown, by);
        assert!(
            matches!(
                few,
                Err(KeyListError::Countersigned {
                    found: 2,
                    needed: 3
                })
            ),
            "{by:?}"
        );
    }
    // Local policy asks for more.
    let more = pinned.follow(&sign(&grown, &three), &alliance, 3);
    assert!(matches!(
        more,
        Err(KeyListError::Countersigned {
            found: 3,
            needed: 4
        })
    ));
    // The list cannot lower its own demand: the one before decides.
    let mut lax = grown.clone();
    lax.t_max = 0;
    assert!(follow(&lax, &three[..2]).is_err() && follow(&lax, &three).is_ok());

    let forked = KeyList {
        t_max: 1,
        ..list.clone()
    };
    assert!(matches!(
        follow(&forked, &three),
        Err(KeyListError::Forked { version: 1 })
    ));
    let far = KeyList {
        version: 3,
        ..grown.clone()
    };
    assert!(matches!(
        follow(&far, &three),
        Err(KeyListError::Version { expected: 2 })
    ));
    let stray = KeyList {
        previous: Digest::of("x", &[]),
        ..grown.clone()
    };
    assert!(matches!(
        follow(&stray, &three),
        Err(KeyListError::Previous)
    ));
    let lower = newer.follow(&sign(&list, &three), &alliance, 1);
    assert!(matches!(lower, Err(KeyListError::Version { expected: 3 })));
    let other = KeyList {
        alliance: slug("other"),
        ..grown.clone()
    };
    assert!(follow(&other, &three).is_err());
    assert!(
        pinned
            .follow(&sign(&grown, &three), &signer("h01").public(), 1)
            .is_err()
    );
}

fn accepted(pinned: &Pinned) -> std::collections::BTreeSet<Digest> {
    pinned
        .list()
        .members
        .iter()
        .map(|member| member.fingerprint().unwrap())
        .collect()
}

#[test]
fn hospitals_of_one_entity_countersign_once() {
    let mut list = list(Shape::DEFAULT, 5);
    list.members
        .iter_mut()
        .filter(|m| m.id == slug("h03"))
        .for_each(|m| m.entity = slug("h02-ltd"));
    let signed = sign(&list, &["h01", "h02", "h03"]);
    let few = Pinned::first(&signed, &signer("alliance").public(), 1);
    assert!(matches!(
        few,
        Err(KeyListError::Countersigned {
            found: 2,
            needed: 3
        })
    ));
}

#[test]
fn a_committee_keeps_its_seats_and_published_keys() {
    let (list, pinned) = first();
    let alliance = signer("alliance").public();
    let three = ["h01", "h02", "h03"];
    let follow = |change: &dyn Fn(&mut KeyList)| {
        let mut newer = next(&list, &pinned);
        change(&mut newer);
        let followed = pinned.follow(&sign(&newer, &three), &alliance, 1);
        followed
            .err()
            .map_or_else(|| "followed".to_owned(), |error| error.to_string())
    };
    assert_eq!(follow(&|_| ()), "followed");
    // April's key joins March's; March's is dropped later.
    let april = || seat_key("c3", 1, "2025-04", MARCH + 70 * DAY);
    let add = |l: &mut KeyList| {
        l.committees[0].seats[2]
            .keys
            .push(Sealed::seal(&signer("c3"), &april()).unwrap());
    };
    assert_eq!(follow(&add), "followed");
    let changed = |l: &mut KeyList| {
        let mut key = seat_key("c3", 1, "2025-03", MARCH + 45 * DAY);
        key.key = april().key;
        l.committees[0].seats[2].keys = vec![Sealed::seal(&signer("c3"), &key).unwrap()];
    };
    assert!(follow(&changed).contains("never changes"));
    assert!(follow(&|l| reseat(&mut l.committees[0], 3, "h05")).contains("keeps its seats"));
    assert!(follow(&|l| l.committees[0].seats.swap(0, 1)).contains("keeps its seats"));
    assert!(
        follow(&|l| {
            let place = l.members.iter().position(|m| m.id == slug("c3")).unwrap();
            l.members[place].entity = slug("elsewhere");
        })
        .contains("keeps its entity")
    );
    // A new epoch may sit others, but only a higher one.
    let epoch = |epoch: u32| {
        move |l: &mut KeyList| {
            let mut committee = l.committees[0].clone();
            committee.epoch = epoch;
            for seat in &mut committee.seats {
                seat.keys.clear();
            }
            l.committees.push(committee);
            l.committees.sort_by_key(|committee| committee.epoch);
        }
    };
    assert_eq!(follow(&epoch(2)), "followed");
    assert!(follow(&epoch(0)).contains("higher epoch"));
}

#[test]
fn an_expired_list_is_not_used() {
    let (_, pinned) = first();
    let at = |seconds: i64| pinned.check_valid(Timestamp(seconds)).is_ok();
    assert!(at(MARCH) && at(MARCH + 31 * DAY));
    assert!(!at(MARCH - 1) && !at(MARCH + 31 * DAY + 1));
}
