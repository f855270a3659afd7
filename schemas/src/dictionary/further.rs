//! Datasets beside stays. Each has groups, dimensions, fields and bins of its own and shares the
//! alliance, currency, cap and range with the rest. Code that works on a dataset sees it as a
//! dictionary of its own ([`Dictionary::of`]), so that there is one loader, one plan and one scan.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dictionary, Dimension, Field, Group, Scheme};
use crate::dataset::Dataset;

/// A dataset beside stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Further {
    /// Which; never `stays`.
    pub dataset: Dataset,
    /// Where its groups come from; a code that no group has must still be of its form.
    pub scheme: Scheme,
    /// A row counts up to so many times its group's reference, where that is not the dictionary's own
    /// `cap`: 1 of scores, whose reference is full marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<u32>,
    /// Its groups in fixed order, the last one `other`: of visits the disease family, of
    /// follow-ups the managed disease. Questions call them `case_group` and `mdc` too.
    pub groups: Vec<Group>,
    /// Its dimensions in fixed order.
    pub dimensions: Vec<Dimension>,
    /// Its fields in fixed order.
    pub fields: Vec<Field>,
    /// Its histogram bins, by the rules of the dictionary's own.
    pub bin_edges: Vec<u32>,
}

impl Dictionary {
    /// What the dictionary says of a dataset, as a dictionary of that dataset alone; `None` where
    /// it does not define it. Questions, answers and loads cite the digest of the whole one, never
    /// of this view.
    pub fn of(&self, dataset: Dataset) -> Option<Cow<'_, Self>> {
        if dataset == Dataset::Stays {
            return Some(Cow::Borrowed(self));
        }
        let found = self.further.iter().find(|set| set.dataset == dataset)?;
        Some(Cow::Owned(self.view(found)))
    }

    /// The datasets that the dictionary defines, stays first.
    pub fn datasets(&self) -> impl Iterator<Item = Dataset> + '_ {
        let further = self.further.iter().map(|set| set.dataset);
        std::iter::once(Dataset::Stays).chain(further)
    }

    pub(super) fn view(&self, set: &Further) -> Self {
        Self {
            alliance: self.alliance.clone(),
            version: self.version,
            currency: self.currency.clone(),
            scheme: set.scheme.clone(),
            cap: set.cap.unwrap_or(self.cap),
            max_rows: self.max_rows,
            groups: set.groups.clone(),
            dimensions: set.dimensions.clone(),
            fields: set.fields.clone(),
            bin_edges: set.bin_edges.clone(),
            further: Vec::new(),
        }
    }
}
