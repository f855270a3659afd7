//! What follows from values that the alliance agreed on outside a year's results: shares of a coalition's
//! value (`year shapley`), and what the insurer pays of a case (`year pays`). Nothing is kept.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, bail, ensure};
use dashu::rational::RBig;
use policies::figures::bonus::shapley::{MOST, MOST_EXACT, exact, sampled};
use policies::figures::exact::sum;
use policies::figures::half_up;
use policies::figures::overspend::{OverspendRules, paid};
use schemas::id::Slug;
use schemas::money::Fen;

/// Most lines of a table.
const MOST_LINES: usize = 5_000;
/// Most orders that are drawn.
const MOST_ORDERS: u32 = 100_000;
/// Into how many parts drawn orders are divided, to see how far they lie apart.
const PARTS: u32 = 20;

/// How orders are drawn where members are too many for all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    /// How many, rounded up to whole twentieths.
    pub(super) orders: u32,
    /// The same seed, the same values.
    pub(super) seed: u64,
}

/// A table `coalition,value`: members with `+` between them, values in yuan, each coalition once.
struct Agreed {
    members: BTreeMap<Slug, usize>,
    /// By the bits of its members.
    worth: BTreeMap<u64, Fen>,
}

impl Agreed {
    fn read(table: &str) -> anyhow::Result<Self> {
        let mut lines = table.trim_start_matches('\u{feff}').lines();
        ensure!(
            lines.next().map(str::trim) == Some("coalition,value"),
            "the first line is `coalition,value`"
        );
        let mut members: BTreeMap<Slug, usize> = BTreeMap::new();
        let mut worth = BTreeMap::new();
        for (place, line) in lines
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let number = place.saturating_add(2);
            let at = || format!("line {number}");
            ensure!(
                worth.len() < MOST_LINES,
                "more than {MOST_LINES} coalitions"
            );
            let (names, value) = line.split_once(',').with_context(at)?;
            let value: Fen = value.trim().parse().with_context(at)?;
            let mut bits = 0_u64;
            for name in names.split('+') {
                let name: Slug = name.trim().parse().with_context(at)?;
                let next = members.len();
                let bit = *members.entry(name).or_insert(next);
                ensure!(bit < MOST, "line {number}: more than {MOST} members");
                ensure!(
                    bits & (1 << bit) == 0,
                    "line {number}: a member stands twice"
                );
                bits |= 1 << bit;
            }
            let before = worth.insert(bits, value);
            ensure!(
                before.is_none(),
                "line {number}: this coalition stands twice"
            );
        }
        ensure!(!members.is_empty(), "the table has no coalition");
        Ok(Self { members, worth })
    }

    /// What every coalition is worth, by its bits; all of them have to be agreed.
    fn all(&self) -> anyhow::Result<Vec<RBig>> {
        let every = 0..1_u64 << self.members.len();
        let value = |bits: u64| match self.worth.get(&bits) {
            Some(fen) => Ok(RBig::from(fen.0)),
            None if bits == 0 => Ok(RBig::ZERO),
            None => bail!("the coalition {} has no value", self.names(bits)),
        };
        every.map(value).collect()
    }

    /// A coalition is worth what the best agreed one within it is: nobody agreed on more.
    fn within(&self, coalition: &[usize]) -> RBig {
        let bits = coalition.iter().fold(0_u64, |bits, bit| bits | 1 << bit);
        let inside = self.worth.iter().filter(|(of, _)| **of & !bits == 0);
        let best = inside.map(|(_, fen)| fen.0).max();
        RBig::from(best.unwrap_or(0).max(0))
    }

    fn names(&self, bits: u64) -> String {
        let of = self
            .members
            .iter()
            .filter(|(_, bit)| bits & (1 << **bit) != 0);
        let names: Vec<&str> = of.map(|(name, _)| name.as_str()).collect();
        names.join("+")
    }
}

/// Shapley values of a table: exact where members are few enough for every coalition to be agreed on, else
/// of drawn orders.
pub(super) fn shapley(table: &str, drawn: Drawn, out: &mut dyn Write) -> anyhow::Result<()> {
    let agreed = Agreed::read(table)?;
    let count = agreed.members.len();
    let yuan = |value: &RBig| half_up(&(value / RBig::from(100)), 4);
    let (found, whole) = if count <= MOST_EXACT {
        let values = agreed.all()?;
        let whole = values.last().cloned().unwrap_or(RBig::ZERO);
        (exact(count, &values)?, whole)
    } else {
        let all: Vec<usize> = (0..count).collect();
        let (means, errors) = sample(&agreed, drawn)?;
        writeln!(
            out,
            "{} orders drawn from the seed {}; a coalition that is not in the table is worth what the best one \
             within it is",
            drawn.orders.div_ceil(PARTS).saturating_mul(PARTS),
            drawn.seed
        )?;
        for (name, bit) in &agreed.members {
            let error = errors.get(*bit).copied().unwrap_or_default() / 100.0;
            writeln!(out, "{:<16} standard error {error:>12.4}", name.as_str())?;
        }
        (means, agreed.within(&all))
    };
    for (name, bit) in &agreed.members {
        let value = found.get(*bit).cloned().unwrap_or(RBig::ZERO);
        writeln!(out, "{:<16} {:>20}", name.as_str(), yuan(&value))?;
    }
    writeln!(
        out,
        "{:<16} {:>20}  what all of them are worth together, which these add up to",
        "all",
        yuan(&whole)
    )?;
    Ok(())
}

