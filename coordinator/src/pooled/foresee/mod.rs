//! What nodes are going to refuse, as far as this coordinator knows it from rounds that it opened and
//! certified. Foreseen at the opening, so that no hospital pays for a round that cannot end well.
//! Nodes and seats hold to their rules by themselves; nothing rests on this.

mod data;
mod sets;

use std::collections::{BTreeMap, BTreeSet};

use policies::plan::{Apart, Layout, apart, compile, pooled_charge, told};
use policies::rules::Privacy;
use policies::template;
use pooled::family::FamilyError;
use pooled::manifest::Manifest;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::question::{Question, Release};
use schemas::time::Period;
use sqlx::Row as _;

use super::{Held, PooledError, open};
use crate::ask;
use crate::authority::Authority;
use crate::dictionary;
use crate::store::state::{State, StateError};

/// Which rule hospitals would refuse a round by, and who is concerned.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Foreseen {
    /// The hospital differencing rule.
    #[error(
        "{fault}: `{round}` is about the same figures of these months{}{}; ask the same hospitals \
         again: --roster {}",
        only(" and has not ", .more), only(" and has beside them ", .fewer), comma(.set)
    )]
    Family {
        /// The rule.
        fault: FamilyError,
        /// The round that it meets.
        round: Slug,
        /// Asked now and not in that round's sum.
        more: Vec<Slug>,
        /// In that round's sum and not asked now.
        fewer: Vec<Slug>,
        /// That round's hospitals.
        set: Vec<Slug>,
    },
    /// The same question, of which the sum is known.
    #[error(
        "`{round}` asked the very same question and its sum is published: another sum of the same \
         releases would only cost hospitals again; see `pooled report {round}`. Where hospitals released \
         these months anew since, open it all the same"
    )]
    Published {
        /// The round that told it.
        round: Slug,
    },
    /// Nothing to answer with.
    #[error(
        "{} said in `{round}` that they have released no month of {}..{}, and answered nothing about \
         them since: leave them out (--roster), or wait until they have released the months",
        comma(.hospitals), .period.from, .period.to
    )]
    NoData {
        /// Who said so.
        hospitals: Vec<Slug>,
        /// The last round in which one of them said so.
        round: Slug,
        /// The months asked about.
        period: Period,
    },
    /// More than any hospital's limit of what a failing committee would cost.
    #[error(
        "pooled.worst: with at least {n_min} hospitals in the sum the round takes ρ {worst} of each \
         data year if the whole committee colludes, and hospitals allow ρ {limit}: none of them can \
         ever answer; ask at most {most} hospitals (--roster), or by a template of less ρ"
    )]
    NeverWorst {
        /// n_min.
        n_min: u32,
        /// What the round takes.
        worst: Rho,
        /// The alliance's floor.
        limit: Rho,
        /// The most hospitals that can be asked this.
        most: u64,
    },
    /// The limit is used up.
    #[error(
        "pooled.worst: {} have ρ {left} of ρ {limit} left for {year} and the round takes ρ {worst}; \
         leave them out (--roster), or ask about another data year",
        comma(.hospitals)
    )]
    Worst {
        /// Whose.
        hospitals: Vec<Slug>,
        /// The data year.
        year: u16,
        /// The least that one of them has left.
        left: Rho,
        /// The alliance's floor.
        limit: Rho,
        /// What the round takes.
        worst: Rho,
    },
    /// Parts of what hospitals have not told as a whole.
    #[error(
        "the question asks for parts of the {words}, and {} have told this coordinator no attributed \
         answer on the {words} by the same dimensions, filters and bounds over {}..{}{}; or leave \
         them out (--roster)",
        comma(.hospitals), .period.from, .period.to, first(.template.as_ref(), *.period)
    )]
    Wholes {
        /// Who has not.
        hospitals: Vec<Slug>,
        /// What they have not told.
        words: String,
        /// The months.
        period: Period,
        /// A template that asks for it.
        template: Option<Slug>,
    },
    /// Told attributed before.
    #[error(
        "{subject}: {} told it by themselves in `{round}`; a measure of a month is attributed or \
         pooled, never both: leave them out (--roster), or ask about other months",
        comma(.hospitals)
    )]
    OtherWay {
        /// What was told.
        subject: String,
        /// Where.
        round: Slug,
        /// By whom.
        hospitals: Vec<Slug>,
    },
}

