//! A month's stays in columns, as the checks read them, and how many stays of a case group have a cost item.

use std::collections::BTreeMap;

/// De-identified stays of one month, in columns of one length.
#[derive(Clone, Default, Debug)]
pub struct Table {
    /// Pseudonyms.
    pub patients: Vec<[u8; 16]>,
    /// Index of the case group in the dictionary.
    pub groups: Vec<u16>,
    /// Keys by dimension, as indices into the dictionary's.
    pub dimensions: BTreeMap<String, Vec<u16>>,
    /// Amounts by field, of those that the source has.
    pub fields: BTreeMap<String, Vec<u32>>,
}

impl Table {
    /// Number of stays.
    pub fn rows(&self) -> usize {
        self.groups.len()
    }

    /// The department's key of each stay; none where the dictionary or the file has no departments.
    pub(super) fn departments(&self) -> Option<&[u16]> {
        self.dimensions.get("department").map(Vec::as_slice)
    }
}

/// Stays of a case group, and how many of them have a field above zero.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Coverage(pub(super) BTreeMap<(u16, String), (u64, u64)>);

impl Coverage {
    /// Adds a month.
    pub fn add(&mut self, table: &Table) {
        for (name, amounts) in &table.fields {
            let mut counts: BTreeMap<u16, (u64, u64)> = BTreeMap::new();
            for (group, amount) in table.groups.iter().zip(amounts) {
                let (stays, with) = counts.entry(*group).or_default();
                *stays = stays.saturating_add(1);
                *with = with.saturating_add(u64::from(*amount > 0));
            }
            for (group, (stays, with)) in counts {
                let held = self.0.entry((group, name.clone())).or_default();
                *held = (held.0.saturating_add(stays), held.1.saturating_add(with));
            }
        }
    }

    /// Stays of a group, and those of them with the field.
    pub(super) fn of(&self, group: u16, field: &str) -> (u64, u64) {
        self.0
            .get(&(group, field.to_owned()))
            .copied()
            .unwrap_or_default()
    }
}
