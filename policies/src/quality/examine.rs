//! The checks of a month, rule by rule. Findings are by department and case group, in order.

use std::collections::{BTreeMap, BTreeSet};

use dashu::rational::RBig;
use schemas::dictionary::{Dictionary, OTHER};
use schemas::id::Slug;
use schemas::time::Month;

use super::spread::{outside, quartiles};
use super::{Check, Coverage, Finding, Matched, QualityRules, Rule, Table};
use crate::figures::Exact;
use crate::quality::CONSUMABLES;

/// What is examined.
#[derive(Clone, Copy, Debug)]
pub struct Examined<'a> {
    /// The dataset.
    pub dataset: &'a str,
    /// The month.
    pub month: Month,
    /// The dictionary of the dataset that coded it.
    pub dictionary: &'a Dictionary,
    /// Its rows.
    pub table: &'a Table,
    /// Rows that the load refused, by its rules.
    pub refused: &'a BTreeMap<String, u64>,
    /// How often earlier months' stays had each item.
    pub earlier: &'a Coverage,
    /// Days since the load, where it is the newest one.
    pub age: Option<u64>,
    /// The three-way match, where its tables were given.
    pub matched: Option<&'a Matched>,
}

/// Everything that breaks a rule, in the rules' order.
pub fn examine(rules: &QualityRules, of: &Examined<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in rules.rules.iter().filter(|rule| rule.is_about(of.dataset)) {
        match &rule.check {
            Check::Refused { rules } => of.refused(rule, rules, &mut found),
            Check::Listed { dimension } => of.listed(rule, dimension, &mut found),
            Check::Range {
                field,
                least,
                most,
                times,
            } => of.range(rule, field, (*least, *most, times.as_ref()), &mut found),
            Check::Parts { whole } => of.parts(rule, whole, &mut found),
            Check::Scope {
                whole,
                usual,
                least,
                stays,
            } => of.scope(rule, whole, (usual, least, *stays), &mut found),
            Check::Repeated { fields } => of.repeated(rule, fields, &mut found),
            Check::Outlier {
                field,
                times,
                stays,
            } => of.outlier(rule, field, (times, *stays), &mut found),
            Check::Fresh { days } => of.fresh(rule, *days, &mut found),
            Check::ThreeWay { .. } => of.three_way(rule, &mut found),
        }
    }
    found
}

