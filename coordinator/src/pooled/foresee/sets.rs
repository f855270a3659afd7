//! What was summed or voted for before, and over which hospitals.

use std::collections::BTreeSet;

use pooled::family::{self, Earlier};
use pooled::manifest::Manifest;
use pooled::survivors::{Survivor, Survivors};
use schemas::digest::Digest;
use schemas::id::Slug;

use super::Foreseen;
use crate::pooled::{Held, PooledError, advance};
use crate::store::state::{State, StateError};

/// A question is not asked again of the same releases.
pub(super) fn published(manifest: &Manifest, rounds: &[Held]) -> Result<(), PooledError> {
    let told = rounds.iter().find(|held| {
        let before = held.round.manifest();
        let same = before.question == manifest.question && before.period == manifest.period;
        same && held.state == "done"
    });
    let Some(held) = told else {
        return Ok(());
    };
    let round = held.round.manifest().round.clone();
    Err(PooledError::Foreseen(Box::new(Foreseen::Published {
        round,
    })))
}

/// Likely sets of earlier rounds: those that any seat voted for, certified or not, as that seat holds to
/// it, and those that rounds that go on are meant to have.
pub(super) async fn families(
    state: &State,
    manifest: &Manifest,
    rounds: &[Held],
) -> Result<(), PooledError> {
    let whole = |hospital: &Slug| Survivor {
        hospital: hospital.clone(),
        upload: Digest::ZERO,
    };
    let survivors = |roster: &[Slug]| Survivors {
        manifest: Digest::ZERO,
        uploads: roster.iter().map(whole).collect(),
    };
    let set = survivors(&manifest.roster);
    for held in rounds {
        let before = held.round.manifest();
        let mut found = voted(state, &before.round).await?;
        match held.state.as_str() {
            "open" => found.push(survivors(&before.roster)),
            "proposed" => found.push(advance::proposed(state, held).await?.survivors),
            _ => {}
        }
        for one in found {
            let one = Earlier::of(before, &one);
            if let Err(fault) = family::check(manifest, &set, std::slice::from_ref(&one)) {
                let asked: BTreeSet<Slug> = manifest.roster.iter().cloned().collect();
                return Err(PooledError::Foreseen(Box::new(Foreseen::Family {
                    fault,
                    round: before.round.clone(),
                    more: asked.difference(&one.survivors).cloned().collect(),
                    fewer: one.survivors.difference(&asked).cloned().collect(),
                    set: one.survivors.into_iter().collect(),
                })));
            }
        }
    }
    Ok(())
}

/// Sets of a round that any seat voted for: certified ones too.
async fn voted(state: &State, round: &Slug) -> Result<Vec<Survivors>, PooledError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "select s.survivors from pooled_sets s where s.round = $1 and exists (select 1 \
         from pooled_words w where w.round = s.round and w.number = s.number and w.kind = 'vote') \
         order by s.number",
    )
    .bind(round.as_str())
    .fetch_all(state.pool())
    .await?;
    let read = |text: &String| Ok(serde_json::from_str(text).map_err(|_| StateError::Range)?);
    rows.iter().map(read).collect()
}
