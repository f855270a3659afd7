//! Inputs of settlement, bonus and appraisal from tables of facts, and from what the year already
//! holds: budgets, payments, the reserve.

use std::collections::BTreeMap;

use policies::figures::appraisal::{AppraisalRules, Appraised, Shortcoming, Source};
use policies::figures::benchmark::Benchmark;
use policies::figures::bonus::{BonusInput, BonusRules, Contributor};
use policies::figures::overspend::{Classified, OverspendInput};
use policies::year::{AppraisalInput, Published, Year};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;

use super::YearError;
use super::facts::{amount, each};
use super::table::execution;

/// What a cause may be.
const CAUSES: &str = "cause (public_health_emergency, new_technology, price_swing, over_treatment, \
                      management_gap or inflated_volume)";

/// Overspend and reserve follow from the plan in force and from what was paid; the table (CSV) classifies
/// it: `member,cause,amount,evidence`, evidence being digests separated by `;`.
pub fn settlement(
    published: &Published,
    year: &Year,
    facts: &str,
) -> Result<OverspendInput, YearError> {
    let plan = published.plan(year).ok_or(YearError::NoPlan)?;
    let rows = execution(published, year, 12);
    let over = rows
        .into_iter()
        .filter(|(_, budget, spent, _)| spent > budget);
    let overspend = over.map(|(id, budget, spent, _)| {
        let fen = spent.0.saturating_sub(budget.0);
        (id, Fen(fen))
    });
    let mut classified = Vec::new();
    let columns = |name: &str| ["member", "cause", "amount", "evidence"].contains(&name);
    each(facts, (None, &columns), |row| {
        let evidence = row.text("evidence").unwrap_or_default().split(';');
        let evidence: Result<Vec<Digest>, _> = evidence.map(|one| one.trim().parse()).collect();
        classified.push(Classified {
            member: row.need("member")?,
            cause: row.word("cause").map_err(|_| row.wrong(CAUSES))?,
            amount: row.need("amount")?,
            evidence: evidence
                .map_err(|_| row.wrong("evidence (SHA-256, 64 hexadecimal digits)"))?,
        });
        Ok(())
    })?;
    Ok(OverspendInput {
        year: year.number,
        overspend: overspend.collect(),
        classified,
        reserve: policies::year::reserve(plan),
    })
}

/// A year's surplus by class, and the lead hospital.
#[derive(Clone, Debug)]
pub struct Surplus {
    /// By pure saving.
    pub basic: Fen,
    /// By quality and efficiency.
    pub performance: Fen,
    /// For research and talent.
    pub strategic: Fen,
    /// The lead hospital.
    pub lead: Slug,
}

