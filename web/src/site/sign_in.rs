//! Signing in and out. A wrong password, a name that nobody bears and a locked name get the same answer
//! after the same work.

use std::sync::Arc;

use super::accounts::Account;
use super::answer::{self, Visit};
use super::door::{Filled, session_name, set_cookie};
use super::fault::Fault;
use super::password::{Hashed, MOST};
use super::{From, Site};
use crate::block::{Block, Form, Input, Level};
use crate::shell::Page;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use schemas::id::Slug;

fn page<S: Site>(desk: &Arc<S>, visit: &Visit, refused: bool) -> Page {
    let key = |key: &str| format!("{}{key}", desk.face().words);
    let mut page = Page::new(visit.say("sign-in"), visit.say(&key("sign-in-lead")));
    let input = |name, kind, autocomplete| Input {
        name,
        label: visit.say(&format!("sign-in-{name}")),
        kind,
        value: String::new(),
        autocomplete,
        choices: Vec::new(),
    };
    let mut blocks = Vec::new();
    if refused {
        blocks.push(Block::Note(Level::Alarm, visit.say("sign-in-refused")));
    }
    blocks.push(Block::Form(Form {
        method: "post",
        to: "/sign-in".to_owned(),
        inputs: vec![
            input("name", "text", "username"),
            input("password", "password", "current-password"),
        ],
        button: visit.say("sign-in"),
        token: desk.gate().sessions.token(&visit.cookie),
    }));
    blocks.push(Block::Text(visit.say(&key("sign-in-help"))));
    page.add(String::new(), blocks);
    page
}

/// The form.
pub fn show<S: Site>(desk: &Arc<S>, visit: &Visit) -> Page {
    page(desk, visit, false)
}

/// The account that a name and a password open. The work is the same whoever is named.
async fn opened<S: Site>(
    desk: &Arc<S>,
    name: &str,
    password: String,
) -> Result<Option<Account>, Fault> {
    let known = match name.parse::<Slug>() {
        Ok(name) => desk.account(&name).await?,
        Err(_) => None,
    };
    let (account, hashed) = match known {
        Some((account, hashed)) => (Some(account), hashed),
        None => (None, Hashed::nobody()),
    };
    let place = desk
        .gate()
        .tried
        .acquire()
        .await
        .map_err(|error| Fault::broken("sign-in", error))?;
    let fits = tokio::task::spawn_blocking(move || hashed.fits(&password)).await;
    drop(place);
    let fits = fits.map_err(|error| Fault::broken("sign-in", error))?;
    let now = desk.now();
    let locked = desk.gate().throttle.is_locked(name, now);
    let account = account.filter(|_| fits && !locked);
    if account.is_some() {
        desk.gate().throttle.right(name);
    } else {
        desk.gate().throttle.wrong(name, now);
    }
    Ok(account)
}

/// Whether who is signed in types the own password again, as before a signature. It counts like a try to
/// sign in.
pub async fn confirmed<S: Site>(
    desk: &Arc<S>,
    visit: &Visit,
    password: &str,
) -> Result<bool, Fault> {
    let Some((name, _)) = &visit.visitor else {
        return Err(Fault::Forbidden);
    };
    if password.len() > MOST {
        return Err(Fault::Form);
    }
    let account = opened(desk, name.as_str(), password.to_owned()).await?;
    Ok(account.is_some())
}

/// Tries to sign in.
pub async fn enter<S: Site>(
    State(desk): State<Arc<S>>,
    Extension(visit): Extension<Visit>,
    Extension(From(address)): Extension<From>,
    Extension(Filled(form)): Extension<Filled>,
) -> Response {
    let tried = async {
        if !desk.gate().throttle.may_try(address, desk.now()) {
            return Err(Fault::Often);
        }
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let (name, password) = (field("name"), field("password"));
        let short: String = name.chars().take(64).collect();
        if password.len() > MOST {
            return Err(Fault::Form);
        }
        let Some(account) = opened(&desk, &short, password).await? else {
            tracing::info!("a sign-in was refused");
            let page = page(&desk, &visit, true);
            return answer::html(&desk, &visit, &page, StatusCode::FORBIDDEN);
        };
        if visit.visitor.is_some() {
            desk.gate().sessions.end(&visit.cookie);
        }
        let cookie = desk
            .gate()
            .sessions
            .begin(&account.name, account.changed, desk.now())?;
        let mut response = Redirect::to("/").into_response();
        if let Some(cookie) = set_cookie(&session_name(&desk), &cookie, None) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        tracing::info!("somebody signed in");
        Ok(response)
    };
    match tried.await {
        Ok(response) => response,
        Err(fault) => answer::failed(&desk, &visit, &fault),
    }
}

/// Signs out.
pub fn leave<S: Site>(
    State(desk): State<Arc<S>>,
    Extension(visit): Extension<Visit>,
) -> std::future::Ready<Response> {
    desk.gate().sessions.end(&visit.cookie);
    let mut response = Redirect::to("/sign-in").into_response();
    if let Some(cookie) = set_cookie(&session_name(&desk), "", Some(0)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    std::future::ready(response)
}
