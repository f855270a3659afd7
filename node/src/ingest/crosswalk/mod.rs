//! Crosswalks: tables from the codes of one system to those of another (departments of four digits to six,
//! consumables of three systems to one list), with months from which and until which a line holds. Several
//! codes may go to one; one code goes to several only with shares that add up to exactly one.

mod bound;
#[cfg(test)]
mod test;

pub use bound::{Crosswalks, Split, Walk};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dashu::rational::RBig;
use policies::figures::Exact;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use super::table::{Line, TableError, each};

/// Most lines of a crosswalk.
pub const LINES: usize = 200_000;
/// Longest code in characters.
const CODE: usize = 64;

/// A line of a crosswalk.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Code in the source.
    pub source: String,
    /// First month; from the beginning where it is left out.
    pub from: Option<Month>,
    /// Last month; to the end where it is left out.
    pub to: Option<Month>,
    /// Code that it becomes.
    pub target: String,
    /// Its share among the targets of the code: this of the sum of them all. Above zero.
    pub share: u64,
}

/// A crosswalk as it is kept: lines in order of source, validity and target.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crosswalk {
    /// What it is called in mappings and commands.
    pub name: Slug,
    /// Its lines.
    pub links: Vec<Link>,
}

/// A line as it was read.
struct Read {
    number: usize,
    link: Link,
    ratio: RBig,
}

impl Crosswalk {
    /// Domain tag of the digest that an officer approves.
    pub const TAG: &'static str = "consilium-crosswalk-v1";

    /// The digest that an officer approves.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest(Self::TAG, self)
    }

    /// Reads a table (CSV): `source,target`, and where they say anything `ratio` (a decimal or `1/3`), `from` and
    /// `to` (months, both inside). Refuses by line what stands twice, overlaps, or does not add up to one.
    pub fn read(name: Slug, path: &Path) -> Result<Self, TableError> {
        let mut read = Vec::new();
        let wanted = ["source", "target", "ratio", "from", "to"];
        each(path, (&wanted, &|_| false), |row| {
            if read.len() >= LINES {
                return Err(row.wrong(&format!("a crosswalk has at most {LINES} lines")));
            }
            read.push(line(row)?);
            Ok(())
        })?;
        let wrong = |line: usize, what: String| TableError::Line {
            file: path.display().to_string(),
            line,
            what,
        };
        if read.is_empty() {
            return Err(wrong(2, "a crosswalk has at least one line".to_owned()));
        }
        read.sort_by(|one, other| (&one.link, one.number).cmp(&(&other.link, other.number)));
        let mut links = Vec::with_capacity(read.len());
        for of in read.chunk_by(|one, other| one.link.source == other.link.source) {
            let mut before: Option<&Read> = None;
            for split in of.chunk_by(|one, other| span(&one.link) == span(&other.link)) {
                if let (Some(before), Some(first)) = (before, split.first())
                    && span(&before.link).1 >= span(&first.link).0
                {
                    let (early, late) = (
                        before.number.min(first.number),
                        before.number.max(first.number),
                    );
                    return Err(wrong(
                        late,
                        format!("the months of this code overlap those of line {early}"),
                    ));
                }
                links.extend(shares(split, &wrong)?);
                before = split.last();
            }
        }
        Ok(Self { name, links })
    }

    /// The shares of a code in a month; empty where it has none.
    pub fn of(&self, code: &str, month: Month) -> &[Link] {
        let start = self
            .links
            .partition_point(|link| link.source.as_str() < code);
        let own = self.links.get(start..).unwrap_or_default();
        let own = own.get(..own.partition_point(|link| link.source == code));
        let own = own.unwrap_or_default();
        let within = |link: &Link| span(link).0 <= month && month <= span(link).1;
        let first = own.iter().position(within).unwrap_or(own.len());
        let own = own.get(first..).unwrap_or_default();
        own.get(..own.iter().take_while(|link| within(link)).count())
            .unwrap_or_default()
    }

    /// Whether a code goes to several.
    pub fn splits(&self) -> bool {
        let mut pairs = self.links.iter().zip(self.links.iter().skip(1));
        pairs.any(|(one, other)| one.source == other.source && span(one) == span(other))
    }

    /// Splits an amount of a code over its targets by largest remainder, so that every fen arrives; an amount
    /// below zero as its opposite. `None` where the code has no target in the month.
    pub fn split(&self, code: &str, month: Month, amount: Fen) -> Option<Vec<(&str, Fen)>> {
        let links = self.of(code, month);
        let shares: Vec<u64> = links.iter().map(|link| link.share).collect();
        let below = amount.0 < 0;
        let parts = Fen(amount.0.checked_abs()?).split(&shares).ok()?;
        let signed = parts
            .into_iter()
            .map(|part| if below { Fen(-part.0) } else { part });
        let targets = links.iter().map(|link| link.target.as_str());
        Some(targets.zip(signed).collect())
    }
}

