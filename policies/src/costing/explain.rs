//! A full cost, explained back to the ledgers it came from.

use schemas::id::Slug;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use super::ledger::Ledgers;
use super::step_down::{Closed, Transfer};

/// Deepest chain: technical ← auxiliary ← administrative ← shared.
const DEEPEST: u8 = 4;

/// Where an amount came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The department that held it, or the shared cost.
    pub from: Slug,
    /// What of it came here.
    pub amount: Fen,
    /// What it held in all before it handed on.
    pub held: Fen,
    /// Of that its own cost, by the ledger of direct costs.
    pub direct: Fen,
    /// Of that what it had from others, in the order in which it came.
    pub received: Vec<Self>,
}

/// A department's cost of one item, with the chain of those it came from.
pub fn explain(ledgers: &Ledgers, closed: &Closed, department: &Slug, item: &Slug) -> Origin {
    let mut origin = at(ledgers, closed, department, item, DEEPEST);
    origin.amount = origin.held;
    origin
}

fn at(ledgers: &Ledgers, closed: &Closed, of: &Slug, item: &Slug, deep: u8) -> Origin {
    let own = ledgers.direct.iter();
    let own = own.filter(|line| line.department == *of && line.item == *item);
    let direct = own.fold(0_i64, |sum, line| sum.saturating_add(line.amount.0));
    let column = closed.items.iter().position(|one| one == item);
    let amount = |one: &Transfer| {
        let amount = column.and_then(|column| one.amounts.get(column));
        amount.copied().filter(|fen| *fen != Fen(0))
    };
    let came = closed.transfers.iter().filter(|one| one.to == *of);
    let received: Vec<Origin> = came
        .filter_map(|one| {
            let (deep, amount) = (deep.checked_sub(1)?, amount(one)?);
            let mut origin = if one.level == 0 {
                shared(ledgers, &one.from)
            } else {
                at(ledgers, closed, &one.from, item, deep)
            };
            origin.amount = amount;
            Some(origin)
        })
        .collect();
    let parts = received.iter().map(|one| one.amount.0);
    Origin {
        from: of.clone(),
        amount: Fen(0),
        held: Fen(parts.fold(direct, i64::saturating_add)),
        direct: Fen(direct),
        received,
    }
}

fn shared(ledgers: &Ledgers, name: &Slug) -> Origin {
    let line = ledgers.shared.iter().find(|line| line.name == *name);
    let amount = line.map_or(Fen(0), |line| line.amount);
    Origin {
        from: name.clone(),
        amount: Fen(0),
        held: amount,
        direct: amount,
        received: Vec::new(),
    }
}
