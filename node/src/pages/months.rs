//! What was loaded: months with their grades and steps, and the data officer's sign-off.

use std::sync::Arc;

use schemas::time::Month;
use web::block::{Block, Cell, Level};
use web::shell::Page;
use web::site::Site as _;
use web::site::answer::Visit;
use web::site::routes::Fields;

use super::desk::{Desk, LOADERS};
use super::fault::Fault;
use super::named;
use super::sign::{self, Refused};
use crate::access;
use crate::lifecycle::{LifecycleError, Step};
use crate::quality::{self, Gate, QualityError};
use crate::release::{self, MonthState, ReleaseError, SignOff};

/// Where a month stands.
pub(super) fn state(visit: &Visit, month: &MonthState) -> Cell {
    let level = match month.state {
        "staged" => Level::Warning,
        "released" => Level::Good,
        _ => Level::Plain,
    };
    Cell::Mark(level, visit.say(&format!("node.month-{}", month.state)))
}

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let months = release::months(&desk.state).await?;
    let mut page = Page::new(visit.say("node.way-months"), visit.say("node.months-lead"));
    let heads = [
        "node.month",
        "state",
        "#node.release",
        "grade",
        "#node.rows",
        "node.load",
        "node.costs-by",
    ];
    let mut table = visit.table("months", "node.way-months", &heads);
    for month in months.iter().rev() {
        let costs = month.rates.as_ref().map_or_else(
            || visit.say("node.costs-as-loaded"),
            |of| format!("{} · {}", of.method, of.period),
        );
        table.rows.push(vec![
            Cell::Link {
                text: month.month.to_string(),
                to: format!("/months/{}/{}", month.load, month.month),
            },
            state(&visit, month),
            month.release.map_or_else(|| Cell::text("–"), Cell::text),
            named::grade(month.grade),
            Cell::Number(month.rows.to_string()),
            Cell::Code(month.load.clone()),
            Cell::Text(costs),
        ]);
    }
    let mut blocks: Vec<Block> = sign::told(&visit).into_iter().collect();
    let waits = months
        .iter()
        .filter(|month| month.release.is_none())
        .count();
    if waits > 0 {
        let told = visit.tell("node.months-wait", &[("n", &waits.to_string())]);
        blocks.push(Block::Note(Level::Warning, told));
    }
    blocks.push(Block::Table(table));
    if visit
        .visitor
        .as_ref()
        .is_some_and(|(_, role)| LOADERS.contains(role))
    {
        let mapping = (visit.say("node.way-mapping"), "/mapping".to_owned());
        blocks.push(Block::Text(visit.say("node.load-here")));
        blocks.push(Block::Links(vec![mapping]));
    }
    page.add(String::new(), blocks);
    Ok(page)
}

/// What a release is held to: the grade of the settings, and finance's keys.
async fn gate(desk: &Desk) -> Result<Option<Gate>, Fault> {
    let Some(least) = desk.config.quality.least_grade else {
        return Ok(None);
    };
    let register = access::officers(desk.state.pool(), &desk.config.hospital).await?;
    let finance = quality::finance_persons(&desk.state, &register).await?;
    Ok(Some(Gate { least, finance }))
}

/// Why a month is not signed off; what should have worked is a fault.
fn refusal(error: ReleaseError) -> Result<Refused, Fault> {
    Ok(match error {
        ReleaseError::Nothing { .. } => "nothing-waits",
        ReleaseError::Identifiers { .. } => "identifiers",
        ReleaseError::GradeD { .. } => "grade-d",
        ReleaseError::Files { .. } | ReleaseError::Report { .. } => "files",
        ReleaseError::Quality(QualityError::NotRun(_)) => "quality-not-run",
        ReleaseError::Quality(QualityError::Below { .. }) => "quality-below",
        ReleaseError::Lifecycle(LifecycleError::NeedsAgreement(_)) => "needs-agreement",
        ReleaseError::Lifecycle(LifecycleError::Order { .. }) => "order",
        other => return Err(Fault::broken("a release", other)),
    })
}

/// Takes a step of a month: `release`, or `dataset validate` and `dataset deidentify` before it.
pub(super) async fn step(
    (desk, visit): (Arc<Desk>, Visit),
    fields: Fields,
) -> Result<String, Fault> {
    let month: Month = fields.text("month").parse().map_err(|_| Fault::Form)?;
    let to = Step::ALL
        .into_iter()
        .find(|step| step.as_str() == fields.text("step"))
        .ok_or(Fault::Form)?;
    // Steps are held to the officer's key, as the commands hold them.
    let signing = match sign::signing(&desk, &visit, &fields).await? {
        Ok(signing) => signing,
        Err(refused) => return Ok(sign::onward("/months", Err(refused))),
    };
    let register = access::officers(desk.state.pool(), &desk.config.hospital).await?;
    if register.acting(&signing.name, &signing.key).is_err() {
        return Ok(sign::onward("/months", Err("forbidden")));
    }
    let by = SignOff {
        officer: signing.name.as_str(),
        accept_grade_d: fields.text("grade_d") == "yes",
        gate: gate(&desk).await?,
        at: desk.now(),
    };
    let (state, data) = (&desk.state, desk.config.data.as_path());
    let rules = &desk.config.stewardship;
    let done = match to {
        Step::Released => release::release_under(state, data, Some(month), &by, rules)
            .await
            .map(drop),
        Step::Validated | Step::Deidentified => release::step(state, data, month, to, &by).await,
        Step::Loaded | Step::Retired => return Err(Fault::Form),
    };
    match done {
        Ok(()) => Ok(sign::onward("/months", Ok(to.as_str()))),
        Err(error) => Ok(sign::onward("/months", Err(refusal(error)?))),
    }
}
