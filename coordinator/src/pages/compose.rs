//! Composing a round: a template, months, a deadline; what it would ask, cost and tell is shown before
//! anything is sent. The same code draws it up as `round open` uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use policies::template::Template;
use schemas::id::Slug;
use schemas::question::Release;
use schemas::round::State as RoundState;
use schemas::time::Period;
use web::block::{Block, Form, Input, Level};
use web::shell::Page;

use super::answer::{self, Visit};
use super::desk::Desk;
use super::fault::Fault;
use super::preview;
use crate::ask::{self, AskError, Drawn, Order};
use crate::template;
use web::site::door::Filled;

/// Deadlines that can be chosen, in hours.
const WINDOWS: [i64; 5] = [1, 24, 72, 168, 720];
/// The one that is chosen first.
const WINDOW: i64 = 168;

/// What the form holds, as it was written.
#[derive(Clone, Debug, Default)]
struct Wish {
    template: String,
    period: String,
    hours: String,
    least: String,
    /// Digest of the question that was shown before sending.
    seen: String,
}

impl Wish {
    fn of(get: impl Fn(&str) -> String) -> Self {
        Self {
            template: get("template"),
            period: get("period"),
            hours: get("hours"),
            least: get("least"),
            seen: get("seen"),
        }
    }

    fn is_empty(&self) -> bool {
        self.template.is_empty() && self.period.is_empty()
    }
}

/// Why nothing can be drawn up, in words.
#[derive(Debug)]
enum Why {
    /// Something to be mended in the form.
    Told(String),
    /// Something that should work does not.
    Fault(Fault),
}

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// An order that cannot be carried out, in words; whatever is no matter of the form is a fault.
fn why(visit: &Visit, error: AskError) -> Why {
    let named = |key: &str, inner: String| Why::Told(visit.tell(key, &[("why", &inner)]));
    match error {
        AskError::NoDictionary => Why::Told(visit.say("compose-no-dictionary")),
        AskError::Pooled => Why::Told(visit.say("compose-pooled")),
        AskError::Window => Why::Told(visit.say("compose-window")),
        AskError::Few(floor) => Why::Told(visit.tell("compose-few", &[("n", &floor.to_string())])),
        AskError::Open(id) => Why::Told(visit.tell("compose-open", &[("round", id.as_str())])),
        AskError::Roster { asked, needed } => Why::Told(visit.tell(
            "compose-roster",
            &[
                ("asked", &asked.to_string()),
                ("needed", &needed.to_string()),
            ],
        )),
        AskError::Draft(inner) => named("compose-draft", inner.to_string()),
        AskError::Refused(inner) => named("compose-refused", inner.to_string()),
        other => Why::Fault(Fault::from(other)),
    }
}

/// Attributed templates; sums are opened by command, once stewards and committee are ready.
fn templates(desk: &Desk) -> Result<BTreeMap<Slug, Template>, Fault> {
    let mut all = template::load(desk.config.templates.as_deref())?;
    all.retain(|_, one| one.release == Release::Attributed);
    Ok(all)
}

/// What would be asked by this wish.
async fn drawn(desk: &Desk, visit: &Visit, wish: &Wish) -> Result<Drawn, Why> {
    let wrong = |key: &str| Why::Told(visit.say(key));
    let all = templates(desk)?;
    let template = wish.template.parse::<Slug>().ok();
    let template = template.and_then(|id| all.get(&id));
    let template = template.ok_or_else(|| wrong("compose-template"))?;
    let period: Period = wish
        .period
        .trim()
        .parse()
        .map_err(|_| wrong("compose-period"))?;
    let hours = wish.hours.parse().ok().filter(|one| WINDOWS.contains(one));
    let least = match wish.least.trim() {
        "" => None,
        text => Some(text.parse::<u32>().map_err(|_| wrong("compose-least"))?),
    };
    let order = Order {
        period,
        roster: Vec::new(),
        window: hours.unwrap_or(WINDOW).saturating_mul(3600),
        min_answers: least,
    };
    let rules = desk.rules()?;
    ask::enough(least.or(template.min_answers), &rules).map_err(|error| why(visit, error))?;
    let now = desk.clock.now();
    ask::draw(&desk.store, &desk.authority, template, &rules, &order, now)
        .await
        .map_err(|error| why(visit, error))
}

