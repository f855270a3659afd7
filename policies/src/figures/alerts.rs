//! Early warnings and execution: lines that spending crosses, compared as whole numbers (rule R4).
//! A warning on noised figures is given only where the noise cannot have made it.

use dashu::rational::RBig;
use schemas::money::Fen;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::figures::exact::{round, sum};
use crate::figures::settings::{Faults, RulesError, read};
use crate::figures::{Exact, half_up};

/// The rules as shipped.
pub const DEFAULT: &str = include_str!("../../rules/alerts.toml");

/// Rules of warnings. Parts are of the standard, the budget or the mean; all above 0.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: Month,
    /// From here on blue (达到).
    pub blue: Exact,
    /// From here on yellow (达到).
    pub yellow: Exact,
    /// Beyond this red (超过).
    pub red: Exact,
    /// How far from the mean a day or month deviates (strict).
    pub deviation: Exact,
    /// Days in a row that make a deviation one of medium term.
    pub days: u32,
    /// How far above the mean of the past is an anomaly (strict).
    pub anomaly: Exact,
    /// Months over the target in a row after which new equipment is not bought.
    pub months: u32,
    /// How much more than a quarter of the year's seasonal share the last quarter may spend (strict).
    pub splurge: Exact,
    /// By which part services may fall below the mean while a red warning stands (strict).
    pub volume: Exact,
    /// From which part on a pathway's variation is looked into (strict).
    pub variation: Exact,
}

/// How near a limit is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Below all lines.
    None,
    /// Near.
    Blue,
    /// Nearer, or at it.
    Yellow,
    /// Beyond it.
    Red,
}

/// Where a value lies against a band.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// Inside.
    Within,
    /// Below.
    Low,
    /// Above.
    High,
}

impl AlertRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    pub(crate) fn check(&self, faults: &mut Faults) {
        let part = |value: &Exact| value.0 > RBig::ZERO && value.0 < RBig::ONE;
        faults.counted_from_one(self.version);
        for (sound, fault) in [
            (
                self.blue.0 > RBig::ZERO && self.blue < self.yellow && self.yellow <= self.red,
                "`blue`, `yellow` and `red` rise from above 0",
            ),
            (part(&self.deviation), "`deviation` is between 0 and 1"),
            (self.anomaly.0 > RBig::ZERO, "`anomaly` is above 0"),
            (part(&self.volume), "`volume` is between 0 and 1"),
            (part(&self.variation), "`variation` is between 0 and 1"),
            (self.splurge.0 > RBig::ZERO, "`splurge` is above 0"),
            ((2..=31).contains(&self.days), "`days` is from 2 to 31"),
            ((2..=12).contains(&self.months), "`months` is from 2 to 12"),
        ] {
            faults.check(sound, fault);
        }
    }

    /// How near `spent` is to `limit`, both zero or more.
    pub fn level(&self, spent: Fen, limit: Fen) -> Level {
        let (spent, limit) = (RBig::from(spent.0), RBig::from(limit.0));
        if spent > &limit * &self.red.0 {
            Level::Red
        } else if spent >= &limit * &self.yellow.0 && spent > RBig::ZERO {
            Level::Yellow
        } else if spent >= &limit * &self.blue.0 && spent > RBig::ZERO {
            Level::Blue
        } else {
            Level::None
        }
    }

    /// The level that the whole interval of a noised amount reaches, or `None` where its ends have
    /// different ones: then nothing is decided yet.
    pub fn level_of(&self, (low, high): (Fen, Fen), limit: Fen) -> Option<Level> {
        let (low, high) = (self.level(low, limit), self.level(high, limit));
        (low == high).then_some(low)
    }

    /// Where a value lies against the mean of the past.
    pub fn deviation(&self, value: Fen, mean: &RBig) -> Deviation {
        let value = RBig::from(value.0);
        if value > mean * (RBig::ONE + &self.deviation.0) {
            Deviation::High
        } else if value < mean * (RBig::ONE - &self.deviation.0) {
            Deviation::Low
        } else {
            Deviation::Within
        }
    }

    /// The days on which a run of deviating days, to whichever side, is long enough: medium term.
    pub fn medium_term(&self, days: &[Deviation]) -> Vec<bool> {
        let mut run = 0_u32;
        let of = |day: &Deviation| {
            run = if *day == Deviation::Within {
                0
            } else {
                run.saturating_add(1)
            };
            run >= self.days
        };
        days.iter().map(of).collect()
    }

    /// Whether a value lies far above the mean of the past.
    pub fn anomaly(&self, value: Fen, mean: &RBig) -> bool {
        RBig::from(value.0) > mean * (RBig::ONE + &self.anomaly.0)
    }

    /// Whether a pathway varies so often that it is looked into.
    pub fn variation(&self, varied: u32, cases: u32) -> bool {
        RBig::from(varied) > RBig::from(cases) * &self.variation.0
    }

    /// Whether the last months were all over their targets.
    pub fn over_target(&self, months: &[(Fen, Fen)]) -> bool {
        let last = usize::try_from(self.months).unwrap_or(usize::MAX);
        let over = months
            .iter()
            .rev()
            .take(last)
            .filter(|(spent, target)| spent > target);
        months.len() >= last && over.count() == last
    }

    /// Whether the year's last quarter spent more than its seasonal share lets expect (突击花钱).
    /// `norms` are twelve months' usual parts of a year, in any one unit.
    pub fn splurge(&self, months: &[Fen; 12], norms: &[Exact; 12]) -> bool {
        let spent = |from: usize| sum(months.iter().skip(from).map(|fen| RBig::from(fen.0)));
        let usual = |from: usize| sum(norms.iter().skip(from).map(|norm| &norm.0));
        let (year, usual_year) = (spent(0), usual(0));
        spent(9) * usual_year > year * usual(9) * (RBig::ONE + &self.splurge.0)
    }

    /// Whether services fell far below the mean while money is short: look at quality.
    pub fn volume_drop(&self, level: Level, cases: u64, mean: &RBig) -> bool {
        level == Level::Red && RBig::from(cases) < mean * (RBig::ONE - &self.volume.0)
    }
}

