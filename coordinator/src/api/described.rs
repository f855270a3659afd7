//! What is served, for machines: OpenAPI 3.1 at `/v1/openapi.json`, made of one line a request. A test compares
//! the lines with the routers.

use std::sync::LazyLock;

use axum::Json;
use schemas::catalogue;
use schemas::request::{RECEIPT, REQUEST, TIME};
use serde_json::{Map, Value, json};

use Who::{Everyone, Insurer, Member, Signing};

/// Who may make a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Who {
    /// On the public listener, without a certificate.
    Everyone,
    /// A member, by its certificate.
    Member,
    /// A member that also signs the request with its message key.
    Signing,
    /// An insurer, by its certificate.
    Insurer,
}

/// Method, path, who, what is sent and what comes back (a message of `schemas/json` or a kind of body), and what
/// it is for.
type Line = (
    &'static str,
    &'static str,
    Who,
    &'static str,
    &'static str,
    &'static str,
);

/// A body without a schema: JSON of the coordinator's own figures, bytes of a signed message, text.
const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";
/// Nothing in the body.
const EMPTY: &str = "";

#[rustfmt::skip]
pub(super) const LINES: &[Line] = &[
    ("get", "/health", Everyone, EMPTY, EMPTY, "The process runs."),
    ("get", "/ready", Everyone, EMPTY, EMPTY, "The state answers."),
    ("get", "/v1/openapi.json", Everyone, EMPTY, JSON, "This description."),
    ("post", "/v1/join", Everyone, "join-request", "join-reply", "A hospital joins with an invitation's code."),
    ("get", "/v1/dictionary", Member, EMPTY, "sealed", "The latest dictionary."),
    ("get", "/v1/rounds", Member, EMPTY, "sealed-rounds", "Rounds that wait for this hospital; the answer waits until there is one."),
    ("get", "/v1/rounds/{id}/progress", Member, EMPTY, JSON, "Who has answered a round."),
    ("post", "/v1/rounds/{id}/reply", Signing, "sealed", EMPTY, "A hospital's reply to the round of that digest."),
    ("post", "/v1/renew", Signing, "renew-request", "renew-reply", "A new certificate over the present one."),
    ("post", "/v1/log/exchange", Member, "exchange", "exchanged", "What is known of the member's log, and how the others went on."),
    ("post", "/v1/log/add-checkpoint", Member, TEXT, TEXT, "Cosigns a checkpoint (C2SP tlog-witness)."),
    ("post", "/v1/log/cosign", Member, TEXT, EMPTY, "A member's cosignature of another log."),
    ("post", "/v1/audit/hospitals/{hospital}", Insurer, TEXT, JSON, "An insurer's sealed request for a hospital."),
    ("get", "/v1/audit/replies/{id}", Insurer, EMPTY, TEXT, "The hospital's sealed reply, once it is there."),
    ("get", "/v1/audit/books/{party}/{month}", Insurer, EMPTY, BYTES, "A hospital's book of that month for this insurer."),
    ("post", "/v1/audit/books/{party}/{month}", Signing, BYTES, EMPTY, "A hospital's book of that month for an insurer."),
    ("get", "/v1/audit/requests", Member, EMPTY, JSON, "Digests of insurers' requests that wait."),
    ("get", "/v1/audit/requests/{id}", Member, EMPTY, TEXT, "One of them, sealed."),
    ("post", "/v1/audit/requests/{id}", Signing, TEXT, EMPTY, "The reply to it, sealed."),
    ("get", "/v1/pooled/work", Member, EMPTY, BYTES, "What waits for this member in pooled rounds."),
    ("get", "/v1/pooled/lists/{version}", Member, EMPTY, BYTES, "A signed list of seat keys."),
    ("get", "/v1/pooled/draft", Member, EMPTY, BYTES, "The list that waits for countersignatures."),
    ("get", "/v1/pooled/rounds/{id}", Member, EMPTY, BYTES, "A pooled round as it was offered."),
    ("get", "/v1/pooled/rounds/{id}/proposal", Member, EMPTY, BYTES, "Which uploads its seats are to add up."),
    ("get", "/v1/pooled/rounds/{id}/certificate", Member, EMPTY, BYTES, "What its seats signed."),
    ("get", "/v1/pooled/rounds/{id}/void", Member, EMPTY, BYTES, "Why it ended without a sum."),
    ("get", "/v1/pooled/asks/{subject}", Member, EMPTY, BYTES, "What members ask of one another about a subject."),
    ("get", "/v1/pooled/receipts", Member, EMPTY, BYTES, "Receipts for this member."),
    ("post", "/v1/pooled/seat-key", Signing, JSON, EMPTY, "A member's key as a seat."),
    ("post", "/v1/pooled/countersign", Signing, JSON, EMPTY, "A signature of the drafted list."),
    ("post", "/v1/pooled/rounds/{id}/upload", Signing, BYTES, EMPTY, "A member's sealed shares."),
    ("post", "/v1/pooled/rounds/{id}/word", Signing, BYTES, EMPTY, "A seat's word on which uploads it holds."),
    ("post", "/v1/pooled/rounds/{id}/sum", Signing, BYTES, EMPTY, "A seat's sum of shares."),
    ("post", "/v1/pooled/ask", Signing, BYTES, EMPTY, "Asks members for a receipt."),
    ("post", "/v1/pooled/receipt", Signing, BYTES, EMPTY, "A receipt that was asked for."),
    ("get", "/v1/years", Member, EMPTY, JSON, "Budget years, newest last."),
    ("get", "/v1/years/{year}", Member, EMPTY, JSON, "A year as it is published to those who take part."),
    ("get", "/v1/years/{year}/standing", Member, EMPTY, JSON, "What the year waits for, and from whom."),
    ("get", "/v1/years/{year}/execution/{month}", Member, EMPTY, JSON, "Spent against budget until that month."),
    ("get", "/v1/years/{year}/warnings/{month}", Member, EMPTY, JSON, "Warnings until that month."),
    ("post", "/v1/years/{year}/statements", Signing, "sealed", JSON, "A signed statement of a member or party."),
    ("post", "/v1/years/{year}/what-if", Signing, JSON, JSON, "Another split, computed and not kept."),
];

