//! From a page to what is sent: HTML in the visitor's language, or one of its tables as a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::Fault;
use super::{Site, Way};
use crate::block::Table;
use crate::download;
use crate::language::Language;
use crate::script;
use crate::sheet;
use crate::shell::{Frame, Page};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Response};
use schemas::id::Slug;
use schemas::officer::Role;

/// Who asks for a page, and how.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Who is signed in; nobody on pages that need none.
    pub visitor: Option<(Slug, Role)>,
    /// The cookie by which forms are bound to this browser.
    pub cookie: String,
    /// In which language.
    pub language: Language,
    /// The path.
    pub path: String,
    /// What was asked for behind it.
    pub asked: BTreeMap<String, String>,
}

/// Longest value of a parameter that is listened to, in characters.
const LONGEST: usize = 100;
/// Most parameters that are listened to.
const MOST: usize = 20;

/// The parameters of an address; what cannot be read is left out.
pub fn asked(uri: &Uri) -> BTreeMap<String, String> {
    let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
    let pairs = query.map(|query| query.0).unwrap_or_default().into_iter();
    let short = |text: &str| text.chars().count() <= LONGEST;
    pairs
        .filter(|(name, value)| short(name) && short(value))
        .take(MOST)
        .collect()
}

impl Visit {
    /// A parameter; empty where it was not given.
    pub fn asked(&self, name: &str) -> &str {
        self.asked.get(name).map_or("", String::as_str)
    }

    /// A parameter that is a whole number, at most `most`.
    pub fn number(&self, name: &str, most: usize) -> Option<usize> {
        self.asked(name)
            .parse()
            .ok()
            .filter(|number| *number <= most)
    }

    /// The page's own address with these parameters changed; empty ones fall away.
    pub fn with(&self, changed: &[(&str, &str)]) -> String {
        let mut all = self.asked.clone();
        all.remove("csv");
        all.remove("xlsx");
        all.remove("lang");
        for (name, value) in changed {
            all.insert((*name).to_owned(), (*value).to_owned());
        }
        let pairs = all.iter().filter(|(_, value)| !value.is_empty());
        let pairs = pairs.map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        let pairs: Vec<String> = pairs.collect();
        if pairs.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, pairs.join("&"))
        }
    }

    /// The words of a key.
    pub fn say(&self, key: &str) -> String {
        self.language.say(key)
    }

    /// The words of a key with places filled.
    pub fn tell(&self, key: &str, named: &[(&str, &str)]) -> String {
        self.language.tell(key, named)
    }

    /// A table of these columns; keys that begin with `#` hold numbers.
    pub fn table(&self, id: &'static str, title: &str, heads: &[&str]) -> Table {
        Table::new(
            id,
            self.say(title),
            &self.heads(heads),
            self.say("nothing-yet"),
        )
    }

    /// Several words.
    pub fn heads(&self, keys: &[&str]) -> Vec<String> {
        let one = |key: &&str| match key.strip_prefix('#') {
            Some(key) => format!("#{}", self.say(key)),
            None => self.say(key),
        };
        keys.iter().map(one).collect()
    }
}

/// A text as it stands in an address.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(|half| {
                char::from_digit(u32::from(half), 16)
                    .unwrap_or('0')
                    .to_ascii_uppercase()
            }));
        }
    }
    out
}

fn frame<S: Site>(desk: &Arc<S>, visit: &Visit) -> Frame {
    let face = desk.face();
    let role = visit.visitor.as_ref().map(|(_, role)| *role);
    let ways = face
        .ways
        .iter()
        .filter(|way| role.is_some_and(|role| way.roles.contains(&role)));
    let below = |way: &Way| match way.to {
        "/" => visit.path == "/",
        to => visit.path.starts_with(to) || way.also.iter().any(|to| visit.path.starts_with(to)),
    };
    let here = visit.with(&[]);
    let joint = if here.contains('?') { '&' } else { '?' };
    Frame {
        language: visit.language,
        site: desk.name(),
        ways: ways
            .map(|way| (visit.say(way.key), way.to.to_owned(), below(way)))
            .collect(),
        visitor: visit.visitor.as_ref().map(|(name, role)| {
            format!("{name} ({})", visit.say(&format!("role-{}", role.as_str())))
        }),
        token: desk.gate().sessions.token(&visit.cookie),
        here: format!("{here}{joint}"),
        made: desk.now().to_string(),
        program: concat!("Consilium ", env!("CARGO_PKG_VERSION")).to_owned(),
        foot: visit.say(&format!("{}noised", face.words)),
    }
}

/// What is sent: the page, or its table that `csv` names.
pub fn send<S: Site>(desk: &Arc<S>, visit: &Visit, page: &Page) -> Result<Response, Fault> {
    let (book, wanted) = match (visit.asked("csv"), visit.asked("xlsx")) {
        ("", "") => return html(desk, visit, page, StatusCode::OK),
        ("", wanted) => (true, wanted),
        (wanted, _) => (false, wanted),
    };
    let table = page.table(wanted).filter(|table| !table.closed);
    let table = table.ok_or(Fault::Missing)?;
    let mut below = vec![
        (visit.say(desk.face().whose), desk.name()),
        (
            visit.say("csv-page"),
            format!("{} ({})", page.title, visit.with(&[])),
        ),
        (visit.say("csv-made"), desk.now().to_string()),
        (
            visit.say("csv-program"),
            format!("{} {}", desk.face().program, env!("CARGO_PKG_VERSION")),
        ),
    ];
    below.extend(page.sources.iter().cloned());
    let (bytes, kind, end) = if book {
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        (sheet::xlsx(table, &below), kind, "xlsx")
    } else {
        (
            download::csv(table, &below),
            "text/csv; charset=utf-8",
            "csv",
        )
    };
    let bytes = bytes.map_err(|error| Fault::broken("a table", error))?;
    let path: Vec<&str> = visit
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let name = if path.is_empty() {
        desk.face().first.to_owned()
    } else {
        path.join("-")
    };
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}-{}.{end}\"", table.id),
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// A page with a status.
pub fn html<S: Site>(
    desk: &Arc<S>,
    visit: &Visit,
    page: &Page,
    status: StatusCode,
) -> Result<Response, Fault> {
    let text = page
        .html(&frame(desk, visit))
        .map_err(|error| Fault::broken("a page", error))?;
    let headers = [(header::CONTENT_SECURITY_POLICY, script::POLICY)];
    let mut response = (status, headers, Html(text)).into_response();
    if page.again {
        let soon = HeaderValue::from_static("2");
        response.headers_mut().insert(header::REFRESH, soon);
    }
    Ok(response)
}

/// A page that says what went wrong. The cause goes to the service's log; it names no person.
pub fn failed<S: Site>(desk: &Arc<S>, visit: &Visit, fault: &Fault) -> Response {
    if let Fault::Broken(what, cause) = fault {
        tracing::error!(what, %cause, "a page could not be made");
    }
    let page = Page::new(
        visit.say(fault.key()),
        visit.say(&format!("{}-more", fault.key())),
    );
    html(desk, visit, &page, fault.status()).unwrap_or_else(|_| fault.status().into_response())
}
