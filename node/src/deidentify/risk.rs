//! How far de-identified rows could be told apart by those who know a patient's quasi-identifiers: k, l
//! (distinct and entropy), t, and the prosecutor's risk. Exact fractions of counts; only entropy needs
//! logarithms, and is rounded to three decimals. The figures are for the hospital's own eyes: counts over
//! patients never leave the node.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MICRO: u128 = 1_000_000;

/// A row as somebody would look for it, and what they would learn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Seen {
    /// The quasi-identifiers' codes, packed: rows that share them are one class.
    pub class: u64,
    /// Index of the case group.
    pub group: u16,
    /// Begun days of stay; 0 in every row where the source has none.
    pub days: u16,
}

/// So many of so many. Written as a decimal number of six places, rounded up: a long whole number in a
/// report could be taken for a person's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// The part.
    pub part: u128,
    /// The whole, at least 1.
    pub whole: u128,
}

impl Share {
    /// Thousandths, rounded up: a risk is never shown smaller than it is.
    pub fn permille(self) -> u128 {
        self.part.saturating_mul(1000).div_ceil(self.whole.max(1))
    }

    fn exceeds(self, other: Self) -> bool {
        self.part.saturating_mul(other.whole) > other.part.saturating_mul(self.whole)
    }

    /// The same fraction with the smallest whole.
    fn reduced(self) -> Self {
        let (mut a, mut b) = (self.whole.max(1), self.part);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        Self {
            part: self.part / a,
            whole: self.whole.max(1) / a,
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micro = self.part.saturating_mul(MICRO).div_ceil(self.whole.max(1));
        serializer.collect_str(&format_args!("{}.{:06}", micro / MICRO, micro % MICRO))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.replacen('.', "", 1);
        let six = text
            .split_once('.')
            .is_some_and(|(_, after)| after.len() == 6);
        let part = digits.parse().ok().filter(|_| six);
        let part = part.ok_or_else(|| Error::custom("a share has six decimals"))?;
        Ok(Self { part, whole: MICRO })
    }
}

/// The figures of some rows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Risk {
    /// Rows.
    pub rows: u64,
    /// Classes of rows that share all quasi-identifiers.
    pub classes: u64,
    /// k: rows of the smallest class. The prosecutor's highest risk is 1/k.
    pub smallest_class: u64,
    /// l: distinct case groups of the class that has the fewest.
    pub fewest_groups: u64,
    /// Entropy l: the least exp(entropy of the case groups) of a class, three decimals, half to even.
    pub entropy_groups: String,
    /// t of case groups: greatest distance of a class from all rows, every two groups equally far.
    pub t_groups: Share,
    /// t of the length of stay in whole days: the same by order, the days that occur as equal steps;
    /// `None` where the source has no length of stay.
    pub t_days: Option<Share>,
    /// Rows in classes below the setting `small_class`, in thousandths.
    pub small_permille: u64,
    /// The prosecutor's mean risk over rows: classes of rows.
    pub mean: Share,
    /// Rows whose risk (1 / rows of their class) is above the setting `risk_permille`.
    pub above: Share,
}

/// From where a class counts as small or a row's risk as high.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// Classes with fewer rows are small.
    pub small_class: u32,
    /// Risks above so many thousandths are high.
    pub risk_permille: u16,
    /// Whether rows have a length of stay.
    pub has_days: bool,
}

/// Rows of one class with one value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Counted {
    class: u64,
    value: u16,
    rows: u64,
}

/// Rows counted by class and value; counts of several months add up.
#[derive(Clone, Default, Debug)]
pub struct Counts {
    groups: Vec<Counted>,
    days: Vec<Counted>,
}

impl Counts {
    /// Counts rows.
    pub fn of(mut rows: Vec<Seen>) -> Self {
        rows.sort_unstable();
        let mut counts = Self::default();
        let mut days = Vec::new();
        for class in rows.chunk_by(|a, b| a.class == b.class) {
            let Some(first) = class.first() else { continue };
            let counted = |value: u16, rows: usize| Counted {
                class: first.class,
                value,
                rows: u64::try_from(rows).unwrap_or(u64::MAX),
            };
            let groups = class.chunk_by(|a, b| a.group == b.group);
            let groups = groups.filter_map(|all| Some(counted(all.first()?.group, all.len())));
            counts.groups.extend(groups);
            days.clear();
            days.extend(class.iter().map(|row| row.days));
            days.sort_unstable();
            let of_days = days.chunk_by(|a, b| a == b);
            let of_days = of_days.filter_map(|all| Some(counted(*all.first()?, all.len())));
            counts.days.extend(of_days);
        }
        counts
    }

