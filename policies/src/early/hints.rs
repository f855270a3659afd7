//! Where a difference lies: categories that cost more, or less, than in the group's closed cases. Where it
//! lies is not what caused it.

use schemas::id::Slug;
use schemas::money::{Fen, half_up};
use serde::{Deserialize, Serialize};

use super::stat::Stat;

/// A category and by how much it differs, a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// The cost category.
    pub category: Slug,
    /// Mean cost of a case less that of the past.
    pub more: Fen,
}

/// The categories that differ most to one side (`sign` 1 more, −1 less), the largest difference first.
pub(super) fn hints(now: &Stat, past: &Stat, sign: i128, most: u32) -> Vec<Hint> {
    if now.cases <= 0 || past.cases <= 0 {
        return Vec::new();
    }
    let below = now.cases.saturating_mul(past.cases);
    let names = now.categories.keys().chain(past.categories.keys());
    let mut found: Vec<(i128, &Slug)> = Vec::new();
    for name in names {
        if found.iter().any(|(_, known)| *known == name) {
            continue;
        }
        let of = |stat: &Stat| stat.categories.get(name).copied().unwrap_or(0);
        // Differences of means over one denominator: compared as they are.
        let difference = of(now)
            .saturating_mul(past.cases)
            .saturating_sub(of(past).saturating_mul(now.cases));
        if difference.saturating_mul(sign) > 0 {
            found.push((difference, name));
        }
    }
    found.sort_by_key(|(difference, name)| {
        (
            std::cmp::Reverse(difference.saturating_mul(sign)),
            (*name).clone(),
        )
    });
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let shown = found
        .into_iter()
        .take(most)
        .filter_map(|(difference, name)| {
            let more = i64::try_from(half_up(difference, below)?).ok()?;
            Some(Hint {
                category: name.clone(),
                more: Fen(more),
            })
        });
    shown.collect()
}
