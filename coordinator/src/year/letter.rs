//! The responsibility letter (预算责任书): the plan in force, who signed it, what watches over it. One
//! HTML file that can be mailed and printed.

use askama::Template;
use dashu::rational::RBig;
use policies::figures::budget::{Noise, Part, Pinned, Tier};
use policies::figures::{Exact, half_up};
use policies::year::{Computed, Published, Rules, Year, spoken};
use schemas::money::Fen;
use schemas::year::Matter;

use super::parts::answers;

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
    signers: Vec<(String, String, &'static str)>,
    files: Vec<String>,
    insurer: String,
    duties: Duties,
    void: bool,
    objections: Vec<(u32, String, String, String, &'static str)>,
    members: Vec<Line<'a>>,
    apart: String,
    wide: Vec<String>,
    controls: usize,
    why: String,
    blue: String,
    yellow: String,
    red: String,
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
    key: String,
    accepted: &'static str,
    decided: &'static str,
    month: String,
    earmarks: String,
    applied: String,
}

/// The letter of a year whose newest plan is kept; `None` before any plan.
pub fn letter(published: &Published, year: &Year) -> Option<String> {
    let course = year.shown_plan()?;
    let Computed::Plan(plan) = &published.newest(year, Matter::Plan)?.computed else {
        return None;
    };
    let members = plan.members.iter().map(|part| of(part, year)).collect();
    let apart: Vec<String> = plan
        .not_separable
        .iter()
        .map(|(one, other)| format!("{one} / {other}"))
        .collect();
    let wide = plan.structure.iter().filter(|gap| gap.wide);
    let objections = course.heard().map(|(version, member, objection)| {
        let decided = match objection.decided {
            None => "未决 open",
            Some(true) => "成立 upheld",
            Some(false) => "驳回 rejected",
        };
        let (member, why) = (member.to_string(), objection.why.clone());
        (version, member, why, answers(objection), decided)
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
        signers: signers(published, year),
        files: files(published),
        insurer: published.rules.year.insurer.to_string(),
        duties: Duties::of(published),
        void: course.void,
        objections: objections.collect(),
        members,
        apart: apart.join("; "),
        wide: wide
            .map(|gap| format!("{}: {} / {}", tier(gap.tier), gap.money, gap.services))
            .collect(),
        controls: plan.controls.len(),
        blue: percent(&published.rules.alerts.blue.to_string()),
        why: course.why.clone(),
        yellow: percent(&published.rules.alerts.yellow.to_string()),
        red: percent(&published.rules.alerts.red.to_string()),
    };
    page.render().ok()
}

/// What the rules lay upon members and alliance, as the letter says it.
struct Duties {
    next_year: String,
    share: String,
    insurer_share: String,
    gate: String,
    pool: String,
    days: u32,
    improve: u32,
    months: u32,
}

impl Duties {
    fn of(published: &Published) -> Self {
        let rules = &published.rules;
        let part = |of: &Exact| percent(&of.to_string());
        let matter = rules.year.matters.get(&Matter::Plan);
        let grades = rules.appraisal.grades.iter();
        Self {
            next_year: part(&rules.overspend.next_year),
            share: part(&rules.bonus.basic_members),
            insurer_share: part(&rules.overspend.insurer),
            gate: part(&rules.bonus.gate),
            pool: part(&rules.bonus.pool.share),
            days: matter.map_or(0, |of| of.objection_days),
            improve: grades.filter_map(|one| one.improve_days).min().unwrap_or(0),
            months: rules.alerts.months,
        }
    }
}

/// Who signs, the key's fingerprint, and whether it signed.
fn signers(published: &Published, year: &Year) -> Vec<(String, String, &'static str)> {
    let of = published.rules.year.matters.get(&Matter::Plan);
    let course = year.shown_plan();
    let signers = of.into_iter().flat_map(|of| &of.signers).map(|name| {
        let key = year.parties.get(name).map(spoken).unwrap_or_default();
        let signed = course.is_some_and(|course| course.signed.contains(name));
        let word = if signed {
            "已签署 signed"
        } else {
            "未签署 not signed"
        };
        (name.to_string(), key, word)
    });
    signers.collect()
}

/// The rules' files with their versions and the months from which they hold.
fn files(published: &Published) -> Vec<String> {
    let rules = &published.rules;
    let versions = [
        (rules.year.version, rules.year.effective),
        (rules.budget.version, rules.budget.effective),
        (rules.bonus.version, rules.bonus.effective),
        (rules.overspend.version, rules.overspend.effective),
        (rules.appraisal.version, rules.appraisal.effective),
        (rules.alerts.version, rules.alerts.effective),
    ];
    let files = Rules::FILES.iter().zip(versions);
    files
        .map(|(file, (version, from))| format!("{file} 第 {version} 版 version {version} ({from})"))
        .collect()
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
    let course = year.shown_plan();
    let accepted = course.is_some_and(|course| course.accepted.contains(&part.id));
    Line {
        id: part.id.as_str(),
        share: &part.share,
        tier: tier(part.tier),
        amount: grouped(part.amount),
        deduction: grouped(part.deduction),
        net: grouped(Fen(part.amount.0.saturating_sub(part.deduction.0))),
        range,
        change: percent(&part.change),
        key: year.members.get(&part.id).map(spoken).unwrap_or_default(),
        accepted: if accepted {
            "已确认 accepted"
        } else {
            "未确认 not accepted"
        },
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