fn comma(names: &[Slug]) -> String {
    let names: Vec<&str> = names.iter().map(Slug::as_str).collect();
    names.join(",")
}

fn only(word: &str, names: &[Slug]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("{word}{}", comma(names))
}

fn first(template: Option<&Slug>, period: Period) -> String {
    template.map_or_else(String::new, |template| {
        let (from, to) = (period.from, period.to);
        format!("; first: round open {template} --period {from}..{to}")
    })
}

/// What is about to be asked.
pub(super) struct Coming<'a> {
    pub(super) question: &'a Question,
    pub(super) layout: &'a Layout,
    pub(super) dictionary: &'a Dictionary,
    pub(super) manifest: &'a Manifest,
}

/// Refuses what hospitals would refuse.
pub(super) async fn foresee(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    coming: &Coming<'_>,
) -> Result<(), PooledError> {
    let rounds = open::list(state, authority).await?;
    data::none(state, authority, coming.manifest).await?;
    sets::families(state, coming.manifest, &rounds).await?;
    sets::published(coming.manifest, &rounds)?;
    worst(state, authority, rules, coming, &rounds).await?;
    ways(state, authority, rules, coming).await
}

/// What a failing committee would cost: the round's own, and beside what was uploaded before. It is
/// never credited.
async fn worst(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    coming: &Coming<'_>,
    rounds: &[Held],
) -> Result<(), PooledError> {
    let (manifest, limit) = (coming.manifest, rules.pooled.worst);
    let (charge, worst) = pooled_charge(coming.layout, (manifest.n_min, manifest.t))?;
    if worst > limit {
        let shares = limit.nano().checked_div(charge.nano()).unwrap_or(0);
        let survivors = shares.saturating_add(u64::from(manifest.t));
        return Err(PooledError::Foreseen(Box::new(Foreseen::NeverWorst {
            n_min: manifest.n_min,
            worst,
            limit,
            // n_min is four fifths of them or more.
            most: survivors.saturating_mul(5) / 4,
        })));
    }
    let mut spent: BTreeMap<(u16, Slug), u64> = BTreeMap::new();
    for held in rounds {
        let before = held.round.manifest();
        let Some(layout) = layout(state, authority, rules, &held.asked.question).await? else {
            continue;
        };
        let (_, took) = pooled_charge(&layout, (before.n_min, before.t))?;
        let mut hospitals = named(
            state,
            "select hospital from pooled_uploads where round = $1",
            &before.round,
        )
        .await?;
        if held.state == "open" {
            hospitals.extend(before.roster.iter().cloned());
        }
        for year in before.period.years() {
            for hospital in &hospitals {
                let line = spent.entry((year.0, hospital.clone())).or_default();
                *line = line.saturating_add(took.nano());
            }
        }
    }
    for year in manifest.period.years() {
        let left = |hospital: &Slug| {
            let spent = spent.get(&(year.0, hospital.clone())).copied();
            limit.nano().saturating_sub(spent.unwrap_or(0))
        };
        let short = |hospital: &&Slug| left(hospital) < worst.nano();
        let hospitals: Vec<Slug> = manifest.roster.iter().filter(short).cloned().collect();
        if let Some(least) = hospitals.iter().map(left).min() {
            return Err(PooledError::Foreseen(Box::new(Foreseen::Worst {
                hospitals,
                year: year.0,
                left: Rho::from_nano(least).unwrap_or_default(),
                limit,
                worst,
            })));
        }
    }
    Ok(())
}