/// Means over drawn orders, and the standard errors that parts of them show.
fn sample(agreed: &Agreed, drawn: Drawn) -> anyhow::Result<(Vec<RBig>, Vec<f64>)> {
    ensure!(
        (1..=MOST_ORDERS).contains(&drawn.orders),
        "--orders is 1 to {MOST_ORDERS}"
    );
    let count = agreed.members.len();
    let value = |coalition: &[usize]| agreed.within(coalition);
    let each = drawn.orders.div_ceil(PARTS);
    let parts = (0..PARTS).map(|part| {
        let seed = drawn
            .seed
            .wrapping_add(u64::from(part).wrapping_mul(0x9e37_79b9));
        sampled(count, each, seed, value)
    });
    let parts: Vec<Vec<RBig>> = parts.collect::<Result<_, _>>()?;
    let of = |bit: usize| {
        let values = parts.iter().filter_map(|part| part.get(bit));
        let mean = sum(values.clone()) / RBig::from(PARTS);
        let squares: f64 = values
            .map(|one| (one - &mean).to_f64().value().powi(2))
            .sum();
        let parts = f64::from(PARTS);
        (mean, (squares / (parts - 1.0) / parts).sqrt())
    };
    Ok((0..count).map(of).unzip())
}

/// What the insurer pays of a case, by the corridor of the rules.
pub(super) fn pays(
    rules: &OverspendRules,
    (standard, actual): (Fen, Fen),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let of = paid(&rules.corridor, standard, actual);
    let of = of.context("a standard and a cost are zero or more")?;
    let left = Fen(actual.0.saturating_sub(of.0));
    writeln!(
        out,
        "the insurer pays {of} of {actual}, at a standard of {standard}; {} the hospital",
        if left < Fen(0) {
            format!(
                "{} more than it cost stay with",
                Fen(left.0.saturating_neg())
            )
        } else {
            format!("{left} stay with")
        }
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(table: &str) -> Result<String, String> {
        let mut out = Vec::new();
        let drawn = Drawn {
            orders: 2_000,
            seed: 7,
        };
        let done = shapley(table, drawn, &mut out).map_err(|error| error.to_string());
        done.map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn agreed_values_are_shared_and_gaps_are_named() {
        // Two that are worth 1 and 2 alone and 5 together: 2 and 3.
        let text = told("coalition,value\na,1.00\nb,2.00\na+b,5.00\n").unwrap();
        let words: Vec<&str> = text.split_whitespace().take(6).collect();
        assert_eq!(words, ["a", "2.0000", "b", "3.0000", "all", "5.0000"]);
        for (table, why) in [
            ("a,1\n", "first line"),
            ("coalition,value\na,1\nb,2\n", "a+b has no value"),
            (
                "coalition,value\na,1\na,2\n",
                "line 3: this coalition stands twice",
            ),
            ("coalition,value\na+a,1\n", "line 2: a member stands twice"),
            ("coalition,value\na,x\n", "line 2"),
            ("coalition,value\n", "no coalition"),
        ] {
            let told = told(table).unwrap_err();
            assert!(told.contains(why), "{table}: {told}");
        }
    }

    /// Fourteen members of which the first two are worth 100 together and 20 each, the others nothing: 50 each
    /// by symmetry, whatever is drawn of the others.
    #[test]
    fn more_than_twelve_members_are_drawn() {
        let others: Vec<String> = (3..=14).map(|n| format!("m{n},0.00\n")).collect();
        let table = format!(
            "coalition,value\nm1,20.00\nm2,20.00\nm1+m2,100.00\n{}",
            others.concat()
        );
        let text = told(&table).unwrap();
        assert!(text.starts_with("2000 orders drawn from the seed 7;"));
        assert_eq!(text, told(&table).unwrap());
        let value = |name: &str, skip: usize| {
            let mut lines = text
                .lines()
                .filter(|line| line.starts_with(&format!("{name} ")));
            let line = lines.nth(skip).unwrap().split_whitespace().last().unwrap();
            line.parse::<f64>().unwrap()
        };
        // Far beyond five standard errors is a chance below 1e-6.
        for name in ["m1", "m2"] {
            let error = value(name, 0);
            assert!(error > 0.0 && (value(name, 1) - 50.0).abs() < 7.0 * error.max(0.2));
        }
        assert!(value("m3", 1).abs() < 1e-9);
        assert!((value("m1", 1) + value("m2", 1) - 100.0).abs() < 1e-3);
        assert!(text.contains("100.0000  what all of them"));
        let many: Vec<String> = (0..=60).map(|n| format!("m{n},1.00\n")).collect();
        let error = told(&format!("coalition,value\n{}", many.concat())).unwrap_err();
        assert!(error.contains("more than 60 members"));
    }

    #[test]
    fn the_corridor_says_who_keeps_what() {
        let rules = OverspendRules::parse(policies::figures::overspend::DEFAULT).unwrap();
        let told = |actual: &str| {
            let mut out = Vec::new();
            let amounts = ("10000.00".parse().unwrap(), actual.parse().unwrap());
            pays(&rules, amounts, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(told("9000.00").contains("pays 10000.00 of 9000.00"));
        assert!(told("9000.00").contains("1000.00 more than it cost stay with the hospital"));
        assert!(told("11000.00").contains("pays 10600.00 of 11000.00"));
    }
}
