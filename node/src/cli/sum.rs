//! What a pooled question would cost this hospital, and how accurate the alliance's sum would be.

use std::collections::BTreeMap;
use std::io::Write;

use policies::plan::{self, ExplainedSum, Layout, Thought, compile, counts_by, explain_sum};
use policies::template;
use pooled::key_list::{KeyList, Kind};
use schemas::question::{Question, Release};

use super::account::epsilon;
use super::ask::write_blocks;
use crate::answer::{self, App};
use crate::ledger;
use crate::pooled::pinned;

/// Fewest hospitals of any pooled round.
const FEWEST: u32 = 3;

/// A pooled plan, and by which hospitals it is thought of.
#[derive(Debug)]
pub(super) struct Foretold {
    pub(super) plan: ExplainedSum,
    /// Version of the key list whose hospitals are counted; none is followed yet where it is absent.
    list: Option<u32>,
    /// The attributed template that tells the numbers of stays.
    beside: Option<String>,
}

impl Foretold {
    /// What an upload takes: as it is, and if the whole committee colludes.
    pub(super) fn charge(&self) -> (schemas::loss::Rho, schemas::loss::Rho) {
        (self.plan.charge, self.plan.worst)
    }
}

/// Foretells a round of all hospitals of the key list that this node follows, with the least
/// thresholds that the floors allow.
pub(super) async fn foretell(
    app: &App,
    question: &Question,
    layout: &Layout,
) -> anyhow::Result<Foretold> {
    let pinned = pinned(&app.state).await?;
    let (list, thought) = match &pinned {
        Some(pinned) => (Some(pinned.list().version), of_list(pinned.list())),
        None => (None, Thought::least(FEWEST, 1)),
    };
    let found = beside(app, question, layout)?;
    let told = found.as_ref().map(|(_, told)| told);
    let plan = explain_sum(question, layout, &app.dictionary, thought, told)?;
    Ok(Foretold {
        plan,
        list,
        beside: found.map(|(name, _)| name),
    })
}

/// Hospitals of one entity collude as one.
fn of_list(list: &KeyList) -> Thought {
    let mut entities: BTreeMap<&str, u32> = BTreeMap::new();
    let hospitals = list.members.iter().filter(|one| one.kind == Kind::Hospital);
    for one in hospitals {
        let of = entities.entry(one.entity.as_str()).or_default();
        *of = of.saturating_add(1);
    }
    let asked = entities
        .values()
        .fold(0_u32, |sum, one| sum.saturating_add(*one));
    let t = entities.values().copied().max().unwrap_or(1);
    Thought::least(asked.max(FEWEST), t)
}

/// The shipped attributed question that tells the numbers of stays by the same dimensions, where the
/// pooled one does not.
fn beside(
    app: &App,
    question: &Question,
    layout: &Layout,
) -> anyhow::Result<Option<(String, Layout)>> {
    if counts_by(layout, layout) {
        return Ok(None);
    }
    let floors = answer::floors_digest(app)?;
    let apart = plan::apart(layout, &app.dictionary)?;
    for template in template::shipped() {
        if template.release != Release::Attributed {
            continue;
        }
        let Ok(draft) = template.draft(&app.dictionary, floors, question.period) else {
            continue;
        };
        let Ok(told) = compile(&draft.question, &app.dictionary, &app.policy) else {
            continue;
        };
        let whole = plan::told(&told)?;
        let fits = apart.wholes.keys().all(|one| whole.wholes.contains(one))
            && apart.subjects.is_disjoint(&whole.subjects);
        if fits && counts_by(&told, layout) {
            return Ok(Some((template.id.to_string(), told)));
        }
    }
    Ok(None)
}

/// Writes it: the round, the price with and without a failing committee, and the errors of the sum.
pub(super) fn write(app: &App, foretold: &Foretold, out: &mut dyn Write) -> anyhow::Result<()> {
    let plan = &foretold.plan;
    let of = match foretold.list {
        Some(version) => format!("all hospitals of key list {version}"),
        None => "no key list is followed here yet: the fewest".to_owned(),
    };
    writeln!(
        out,
        "pooled round: thought of with {} hospitals ({of}), at least {} in the sum, {} may collude",
        plan.hospitals, plan.n_min, plan.t
    )?;
    writeln!(
        out,
        "cost: ρ {} of each data year touched (ε {} at δ 1e-6)",
        plan.charge,
        epsilon(plan.charge)
    )?;
    writeln!(
        out,
        "if the whole committee colludes: ρ {} (ε {}), of the limit pooled.worst ρ {} a data year",
        plan.worst,
        epsilon(plan.worst),
        app.policy.pooled.worst
    )?;
    writeln!(
        out,
        "numbers in the sum: {}; errors are those of the sum over all {} hospitals:",
        plan.sum.numbers, plan.hospitals
    )?;
    if let Some(beside) = &foretold.beside {
        writeln!(
            out,
            "  (the numbers of stays stand in `{beside}` of the same months, which hospitals answer first)"
        )?;
    }
    write_blocks(&plan.sum.blocks, out)
}

/// That a round of the very same question has this hospital's upload already.
pub(super) async fn twice(app: &App, layout: &Layout, out: &mut dyn Write) -> anyhow::Result<()> {
    for round in ledger::uploaded_for(&app.state, &layout.question).await? {
        writeln!(
            out,
            "note: `{round}` asked the very same question and has this hospital's upload; another round \
             of it is charged again. The alliance's figures: `consilium-coordinator pooled report {round}`"
        )?;
    }
    Ok(())
}
