//! What complaints of seats come to. A seat's word that a hospital's part is bad can be true for that
//! seat alone, and it can be a lie; nobody else sees its box. So a complaint takes nobody out while a
//! quorum of other seats finds the set sound: they certify and add up without the complaining seat,
//! as they do without one that is absent.

use std::collections::{BTreeMap, BTreeSet};

use pooled::shape::Shape;
use schemas::id::Slug;
use schemas::time::Timestamp;

/// The longest that seats which have said nothing are waited for, in seconds, once one complained.
const LONGEST_GRACE: i64 = 86_400;

/// What seats said to a proposed set.
#[derive(Debug)]
pub(super) struct Words<'w> {
    /// The committee.
    pub(super) shape: Shape,
    /// Seats that found it sound.
    pub(super) sound: &'w BTreeSet<Slug>,
    /// Seats that complained, and about which hospitals of the set.
    pub(super) complaints: &'w BTreeMap<Slug, BTreeSet<Slug>>,
    /// Hospitals in the set.
    pub(super) survivors: usize,
    /// Fewer than this: the round dies.
    pub(super) n_min: usize,
}

/// What follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// The set stands; more seats may still find it sound.
    Wait,
    /// A set without these hospitals is proposed.
    Without(BTreeSet<Slug>),
    /// No set that is large enough is one that a quorum may find sound.
    Nothing,
}

/// Whether seats that have said nothing were waited for long enough: half of what was left when the
/// set was proposed, a day at most.
pub(super) fn waited(proposed: Timestamp, last: Timestamp, now: Timestamp) -> bool {
    let left = last.0.saturating_sub(proposed.0).max(0);
    let grace = (left / 2).min(LONGEST_GRACE);
    now.0 > proposed.0.saturating_add(grace)
}

/// What follows from complaints about a set that no quorum has found sound yet. Hospitals named by
/// more than `f` seats are out: an honest one is among these. Of others, those go that as few seats
/// complain about as a quorum still lacks, whoever names the fewest first; so one that names many
/// stays unheard where others are enough. Seats that have said nothing count as if they would find
/// the set sound, until they were waited for.
pub(super) fn next(words: &Words<'_>, waited: bool) -> Next {
    let said: BTreeSet<&Slug> = words.sound.iter().chain(words.complaints.keys()).collect();
    let silent = usize::from(words.shape.m()).saturating_sub(said.len());
    let with_silent = without(words, silent);
    let alone = if waited { without(words, 0) } else { None };
    match (alone, with_silent) {
        (Some(out), _) | (None, Some(out)) if !out.is_empty() => Next::Without(out),
        (_, Some(_)) => Next::Wait,
        (_, None) => Next::Nothing,
    }
}