/// The table (CSV) has `member,tier,quality_held` (yes or no) and a column for each dimension of the
/// rules; `gaming:NAME`, `own` (yuan), `referrals`, `upward`, `downward` where known. A row whose member is `team:NAME` has
/// the team's rise in thousandths as `referrals`.
pub fn surplus(
    rules: &BonusRules,
    year: u16,
    of: &Surplus,
    facts: &str,
    benchmark: Option<&Benchmark>,
) -> Result<BonusInput, YearError> {
    let mut input = BonusInput {
        year,
        basic: of.basic,
        performance: of.performance,
        strategic: of.strategic,
        lead: of.lead.clone(),
        members: Vec::new(),
        own: BTreeMap::new(),
        referrals: BTreeMap::new(),
        upward: BTreeMap::new(),
        downward: BTreeMap::new(),
        teams: BTreeMap::new(),
    };
    let fixed = [
        "member",
        "tier",
        "quality_held",
        "own",
        "referrals",
        "upward",
        "downward",
    ];
    let flags = |name: &str| rules.gaming.iter().any(|one| one.id.as_str() == name);
    let dimension = |name: &str| rules.dimensions.iter().any(|one| one.id.as_str() == name);
    let allowed = |name: &str| {
        let flag = name.strip_prefix("gaming:").is_some_and(flags);
        fixed.contains(&name) || dimension(name) || flag
    };
    each(facts, (benchmark, &allowed), |row| {
        if let Some(team) = row
            .text("member")
            .and_then(|name| name.strip_prefix("team:"))
        {
            let team = team.parse().map_err(|_| row.wrong("member"))?;
            if input.teams.insert(team, row.need("referrals")?).is_some() {
                return Err(row.wrong("member (each team once)"));
            }
            return Ok(());
        }
        let id: Slug = row.need("member")?;
        let mut dimensions = BTreeMap::new();
        for dimension in &rules.dimensions {
            dimensions.insert(dimension.id.clone(), row.measured(dimension.id.as_str())?);
        }
        if let Some(own) = amount(row, "own")? {
            input.own.insert(id.clone(), own);
        }
        let counts = [
            ("referrals", &mut input.referrals),
            ("upward", &mut input.upward),
            ("downward", &mut input.downward),
        ];
        for (name, of) in counts {
            if row.text(name).is_some() {
                of.insert(id.clone(), row.need(name)?);
            }
        }
        input.members.push(Contributor {
            id,
            tier: row.tier()?,
            dimensions,
            quality_held: match row.text("quality_held") {
                Some("yes") => true,
                Some("no") => false,
                _ => return Err(row.wrong("quality_held (yes or no)")),
            },
            gaming: row.beginning("gaming:")?,
        });
        Ok(())
    })?;
    Ok(input)
}

/// What members left undone the year before, as their books tell it.
pub type Before = BTreeMap<Slug, BTreeMap<Shortcoming, u32>>;

/// Columns that say otherwise.
const UNDONE: [(&str, Shortcoming); 2] = [
    ("late-tasks", Shortcoming::LateTask),
    ("management-gaps", Shortcoming::ManagementGap),
];

/// The table (CSV) has `member`, a column for each indicator that the stage weighs and one for each other
/// source of the rules (`patients`, `social`, …); `late-tasks` and `management-gaps` where they are not
/// those of the year before.
pub fn appraisal(
    rules: &AppraisalRules,
    (year, stage): (u16, &Slug),
    (facts, before): (&str, &Before),
    benchmark: Option<&Benchmark>,
) -> Result<AppraisalInput, YearError> {
    let weights = rules.stages.get(stage);
    let weights = weights.ok_or_else(|| YearError::Stage(stage.clone()))?;
    let mut members = Vec::new();
    let known = |name: &str| rules.indicators.iter().any(|one| one.id.as_str() == name);
    let source = |name: &str| rules.sources.keys().any(|of| word(*of) == name);
    let undone = |name: &str| UNDONE.iter().any(|(column, _)| *column == name);
    let allowed = |name: &str| name == "member" || known(name) || source(name) || undone(name);
    each(facts, (benchmark, &allowed), |row| {
        let mut values = BTreeMap::new();
        for id in weights.keys() {
            values.insert(id.clone(), row.measured(id.as_str())?);
        }
        let mut scores = BTreeMap::new();
        let others = rules.sources.keys().filter(|of| **of != Source::Indicators);
        for source in others {
            scores.insert(*source, row.need(&word(*source))?);
        }
        let id: Slug = row.need("member")?;
        let mut shortcomings = before.get(&id).cloned().unwrap_or_default();
        for (column, kind) in UNDONE {
            if row.text(column).is_some() {
                shortcomings.insert(kind, row.need(column)?);
            }
        }
        shortcomings.retain(|_, times| *times > 0);
        members.push(Appraised {
            id,
            values,
            scores,
            shortcomings,
        });
        Ok(())
    })?;
    Ok(AppraisalInput {
        year,
        stage: stage.clone(),
        members,
    })
}

