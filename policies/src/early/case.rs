//! One case as it stands.

use std::collections::BTreeMap;

use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;

use super::Posting;
use super::stat::Stat;
use crate::figures::alerts::Level;

/// A case as its postings made it.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) group: String,
    pub(super) department: String,
    pub(super) admitted: u32,
    /// The last day with a posting.
    pub(super) last: u32,
    pub(super) cost: Fen,
    pub(super) days: BTreeMap<u32, Fen>,
    categories: BTreeMap<Slug, Fen>,
    /// The day and month on which it was closed.
    pub(super) closed: Option<(u32, Month)>,
    /// Levels that were told: incurred, projected.
    pub(super) told: [Level; 2],
    /// Whether the benchmark's was.
    pub(super) above: bool,
}

impl Case {
    pub(super) fn new(posting: &Posting) -> Self {
        Self {
            group: posting.group.clone(),
            department: posting.department.clone(),
            admitted: posting.admitted,
            last: posting.day,
            cost: Fen(0),
            days: BTreeMap::new(),
            categories: BTreeMap::new(),
            closed: None,
            told: [Level::None; 2],
            above: false,
        }
    }

    /// Adds a posting; nothing changes where an amount leaves its range.
    pub(super) fn add(&mut self, posting: &Posting) -> Option<()> {
        let cost = self.cost.checked_add(posting.amount).ok()?;
        let sum = |held: Option<&Fen>| held.copied().unwrap_or_default();
        let day = sum(self.days.get(&posting.day));
        let day = day.checked_add(posting.amount).ok()?;
        let category = sum(self.categories.get(&posting.category));
        let category = category.checked_add(posting.amount).ok()?;
        self.cost = cost;
        self.days.insert(posting.day, day);
        self.categories.insert(posting.category.clone(), category);
        if !posting.group.is_empty() {
            self.group.clone_from(&posting.group);
        }
        if !posting.department.is_empty() {
            self.department.clone_from(&posting.department);
        }
        self.last = self.last.max(posting.day);
        if posting.closed && self.closed.is_none() {
            self.closed = Some((posting.day, posting.month));
        }
        Some(())
    }

    /// Begun days so far; of a closed case up to its closing.
    pub(super) fn begun(&self) -> u32 {
        let last = self.closed.map_or(self.last, |(day, _)| day);
        last.saturating_sub(self.admitted).saturating_add(1)
    }

    /// The case as a sum of one.
    pub(super) fn stat(&self) -> Stat {
        let categories = self.categories.iter();
        Stat {
            cases: 1,
            cost: i128::from(self.cost.0),
            days: i128::from(self.begun()),
            categories: categories
                .map(|(name, fen)| (name.clone(), i128::from(fen.0)))
                .collect(),
        }
    }
}
