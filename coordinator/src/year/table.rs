//! A year's figures as rows, for people and spreadsheets.

use policies::figures::alerts::{self, Execution};
use policies::year::{Computed, Published, Year};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::year::Matter;

/// The newest result about a matter.
pub(super) fn newest<'a>(
    published: &'a Published,
    year: &Year,
    matter: Matter,
) -> Option<&'a Computed> {
    let wanted = year.matters.get(&matter)?.result;
    let mut results = published.results.iter().map(|one| &one.computed);
    results.find(|computed| computed.digest().is_ok_and(|digest| digest == wanted))
}

/// Where each member's spending stands after `month` months, of the plan in force and of what the
/// insurer says it paid.
pub fn execution(
    published: &Published,
    year: &Year,
    month: u8,
) -> Vec<(Slug, Fen, Fen, Option<Execution>)> {
    let in_force = year
        .matters
        .get(&Matter::Plan)
        .is_some_and(|plan| plan.in_force);
    let newest = newest(published, year, Matter::Plan).filter(|_| in_force);
    let Some(Computed::Plan(plan)) = newest else {
        return Vec::new();
    };
    let rows = plan.members.iter().map(|part| {
        let paid = year.paid.get(&part.id);
        let months = paid.into_iter().flatten();
        let until = months
            .filter(|(paid, _)| paid.number() <= month)
            .map(|(_, fen)| fen.0);
        let spent = Fen(until.fold(0, i64::saturating_add));
        let budget = Fen(part.amount.0.saturating_sub(part.deduction.0));
        let rules = &published.rules.alerts;
        let stands = alerts::execution(rules, budget, spent, month);
        (part.id.clone(), budget, spent, stands)
    });
    rows.collect()
}

/// A year's results by member as CSV: plan, bonus, what is borne, grade; money in yuan.
/// A field is empty where nothing was proposed about it.
pub fn members(published: &Published, year: &Year) -> String {
    let mut lines = vec![
        "member,tier,applied,base_share,factor_share,share,floor,ceiling,decided_by,budget,\
         deduction,spent,bonus_basic,bonus_performance,borne,grade"
            .to_owned(),
    ];
    let bonus = newest(published, year, Matter::Bonus);
    let borne = newest(published, year, Matter::Settlement);
    let grades = newest(published, year, Matter::Appraisal);
    let Some(Computed::Plan(plan)) = newest(published, year, Matter::Plan) else {
        return format!("{}\n", lines.join("\n"));
    };
    for part in &plan.members {
        let spent = year.paid.get(&part.id).into_iter().flatten();
        let spent = spent.fold(0_i64, |sum, (_, fen)| sum.saturating_add(fen.0));
        let of = |fen: Option<&Fen>| fen.copied().unwrap_or_default().to_string();
        let (basic, performance) = match bonus {
            Some(Computed::Bonus(bonus)) => (
                of(bonus.basic.get(&part.id)),
                of(bonus.performance.get(&part.id)),
            ),
            _ => (String::new(), String::new()),
        };
        let bears = match borne {
            Some(Computed::Settlement(settled)) => of(settled.responsible.get(&part.id)),
            _ => String::new(),
        };
        let applied = year.applications.get(&part.id);
        let applied = applied
            .map(|one| one.amount.to_string())
            .unwrap_or_default();
        let word = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
        let grade = match grades {
            Some(Computed::Appraisal(all)) => {
                let own = all.iter().find(|one| one.id == part.id);
                own.map_or("", |one| one.grade.as_str())
            }
            _ => "",
        };
        lines.push(format!(
            "{},{},{applied},{},{},{},{},{},{},{},{},{},{basic},{performance},{bears},{grade}",
            part.id,
            word(&part.tier),
            part.base_share,
            part.factor_share,
            part.share,
            part.floor,
            part.ceiling,
            word(&part.pinned),
            part.amount,
            part.deduction,
            Fen(spent),
        ));
    }
    format!("{}\n", lines.join("\n"))
}
