//! What the steward decides on pages: exactly what the commands `steward approve`, `refuse`, `hold`,
//! `release`, `lock` and `unlock` do, signed by the same key.

use std::sync::Arc;

use web::site::Site as _;
use web::site::answer::Visit;
use web::site::routes::{Fields, Places};

use super::desk::Desk;
use super::fault::Fault;
use super::letter;
use super::sign;
use crate::answer::{asked_by, examine};
use crate::steward;

/// What is decided about a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    Approve,
    Refuse,
    Hold,
    Release,
}

impl Word {
    fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::Hold => "hold",
            Self::Release => "release",
        }
    }
}

/// Decides about the round in the path.
pub(super) async fn round(
    word: Word,
    (desk, visit): (Arc<Desk>, Visit),
    places: Places,
    fields: Fields,
) -> Result<String, Fault> {
    let letter = letter::find(&desk, &places).await?;
    let to = format!("/inbox/{}", letter.digest);
    let signing = match sign::signing(&desk, &visit, &fields).await? {
        Ok(signing) => signing,
        Err(refused) => return Ok(sign::onward(&to, Err(refused))),
    };
    let app = desk.app().await?;
    steward::expire(&desk.state, desk.now()).await?;
    let acting = signing.acting(&desk, &app.standing);
    let done = match word {
        Word::Approve => {
            let examined = examine(&app, &asked_by(&letter.round, letter.digest)).await;
            let Ok(examined) = examined else {
                return Ok(sign::onward(&to, Err("would-not")));
            };
            let releases = examined.bound.releases();
            let hold = fields.text("hold") == "yes";
            steward::approve(&app.state, acting, &letter, releases, hold).await
        }
        Word::Refuse => steward::refuse(&app.state, acting, &letter, fields.text("reason")).await,
        Word::Hold => steward::hold(&app.state, acting, &letter).await,
        Word::Release => steward::release(&app.state, acting, &letter).await,
    };
    match done {
        Ok(()) => Ok(sign::onward(&to, Ok(word.as_str()))),
        Err(error) => Ok(sign::onward(&to, Err(sign::refusal(error)?))),
    }
}

/// Declines every round from now on, or takes rounds again.
pub(super) async fn lock(
    lock: bool,
    (desk, visit): (Arc<Desk>, Visit),
    fields: Fields,
) -> Result<String, Fault> {
    let signing = match sign::signing(&desk, &visit, &fields).await? {
        Ok(signing) => signing,
        Err(refused) => return Ok(sign::onward("/inbox", Err(refused))),
    };
    let app = desk.app().await?;
    let acting = signing.acting(&desk, &app.standing);
    let (done, word) = if lock {
        (steward::lock(&app.state, acting).await, "lock")
    } else {
        (steward::unlock(&app.state, acting).await, "unlock")
    };
    match done {
        Ok(()) => Ok(sign::onward("/inbox", Ok(word))),
        Err(error) => Ok(sign::onward("/inbox", Err(sign::refusal(error)?))),
    }
}
