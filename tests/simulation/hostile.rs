//! What hostile actors put before nodes and coordinator.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::{Purpose, Question};
use schemas::round::{Round, TemplateRef};
use schemas::time::Timestamp;

use super::made::Made;
use crate::fixture::{rho, slug};

/// Who signs a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    Alliance,
    Stranger,
}

/// A round about a free question that is sound in itself.
pub(super) fn free(made: &Made, name: &str, which: u16, now: Timestamp) -> Round {
    let free = &made.catalog.free;
    bare(
        made,
        name,
        free[usize::from(which) % free.len()].clone(),
        now,
    )
}

/// A question that was asked before, under a new name: as a template's, or as if it were free.
pub(super) fn again(made: &Made, name: &str, which: u16, now: Timestamp) -> Round {
    let honest = &made.catalog.honest;
    let (template, period) = &honest[usize::from(which) % honest.len()];
    let mut round = bare(made, name, made.catalog.question(template, period), now);
    if !which.is_multiple_of(5) {
        round.template = Some(template.reference());
        round.purpose = template.purpose;
    }
    round
}

fn bare(made: &Made, name: &str, question: Question, now: Timestamp) -> Round {
    Round {
        id: slug(name),
        template: None,
        purpose: Purpose::Free,
        question,
        roster: made
            .members
            .iter()
            .map(|member| member.name.clone())
            .collect(),
        min_answers: 3,
        opened: now,
        deadline: Timestamp(now.0.saturating_add(3600)),
    }
}

fn claims(mut round: Round, name: &str, version: u32) -> Round {
    round.template = Some(TemplateRef {
        id: slug(name),
        version,
    });
    round.purpose = Purpose::Benchmark;
    round
}

/// A round that no node may answer, whoever signs it.
pub(super) fn lie(made: &Made, name: &str, which: u16, now: Timestamp) -> (Round, By) {
    let honest = |at: usize| {
        let (template, period) = &made.catalog.honest[at];
        made.catalog.question(template, period)
    };
    let yearly = || honest(3);
    let changed = |change: &dyn Fn(&mut Question)| {
        let mut question = yearly();
        change(&mut question);
        question.canonical()
    };
    let like = |question: Question| claims(bare(made, name, question, now), "yearly-hospitals", 2);
    let other = Digest::of("other", &[]);
    let day = 86_400;
    let round = match which % 14 {
        0 => like(changed(&|q| q.tables[0].blocks[0].rho = rho("0.3"))),
        1 => like(changed(&|q| {
            drop(q.filter.insert(slug("sex"), vec!["f".to_owned()]));
        })),
        2 => like(changed(&|q| q.bounds.groups = 4)),
        3 => like(changed(&|q| q.bounds.stays = 2)),
        4 => like(changed(&|q| q.rules = other)),
        5 => like(changed(&|q| q.dictionary = other)),
        6 => like(changed(&|q| drop(q.tables.pop()))),
        7 => claims(bare(made, name, honest(5), now), "monthly-benchmark", 2),
        8 => bare(
            made,
            name,
            changed(&|q| q.tables[0].blocks[0].rho = rho("0.3")),
            now,
        ),
        9 => Round {
            opened: Timestamp(now.0 - 2 * day),
            deadline: Timestamp(now.0 - day),
            ..like(yearly())
        },
        10 => Round {
            deadline: Timestamp(now.0 + 90 * day),
            ..like(yearly())
        },
        11 => Round {
            roster: vec![slug("h9")],
            ..like(yearly())
        },
        12 => claims(bare(made, name, yearly(), now), "yearly-hospitals", 3),
        _ => return (like(yearly()), By::Stranger),
    };
    (round, By::Alliance)
}

/// The hospitals that a coordinator offers a round to, whatever its roster says.
pub(super) fn everyone(made: &Made) -> Vec<Slug> {
    made.members
        .iter()
        .map(|member| member.name.clone())
        .collect()
}