/// The hospitals to leave out so that a quorum may find the rest sound, if `silent` seats do.
fn without(words: &Words<'_>, silent: usize) -> Option<BTreeSet<Slug>> {
    let f = usize::from(words.shape.f());
    let mut named: BTreeMap<&Slug, usize> = BTreeMap::new();
    for hospital in words.complaints.values().flatten() {
        let seats = named.entry(hospital).or_default();
        *seats = seats.saturating_add(1);
    }
    let confirmed = named.into_iter().filter(|(_, seats)| *seats > f);
    let mut out: BTreeSet<Slug> = confirmed.map(|(hospital, _)| hospital.clone()).collect();
    let holds = |out: &BTreeSet<Slug>| words.survivors.saturating_sub(out.len()) >= words.n_min;
    if !holds(&out) {
        return None;
    }
    loop {
        let content = |names: &&BTreeSet<Slug>| names.is_subset(&out);
        let content = words.complaints.values().filter(content).count();
        let sound = words.sound.iter();
        let sound = sound.filter(|seat| !words.complaints.contains_key(*seat));
        let able = sound.count().saturating_add(silent);
        if able.saturating_add(content) >= words.shape.quorum() {
            return Some(out);
        }
        let more = words
            .complaints
            .iter()
            .filter(|(_, names)| !names.is_subset(&out))
            .min_by_key(|(seat, names)| (names.difference(&out).count(), *seat));
        let (_, names) = more?;
        out.extend(names.iter().cloned());
        if !holds(&out) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<Slug> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    type Said<'s> = (&'s str, &'s [&'s str]);

    fn judged(
        (m, f): (usize, u8),
        sound: &[&str],
        complaints: &[Said<'_>],
        (survivors, n_min): (usize, usize),
        waited: bool,
    ) -> Next {
        let complaints = complaints
            .iter()
            .map(|(seat, about)| (seat.parse().unwrap(), names(about)))
            .collect();
        let words = Words {
            shape: Shape::new(m, f).unwrap(),
            sound: &names(sound),
            complaints: &complaints,
            survivors,
            n_min,
        };
        next(&words, waited)
    }

    fn out(hospitals: &[&str]) -> Next {
        Next::Without(names(hospitals))
    }

    const FIVE: [&str; 5] = ["h1", "h2", "h3", "h4", "h5"];

    /// One seat of (4, 1) ends nothing and keeps nobody out, however many it names and however early.
    #[test]
    fn one_seat_of_four_neither_ends_a_round_nor_keeps_a_hospital_out() {
        for about in [&FIVE[..], &FIVE[..1]] {
            for sound in [&[][..], &["b"], &["b", "c"]] {
                let next = judged((4, 1), sound, &[("a", about)], (5, 4), false);
                assert_eq!(next, Next::Wait, "{about:?} {sound:?}");
            }
        }
        // Where another seat stays away as well, one hospital may go; never so many that the round dies.
        let sound = ["b", "c"];
        let next = |about: &[&str]| judged((4, 1), &sound, &[("a", about)], (5, 4), true);
        assert_eq!(next(&FIVE[..1]), out(&["h1"]));
        assert_eq!(next(&FIVE[..2]), Next::Wait);
    }

    #[test]
    fn what_more_than_f_seats_say_counts_at_once() {
        let both: [Said<'_>; 2] = [("a", &["h1"]), ("b", &["h1", "h2", "h3"])];
        assert_eq!(judged((4, 1), &[], &both, (5, 4), false), out(&["h1"]));
        // Two that name different hospitals: one of them is heard, the one that names fewer.
        let two: [Said<'_>; 2] = [("a", &["h1", "h2"]), ("b", &["h3"])];
        assert_eq!(judged((4, 1), &["c"], &two, (9, 7), false), out(&["h3"]));
        // Two of seven are passed over; the third is one too many.
        let two: [Said<'_>; 2] = [("a", &FIVE), ("b", &FIVE)];
        assert_eq!(judged((7, 2), &["c"], &two, (9, 8), false), Next::Wait);
        let three: [Said<'_>; 3] = [("a", &FIVE), ("b", &FIVE), ("c", &["h1"])];
        assert_eq!(judged((7, 2), &["d"], &three, (9, 8), false), out(&["h1"]));
        let three: [Said<'_>; 3] = [("a", &FIVE), ("b", &FIVE), ("c", &FIVE)];
        assert_eq!(judged((7, 2), &["d"], &three, (9, 8), false), Next::Nothing);
    }

    /// Committees that need every seat can pass over none.
    #[test]
    fn of_three_seats_each_is_needed() {
        for f in [1, 2] {
            let one: [Said<'_>; 1] = [("a", &["h1"])];
            assert_eq!(judged((3, f), &[], &one, (5, 4), false), out(&["h1"]));
            let all: [Said<'_>; 1] = [("a", &FIVE)];
            assert_eq!(judged((3, f), &["b"], &all, (5, 4), false), Next::Nothing);
        }
    }

    #[test]
    fn the_grace_is_half_of_what_is_left_and_a_day_at_most() {
        let (proposed, hour) = (Timestamp(1_000), 3_600);
        let after = |left: i64, passed: i64| {
            waited(proposed, Timestamp(1_000 + left), Timestamp(1_000 + passed))
        };
        assert!(!after(2 * hour, hour) && after(2 * hour, hour + 1));
        assert!(!after(90 * 24 * hour, 24 * hour) && after(90 * 24 * hour, 24 * hour + 1));
        assert!(after(-5, 1));
    }
}
