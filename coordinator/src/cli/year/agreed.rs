//! What follows from values that the alliance agreed on outside a year's results: shares of a coalition's
//! value (`year shapley`), and what the insurer pays of a case (`year pays`). Nothing is kept.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, bail, ensure};
use dashu::rational::RBig;
use policies::figures::bonus::shapley::{MOST_EXACT, exact};
use policies::figures::half_up;
use policies::figures::overspend::{OverspendRules, paid};
use schemas::id::Slug;
use schemas::money::Fen;

/// Exact Shapley values of a table `coalition,value`: members with `+` between them, values in yuan. The
/// empty coalition is worth nothing; every other one stands in the table once.
pub(super) fn shapley(table: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut lines = table.trim_start_matches('\u{feff}').lines();
    ensure!(
        lines.next().map(str::trim) == Some("coalition,value"),
        "the first line is `coalition,value`"
    );
    let mut members: BTreeMap<Slug, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for (place, line) in lines
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let number = place.saturating_add(2);
        let at = || format!("line {number}");
        let (names, value) = line.split_once(',').with_context(at)?;
        let names: Result<Vec<Slug>, _> =
            names.split('+').map(|name| name.trim().parse()).collect();
        let names = names.with_context(at)?;
        let value: Fen = value.trim().parse().with_context(at)?;
        for name in &names {
            let next = members.len();
            members.entry(name.clone()).or_insert(next);
        }
        ensure!(
            members.len() <= MOST_EXACT,
            "line {number}: more than {MOST_EXACT} members; their coalitions are too many to agree on"
        );
        rows.push((number, names, value));
    }
    ensure!(!members.is_empty(), "the table has no coalition");
    let mut values: Vec<Option<RBig>> = vec![None; 1 << members.len()];
    if let Some(nobody) = values.first_mut() {
        *nobody = Some(RBig::ZERO);
    }
    for (number, names, value) in rows {
        let mut place = 0_usize;
        for bit in names.iter().filter_map(|name| members.get(name)) {
            ensure!(
                place & (1 << bit) == 0,
                "line {number}: a member stands twice"
            );
            place |= 1 << bit;
        }
        match values.get_mut(place) {
            Some(known @ None) => *known = Some(RBig::from(value.0)),
            _ => bail!("line {number}: this coalition stands twice"),
        }
    }
    let missing = values.iter().position(Option::is_none);
    if let Some(missing) = missing {
        let of = members
            .iter()
            .filter(|(_, bit)| missing & (1 << **bit) != 0);
        let names: Vec<&str> = of.map(|(name, _)| name.as_str()).collect();
        bail!("the coalition {} has no value", names.join("+"));
    }
    let values: Vec<RBig> = values.into_iter().flatten().collect();
    let found = exact(members.len(), &values)?;
    for (name, bit) in &members {
        let value = found.get(*bit).cloned().unwrap_or(RBig::ZERO);
        let yuan = half_up(&(value / RBig::from(100)), 4);
        writeln!(out, "{:<16} {yuan:>20}", name.as_str())?;
    }
    let whole = values.last().cloned().unwrap_or(RBig::ZERO);
    writeln!(
        out,
        "{:<16} {:>20}  what all of them are worth together, which these add up to",
        "all",
        half_up(&(whole / RBig::from(100)), 4)
    )?;
    Ok(())
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
        let done = shapley(table, &mut out).map_err(|error| error.to_string());
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
