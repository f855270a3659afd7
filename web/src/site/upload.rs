//! Forms that bear files. Their parts are read as they come, never as a whole: the first one is the form's
//! token, and nothing behind it is read before it has proven the form this browser's own.

use std::sync::Arc;

use axum::Extension;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{DefaultBodyLimit, FromRequest as _, RawPathParams, Request, State};
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{MethodRouter, post};

use super::Site;
use super::answer::{self, Visit};
use super::fault::Fault;
use super::routes::Places;

/// Longest text of a form that bears files, in bytes.
const MOST_TEXT: usize = 4 * 1024;
/// Most parts of a form.
const MOST_PARTS: usize = 20;

/// The rest of a form whose token was checked.
#[derive(Debug)]
pub struct Sent {
    parts: Multipart,
    left: usize,
}

/// A part of a form.
#[derive(Debug)]
pub enum Part<'a> {
    /// A field's name and what was written in it.
    Text(String, String),
    /// A file.
    File(Coming<'a>),
}

/// A file as it comes.
#[derive(Debug)]
pub struct Coming<'a> {
    /// The field's name.
    pub field: String,
    /// What the browser calls the file; empty where none was chosen. No name of this machine.
    pub called: String,
    part: Box<Field<'a>>,
}

impl Coming<'_> {
    /// The next bytes; nothing at the end. A connection that breaks is no end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let chunk = self.part.chunk().await.map_err(|_| Fault::Form)?;
        Ok(chunk.map(Vec::from))
    }

    /// The whole of a small file; nothing where it is longer than `most` bytes.
    pub async fn whole(&mut self, most: usize) -> Result<Option<Vec<u8>>, Fault> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len().saturating_add(chunk.len()) > most {
                return Ok(None);
            }
            all.extend(chunk);
        }
        Ok(Some(all))
    }
}

impl Sent {
    /// The next part, in the order of the page's form.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, Fault> {
        self.left = self.left.checked_sub(1).ok_or(Fault::Form)?;
        let Some(part) = self.parts.next_field().await.map_err(|_| Fault::Form)? else {
            return Ok(None);
        };
        let field = part.name().unwrap_or_default().to_owned();
        if let Some(called) = part.file_name() {
            let called = called.to_owned();
            return Ok(Some(Part::File(Coming {
                field,
                called,
                part: Box::new(part),
            })));
        }
        let text = text(part).await?;
        Ok(Some(Part::Text(field, text)))
    }
}

/// A short text.
async fn text(mut part: Field<'_>) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|_| Fault::Form)? {
        if bytes.len().saturating_add(chunk.len()) > MOST_TEXT {
            return Err(Fault::Form);
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Fault::Form)
}

/// A form with files, once its token is this browser's.
async fn opened<S: Site>(desk: &Arc<S>, visit: &Visit, request: Request) -> Result<Sent, Fault> {
    // What is no such form has no token.
    let parts = Multipart::from_request(request, &()).await;
    let mut sent = Sent {
        parts: parts.map_err(|_| Fault::Forged)?,
        left: MOST_PARTS,
    };
    let token = match sent.next().await.map_err(|_| Fault::Forged)? {
        Some(Part::Text(name, token)) if name == "token" => token,
        _ => return Err(Fault::Forged),
    };
    if desk.gate().sessions.proves(&visit.cookie, &token) {
        Ok(sent)
    } else {
        Err(Fault::Forged)
    }
}

/// What a form with files is sent to: acts, then leads on to the address that it gives. Its route is made by
/// [`super::routes::files`]. How much it keeps is bounded by who acts.
pub fn upload<S, F, R>(act: F) -> MethodRouter<Arc<S>>
where
    S: Site,
    F: Fn(Arc<S>, Visit, Places, Sent) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<String, Fault>> + Send,
{
    let taken = post(
        async move |State(desk): State<Arc<S>>,
                    Extension(visit): Extension<Visit>,
                    params: RawPathParams,
                    request: Request| {
            let places = Places::of(&params);
            let done = match opened(&desk, &visit, request).await {
                Ok(sent) => act(Arc::clone(&desk), visit.clone(), places, sent).await,
                Err(fault) => Err(fault),
            };
            match done {
                Ok(to) => Redirect::to(&to).into_response(),
                Err(fault) => answer::failed(&desk, &visit, &fault),
            }
        },
    );
    taken.layer(DefaultBodyLimit::disable())
}
