//! The responsibility letter (预算责任书): the plan in force, who signed it, what watches over it. One
//! HTML file that can be mailed and printed.

use askama::Template;
use dashu::rational::RBig;
use policies::figures::budget::{Noise, Part, Pinned, Tier};
use policies::figures::{Exact, half_up};
use policies::year::{Computed, Published, Year};
use schemas::money::Fen;
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
    signers: Vec<String>,
    void: bool,
    objections: Vec<(String, String, String, &'static str)>,
    members: Vec<Line<'a>>,
    apart: String,
    wide: Vec<String>,
    controls: usize,
    blue: String,
    yellow: String,
}

struct Line<'a> {
    id: &'a str,
    share: &'a str,
    tier: &'static str,
    amount: String,
    deduction: String,
    net: String,
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
        let answers = objection.answers.iter();
        let answers = answers.map(|(by, one)| format!("{by}: {}", one.why));
        let answers = answers.collect::<Vec<_>>().join("; ");
        (member.to_string(), objection.why.clone(), answers, decided)
    });
    let signed: Vec<&str> = course
        .signed
        .iter()
        .map(schemas::id::Slug::as_str)
        .collect();
    let page = Page {
        alliance: published.alliance.as_str(),
        year: year.number,
        target: grouped(plan.total),
        reserve: grouped(plan.reserve),
        distributable: grouped(plan.distributable),
        deducted: grouped(plan.deducted),
        version: course.version,
        digest: course.result.to_string(),
        rules: year.rules.to_string(),
        inputs: plan.inputs.to_string(),
        in_force: course.in_force,
        signed: signed.join(", "),
        signers: published
            .rules
            .year
            .matters
            .get(&Matter::Plan)
            .map_or_else(Vec::new, |of| {
                of.signers.iter().map(ToString::to_string).collect()
            }),
        void: course.void,
        objections: objections.collect(),
        members,
        apart: apart.join("; "),
        wide: wide
            .map(|gap| format!("{}: {} / {}", tier(gap.tier), gap.money, gap.services))
            .collect(),
        controls: plan.controls.len(),
        blue: published.rules.alerts.blue.to_string(),
        yellow: published.rules.alerts.yellow.to_string(),
    };
    page.render().ok()
}

fn of<'a>(part: &'a Part, year: &Year) -> Line<'a> {
    let range = match &part.noise {
        None => "—".to_owned(),
        Some(Noise::Interval { low, high }) => format!("{} – {}", grouped(*low), grouped(*high)),
        Some(Noise::Held { stays }) => format!("p = {stays}"),
    };
    let earmarks = part
        .earmarks
        .iter()
        .map(|(name, fen)| format!("{name}: {}", grouped(*fen)));
    let applied = year
        .applications
        .get(&part.id)
        .map(|one| grouped(one.amount));
    Line {
        id: part.id.as_str(),
        share: &part.share,
        tier: tier(part.tier),
        amount: grouped(part.amount),
        deduction: grouped(part.deduction),
        net: grouped(Fen(part.amount.0.saturating_sub(part.deduction.0))),
        range,
        change: percent(&part.change),
        decided: match part.pinned {
            Pinned::Free => "因素 share",
            Pinned::Floor => "下限 floor",
            Pinned::Ceiling => "上限 ceiling",
        },
        month: part
            .monthly
            .first()
            .map(|fen| grouped(*fen))
            .unwrap_or_default(),
        earmarks: earmarks.collect::<Vec<_>>().join(", "),
        applied: applied.unwrap_or_else(|| "—".to_owned()),
    }
}

fn tier(of: Tier) -> &'static str {
    match of {
        Tier::Tertiary => "三级 tertiary",
        Tier::Secondary => "二级 secondary",
        Tier::Grassroots => "基层 grassroots",
    }
}

/// Yuan with their thousands apart.
fn grouped(fen: Fen) -> String {
    let text = fen.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "00"));
    let mut apart = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(place);
        if place > 0 && left % 3 == 0 {
            apart.push(',');
        }
        apart.push(digit);
    }
    format!("{sign}{apart}.{rest}")
}

/// A share as hundredths with one decimal.
fn percent(share: &str) -> String {
    match share.parse::<Exact>() {
        Ok(share) => format!("{} %", half_up(&(share.0 * RBig::from(100)), 1)),
        Err(_) => share.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (fen, text) in [
            (0, "0.00"),
            (12, "0.12"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (-123_456_789, "-1,234,567.89"),
        ] {
            assert_eq!(grouped(Fen(fen)), text);
        }
        assert_eq!(percent("-0.070135"), "-7.0 %");
    }
}