/// The mean of past values; `None` without any.
pub fn mean(values: &[Fen]) -> Option<RBig> {
    let whole = sum(values.iter().map(|fen| RBig::from(fen.0)));
    (!values.is_empty()).then(|| whole / RBig::from(values.len()))
}

/// Where spending stands in a year.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// Spent of the budget, in hundredths with two decimals.
    pub spent: String,
    /// Gone of the year, likewise.
    pub time: String,
    /// How far spending is ahead, in percentage points.
    pub ahead: String,
    /// The year's spending, if it goes on so.
    pub year: Fen,
    /// How near the budget the year's spending so far is.
    pub level: Level,
}

/// Spending after `gone` of the `of` months (12 at most) in which a member takes part, against a budget
/// above zero.
pub fn execution(
    rules: &AlertRules,
    budget: Fen,
    spent: Fen,
    (gone, of): (u8, u8),
) -> Option<Execution> {
    if budget <= Fen(0) || gone == 0 || gone > of || of > 12 {
        return None;
    }
    let hundred = RBig::from(100);
    let rate = RBig::from(spent.0) / RBig::from(budget.0) * &hundred;
    let time = RBig::from(gone) / RBig::from(of) * &hundred;
    Some(Execution {
        spent: half_up(&rate, 2),
        time: half_up(&time, 2),
        ahead: half_up(&(&rate - &time), 2),
        year: round(&(RBig::from(spent.0) * RBig::from(of) / RBig::from(gone)))?,
        level: rules.level(spent, budget),
    })
}

/// After how many more months of the same the interval of their mean would clear a line, where each
/// month has noise of its own and the line one that stays: the least n with |distance| > z·√(sd²/n +
/// fixed²), less those that were counted. `None` where it never does within `most`.
pub fn months_to_decide(
    distance: f64,
    (sd, fixed): (f64, f64),
    counted: u32,
    most: u32,
) -> Option<u32> {
    let clears = |n: &u32| {
        let spread = (sd * sd / f64::from(*n) + fixed * fixed).sqrt();
        distance.abs() > 1.959_963_984_540_054 * spread
    };
    let first = (counted.max(1)..=counted.saturating_add(most)).find(clears)?;
    Some(first.saturating_sub(counted))
}

#[cfg(test)]
mod tests {
    use super::Deviation::{High, Low, Within};
    use super::*;

    fn rules() -> AlertRules {
        AlertRules::parse(DEFAULT).unwrap()
    }

    /// Oracle O10.
    #[test]
    fn o10_levels() {
        for (spent, level) in [
            (719_999, Level::None),
            (720_000, Level::Blue),
            (759_999, Level::Blue),
            (760_000, Level::Yellow),
            (799_999, Level::Yellow),
            (800_000, Level::Yellow),
            (800_001, Level::Red),
            (900_000, Level::Red),
        ] {
            assert_eq!(rules().level(Fen(spent), Fen(800_000)), level, "{spent}");
        }
        let rules = rules();
        assert_eq!(rules.level(Fen(0), Fen(0)), Level::None);
        assert_eq!(
            rules.level_of((Fen(800_001), Fen(900_000)), Fen(800_000)),
            Some(Level::Red)
        );
        assert_eq!(
            rules.level_of((Fen(799_999), Fen(900_000)), Fen(800_000)),
            None
        );
    }

