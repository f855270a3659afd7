use schemas::money::Fen;

use super::test::{fen, measured, member, oracle, rules, slug};
use super::*;
use crate::figures::budget::Tier;

/// All members have these indicators of gaming, at zero.
fn looked_at(input: &mut BonusInput, names: &[&str]) {
    for member in &mut input.members {
        let zeros = names.iter().map(|name| (slug(name), measured("0", None)));
        member.gaming.extend(zeros);
    }
}

#[test]
fn a_gaming_figure_is_not_left_out_for_one_and_numbers_can_be_summed() {
    let mut input = oracle();
    looked_at(&mut input, &["volume-jump"]);
    assert!(bonus(&rules(), &input).is_ok());
    let name = slug("volume-jump");
    let of = input.members[2].gaming.remove(&name).unwrap();
    let id = input.members[2].id.clone();
    let left_out = ScoreError::LeftOut(id.clone(), name.clone());
    assert_eq!(scores(&rules(), &input.members).unwrap_err(), left_out);
    input.members[2].gaming.insert(name.clone(), of);
    let many = measured("0.0000000001", None);
    input.members[2].gaming.insert(name.clone(), many);
    let decimals = ScoreError::Decimals(id, name);
    assert_eq!(scores(&rules(), &input.members).unwrap_err(), decimals);
}

#[test]
fn gate_and_flags_reduce_a_score_by_the_stated_rule() {
    let mut input = oracle();
    input.members[3].quality_held = false;
    looked_at(&mut input, &["volume-jump", "same-group-readmission-15"]);
    let flags = &mut input.members[2].gaming;
    flags.insert(slug("volume-jump"), measured("0.31", None));
    // Above the limit, but not whatever the noise did.
    flags.insert(
        slug("same-group-readmission-15"),
        measured("0.06", Some("0.0001")),
    );
    let bonus = bonus(&rules(), &input).unwrap();
    let (c, d) = (&bonus.scores[2], &bonus.scores[3]);
    assert_eq!(
        (c.before.as_str(), c.counts.as_str()),
        ("0.326940", "0.294246")
    );
    assert_eq!(c.flagged, [slug("volume-jump")].into());
    assert!(d.gated && d.counts == "0.000000");
    assert!(!bonus.basic.contains_key(&slug("d")));
    // The only outstanding grassroots member left gets all of that share.
    assert_eq!(bonus.performance[&slug("c")], Fen(48_000_000));
    let sum: i64 = bonus.basic.values().map(|fen| fen.0).sum();
    assert_eq!(sum, 60_000_000);
}

/// Quality that fell and flags of gaming are not made up for by the lead's part or by prizes, unless the
/// rules say so; what is not given stays.
#[test]
fn gate_and_flags_reach_the_leads_part_and_the_prizes() {
    let mut input = oracle();
    let last = member("e", Tier::Grassroots, ["0.1", "0.1", "0.1"]);
    input.members.push(last);
    input.own = fen([("a", 192_000_000)]);
    input.referrals = [("c", 1_450), ("d", 1_120), ("e", 640)]
        .map(|(id, count)| (slug(id), count))
        .into();
    looked_at(&mut input, &["volume-jump"]);
    let whole = bonus(&rules(), &input).unwrap();
    // The lead is flagged, d's quality fell: it has the second most referrals.
    let jump = measured("0.31", None);
    input.members[0].gaming.insert(slug("volume-jump"), jump);
    input.members[3].quality_held = false;
    let covered = bonus(&rules(), &input).unwrap();
    let (a, d) = (slug("a"), slug("d"));
    assert_eq!(whole.performance[&a], Fen(12_000_000));
    assert_eq!(covered.performance[&a], Fen(10_800_000));
    let sum = |of: &Bonus| {
        of.basic
            .values()
            .chain(of.performance.values())
            .map(|fen| fen.0)
            .sum::<i64>()
    };
    assert_eq!(sum(&covered) + covered.retained.0, 185_000_000);
    assert!(whole.pool.referrals.contains_key(&d));
    assert!(!covered.pool.referrals.contains_key(&d));
    let prizes: i64 = covered.pool.referrals.values().map(|fen| fen.0).sum();
    assert_eq!(prizes, 28_800_000);
    // Half of what counts: c's prize is in proportion to what is left of its number.
    input.members[2]
        .gaming
        .insert(slug("volume-jump"), measured("0.31", None));
    let flagged = bonus(&rules(), &input).unwrap();
    assert!(flagged.pool.referrals[&slug("c")] < covered.pool.referrals[&slug("c")]);
    let text = DEFAULT.replace("gate_covers_prizes = true", "gate_covers_prizes = false");
    let other = bonus(&BonusRules::parse(&text).unwrap(), &input).unwrap();
    assert_eq!(other.performance[&a], Fen(12_000_000));
    assert_eq!(other.pool, whole.pool);
    let silent = DEFAULT.replace("gate_covers_prizes = true", "");
    assert_eq!(BonusRules::parse(&silent).unwrap(), rules());
}

/// Where the noise leaves a flag open, the interval holds the score with it and the score without it.
#[test]
fn an_open_flag_widens_the_interval_to_both_cases() {
    let mut input = oracle();
    looked_at(&mut input, &["same-group-readmission-15"]);
    let mut with = |value: &str, variance: Option<&str>| {
        let flags = &mut input.members[2].gaming;
        flags.insert(slug("same-group-readmission-15"), measured(value, variance));
        scores(&rules(), &input.members).unwrap().shown.remove(2)
    };
    let flagged = with("0.06", None);
    assert_eq!(
        (flagged.counts.as_str(), flagged.interval),
        ("0.261552", None)
    );
    for value in ["0.06", "0.045"] {
        let open = with(value, Some("0.0001"));
        assert_eq!(open.counts, "0.326940");
        let (low, high) = open.interval.unwrap();
        assert!(
            low.as_str() <= "0.261552" && high.as_str() >= "0.326940",
            "{low} {high}"
        );
    }
    // Far enough on either side it is decided.
    assert_eq!(with("0.01", Some("0.0001")).interval, None);
    assert_eq!(with("0.09", Some("0.0001")).counts, "0.261552");
}
