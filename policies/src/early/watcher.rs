//! Postings in, warnings out. A case is told of again only at a higher level.

use std::collections::{BTreeMap, BTreeSet};

use schemas::money::Fen;
use schemas::time::Month;

use super::case::Case;
use super::hints::hints;
use super::stat::Stat;
use super::{Alert, EarlyRules, Expected, Kind, Lines, Posting};
use crate::figures::alerts::{AlertRules, Level};
use crate::figures::settings::RulesError;

/// Most cases at once.
const CASES: usize = 2_000_000;

/// Why a posting is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The day of the posting lies before admission.
    #[error("the day is before admission")]
    Before,
    /// The case had another day of admission.
    #[error("the case has another day of admission")]
    Admission,
    /// The case or the category leaves 64 bits of fen.
    #[error("an amount is out of range")]
    Range,
    /// Too many cases.
    #[error("more than 2,000,000 cases: begin a new feed")]
    Full,
}

/// What is known of all cases, and what was told of them.
#[derive(Clone, Debug)]
pub struct Watcher {
    pub(super) alerts: AlertRules,
    pub(super) rules: EarlyRules,
    lines: Lines,
    expected: BTreeMap<String, Expected>,
    cases: BTreeMap<String, Case>,
    /// Closed cases by group and day of closing.
    pub(super) closed: BTreeMap<String, BTreeMap<u32, (Month, String, Stat)>>,
    /// Closed cases by group.
    all: BTreeMap<String, Stat>,
    /// The last day of any posting.
    pub(super) today: Option<(u32, Month)>,
    pub(super) told: BTreeSet<(Kind, String, u32)>,
}

/// A case's running cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Running {
    /// Day of the stay and cost up to its end.
    pub days: Vec<(u32, Fen)>,
    /// What it will have cost at discharge; of a closed case what it cost.
    pub at_discharge: Option<Fen>,
    /// The payment standard.
    pub standard: Option<Fen>,
    /// Whether it is closed.
    pub closed: bool,
}

impl Watcher {
    /// Nothing posted yet.
    pub fn new(
        alerts: AlertRules,
        rules: EarlyRules,
        expected: BTreeMap<String, Expected>,
    ) -> Result<Self, RulesError> {
        Ok(Self {
            lines: Lines::of(&alerts)?,
            alerts,
            rules,
            expected,
            cases: BTreeMap::new(),
            closed: BTreeMap::new(),
            all: BTreeMap::new(),
            today: None,
            told: BTreeSet::new(),
        })
    }

    /// Takes a posting; gives the warnings that follow from it.
    pub fn post(&mut self, posting: &Posting) -> Result<Vec<Alert>, Refused> {
        if posting.day < posting.admitted {
            return Err(Refused::Before);
        }
        let known = self.cases.get(&posting.case);
        if known.is_some_and(|case| case.admitted != posting.admitted) {
            return Err(Refused::Admission);
        }
        if known.is_none() && self.cases.len() >= CASES {
            return Err(Refused::Full);
        }
        let mut case = match self.cases.remove(&posting.case) {
            Some(case) => case,
            None => Case::new(posting),
        };
        let before = case.clone_if_closed();
        if case.add(posting).is_none() {
            if !case.days.is_empty() {
                self.cases.insert(posting.case.clone(), case);
            }
            return Err(Refused::Range);
        }
        // What is posted after the closing belongs to the closed case.
        if let Some(before) = before {
            self.record(&before, &posting.date, -1);
        }
        let mut found = self.judge(&mut case, posting);
        self.record(&case, &posting.date, 1);
        self.cases.insert(posting.case.clone(), case);
        let day = (posting.day, posting.month);
        if self.today.is_none_or(|today| today < day) {
            let before = self.today.replace(day);
            found.extend(self.windows(before));
        }
        Ok(found)
    }

    /// A case's cost by day.
    pub fn running(&self, case: &str) -> Option<Running> {
        let case = self.cases.get(case)?;
        let mut sum = 0_i64;
        let days = case.days.iter().map(|(day, fen)| {
            sum = sum.saturating_add(fen.0);
            let day = day.saturating_sub(case.admitted).saturating_add(1);
            (day, Fen(sum))
        });
        let days = days.collect();
        let expected = self.expected.get(&case.group);
        let closed = case.closed.is_some();
        let projected = || expected?.at_discharge(case.cost, case.begun());
        Some(Running {
            days,
            at_discharge: if closed { Some(case.cost) } else { projected() },
            standard: expected.map(|one| one.standard),
            closed,
        })
    }

    /// Number of cases, and how many of them are of a group without a standard.
    pub fn cases(&self) -> (usize, usize) {
        let without = |case: &&Case| !self.expected.contains_key(&case.group);
        (
            self.cases.len(),
            self.cases.values().filter(without).count(),
        )
    }

    /// Adds a closed case to the past of its group, or takes it off again.
    fn record(&mut self, case: &Case, date: &str, sign: i128) {
        let Some((day, month)) = case.closed else {
            return;
        };
        let stat = case.stat();
        let days = self.closed.entry(case.group.clone()).or_default();
        let (_, _, of_day) = days
            .entry(day)
            .or_insert_with(|| (month, date.to_owned(), Stat::default()));
        of_day.add(&stat, sign);
        if of_day.cases == 0 {
            days.remove(&day);
        }
        self.all
            .entry(case.group.clone())
            .or_default()
            .add(&stat, sign);
    }

    fn judge(&self, case: &mut Case, posting: &Posting) -> Vec<Alert> {
        let mut found = Vec::new();
        let Some(expected) = self.expected.get(&case.group) else {
            return found;
        };
        let warn = |kind, level, amount, against| Alert {
            kind,
            level,
            side: None,
            month: posting.month,
            date: Some(posting.date.clone()),
            department: case.department.clone(),
            group: case.group.clone(),
            case: Some(posting.case.clone()),
            day_of_stay: Some(case.begun()),
            found: amount,
            against,
            hints: self.hints(case),
            longer: expected.longer(case.begun()),
        };
        let [incurred, projected] = case.told;
        let level = self.lines.level(case.cost, expected.standard);
        if level > incurred {
            let against = expected.standard;
            found.push(warn(Kind::Incurred, Some(level), case.cost, against));
        }
        let mut ahead = Level::None;
        if case.closed.is_none()
            && let Some(amount) = expected.at_discharge(case.cost, case.begun())
        {
            ahead = self.lines.level(amount, expected.standard);
            // What is there already need not be foretold.
            if ahead > projected && ahead > level.max(incurred) {
                let against = expected.standard;
                found.push(warn(Kind::Projected, Some(ahead), amount, against));
            }
        }
        let above = expected
            .mean
            .filter(|mean| self.lines.far_above(case.cost, *mean));
        if let Some(mean) = above.filter(|_| !case.above) {
            found.push(warn(Kind::Benchmark, None, case.cost, mean));
        }
        case.told = [incurred.max(level), projected.max(ahead)];
        case.above = case.above || above.is_some();
        found
    }

    fn hints(&self, case: &Case) -> Vec<super::Hint> {
        let least = i128::from(self.rules.least);
        let past = self.all.get(&case.group).filter(|past| past.cases >= least);
        past.map_or_else(Vec::new, |past| {
            hints(&case.stat(), past, 1, self.rules.hints)
        })
    }
}

impl Case {
    fn clone_if_closed(&self) -> Option<Self> {
        self.closed.map(|_| self.clone())
    }
}
