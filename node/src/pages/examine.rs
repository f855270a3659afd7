//! `quality run` from the page of a month: under the shipped rules, without further tables. A run that says
//! more than that is not replaced here.

use std::sync::Arc;

use policies::quality::{DEFAULT, QualityRules};
use schemas::time::Month;
use web::block::{Block, Form, Input};
use web::site::answer::Visit;
use web::site::routes::Fields;

use super::desk::{Desk, LOADERS};
use super::fault::Fault;
use super::{load, sign};
use crate::quality::{self, QualityError};
use crate::release::{self, MonthState};

/// The form, for those who load.
pub(super) fn form(desk: &Desk, visit: &Visit, held: &MonthState) -> Option<Block> {
    let (_, role) = visit.visitor.as_ref()?;
    LOADERS.contains(role).then(|| {
        let inputs = [
            ("load", held.load.clone()),
            ("month", held.month.to_string()),
        ];
        let inputs = inputs.map(|(name, value)| Input::hidden(name, &value));
        Block::Form(Form {
            method: "post",
            to: "/months/examine".to_owned(),
            inputs: inputs.to_vec(),
            button: visit.say("node.do-examine"),
            token: desk.gate.sessions.token(&visit.cookie),
        })
    })
}

/// Examines a month and leads back to its page.
pub(super) async fn run(desk: Arc<Desk>, fields: Fields) -> Result<String, Fault> {
    let month: Month = fields.text("month").parse().map_err(|_| Fault::Form)?;
    let months = release::months(&desk.state).await?;
    let mut known = months.iter();
    // The address is made of what the state file holds.
    let held = known.find(|one| one.load == fields.text("load") && one.month == month);
    let held = held.ok_or(Fault::Missing)?;
    let (to, dataset) = (load::address(&held.load, month), held.dataset);
    let Ok(_turn) = desk.heavy.try_lock() else {
        return Err(Fault::Often);
    };
    let rules = QualityRules::parse(DEFAULT);
    let rules = rules.map_err(|error| Fault::broken("the rules of quality", error))?;
    // What was examined by more than this would be lost: the hospital's own rules, what tables did not agree on.
    let last = quality::ruled(&desk.state, dataset.as_str(), month).await?;
    if last.is_some_and(|(last, provisional)| provisional || last != rules) {
        return Ok(sign::onward(&to, Err("own-rules")));
    }
    let runtime = tokio::runtime::Handle::current();
    let (worker, now) = (Arc::clone(&desk), desk.clock.now());
    let worked = tokio::task::spawn_blocking(move || {
        let data = worker.config.data.as_path();
        runtime.block_on(quality::run(
            &worker.state,
            data,
            &rules,
            (dataset, month, None),
            now,
        ))
    });
    let done = worked
        .await
        .map_err(|error| Fault::broken("quality", error))?;
    match done {
        Ok(_) => Ok(sign::onward(&to, Ok("examined"))),
        Err(QualityError::NotLoaded(_) | QualityError::Report(_)) => {
            Ok(sign::onward(&to, Err("not-examined")))
        }
        Err(other) => Err(other.into()),
    }
}