    /// Adds the counts of other rows.
    pub fn add(&mut self, other: &Self) {
        for (own, more) in [
            (&mut self.groups, &other.groups),
            (&mut self.days, &other.days),
        ] {
            own.extend_from_slice(more);
            own.sort_unstable();
            let summed = own.chunk_by(|a, b| (a.class, a.value) == (b.class, b.value));
            let summed = summed.filter_map(|same| {
                let rows = same.iter().map(|one| one.rows).sum();
                Some(Counted {
                    rows,
                    ..*same.first()?
                })
            });
            *own = summed.collect();
        }
    }

    /// The figures.
    pub fn figures(&self, lines: Lines) -> Risk {
        let all = totals(&self.groups);
        let rows: u64 = all.values().sum();
        let mut risk = Risk {
            rows,
            classes: 0,
            smallest_class: rows,
            fewest_groups: rows,
            entropy_groups: String::new(),
            t_groups: Share { part: 0, whole: 1 },
            t_days: lines.has_days.then(|| by_order(&self.days)),
            small_permille: 0,
            mean: Share { part: 0, whole: 1 },
            above: Share { part: 0, whole: 1 },
        };
        let (mut small, mut above, mut entropy) = (0_u64, 0_u64, f64::INFINITY);
        for class in self.groups.chunk_by(|a, b| a.class == b.class) {
            let size: u64 = class.iter().map(|one| one.rows).sum();
            let groups = u64::try_from(class.len()).unwrap_or(u64::MAX);
            risk.classes += 1;
            risk.smallest_class = risk.smallest_class.min(size);
            risk.fewest_groups = risk.fewest_groups.min(groups);
            if size < u64::from(lines.small_class) {
                small += size;
            }
            if size.saturating_mul(u64::from(lines.risk_permille)) < 1000 {
                above += size;
            }
            entropy = entropy.min(diversity(class, size));
            let distance = apart(class, (size, rows), &all);
            if distance.exceeds(risk.t_groups) {
                risk.t_groups = distance;
            }
        }
        let of_rows = |part: u64| Share {
            part: u128::from(part),
            whole: u128::from(rows.max(1)),
        };
        risk.t_groups = risk.t_groups.reduced();
        risk.entropy_groups = format!("{:.3}", if rows == 0 { 0.0 } else { entropy });
        risk.small_permille = small * 1000 / rows.max(1);
        risk.mean = of_rows(risk.classes);
        risk.above = of_rows(above);
        risk
    }
}

/// Rows by value.
fn totals(counted: &[Counted]) -> BTreeMap<u16, u64> {
    let mut all = BTreeMap::new();
    for one in counted {
        *all.entry(one.value).or_default() += one.rows;
    }
    all
}

/// exp of the entropy of a class: so many equally frequent values would be as diverse.
fn diversity(class: &[Counted], size: u64) -> f64 {
    let number = |rows: u64| f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
    let size = number(size);
    let part = |one: &Counted| {
        let share = number(one.rows) / size;
        share * libm::log(share)
    };
    libm::exp(-class.iter().map(part).sum::<f64>())
}

/// Half of what the shares of a class and of all rows differ by: the earth mover's distance where every
/// two values are equally far.
fn apart(class: &[Counted], (size, rows): (u64, u64), all: &BTreeMap<u16, u64>) -> Share {
    let (size, rows) = (u128::from(size), u128::from(rows));
    let (mut differ, mut there) = (0_u128, 0_u128);
    for one in class {
        let of_all = u128::from(all.get(&one.value).copied().unwrap_or(0));
        differ += (u128::from(one.rows) * rows).abs_diff(of_all * size);
        there += of_all;
    }
    differ += size * (rows - there.min(rows));
    Share {
        part: differ,
        whole: (2 * size * rows).max(1),
    }
}

