//! Days and months on which the closed cases of a group deviate from the past: a day's value is the mean
//! cost of the cases closed on it, the past are the days of earlier months, so that all days of a month are
//! held against one mean. A day or month is judged once it is over.

use std::collections::BTreeMap;

use schemas::money::{Fen, half_up};
use schemas::time::Month;

use super::hints::hints;
use super::stat::Stat;
use super::watcher::Watcher;
use super::{Alert, Kind};
use crate::figures::alerts::{Deviation, mean};
use crate::figures::exact::round;

/// Closed cases of a group by day.
type Closed = BTreeMap<u32, (Month, String, Stat)>;

impl Watcher {
    /// Warnings of the days and months that are over since `before`, the last day until now.
    pub(super) fn windows(&mut self, before: Option<(u32, Month)>) -> Vec<Alert> {
        let (Some((today, this)), Some((last, then))) = (self.today, before) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut told = std::mem::take(&mut self.told);
        for (group, closed) in &self.closed {
            let mut news = Vec::new();
            if closed.range(last..today).next().is_some() {
                news.extend(self.of_days(group, closed, (last, today)));
            }
            if then < this {
                news.extend(self.of_months(group, closed, (then, this)));
            }
            for (number, alert) in news {
                if told.insert((alert.kind, group.clone(), number)) {
                    found.push(alert);
                }
            }
        }
        self.told = told;
        found
    }

    /// The days from `last` on and before `today`; a run needs those just before them too.
    fn of_days(
        &self,
        group: &str,
        closed: &Closed,
        (last, today): (u32, u32),
    ) -> Vec<(u32, Alert)> {
        let most = usize::try_from(self.rules.days).unwrap_or(usize::MAX);
        let run = usize::try_from(self.alerts.days).unwrap_or(usize::MAX);
        let led = closed.range(..last).rev().take(run.saturating_sub(1));
        let mut days: Vec<_> = led.collect();
        days.reverse();
        days.extend(closed.range(last..today));
        let judged: Vec<Option<Judged>> = days
            .iter()
            .map(|(_, (month, _, stat))| {
                let earlier = closed.range(..today).rev();
                let earlier = earlier.filter(|(_, (of, ..))| of < month);
                let earlier = earlier.take(most).map(|(_, (.., stat))| stat);
                self.judged(earlier, stat)
            })
            .collect();
        let side = |one: &Option<Judged>| one.as_ref().map_or(Deviation::Within, |one| one.side);
        let sides: Vec<Deviation> = judged.iter().map(side).collect();
        let runs = self.alerts.medium_term(&sides);
        let mut found = Vec::new();
        for (((number, (month, date, _)), one), run) in days.iter().zip(judged).zip(runs) {
            let one = one.filter(|one| one.side != Deviation::Within && **number >= last);
            let Some(one) = one else { continue };
            let alert = one.alert(Kind::Day, group, (*month, Some(date.clone())));
            let days = Alert {
                kind: Kind::Days,
                ..alert.clone()
            };
            found.push((**number, alert));
            if run {
                found.push((**number, days));
            }
        }
        found
    }

    /// The months from `then` on and before `this`.
    fn of_months(
        &self,
        group: &str,
        closed: &Closed,
        (then, this): (Month, Month),
    ) -> Vec<(u32, Alert)> {
        let mut months: BTreeMap<Month, Stat> = BTreeMap::new();
        for (month, _, stat) in closed.values().filter(|(month, ..)| *month < this) {
            months.entry(*month).or_default().add(stat, 1);
        }
        let most = usize::try_from(self.rules.months).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        for (month, stat) in months.range(then..) {
            let earlier = months.range(..*month).rev().take(most);
            let Some(one) = self.judged(earlier.map(|(_, stat)| stat), stat) else {
                continue;
            };
            let number = u32::from(month.index());
            if one.side != Deviation::Within {
                found.push((number, one.alert(Kind::Month, group, (*month, None))));
            }
            if one.far {
                found.push((number, one.alert(Kind::Anomaly, group, (*month, None))));
            }
        }
        found
    }

    /// A value against the mean of earlier ones; none where they are too few.
    fn judged<'a>(&self, earlier: impl Iterator<Item = &'a Stat>, now: &Stat) -> Option<Judged> {
        let last: Vec<&Stat> = earlier.filter(|stat| stat.cases > 0).collect();
        let least = usize::try_from(self.rules.least).unwrap_or(usize::MAX);
        if last.len() < least {
            return None;
        }
        let values: Vec<Fen> = last.iter().filter_map(|stat| stat.mean()).collect();
        let usual = mean(&values)?;
        let found = now.mean()?;
        let side = self.alerts.deviation(found, &usual);
        let far = self.alerts.anomaly(found, &usual);
        // What it lies in is asked of those alone that are told.
        let past = if side == Deviation::Within && !far {
            Stat::default()
        } else {
            last.iter().fold(Stat::default(), |mut past, stat| {
                past.add(stat, 1);
                past
            })
        };
        let sign = if side == Deviation::Low { -1 } else { 1 };
        let difference = now
            .days
            .saturating_mul(past.cases)
            .saturating_sub(past.days.saturating_mul(now.cases));
        let longer = half_up(difference, now.cases.saturating_mul(past.cases));
        let longer = longer.and_then(|days| i64::try_from(days).ok());
        Some(Judged {
            side,
            far,
            found,
            usual: round(&usual).unwrap_or_default(),
            hints: hints(now, &past, sign, self.rules.hints),
            longer: longer.filter(|days| *days != 0),
        })
    }
}

/// A value held against the past.
struct Judged {
    side: Deviation,
    far: bool,
    found: Fen,
    usual: Fen,
    hints: Vec<super::Hint>,
    longer: Option<i64>,
}

impl Judged {
    fn alert(&self, kind: Kind, group: &str, (month, date): (Month, Option<String>)) -> Alert {
        Alert {
            kind,
            level: None,
            side: Some(self.side),
            month,
            date,
            department: String::new(),
            group: group.to_owned(),
            case: None,
            day_of_stay: None,
            found: self.found,
            against: self.usual,
            hints: self.hints.clone(),
            longer: self.longer,
        }
    }
}
