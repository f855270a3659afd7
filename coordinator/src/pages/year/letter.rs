//! The letter of responsibility on a page.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawPathParams, State};
use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse as _, Response};
use web::style;

use super::super::answer::{self, Visit};
use super::super::desk::Desk;
use super::super::fault::Fault;
use super::super::routes::Places;
use super::read;

/// The letter of responsibility, as the export writes it. Its own style is allowed by its digest.
pub(in crate::pages) async fn letter(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    params: RawPathParams,
) -> Response {
    let made = async {
        let (published, of) = read(&desk, Places::of(&params).year()?).await?;
        crate::year::letter(&published, &of).ok_or(Fault::Missing)
    };
    match made.await {
        Ok(html) => {
            let style = style::inline_digest(&html).unwrap_or_else(|| "'none'".to_owned());
            let policy = format!(
                "default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            );
            let headers: [(HeaderName, String); 1] = [(header::CONTENT_SECURITY_POLICY, policy)];
            (headers, Html(html)).into_response()
        }
        Err(fault) => answer::failed(&desk, &visit, &fault),
    }
}