/// The greatest earth mover's distance of a class from all rows, the values that occur in steps of one.
fn by_order(counted: &[Counted]) -> Share {
    let all = totals(counted);
    let rows: u64 = all.values().sum();
    let steps = u128::try_from(all.len()).unwrap_or(1).saturating_sub(1);
    let mut most = Share { part: 0, whole: 1 };
    for class in counted.chunk_by(|a, b| a.class == b.class) {
        let size: u64 = class.iter().map(|one| one.rows).sum();
        let (mut there, mut of_class, mut of_all, mut moved) = (class.iter().peekable(), 0, 0, 0);
        for (value, rows_of_value) in &all {
            of_all += u128::from(*rows_of_value);
            if let Some(one) = there.next_if(|one| one.value == *value) {
                of_class += u128::from(one.rows);
            }
            moved += (of_class * u128::from(rows)).abs_diff(of_all * u128::from(size));
        }
        let distance = Share {
            part: moved,
            whole: (u128::from(size) * u128::from(rows) * steps).max(1),
        };
        if steps > 0 && distance.exceeds(most) {
            most = distance;
        }
    }
    most.reduced()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: Lines = Lines {
        small_class: 5,
        risk_permille: 400,
        has_days: true,
    };

    fn rows(of: &[(u64, u16, u16)]) -> Vec<Seen> {
        let seen = |(class, group, days): &(u64, u16, u16)| Seen {
            class: *class,
            group: *group,
            days: *days,
        };
        of.iter().map(seen).collect()
    }

    /// By hand: class 1 has groups 1, 1, 2 and days 1, 2, 3; class 2 has groups 3, 3 and days 3, 5.
    #[test]
    fn figures_by_hand() {
        let all = rows(&[(1, 1, 1), (2, 3, 3), (1, 1, 2), (1, 2, 3), (2, 3, 5)]);
        let risk = Counts::of(all).figures(LINES);
        assert_eq!((risk.rows, risk.classes), (5, 2));
        assert_eq!((risk.smallest_class, risk.fewest_groups), (2, 1));
        assert_eq!(risk.entropy_groups, "1.000");
        // Class 2: |0 − 2/5| + |0 − 1/5| + |1 − 2/5| = 6/5, half of it.
        assert_eq!(risk.t_groups, Share { part: 3, whole: 5 });
        // Days 1, 2, 3, 5 of all rows 1/5, 2/5, 4/5, 1; of class 2 0, 0, 1/2, 1: 9/10 in three steps.
        assert_eq!(risk.t_days, Some(Share { part: 3, whole: 10 }));
        assert_eq!(risk.mean, Share { part: 2, whole: 5 });
        assert_eq!(
            risk.above,
            Share { part: 2, whole: 5 },
            "1/2 is above 0.4, 1/3 is not"
        );
        assert_eq!(risk.small_permille, 1000);
        assert_eq!(risk.t_groups.permille(), 600);
        let third = Share { part: 1, whole: 3 };
        assert_eq!(third.permille(), 334);
        let text = serde_json::to_string(&third).unwrap();
        assert_eq!(text, "\"0.333334\"");
        let read: Share = serde_json::from_str(&text).unwrap();
        assert_eq!((read.part, read.whole), (333_334, MICRO));
        assert!(serde_json::from_str::<Share>("\"0.33\"").is_err());
    }

    #[test]
    fn months_add_up_and_nothing_is_nothing() {
        let (one, two) = ([(1, 1, 1), (2, 3, 3), (1, 1, 2)], [(1, 2, 3), (2, 3, 5)]);
        let mut sum = Counts::of(rows(&one));
        sum.add(&Counts::of(rows(&two)));
        let whole = Counts::of(rows(&[one.as_slice(), &two].concat()));
        assert_eq!(sum.figures(LINES), whole.figures(LINES));
        let none = Counts::default().figures(LINES);
        assert_eq!((none.rows, none.smallest_class, none.classes), (0, 0, 0));
        assert_eq!(none.entropy_groups, "0.000");
        let alike = Counts::of(rows(&[(1, 1, 4), (2, 1, 4)])).figures(LINES);
        assert_eq!(alike.t_groups.part, 0);
        assert_eq!(alike.t_days.map(|t| t.part), Some(0));
    }

    #[test]
    fn entropy_counts_how_even_a_class_is() {
        let even = rows(&[(1, 1, 0), (1, 2, 0), (1, 3, 0), (1, 4, 0)]);
        assert_eq!(Counts::of(even).figures(LINES).entropy_groups, "4.000");
        let uneven = rows(&[(1, 1, 0), (1, 1, 0), (1, 1, 0), (1, 4, 0)]);
        // exp(−3/4 ln 3/4 − 1/4 ln 1/4)
        assert_eq!(Counts::of(uneven).figures(LINES).entropy_groups, "1.755");
    }
}
