//! What is odd about the rules of money: split, bonus, overspend.

use dashu::rational::RBig;

use super::{Look, look};
use crate::figures::Exact;
use crate::figures::bonus::BonusRules;
use crate::figures::budget::{BudgetRules, Tier};
use crate::figures::exact::sum;
use crate::figures::overspend::{OverspendRules, Slice};

fn parts(numerator: u8, denominator: u8) -> RBig {
    RBig::from_parts(numerator.into(), denominator.max(1).into())
}

fn is_zero(value: &Exact) -> bool {
    value.0 == RBig::ZERO
}

fn is_one(value: &Exact) -> bool {
    value.0 == RBig::ONE
}

pub(super) fn budget(of: &BudgetRules) -> Vec<Look> {
    let mut looks = vec![
        look(
            is_one(&of.alpha),
            "alpha",
            "is 1: no factor counts",
            "0.5 to 0.8",
        ),
        look(
            is_zero(&of.alpha),
            "alpha",
            "is 0: what a member got before counts for nothing",
            "0.5 to 0.8",
        ),
        look(
            is_zero(&of.reserve),
            "reserve",
            "is 0: nothing bears reasonable overspend",
            "0.05 (风险准备金)",
        ),
        look(
            of.reserve.0 > parts(1, 10),
            "reserve",
            "keeps more than a tenth from all members",
            "0.05 (风险准备金)",
        ),
        look(
            of.floor.0 > parts(49, 50) || of.ceiling.0 < parts(51, 50),
            "floor",
            "and `ceiling` leave the factors less than a fiftieth of an amount",
            "0.8 to 0.95, and 1.1 to 1.5",
        ),
        look(
            is_zero(&of.floor),
            "floor",
            "is 0: a member may lose all in one year",
            "0.8 to 0.95",
        ),
        look(
            of.ceiling.0 > RBig::from(2),
            "ceiling",
            "lets a member more than double in one year",
            "1.1 to 1.5",
        ),
        look(
            of.history
                .windows(2)
                .any(|two| matches!(two, [older, newer] if older > newer)),
            "history",
            "weighs an earlier year more than a later one",
            "rising weights, such as 1, 2, 7",
        ),
        look(
            of.control_level.0 > parts(6, 5),
            "control_level",
            "sets control figures a fifth above what cases cost",
            "0.9 to 1",
        ),
        look(
            is_one(&of.structure_gap),
            "structure_gap",
            "is 1: no gap between money and services is ever pointed out",
            "0.1 to 0.3",
        ),
    ];
    for factor in of.factors.iter().filter(|one| one.weight.0 > parts(3, 5)) {
        let (field, odd) = (format!("factors.{}.weight", factor.id), "decides alone");
        looks.push((true, field, odd.to_owned(), "at most 0.6 for one factor"));
    }
    for tier in [Tier::Tertiary, Tier::Secondary, Tier::Grassroots] {
        let marks = of.earmarks.iter().filter(|mark| mark.tiers.contains(&tier));
        let whole = sum(marks.map(|mark| &mark.share.0));
        looks.push(look(
            whole > parts(1, 2),
            "earmarks",
            &format!("bind more than half of the money of {tier:?} members").to_lowercase(),
            "at most half for single purposes",
        ));
    }
    looks
}

pub(super) fn bonus(of: &BonusRules) -> Vec<Look> {
    let pool = &of.pool;
    let mut looks = vec![
        look(
            is_zero(&of.basic_members),
            "basic_members",
            "is 0: who saves gets nothing of it",
            "0.6",
        ),
        look(
            is_zero(&of.performance_grassroots),
            "performance_grassroots",
            "is 0: all of it is the lead hospital's",
            "0.8",
        ),
        look(
            of.gate.0 > RBig::ZERO,
            "gate",
            "leaves a bonus to members whose quality fell",
            "0",
        ),
        look(
            !of.gate_covers_prizes,
            "gate_covers_prizes",
            "is off: who lost the bonus keeps prizes and the lead's part",
            "true",
        ),
        look(
            of.gaming.is_empty(),
            "gaming",
            "is empty: nothing points to split stays or made-up volume",
            "indicators of readmission, short stays, jumps of volume",
        ),
        look(
            is_zero(&pool.share),
            "pool.share",
            "is 0: there is no pool to give prizes from",
            "0.3",
        ),
        look(
            is_one(&pool.share),
            "pool.share",
            "is 1: a member keeps nothing of its own surplus",
            "0.3",
        ),
        look(
            is_zero(&pool.referrals),
            "pool.referrals",
            "is 0: referrals get no prize",
            "0.5",
        ),
        look(
            is_one(&pool.referrals),
            "pool.referrals",
            "is 1: control of chronic disease gets no prize",
            "0.5",
        ),
    ];
    for one in of.gaming.iter().filter(|one| is_one(&one.keeps)) {
        let field = format!("gaming.{}.keeps", one.id);
        let odd = "is 1: the flag changes nothing".to_owned();
        looks.push((true, field, odd, "below 1"));
    }
    for one in of
        .dimensions
        .iter()
        .filter(|one| one.weight.0 > parts(3, 5))
    {
        let field = format!("dimensions.{}.weight", one.id);
        looks.push((true, field, "decides alone".to_owned(), "at most 0.6"));
    }
    looks
}

pub(super) fn overspend(of: &OverspendRules) -> Vec<Look> {
    let corridor = &of.corridor;
    let rising = |two: &[Slice]| matches!(two, [lower, upper] if upper.covers > lower.covers);
    let last = corridor.slices.last();
    vec![
        look(
            of.next_year.0 > RBig::ONE,
            "next_year",
            "takes more from the next budget than was overspent",
            "1",
        ),
        look(
            is_zero(&of.next_year),
            "next_year",
            "is 0: overspend that is a member's own fault does not follow it into the next year",
            "1",
        ),
        look(
            is_zero(&of.insurer),
            "insurer",
            "is 0: the insurer bears nothing of reasonable overspend",
            "a share, such as 0.3",
        ),
        look(
            is_one(&of.insurer),
            "insurer",
            "is 1: the insurer bears all reasonable overspend, the reserve none",
            "a share, such as 0.3",
        ),
        look(
            is_one(&corridor.full_from),
            "corridor.full_from",
            "is 1: whoever stays below the standard keeps nothing of it",
            "0.8 to 0.9",
        ),
        look(
            is_zero(&corridor.full_from),
            "corridor.full_from",
            "is 0: the whole standard is paid however little was done",
            "0.8 to 0.9",
        ),
        look(
            corridor.slices.windows(2).any(rising),
            "corridor.slices",
            "cover more of a larger overspend than of a smaller one",
            "falling cover",
        ),
        look(
            last.is_some_and(|slice| is_one(&slice.covers)),
            "corridor.slices",
            "cover the last slice whole",
            "less than 1 in the last slice",
        ),
    ]
}