/// A source as the rules write it.
fn word(source: Source) -> String {
    let name = serde_json::to_value(source).ok();
    let name = name.as_ref().and_then(|name| name.as_str());
    name.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use policies::year::Rules;

    use super::*;

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    #[test]
    fn a_bonus_is_read_with_its_teams_and_what_is_not_known_is_left_out() {
        let rules = Rules::read(|_| None).unwrap().bonus;
        let of = Surplus {
            basic: Fen(100),
            performance: Fen(60),
            strategic: Fen(0),
            lead: slug("a"),
        };
        let read = |facts: &str| surplus(&rules, 2026, &of, facts, None);
        let head = "member,tier,quality_held,referral-share,chronic-control,grassroots-growth,\
                    gaming:volume-jump,own,referrals\n";
        let rows = "a,tertiary,yes,0.1,0.5,-0.03,,1.25,\nc,grassroots,no,0.2,0.6,0.1,0.31,,7\n\
                    team:c-bp,,,,,,,,14\n";
        let found = read(&format!("\u{feff}{head}{rows}")).unwrap();
        assert_eq!(found.members.len(), 2);
        assert_eq!(found.own, [(slug("a"), Fen(125))].into());
        assert_eq!(found.referrals, [(slug("c"), 7)].into());
        assert_eq!(found.teams, [(slug("c-bp"), 14)].into());
        let [a, c] = &found.members[..] else {
            panic!("two members")
        };
        assert!(a.gaming.is_empty() && a.quality_held && !c.quality_held);
        assert_eq!(c.gaming[&slug("volume-jump")].value.to_string(), "0.31");
        for (from, to, line) in [
            ("yes", "maybe", 2),
            ("tertiary", "big", 2),
            ("-0.03", "1e9", 2),
            ("-0.03", "@mean-stay", 2),
            ("-0.03", "", 2),
            ("grassroots,no", "grassroots", 3),
            ("team:c-bp", "team:C BP", 4),
            ("1.25", "1.255", 2),
        ] {
            let text = format!("{head}{}", rows.replacen(from, to, 1));
            let error = read(&text).unwrap_err();
            assert!(
                matches!(error, YearError::Facts { line: at, .. } if at == line),
                "{to}: {error}"
            );
        }
        let twice = read("member,member\na,b\n");
        assert!(matches!(twice, Err(YearError::Facts { line: 1, .. })));
    }

    #[test]
    fn an_appraisal_has_the_indicators_of_its_stage() {
        let rules = Rules::read(|_| None).unwrap().appraisal;
        let stage = slug("quality");
        let mut columns: Vec<String> = rules.stages[&stage].keys().map(Slug::to_string).collect();
        columns.extend(["patients", "social"].map(str::to_owned));
        let values = vec!["9"; columns.len()].join(",");
        let facts = format!("member,{}\na,{values}\n", columns.join(","));
        let before: Before = [(slug("a"), [(Shortcoming::LateTask, 2)].into())].into();
        let found = appraisal(&rules, (2026, &stage), (&facts, &before), None).unwrap();
        assert_eq!(found.members[0].shortcomings, before[&slug("a")]);
        let none = facts
            .replacen('\n', ",late-tasks,management-gaps\n", 1)
            .replacen("9\n", "9,0,1\n", 1);
        let found_none = appraisal(&rules, (2026, &stage), (&none, &before), None).unwrap();
        let own = &found_none.members[0].shortcomings;
        assert_eq!(*own, [(Shortcoming::ManagementGap, 1)].into());
        assert_eq!(found.members[0].values.len(), rules.stages[&stage].len());
        assert_eq!(found.members[0].scores.len(), 2);
        let other = appraisal(&rules, (2026, &slug("other")), (&facts, &before), None);
        assert!(matches!(other, Err(YearError::Stage(_))));
        let other = facts.replacen("patients", "visitors", 1);
        let error = appraisal(&rules, (2026, &stage), (&other, &before), None).unwrap_err();
        assert!(
            error.to_string().contains("the column `visitors`"),
            "{error}"
        );
        let short = facts.replacen(",patients", "", 1).replacen("9,", "", 1);
        let error = appraisal(&rules, (2026, &stage), (&short, &before), None).unwrap_err();
        assert!(error.to_string().contains("patients"), "{error}");
    }
}