/// A measure is attributed or pooled, and parts are pooled beside wholes that were told attributed.
async fn ways(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    coming: &Coming<'_>,
) -> Result<(), PooledError> {
    let (manifest, period) = (coming.manifest, coming.manifest.period);
    let apart = apart(coming.layout, coming.dictionary)?;
    let mut missing: BTreeMap<&String, BTreeSet<Slug>> = BTreeMap::new();
    for whole in apart.wholes.keys() {
        missing.insert(whole, manifest.roster.iter().cloned().collect());
    }
    for held in ask::list(state, authority).await.map_err(Box::new)? {
        let asked = held.round.question.period;
        if asked.from > period.to || period.from > asked.to {
            continue;
        }
        let Some(layout) = layout(state, authority, rules, &held.round.question).await? else {
            continue;
        };
        let answered = "select hospital from replies where round = $1 and said = 'answered'";
        let answered = named(state, answered, &held.round.id).await?;
        let told = told(&layout)?;
        if let Some(subject) = apart
            .subjects
            .iter()
            .find(|one| told.subjects.contains(*one))
        {
            let told = manifest.roster.iter().filter(|one| answered.contains(*one));
            let hospitals: Vec<Slug> = told.cloned().collect();
            if !hospitals.is_empty() {
                return Err(PooledError::Foreseen(Box::new(Foreseen::OtherWay {
                    subject: subject.clone(),
                    round: held.round.id,
                    hospitals,
                })));
            }
        }
        if asked == period && held.round.question.dictionary == coming.question.dictionary {
            for (whole, hospitals) in &mut missing {
                if told.wholes.contains(*whole) {
                    hospitals.retain(|hospital| !answered.contains(hospital));
                }
            }
        }
    }
    for (whole, hospitals) in missing {
        if let (false, Some(words)) = (hospitals.is_empty(), apart.wholes.get(whole)) {
            return Err(PooledError::Foreseen(Box::new(Foreseen::Wholes {
                hospitals: hospitals.into_iter().collect(),
                words: words.clone(),
                period,
                template: teller(coming, rules, &apart),
            })));
        }
    }
    Ok(())
}

/// A shipped template whose attributed answers tell these wholes, and nothing that is to be pooled.
fn teller(coming: &Coming<'_>, rules: &Privacy, apart: &Apart) -> Option<Slug> {
    let mut shipped = template::shipped().into_iter();
    let tells = shipped.find(|template| {
        let period = coming.manifest.period;
        let drafted = || {
            let draft = template.draft(coming.dictionary, coming.question.rules, period);
            let layout = compile(&draft.ok()?.question, coming.dictionary, rules).ok()?;
            told(&layout).ok()
        };
        template.release == Release::Attributed
            && drafted().is_some_and(|told| {
                apart.wholes.keys().all(|whole| told.wholes.contains(whole))
                    && apart.subjects.is_disjoint(&told.subjects)
            })
    });
    tells.map(|template| template.id)
}

/// A question compiled under the dictionary that it cites; none where today's rules refuse it.
async fn layout(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    question: &Question,
) -> Result<Option<Layout>, PooledError> {
    let cited = dictionary::by_digest(state, authority, question.dictionary).await?;
    let cited = cited.ok_or(PooledError::NoDictionary)?.dictionary;
    Ok(compile(question, &cited, rules).ok())
}

async fn named(
    state: &State,
    select: &'static str,
    round: &Slug,
) -> Result<BTreeSet<Slug>, PooledError> {
    let rows = sqlx::query(select)
        .bind(round.as_str())
        .fetch_all(state.pool())
        .await?;
    let name = |row: &sqlx::sqlite::SqliteRow| {
        let name: String = row.try_get(0)?;
        Ok(name.parse().map_err(|_| StateError::Name)?)
    };
    rows.iter().map(name).collect()
}