/// Serves it. Made once: strangers may ask for it.
pub(super) async fn document() -> Json<&'static Value> {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(described);
    Json(&DOCUMENT)
}

/// The whole document.
fn described() -> Value {
    let mut paths = Map::new();
    for line in LINES {
        let (method, path, ..) = *line;
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(method.to_owned(), operation(line));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Consilium coordinator",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What members send and get. Signed requests carry the header consilium-request; \
                            errors are problems of RFC 9457.",
        },
        "paths": paths,
        "components": {
            "schemas": components(),
            "securitySchemes": { "certificate": {
                "type": "mutualTLS",
                "description": "The certificate that the coordinator gave to a member or an insurer.",
            }},
        },
    })
}

fn operation(&(method, path, who, sent, back, about): &Line) -> Value {
    let mut parameters = path_parameters(path);
    if path == "/v1/rounds" {
        for (name, of) in [
            ("wait", "Seconds at most, 0 to 30."),
            ("turn", "The last turn of logs that was told."),
        ] {
            let schema = json!({ "type": "integer", "minimum": 0, "maximum": if name == "wait" { 30 } else { i64::MAX } });
            parameters
                .push(json!({ "name": name, "in": "query", "description": of, "schema": schema }));
        }
    }
    let mut good = json!({ "description": if back.is_empty() { "Done." } else { "As asked." } });
    if !back.is_empty() {
        put(&mut good, "content", content(back));
    }
    if who == Signing {
        parameters.push(json!({
            "name": REQUEST, "in": "header", "required": true, "schema": { "type": "string" },
            "description": "A sealed request (schemas/json/request.json) over path and body, as one line of JSON.",
        }));
        put(
            &mut good,
            "headers",
            json!({ RECEIPT: {
                "schema": { "type": "string" }, "description": "The coordinator's signed receipt, as one line of JSON.",
            }}),
        );
    }
    let code = if matches!(path, "/health" | "/ready") {
        "204"
    } else {
        "200"
    };
    let mut responses = json!({ code: good, "default": {
        "description": "Refused: what is wrong and what to do next.",
        "content": { "application/problem+json": { "schema": named("problem") } },
    }});
    if path == "/v1/audit/replies/{id}" {
        put(
            &mut responses,
            "204",
            json!({ "description": "There is no reply yet." }),
        );
    }
    if path == "/v1/log/add-checkpoint" {
        put(
            &mut responses,
            "409",
            json!({
                "description": "The size of the log that is known.",
                "content": { "text/x.tlog.size": { "schema": { "type": "string" } } },
            }),
        );
    }
    let mut whole = json!({
        "operationId": format!("{method} {path}"), "summary": about,
        "parameters": parameters, "responses": responses,
    });
    if !sent.is_empty() {
        put(
            &mut whole,
            "requestBody",
            json!({ "required": true, "content": content(sent) }),
        );
    }
    if who != Everyone {
        put(&mut whole, "security", json!([{ "certificate": [] }]));
        put(
            &mut whole,
            "description",
            json!(format!(
                "The header {TIME} of the answer tells the coordinator's time."
            )),
        );
    }
    whole
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    names
        .map(|name| {
            let (schema, of) = match name {
                "version" => (json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }), "A list's version."),
                "month" => (json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$" }), "A month, as 2026-01."),
                "year" => (json!({ "type": "string", "pattern": "^[0-9]{4}$" }), "A year."),
                _ => (json!({ "type": "string", "minLength": 1 }), "A name or a digest, as this coordinator gave it."),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema, "description": of })
        })
        .collect()
}

