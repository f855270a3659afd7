//! The responsibility letter (预算责任书): the plan in force, who signed it, what watches over it. One
//! HTML file that can be mailed and printed.

use askama::Template;
use policies::figures::budget::{Noise, Part, Pinned};
use policies::year::{Computed, Published, Year};
use schemas::year::Matter;

#[derive(Template)]
#[template(path = "letter.html")]
struct Page<'a> {
    alliance: &'a str,
    year: u16,
    target: String,
    reserve: String,
    distributable: String,
    deducted: String,
    version: u32,
    digest: String,
    rules: String,
    inputs: String,
    in_force: bool,
    signed: String,
    objections: Vec<(String, String, &'static str)>,
    members: Vec<Line<'a>>,
    apart: String,
    wide: Vec<String>,
    blue: String,
    yellow: String,
}

struct Line<'a> {
    id: &'a str,
    share: &'a str,
    amount: String,
    range: String,
    change: String,
    decided: &'static str,
    month: String,
    earmarks: String,
    applied: String,
}

/// The letter of a year whose newest plan is kept; `None` before any plan.
pub fn letter(published: &Published, year: &Year) -> Option<String> {
    let course = year.matters.get(&Matter::Plan)?;
    let mut results = published.results.iter().map(|one| &one.computed);
    let newest = results.find(|one| one.digest().is_ok_and(|digest| digest == course.result));
    let Some(Computed::Plan(plan)) = newest else {
        return None;
    };
    let members = plan.members.iter().map(|part| of(part, year)).collect();
    let apart: Vec<String> = plan
        .not_separable
        .iter()
        .map(|(one, other)| format!("{one} / {other}"))
        .collect();
    let wide = plan.structure.iter().filter(|gap| gap.wide);
    let objections = course.objections.iter().map(|(member, objection)| {
        let decided = match objection.decided {
            None => "未决 open",
            Some(true) => "成立 upheld",
            Some(false) => "驳回 rejected",
        };
        (member.to_string(), objection.why.clone(), decided)
    });
    let signed: Vec<&str> = course
        .signed
        .iter()
        .map(schemas::id::Slug::as_str)
        .collect();
    let page = Page {
        alliance: published.alliance.as_str(),
        year: year.number,
        target: plan.total.to_string(),
        reserve: plan.reserve.to_string(),
        distributable: plan.distributable.to_string(),
        deducted: plan.deducted.to_string(),
        version: course.version,
        digest: course.result.to_string(),
        rules: plan.rules.to_string(),
        inputs: plan.inputs.to_string(),
        in_force: course.in_force,
        signed: signed.join(", "),
        objections: objections.collect(),
        members,
        apart: apart.join("; "),
        wide: wide
            .map(|gap| format!("{:?}: {} / {}", gap.tier, gap.money, gap.services))
            .collect(),
        blue: published.rules.alerts.blue.to_string(),
        yellow: published.rules.alerts.yellow.to_string(),
    };
    page.render().ok()
}

fn of<'a>(part: &'a Part, year: &Year) -> Line<'a> {
    let range = match &part.noise {
        None => "—".to_owned(),
        Some(Noise::Interval { low, high }) => format!("{low} – {high}"),
        Some(Noise::Held { stays }) => format!("p = {stays}"),
    };
    let earmarks = part
        .earmarks
        .iter()
        .map(|(name, fen)| format!("{name}: {fen}"));
    let applied = year
        .applications
        .get(&part.id)
        .map(|one| one.amount.to_string());
    Line {
        id: part.id.as_str(),
        share: &part.share,
        amount: part.amount.to_string(),
        range,
        change: part.change.clone(),
        decided: match part.pinned {
            Pinned::Free => "因素 share",
            Pinned::Floor => "下限 floor",
            Pinned::Ceiling => "上限 ceiling",
        },
        month: part
            .monthly
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
        earmarks: earmarks.collect::<Vec<_>>().join(", "),
        applied: applied.unwrap_or_else(|| "—".to_owned()),
    }
}
