//! What every request passes: who is it, may it, is its form its own; and the headers of every answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Site;
use super::answer::{self, Visit};
use super::fault::Fault;
use super::routes::Who;
use super::session::Sessions;
use crate::language::Language;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use schemas::id::Slug;
use schemas::officer::Role;

/// The cookie that holds a session. The prefix lets no other host and no plain connection set it.
pub(super) fn session_name<S: Site>(desk: &Arc<S>) -> String {
    format!("__Host-{}", desk.face().cookie)
}

/// The cookie that binds the form that signs in to the browser that got it.
fn form_name<S: Site>(desk: &Arc<S>) -> String {
    format!("__Host-{}-form", desk.face().cookie)
}

const LANGUAGE: &str = "__Host-consilium-language";

/// Largest form.
const MOST_FORM: usize = 8 * 1024;

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A form's fields; its token was checked.
#[derive(Clone, Debug)]
pub struct Filled(pub BTreeMap<String, String>);

/// A cookie of a request.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter();
    let mut pairs = all
        .filter_map(|one| one.to_str().ok())
        .flat_map(|one| one.split(';'));
    pairs.find_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name && value.len() <= 100).then_some(value)
    })
}

/// A cookie as it is set; an age of 0 takes it away.
pub fn set_cookie(name: &str, value: &str, age: Option<u32>) -> Option<HeaderValue> {
    let age = age.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{age}");
    HeaderValue::from_str(&text).ok()
}

/// Whether a request that changes something comes from a page of this site.
fn own_origin(headers: &HeaderMap, schemes: &[&str]) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text(HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => schemes
            .iter()
            .any(|scheme| origin.strip_prefix(scheme) == Some(host)),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

fn language(parts: &Parts) -> Language {
    let headers = &parts.headers;
    let kept = cookie(headers, LANGUAGE).and_then(Language::of_tag);
    kept.unwrap_or_else(|| {
        let accepted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|one| one.to_str().ok());
        Language::accepted(accepted.unwrap_or_default())
    })
}

/// Who a session's cookie belongs to: asked for anew with each request.
async fn visitor<S: Site>(desk: &Arc<S>, cookie: &str) -> Result<Option<(Slug, Role)>, Fault> {
    let Some(session) = desk.gate().sessions.find(cookie, desk.now()) else {
        return Ok(None);
    };
    let found = desk.account(&session.account).await?;
    let account = found
        .map(|(account, _)| account)
        .filter(|one| one.changed == session.password);
    if account.is_none() {
        desk.gate().sessions.end(cookie);
    }
    Ok(account.map(|account| (account.name, account.role)))
}

/// A visit, and the cookies that its answer sets.
async fn visit<S: Site>(desk: &Arc<S>, parts: &Parts) -> Result<(Visit, Vec<HeaderValue>), Fault> {
    let asked = answer::asked(&parts.uri);
    let mut set = Vec::new();
    let wished = asked.get("lang").and_then(|tag| Language::of_tag(tag));
    if let Some(wished) = wished {
        set.extend(set_cookie(LANGUAGE, wished.tag(), Some(31_536_000)));
    }
    let session = cookie(&parts.headers, &session_name(desk)).unwrap_or_default();
    let visitor = visitor(desk, session).await?;
    let own = match (&visitor, cookie(&parts.headers, &form_name(desk))) {
        (Some(_), _) => session.to_owned(),
        (None, Some(form)) => form.to_owned(),
        (None, None) => {
            let fresh = Sessions::random()?;
            set.extend(set_cookie(&form_name(desk), &fresh, None));
            fresh
        }
    };
    let visit = Visit {
        visitor,
        cookie: own,
        language: wished.unwrap_or_else(|| language(parts)),
        path: parts.uri.path().to_owned(),
        asked,
    };
    Ok((visit, set))
}

/// The form of a request, once its token is this browser's.
async fn filled<S: Site>(desk: &Arc<S>, visit: &Visit, request: Request) -> Result<Filled, Fault> {
    if !own_origin(request.headers(), desk.face().schemes) {
        return Err(Fault::Forged);
    }
    let bytes = axum::body::to_bytes(request.into_body(), MOST_FORM)
        .await
        .map_err(|_| Fault::Form)?;
    let mut form = Request::new(axum::body::Body::from(bytes));
    *form.method_mut() = Method::POST;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    form.headers_mut().insert(header::CONTENT_TYPE, kind);
    let read = axum::extract::RawForm::from_request(form, &())
        .await
        .map_err(|_| Fault::Form)?;
    let fields = fields(&read.0);
    let token = fields.get("token").map_or("", String::as_str);
    if desk.gate().sessions.proves(&visit.cookie, token) {
        Ok(Filled(fields))
    } else {
        Err(Fault::Forged)
    }
}

