//! A run: a month examined, its findings brought to their next states, both kept in one change.

use std::path::Path;

use policies::quality::{
    CONSUMABLES, Check, Coverage, Examined, Finding, Matched, QualityRules, examine, settle,
};
use schemas::dictionary::Dictionary;
use schemas::question::Dataset;
use schemas::time::{Month, Timestamp};

use super::store::{self, Run, Standing};
use super::{QualityError, Tables, read};
use crate::store::dictionaries;
use crate::store::loads::{self, LoadedMonth};
use crate::store::state::{State, StateError, append};

/// Most earlier months that say what is usual.
const EARLIER: usize = 12;

/// What a run came to, dataset by dataset.
#[derive(Debug)]
pub struct Ran {
    /// The dataset.
    pub rows: Standing,
    /// The consumables, where their tables were given.
    pub consumables: Option<Standing>,
    /// Codes of theirs that a crosswalk does not have, so that they stood for themselves.
    pub uncrossed: u64,
}

/// Examines a month as it is loaded: the staged one, else the released one. `tables` are those of the
/// three-way match.
pub async fn run(
    state: &State,
    data: &Path,
    rules: &QualityRules,
    (dataset, month, tables): (Dataset, Month, Option<&Tables>),
    now: Timestamp,
) -> Result<Ran, QualityError> {
    let mut months = loads::months(state.pool()).await?;
    months.retain(|held| held.dataset == dataset);
    let current = |held: &&LoadedMonth| held.is_current();
    let held = months
        .iter()
        .filter(current)
        .rfind(|held| held.month == month)
        .ok_or(QualityError::NotLoaded(month))?;
    let dictionary = dictionaries::by_digest(state, &held.dictionary).await?;
    let dictionary = dictionary.ok_or(QualityError::Report(month))?;
    let of_dataset = dictionary.of(dataset);
    let dictionary = &*of_dataset.ok_or(QualityError::Report(month))?;
    let name = dataset.as_str();
    let newest = months.iter().filter(current).map(|held| held.month).max();
    let last: i64 = sqlx::query_scalar("select coalesce(max(at), 0) from loads where dataset = $1")
        .bind(name)
        .fetch_one(state.pool())
        .await?;
    let days = now.0.saturating_sub(last).div_euclid(86_400);
    let age = (newest == Some(month)).then(|| u64::try_from(days).unwrap_or(0));
    let matched = tables.map(|of| of.matched(month)).transpose()?;
    let (matched, uncrossed) = matched.map_or((None, 0), |(of, missing)| (Some(of), missing));
    let folder = data.join(&held.folder);
    let loaded = read::loaded(&folder, month)?;
    let table = read::columns(&folder, month, dictionary)?;
    let earlier = earlier(data, &months, (held, dictionary))?;
    let found = examine(
        rules,
        &Examined {
            dataset: name,
            month,
            dictionary,
            table: &table,
            refused: &loaded.rules,
            earlier: &earlier,
            age,
            matched: matched.as_ref(),
        },
    );
    let (own, consumables): (Vec<Finding>, Vec<Finding>) =
        found.into_iter().partition(|one| one.dataset == name);
    let rows = u64::try_from(table.rows()).unwrap_or(u64::MAX);
    let of = Run {
        dataset: name.to_owned(),
        month,
        load: held.load.clone(),
        rules: rules.clone(),
        rows: rows.saturating_add(loaded.refused),
        timeliness: loaded.timeliness,
        provisional: matched.as_ref().is_some_and(|one| falls_short(rules, one)),
        at: now,
    };
    let mut change = state.begin().await?;
    let own = settle(store::known(&mut *change, name, month).await?, own);
    let own = store::keep(&mut change, of.clone(), own).await?;
    let consumables = match matched {
        None => None,
        Some(matched) => {
            let of = Run {
                dataset: CONSUMABLES.to_owned(),
                rows: matched.uses,
                timeliness: 100,
                ..of
            };
            let before = store::known(&mut *change, CONSUMABLES, month).await?;
            Some(store::keep(&mut change, of, settle(before, consumables)).await?)
        }
    };
    for standing in [Some(&own), consumables.as_ref()].into_iter().flatten() {
        let report = &standing.report;
        let detail = [
            ("dataset", report.dataset.clone()),
            ("month", month.to_string()),
            ("grade", format!("{:?}", report.grade)),
        ];
        append(&mut change, now, "quality-run", standing.digest, &detail).await?;
    }
    change.commit().await.map_err(StateError::from)?;
    Ok(Ran {
        rows: own,
        consumables,
        uncrossed,
    })
}

fn falls_short(rules: &QualityRules, matched: &Matched) -> bool {
    let mut lines = rules.rules.iter().filter_map(|rule| match &rule.check {
        Check::ThreeWay { least } => Some(least),
        _ => None,
    });
    lines.any(|least| !matched.reaches(least))
}

/// How often rows of the months before had each item; months of the same dictionary alone.
fn earlier(
    data: &Path,
    months: &[LoadedMonth],
    (of, dictionary): (&LoadedMonth, &Dictionary),
) -> Result<Coverage, QualityError> {
    let mut coverage = Coverage::default();
    let before = months.iter().filter(|held| {
        let same = held.dictionary == of.dictionary;
        held.month < of.month && held.is_current() && held.release.is_some() && same
    });
    for held in before.rev().take(EARLIER) {
        let folder = data.join(&held.folder);
        coverage.add(&read::columns(&folder, held.month, dictionary)?);
    }
    Ok(coverage)
}