impl Examined<'_> {
    fn finding(&self, rule: &Rule, field: &str, rows: u64, of: u64) -> Finding {
        Finding {
            dataset: self.dataset.to_owned(),
            month: self.month,
            rule: rule.id.clone(),
            aspect: rule.aspect,
            counts: rule.counts,
            department: String::new(),
            field: field.to_owned(),
            group: String::new(),
            rows,
            of,
        }
    }

    fn all(&self) -> u64 {
        u64::try_from(self.table.rows()).unwrap_or(u64::MAX)
    }

    fn group(&self, index: u16) -> String {
        let group = self.dictionary.groups.get(usize::from(index));
        group.map_or_else(|| OTHER.to_owned(), |group| group.code.clone())
    }

    fn department(&self, index: Option<u16>) -> String {
        let dimension = self.dictionary.dimension("department");
        let key = dimension.zip(index);
        let key = key.and_then(|(dimension, index)| dimension.keys.get(usize::from(index)));
        key.map_or_else(String::new, |key| key.code.clone())
    }

    /// Department and case group of each stay.
    fn places(&self) -> impl Iterator<Item = (Option<u16>, u16)> + '_ {
        let departments = self.table.departments();
        let groups = self.table.groups.iter().enumerate();
        groups.map(move |(row, group)| (departments.and_then(|all| all.get(row).copied()), *group))
    }

    /// One finding for each department and case group in which rows break the rule.
    fn by_place(
        &self,
        rule: &Rule,
        field: &str,
        broken: impl Iterator<Item = bool>,
        found: &mut Vec<Finding>,
    ) {
        let mut places: BTreeMap<(Option<u16>, u16), (u64, u64)> = BTreeMap::new();
        for (place, broken) in self.places().zip(broken) {
            let (rows, of) = places.entry(place).or_default();
            *of = of.saturating_add(1);
            *rows = rows.saturating_add(u64::from(broken));
        }
        for ((department, group), (rows, of)) in places {
            if rows > 0 {
                found.push(Finding {
                    department: self.department(department),
                    group: self.group(group),
                    ..self.finding(rule, field, rows, of)
                });
            }
        }
    }

    fn refused(&self, rule: &Rule, of: &[Slug], found: &mut Vec<Finding>) {
        let refused: u64 = self.refused.values().sum();
        for id in of {
            let rows = self.refused.get(id.as_str()).copied().unwrap_or(0);
            if rows > 0 {
                let all = self.all().saturating_add(refused);
                found.push(self.finding(rule, id.as_str(), rows, all));
            }
        }
    }

    fn listed(&self, rule: &Rule, dimension: &Slug, found: &mut Vec<Finding>) {
        let keys = match dimension.as_str() {
            "case_group" => self.dictionary.groups.len(),
            name => self
                .dictionary
                .dimension(name)
                .map_or(0, |one| one.keys.len()),
        };
        let Some(other) = keys
            .checked_sub(1)
            .and_then(|last| u16::try_from(last).ok())
        else {
            return;
        };
        let codes = match dimension.as_str() {
            "case_group" => Some(&self.table.groups),
            name => self.table.dimensions.get(name),
        };
        let Some(codes) = codes else { return };
        let broken = codes.iter().map(|code| *code == other);
        self.by_place(rule, dimension.as_str(), broken, found);
    }

    fn range(
        &self,
        rule: &Rule,
        field: &Slug,
        (least, most, times): (Option<u32>, Option<u32>, Option<&Exact>),
        found: &mut Vec<Finding>,
    ) {
        let known = self.dictionary.field(field.as_str());
        let amounts = self.table.fields.get(field.as_str());
        let (Some(known), Some(amounts)) = (known, amounts) else {
            return;
        };
        // The lines of all groups at once; none where the rule has no multiple.
        let line = |times: &Exact| {
            let groups = self.dictionary.groups.iter();
            let lines = groups.map(|group| &times.0 * RBig::from(group.reference(known.reference)));
            // An amount is whole: it is above the line where it is above its floor.
            lines
                .map(|line| u64::try_from(line.floor()).unwrap_or(u64::MAX))
                .collect::<Vec<u64>>()
        };
        let lines = times.map(line);
        let broken = amounts
            .iter()
            .zip(&self.table.groups)
            .map(|(amount, group)| {
                let line = lines
                    .as_ref()
                    .and_then(|lines| lines.get(usize::from(*group)));
                least.is_some_and(|least| *amount < least)
                    || most.is_some_and(|most| *amount > most)
                    || line.is_some_and(|line| u64::from(*amount) > *line)
            });
        self.by_place(rule, field.as_str(), broken, found);
    }

    fn parts(&self, rule: &Rule, whole: &Slug, found: &mut Vec<Finding>) {
        let items: Vec<&Slug> = self
            .dictionary
            .items_of(whole)
            .map(|item| &item.id)
            .collect();
        let columns = items
            .iter()
            .map(|item| self.table.fields.get(item.as_str()))
            .collect::<Option<Vec<_>>>();
        let sum = self.table.fields.get(whole.as_str());
        let (Some(columns), Some(sum)) = (columns.filter(|all| !all.is_empty()), sum) else {
            return;
        };
        let broken = sum.iter().enumerate().map(|(row, whole)| {
            let parts = columns.iter().filter_map(|column| column.get(row));
            let parts = parts.fold(0_u64, |sum, part| sum.saturating_add(u64::from(*part)));
            parts != u64::from(*whole)
        });
        self.by_place(rule, whole.as_str(), broken, found);
    }

    fn scope(
        &self,
        rule: &Rule,
        whole: &Slug,
        (usual, least, stays): (&Exact, &Exact, u32),
        found: &mut Vec<Finding>,
    ) {
        let mut now = Coverage::default();
        now.add(self.table);
        for item in self.dictionary.items_of(whole) {
            let name = item.id.as_str();
            let Some(amounts) = self.table.fields.get(name) else {
                continue;
            };
            let mut places: BTreeMap<(Option<u16>, u16), (u64, u64)> = BTreeMap::new();
            for (place, amount) in self.places().zip(amounts) {
                let (all, with) = places.entry(place).or_default();
                *all = all.saturating_add(1);
                *with = with.saturating_add(u64::from(*amount > 0));
            }
            for ((department, group), (all, with)) in places {
                // The past says what is usual; where it is too short, the whole hospital's month does.
                let past = self.earlier.of(group, name);
                let held = if past.0 >= u64::from(stays) {
                    past
                } else {
                    now.of(group, name)
                };
                let enough = all >= u64::from(stays) && held.0 >= u64::from(stays);
                let reaches = |(all, with): (u64, u64), line: &Exact| {
                    RBig::from(with) >= RBig::from(all) * &line.0
                };
                if enough && reaches(held, usual) && !reaches((all, with), least) {
                    found.push(Finding {
                        department: self.department(department),
                        group: self.group(group),
                        ..self.finding(rule, name, all.saturating_sub(with), all)
                    });
                }
            }
        }
    }

    fn repeated(&self, rule: &Rule, fields: &[Slug], found: &mut Vec<Finding>) {
        let columns = fields
            .iter()
            .map(|field| self.table.fields.get(field.as_str()))
            .collect::<Option<Vec<_>>>();
        let Some(columns) = columns else { return };
        let mut seen = BTreeSet::new();
        let rows = self.table.patients.iter().zip(&self.table.groups);
        let broken = rows.enumerate().map(|(row, (patient, group))| {
            let amounts: Vec<u32> = columns
                .iter()
                .filter_map(|column| column.get(row).copied())
                .collect();
            !seen.insert((*patient, *group, amounts))
        });
        let broken: Vec<bool> = broken.collect();
        self.by_place(rule, "", broken.into_iter(), found);
    }

    fn outlier(
        &self,
        rule: &Rule,
        field: &Slug,
        (times, stays): (&Exact, u32),
        found: &mut Vec<Finding>,
    ) {
        let Some(amounts) = self.table.fields.get(field.as_str()) else {
            return;
        };
        let fraction = (
            i128::try_from(times.0.numerator().clone()).unwrap_or(i128::MAX),
            i128::try_from(times.0.denominator().clone()).unwrap_or(i128::MAX),
        );
        let other = self.dictionary.groups.len().saturating_sub(1);
        let mut groups: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
        for (group, amount) in self.table.groups.iter().zip(amounts) {
            // What is not grouped has nothing in common.
            if usize::from(*group) != other {
                groups.entry(*group).or_default().push(*amount);
            }
        }
        let least = usize::try_from(stays).unwrap_or(usize::MAX);
        groups.retain(|_, values| values.len() >= least);
        let fences: BTreeMap<u16, (i128, i128)> = groups
            .into_iter()
            .filter_map(|(group, mut values)| {
                values.sort_unstable();
                Some((group, quartiles(&values)?))
            })
            .collect();
        let broken = self
            .table
            .groups
            .iter()
            .zip(amounts)
            .map(|(group, amount)| {
                let fence = fences.get(group);
                fence.is_some_and(|fence| outside(*amount, *fence, fraction))
            });
        self.by_place(rule, field.as_str(), broken, found);
    }

    fn fresh(&self, rule: &Rule, days: u32, found: &mut Vec<Finding>) {
        if self.age.is_some_and(|age| age > u64::from(days)) {
            found.push(self.finding(rule, "", self.all(), self.all()));
        }
    }

    fn three_way(&self, rule: &Rule, found: &mut Vec<Finding>) {
        let Some(matched) = self.matched else { return };
        for ((department, item), (lacks, differs, all)) in &matched.by {
            let rows = lacks.saturating_add(*differs);
            if rows > 0 {
                found.push(Finding {
                    dataset: CONSUMABLES.to_owned(),
                    department: department.clone(),
                    ..self.finding(rule, item, rows, *all)
                });
            }
        }
    }
}