fn form(desk: &Desk, visit: &Visit, wish: &Wish) -> Result<Form, Fault> {
    let input = |name, kind, value: &str, choices| Input {
        name,
        label: visit.say(&format!("compose-by-{name}")),
        kind,
        value: value.to_owned(),
        autocomplete: "off",
        choices,
    };
    let mut choices = Vec::new();
    for (id, one) in templates(desk)? {
        let price = one
            .price()
            .map_err(|error| Fault::broken("a price", error))?;
        let label = visit.language.pick(&one.label.zh, &one.label.en);
        choices.push((id.to_string(), format!("{label} (ρ {price})")));
    }
    let hours = WINDOWS.map(|hours| {
        let (key, number) = if hours % 24 == 0 && hours > 24 {
            ("in-days", hours / 24)
        } else {
            ("in-hours", hours)
        };
        (
            hours.to_string(),
            visit.tell(key, &[("n", &number.to_string())]),
        )
    });
    let chosen = if wish.hours.is_empty() {
        WINDOW.to_string()
    } else {
        wish.hours.clone()
    };
    Ok(Form {
        method: "get",
        to: "/rounds/new".to_owned(),
        inputs: vec![
            input("template", "text", &wish.template, choices),
            input("period", "text", &wish.period, Vec::new()),
            input("hours", "text", &chosen, hours.to_vec()),
            input("least", "text", &wish.least, Vec::new()),
        ],
        button: visit.say("compose-preview"),
        token: String::new(),
    })
}

/// The form that sends what was shown, and only that.
fn send(desk: &Desk, visit: &Visit, wish: &Wish, seen: &str) -> Form {
    Form {
        method: "post",
        to: "/rounds/new".to_owned(),
        inputs: vec![
            Input::hidden("template", &wish.template),
            Input::hidden("period", &wish.period),
            Input::hidden("hours", &wish.hours),
            Input::hidden("least", &wish.least),
            Input::hidden("seen", seen),
        ],
        button: visit.say("compose-send"),
        token: desk.gate.sessions.token(&visit.cookie),
    }
}

async fn page(desk: &Arc<Desk>, visit: &Visit, wish: &Wish) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("compose"), visit.say("compose-lead"));
    page.above = vec![(visit.say("way-rounds"), "/rounds".to_owned())];
    page.add(String::new(), vec![Block::Form(form(desk, visit, wish)?)]);
    if wish.is_empty() {
        return Ok(page);
    }
    match drawn(desk, visit, wish).await {
        Ok(drawn) => {
            let seen = digest(&drawn)?;
            preview::add(desk, visit, &drawn, &mut page).await?;
            let form = send(desk, visit, wish, &seen);
            page.add(
                visit.say("compose-next"),
                vec![
                    Block::Text(visit.say("compose-next-lead")),
                    Block::Form(form),
                ],
            );
        }
        Err(Why::Told(words)) => {
            page.add(String::new(), vec![Block::Note(Level::Alarm, words)]);
        }
        Err(Why::Fault(fault)) => return Err(fault),
    }
    Ok(page)
}

fn digest(drawn: &Drawn) -> Result<String, Fault> {
    let digest = drawn.round.question.digest();
    let digest = digest.map_err(|error| Fault::broken("a question", error))?;
    Ok(digest.to_string())
}

/// The form, and what it would ask.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let wish = Wish::of(|name| visit.asked(name).to_owned());
    page(&desk, &visit, &wish).await
}

/// Opens the round that was shown.
pub(super) async fn open(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    Extension(Filled(filled)): Extension<Filled>,
) -> Response {
    let opened = async {
        let short = |text: &String| text.chars().take(100).collect();
        let wish = Wish::of(|name| filled.get(name).map(short).unwrap_or_default());
        let (by, _) = visit.visitor.as_ref().ok_or(Fault::Forbidden)?;
        let _turn = desk.opening.lock().await;
        let ready = match drawn(&desk, &visit, &wish).await {
            Ok(drawn) if digest(&drawn)? == wish.seen => unasked(&desk, &visit, drawn).await,
            // Another question than was seen: it is shown first.
            Ok(_) => Err(Why::Told(visit.say("compose-changed"))),
            Err(why) => Err(why),
        };
        match ready {
            Ok(drawn) => {
                let held = ask::begin_by(&desk.store, &desk.authority, drawn, Some(by)).await?;
                tracing::info!(round = %held.round.id, "a round was opened on a page");
                Ok(Redirect::to(&format!("/rounds/{}", held.round.id)).into_response())
            }
            Err(Why::Told(words)) => {
                let mut page = page(&desk, &visit, &wish).await?;
                let note = vec![Block::Note(Level::Alarm, words)];
                let section = web::block::Section {
                    title: String::new(),
                    blocks: note,
                };
                page.sections.insert(0, section);
                answer::html(&desk, &visit, &page, StatusCode::BAD_REQUEST)
            }
            Err(Why::Fault(fault)) => Err(fault),
        }
    };
    match opened.await {
        Ok(response) => response,
        Err(fault) => answer::failed(&desk, &visit, &fault),
    }
}

/// Refuses what an open round is asking already, such as by a second press of the button.
async fn unasked(desk: &Desk, visit: &Visit, drawn: Drawn) -> Result<Drawn, Why> {
    for id in &drawn.before {
        let held = ask::find(&desk.store, &desk.authority, id).await;
        let held = held.map_err(|error| why(visit, error))?;
        if held.state == RoundState::Open {
            return Err(why(visit, AskError::Open(id.clone())));
        }
    }
    Ok(drawn)
}