    /// Oracle O11.
    #[test]
    fn o11_deviations_and_anomalies() {
        let rules = rules();
        let past = [
            980_000, 1_010_000, 1_000_000, 1_030_000, 990_000, 1_020_000, 970_000, 1_000_000,
        ];
        let mean = mean(&past.map(Fen)).unwrap();
        assert_eq!(mean, RBig::from(1_000_000));
        let days = [
            1_090_000, 1_100_000, 1_100_001, 1_120_000, 1_150_000, 1_090_000, 880_000, 899_999,
            900_000,
        ];
        let flags: Vec<Deviation> = days
            .iter()
            .map(|day| rules.deviation(Fen(*day), &mean))
            .collect();
        assert_eq!(
            flags,
            [Within, Within, High, High, High, Within, Low, Low, Within]
        );
        let runs = rules.medium_term(&flags);
        assert_eq!(runs.iter().position(|day| *day), Some(4));
        assert_eq!(runs.iter().filter(|day| **day).count(), 1);
        let far = [1_199_999, 1_200_000, 1_200_001].map(|fen| rules.anomaly(Fen(fen), &mean));
        assert_eq!(far, [false, false, true]);
        let varied = [(30, 100), (31, 100), (3, 10)].map(|(of, cases)| rules.variation(of, cases));
        assert_eq!(varied, [false, true, false]);
        // Either side keeps the run.
        assert_eq!(rules.medium_term(&[High, Low, High]), [false, false, true]);
        assert_eq!(super::mean(&[]), None);
    }

    /// Oracle O19.
    #[test]
    fn o19_execution() {
        for (month, spent, rate, time, ahead, year) in [
            (3, 26_000_000, "26.00", "25.00", "1.00", 104_000_000),
            (6, 53_000_000, "53.00", "50.00", "3.00", 106_000_000),
            (9, 71_000_000, "71.00", "75.00", "-4.00", 94_666_667),
        ] {
            let found = execution(&rules(), Fen(100_000_000), Fen(spent), (month, 12)).unwrap();
            assert_eq!((found.spent.as_str(), found.time.as_str()), (rate, time));
            assert_eq!((found.ahead.as_str(), found.year), (ahead, Fen(year)));
        }
        assert_eq!(execution(&rules(), Fen(0), Fen(1), (3, 12)), None);
        assert_eq!(execution(&rules(), Fen(1), Fen(1), (13, 12)), None);
    }

    #[test]
    fn months_in_a_row_a_splurge_and_a_drop_of_services() {
        let rules = rules();
        let over = (Fen(11), Fen(10));
        let not = (Fen(10), Fen(10));
        assert!(rules.over_target(&[not, over, over, over]));
        assert!(!rules.over_target(&[over, over, over, not]));
        assert!(!rules.over_target(&[over, over]));
        let even: [Exact; 12] = std::array::from_fn(|_| Exact(RBig::ONE));
        let mut months = [Fen(100); 12];
        assert!(!rules.splurge(&months, &even));
        months[11] = Fen(200);
        assert!(rules.splurge(&months, &even));
        // Where the last quarter always spends more, the same is usual.
        let mut winter = even;
        winter[11] = Exact(RBig::from(2));
        assert!(!rules.splurge(&months, &winter));
        let mean = RBig::from(100);
        assert!(rules.volume_drop(Level::Red, 84, &mean));
        assert!(!rules.volume_drop(Level::Red, 85, &mean));
        assert!(!rules.volume_drop(Level::Yellow, 10, &mean));
    }

    #[test]
    fn what_noise_leaves_open_says_when_it_will_not() {
        // Ten times the noise a month: at once. A fifth of it: after 97 months, never in a year.
        assert_eq!(months_to_decide(10.0, (1.0, 0.0), 1, 12), Some(0));
        assert_eq!(months_to_decide(-1.0, (1.0, 0.0), 1, 12), Some(3));
        assert_eq!(months_to_decide(0.2, (1.0, 0.0), 1, 12), None);
        assert_eq!(months_to_decide(0.0, (1.0, 0.0), 1, 12), None);
        // A line that is itself unsure by half the distance or more stays so.
        assert_eq!(months_to_decide(1.0, (1.0, 0.6), 1, 1000), None);
        for (from, to) in [
            ("blue = \"0.90\"", "blue = \"0.99\""),
            ("days = 3", "days = 1"),
            ("deviation = \"0.10\"", "deviation = \"1\""),
        ] {
            assert!(
                AlertRules::parse(&DEFAULT.replacen(from, to, 1)).is_err(),
                "{to}"
            );
        }
    }
}