/// First and last month, in order of time.
fn span(link: &Link) -> (Month, Month) {
    (
        link.from.unwrap_or(Month::FIRST),
        link.to.unwrap_or(Month::LAST),
    )
}

fn line(row: &Line<'_>) -> Result<Read, TableError> {
    let code = |name: &str| {
        let text = row.text(name).unwrap_or_default();
        let sound = (1..=CODE).contains(&text.chars().count()) && schemas::shown::is_plain(text);
        if row.holds_person(name) {
            return Err(row.wrong(&format!("`{name}` is shaped like the number of a person")));
        }
        if sound {
            Ok(text.to_owned())
        } else {
            Err(row.wrong(&format!("`{name}` is a code of 1 to {CODE} characters")))
        }
    };
    let month = |name: &str| row.text(name).map(|_| row.need(name)).transpose();
    let link = Link {
        source: code("source")?,
        from: month("from")?,
        to: month("to")?,
        target: code("target")?,
        share: 1,
    };
    if span(&link).0 > span(&link).1 {
        return Err(row.wrong("`from` is not after `to`"));
    }
    let ratio = ratio(row.text("ratio").unwrap_or("1"));
    let ratio = ratio.filter(|ratio| *ratio > RBig::ZERO && *ratio <= RBig::ONE);
    Ok(Read {
        number: row.number(),
        link,
        ratio: ratio.ok_or_else(|| {
            row.wrong("`ratio` is above 0 and at most 1, a decimal or a fraction such as 1/3")
        })?,
    })
}

fn ratio(text: &str) -> Option<RBig> {
    if text.len() > 20 {
        return None;
    }
    let Some((above, below)) = text.split_once('/') else {
        return text.parse::<Exact>().ok().map(|exact| exact.0);
    };
    let (above, below): (u64, u64) = (above.trim().parse().ok()?, below.trim().parse().ok()?);
    (below > 0).then(|| RBig::from(above) / RBig::from(below))
}

/// The lines of a code in one span of months, with whole shares.
fn shares(
    split: &[Read],
    wrong: &dyn Fn(usize, String) -> TableError,
) -> Result<Vec<Link>, TableError> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let last = split.iter().map(|one| one.number).max().unwrap_or(2);
    for one in split {
        if let Some(before) = seen.insert(&one.link.target, one.number) {
            let (early, late) = (before.min(one.number), before.max(one.number));
            return Err(wrong(late, format!("the same as line {early}")));
        }
    }
    let sum = split.iter().fold(RBig::ZERO, |sum, one| sum + &one.ratio);
    if sum != RBig::ONE {
        let lines: BTreeSet<usize> = split.iter().map(|one| one.number).collect();
        let lines: Vec<String> = lines.iter().take(10).map(ToString::to_string).collect();
        return Err(wrong(
            last,
            format!(
                "the ratios of this code (lines {}) do not add up to 1",
                lines.join(", ")
            ),
        ));
    }
    let fine = || {
        wrong(
            last,
            "the ratios are too fine: at most 4,294,967,295 parts".to_owned(),
        )
    };
    let mut below = 1_u64;
    for one in split {
        let own = u64::try_from(one.ratio.denominator().clone()).map_err(|_| fine())?;
        let common = below.checked_div(divisor(below, own));
        below = common.and_then(|of| of.checked_mul(own)).ok_or_else(fine)?;
        if below > u64::from(u32::MAX) {
            return Err(fine());
        }
    }
    let of = |one: &Read| {
        let whole = &one.ratio * RBig::from(below);
        let share = u64::try_from(whole.numerator().clone()).map_err(|_| fine())?;
        Ok(Link {
            share,
            ..one.link.clone()
        })
    };
    split.iter().map(of).collect()
}

/// The greatest common divisor.
fn divisor(mut one: u64, mut other: u64) -> u64 {
    while let Some(rest) = one.checked_rem(other) {
        (one, other) = (other, rest);
    }
    one
}
