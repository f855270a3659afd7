//! What the node itself says to a question, whoever forwarded it and whatever others allowed: rules
//! that everyone can check, then its own policy, then its steward.

use policies::access::{ALLOWANCE, APPROVAL, Channel, Principal, Request, Statistic, Verdict};
use policies::plan;
use policies::template;
use schemas::id::Slug;
use schemas::officer::Role;
use schemas::question::{Measure, Purpose, Question};

use super::{App, Asked, Bound, By, Unanswered};
use crate::ledger::{self, Identity};
use crate::snapshot;
use crate::steward::{self, Fits};

/// A question that may be answered, perhaps after the steward's approval.
#[derive(Debug)]
pub struct Examined {
    /// Compiled, on released data.
    pub bound: Bound,
    /// Which policies decided.
    pub verdict: Verdict,
    /// What it waits for, if the steward has not approved it.
    pub waits: Option<&'static str>,
    /// Whether the steward wants to see the answer before it leaves.
    pub hold: bool,
    /// What it would cost each data year now.
    pub charge: schemas::loss::Rho,
    /// What the tightest quota has left.
    pub left: schemas::loss::Rho,
}

/// Judges and compiles a question. Spends nothing and reads no patient's row.
pub async fn examine(app: &App, asked: &Asked) -> Result<Examined, Unanswered> {
    let purpose = classify(app, asked)?;
    let layout = plan::compile(&asked.question, &app.dictionary, &app.policy)?;
    plan::check_price(&layout, purpose, &app.policy)?;
    let released = snapshot::released_of(
        &app.state,
        &app.data,
        (asked.question.dataset, &asked.question.period),
    )
    .await?;
    let coded = released.dictionaries == [layout.dictionary];
    let identity = Identity::new(layout, released.months.clone()).map_err(|_| Unanswered::Seal)?;
    let payer = app.payer(purpose);
    let (charge, left) = ledger::due(&app.state, &identity, payer).await?;
    let (missing, hold) = approval(app, asked, &identity).await?;
    let statistic = Statistic {
        question: identity.question(),
        purpose,
        group_size: group_size(app, &asked.by),
        charge,
        left,
        dimensions: dimensions(&asked.question),
        approved: missing.is_none(),
    };
    let verdict = judge(app, &asked.by, statistic);
    let waits = if verdict.only(APPROVAL) {
        missing
    } else {
        None
    };
    if !verdict.allowed && waits.is_none() {
        if verdict.only(ALLOWANCE) || verdict.policies == [ALLOWANCE, APPROVAL] {
            ledger::affordable(&app.state, identity.layout(), payer).await?;
        }
        return Err(Unanswered::Forbidden(verdict));
    }
    if released.months.is_empty() {
        return Err(Unanswered::NoData);
    }
    if !coded {
        return Err(Unanswered::NotMapped);
    }
    Ok(Examined {
        bound: Bound {
            purpose,
            released,
            identity,
        },
        verdict,
        waits,
        hold,
        charge,
        left,
    })
}

/// Which quota pays: the node's own word. A question that claims a template has to be that
/// template's; without one it is a free question, whatever its asker calls it.
fn classify(app: &App, asked: &Asked) -> Result<Purpose, Unanswered> {
    let floors = app.floors.digest().map_err(|_| Unanswered::Seal)?;
    if asked.question.rules != floors {
        return Err(Unanswered::OtherRules);
    }
    let purpose = match &asked.template {
        Some(template) => {
            let mut shipped = template::shipped().into_iter();
            let own = shipped.find(|own| own.reference() == *template);
            let own = own.ok_or(Unanswered::NotItsTemplate)?;
            let drafted = own.draft(&app.dictionary, floors, asked.question.period);
            if drafted.map_or(true, |draft| draft.question != asked.question) {
                return Err(Unanswered::NotItsTemplate);
            }
            let listed = app.policy.allow.templates.get(&template.to_string());
            listed.copied().unwrap_or(own.purpose)
        }
        None => Purpose::Free,
    };
    if app.policy.allow.purposes.contains(&purpose) {
        return Ok(purpose);
    }
    Err(Unanswered::Forbidden(Verdict {
        allowed: false,
        policies: Vec::new(),
        reason: format!(
            "the policy takes no questions of purpose `{}`",
            ledger::name(purpose)
        ),
    }))
}

fn judge(app: &App, by: &By, statistic: Statistic) -> Verdict {
    let (role, organisation, channel) = match by {
        By::Officer => (Role::Finance, app.hospital.clone(), Channel::Local),
        By::Alliance { .. } => (
            role(by),
            app.dictionary.alliance.clone(),
            Channel::MutualTls,
        ),
    };
    let principal = Principal { role, organisation };
    let request = Request::AskStatistic {
        organisation: app.hospital.clone(),
        channel,
        statistic,
    };
    app.standing.access.judge(&principal, &request)
}

fn role(by: &By) -> Role {
    match by {
        By::Officer => Role::Finance,
        By::Alliance {
            purpose: Purpose::Audit,
            ..
        } => Role::InsurerAuditor,
        By::Alliance { .. } => Role::Administrator,
    }
}

/// The least noisy count of a cell that the asker will be shown.
fn group_size(app: &App, by: &By) -> u32 {
    match role(by) {
        Role::InsurerAuditor => app.policy.display.insurer_threshold,
        _ => app.policy.display.threshold,
    }
}

fn dimensions(question: &Question) -> Vec<Slug> {
    let mut all: Vec<Slug> = question.filter.keys().cloned().collect();
    for table in &question.tables {
        all.extend(table.by.iter().cloned());
        for block in &table.blocks {
            if let Measure::CountWhere { filter } = &block.measure {
                all.extend(filter.keys().cloned());
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// What is missing of the steward's approval, if anything, and whether the answer is held.
async fn approval(
    app: &App,
    asked: &Asked,
    identity: &Identity,
) -> Result<(Option<&'static str>, bool), Unanswered> {
    let By::Alliance { round, purpose } = &asked.by else {
        return Ok((None, false));
    };
    let standing = &app.standing;
    let policy = standing.approved.policy;
    let letter = steward::find(&app.state, &round.to_string()).await?;
    // The steward's word on this round, hold included, comes before any standing one.
    if let Some(letter) = letter.as_ref().filter(|letter| letter.state.is_approved()) {
        let releases = identity.releases();
        let fits = Fits {
            officers: &standing.officers,
            hospital: &app.hospital,
            policy,
            releases: &releases,
        };
        return match steward::approved(letter, (round, identity.question()), &fits) {
            Ok(approval) => Ok((None, approval.hold)),
            Err(why) => {
                steward::void(&app.state, *round, why, app.clock.now()).await?;
                Ok((Some(why), false))
            }
        };
    }
    if let Some(template) = &asked.template
        && app
            .policy
            .allow
            .templates
            .contains_key(&template.to_string())
    {
        let whose = (&standing.officers, &app.hospital, policy);
        let now = app.clock.now();
        if steward::granted(&app.state, whose, (template, *purpose), now).await? {
            return Ok((None, false));
        }
    }
    let why = match letter {
        Some(_) => "it waits for the steward",
        None => "it waits for the first time",
    };
    Ok((Some(why), false))
}