fn content(body: &str) -> Value {
    match body {
        JSON | BYTES | TEXT => json!({ body: { "schema": {} } }),
        "sealed-rounds" => {
            json!({ JSON: { "schema": { "type": "array", "items": named("sealed-round") } } })
        }
        "sealed" => json!({ JSON: { "schema": named("sealed-round") } }),
        message => json!({ JSON: { "schema": named(message) } }),
    }
}

fn named(message: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{message}") })
}

/// Every message by its name, and what they are made of beside them.
fn components() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, schema) in catalogue::all() {
        let mut schema = schema.to_value();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("$schema");
            if let Some(Value::Object(parts)) = fields.remove("$defs") {
                all.extend(parts.into_iter().map(|(name, part)| (name, moved(part))));
            }
        }
        all.insert(name.to_owned(), moved(schema));
    }
    all
}

/// Its references lead to where the parts lie now.
fn moved(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("$ref", Value::String(to)) => {
                        let to = to.replace("#/$defs/", "#/components/schemas/");
                        (name, Value::String(to))
                    }
                    (_, value) => (name, moved(value)),
                });
            Value::Object(fields.collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(moved).collect()),
        other => other,
    }
}

/// Puts a value into an object.
fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(names) = object.as_object_mut() {
        names.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ROUTERS: [&str; 4] = [
        include_str!("mod.rs"),
        include_str!("audit.rs"),
        include_str!("pooled.rs"),
        include_str!("years.rs"),
    ];

    /// Method and path of every `.route("…", get(…))` of the sources.
    fn served() -> BTreeSet<(String, String)> {
        let routes = ROUTERS
            .iter()
            .flat_map(|source| source.split(".route(\"").skip(1));
        routes
            .map(|rest| {
                let (path, handler) = rest.split_once('"').unwrap();
                let method = handler.trim_start_matches(&[',', ' ', '\n'][..]);
                (
                    method.split('(').next().unwrap().to_owned(),
                    path.to_owned(),
                )
            })
            .collect()
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let told: BTreeSet<_> = LINES
            .iter()
            .map(|line| (line.0.to_owned(), line.1.to_owned()))
            .collect();
        assert_eq!(told.len(), LINES.len());
        assert_eq!(told, served());
        let document = described().to_string();
        assert!(!document.contains("$defs"));
        let parts = described()["components"]["schemas"].clone();
        for to in document.split("#/components/schemas/").skip(1) {
            let name = to.split('"').next().unwrap();
            assert!(parts[name].is_object(), "{name}");
        }
    }
}