/// Fields of an encoded form; bytes that are no text fall away.
fn fields(bytes: &[u8]) -> BTreeMap<String, String> {
    let plain = |part: &[u8]| {
        let mut out = Vec::with_capacity(part.len());
        let mut rest = part.iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'+' => out.push(b' '),
                b'%' => {
                    let digits =
                        [rest.next(), rest.next()].map(|one| one.copied().unwrap_or_default());
                    let digits = String::from_utf8_lossy(&digits).into_owned();
                    out.extend(u8::from_str_radix(&digits, 16));
                }
                byte => out.push(*byte),
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    };
    let pairs = bytes.split(|byte| *byte == b'&').filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at_checked(at)?;
        Some((plain(name), plain(value.get(1..)?)))
    });
    pairs.take(20).collect()
}

/// What a route asks of a request.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// Who may.
    pub who: Who,
    /// Whether its form bears files: their reader checks the form's token then.
    pub takes_files: bool,
}

/// Lets a request through to its page, or says why not.
pub async fn guard<S: Site>(
    State((desk, door)): State<(Arc<S>, Door)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let (visit, set) = match visit(&desk, &parts).await {
        Ok(found) => found,
        Err(fault) => return answer::failed(&desk, &stranger(&parts), &fault),
    };
    let request = Request::from_parts(parts, body);
    let mut response = match passed(&desk, door, &visit, request).await {
        Ok(Some(request)) => next.run(request).await,
        Ok(None) => Redirect::to("/sign-in").into_response(),
        Err(fault) => answer::failed(&desk, &visit, &fault),
    };
    for cookie in set {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn stranger(parts: &Parts) -> Visit {
    Visit {
        visitor: None,
        cookie: String::new(),
        language: language(parts),
        path: parts.uri.path().to_owned(),
        asked: BTreeMap::new(),
    }
}

/// The request as the page gets it; none where its sender signs in first.
async fn passed<S: Site>(
    desk: &Arc<S>,
    door: Door,
    visit: &Visit,
    request: Request,
) -> Result<Option<Request>, Fault> {
    match (door.who, &visit.visitor) {
        (Who::Everyone, _) => {}
        (Who::Roles(_), None) => return Ok(None),
        (Who::Roles(roles), Some((_, role))) if roles.contains(role) => {}
        (Who::Roles(_), Some(_)) => return Err(Fault::Forbidden),
    }
    let mut request = request;
    if door.takes_files {
        // Its token is the first of its parts: none behind it is read before.
        if !own_origin(request.headers(), desk.face().schemes) {
            return Err(Fault::Forged);
        }
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let (parts, body) = request.into_parts();
        let copy = Request::from_parts(parts.clone(), body);
        let filled = filled(desk, visit, copy).await?;
        request = Request::from_parts(parts, axum::body::Body::empty());
        request.extensions_mut().insert(filled);
    }
    request.extensions_mut().insert(visit.clone());
    Ok(Some(request))
}

/// What every answer bears, whoever made it.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let all = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        // With `no-referrer` browsers send forms of the page itself with the origin `null`.
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=()",
        ),
    ] {
        let name = HeaderName::from_static(name);
        if !all.contains_key(&name) {
            all.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// No such page, for whoever asks.
pub async fn nowhere<S: Site>(State(desk): State<Arc<S>>, request: Request) -> Response {
    answer::failed(&desk, &stranger(&request.into_parts().0), &Fault::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let read = fields(b"name=li%2Bna+x&token=&%zz=1&alone&password=%E5%8F%A3%ff");
        assert_eq!(read["name"], "li+na x");
        assert_eq!(read["token"], "");
        assert_eq!(read["password"], "口\u{fffd}");
        assert!(fields(b"%").is_empty() && fields(b"").is_empty());
    }

    #[test]
    fn a_form_of_elsewhere_is_seen_by_its_origin() {
        let of = |pairs: &[(&'static str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            });
            own_origin(&pairs.collect(), &["https://"])
        };
        assert!(of(&[("host", "a:1")]) && of(&[("host", "a:1"), ("origin", "https://a:1")]));
        for bad in ["https://b:1", "http://a:1", "null", "https://a:12"] {
            assert!(!of(&[("host", "a:1"), ("origin", bad)]), "{bad}");
        }
        assert!(
            !of(&[("sec-fetch-site", "cross-site")]) && !of(&[("sec-fetch-site", "same-site")])
        );
    }
}
