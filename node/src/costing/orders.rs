//! Which rates cost stays: an order of the hospital, signed by two registered officers. A stay's cost then
//! follows from its own row and from rates of an *earlier* closed month, fixed before the stay was loaded:
//! never from the close of its own month or a later one, which the stay itself is part of.

use std::collections::BTreeSet;

use policies::access::Officers;
use policies::costing::{Method, RateTable};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, Sealed, Signer};
use schemas::time::{Month, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use super::store::{parse, text};
use super::{CostError, rates};
use crate::ingest::costed::RateBook;
use crate::store::state::{State, StateError, append};

/// How many officers sign.
const PERSONS: usize = 2;

/// What is signed: these rates cost stays from a month on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatesOrder {
    /// The hospital.
    pub hospital: Slug,
    /// Digest of the rate table.
    pub rates: Digest,
    /// The closed month of the rates.
    pub period: Month,
    /// Their method.
    pub method: Method,
    /// The first month whose stays they cost.
    pub from: Month,
    /// When.
    pub at: Timestamp,
}

impl Message for RatesOrder {
    const TAG: &'static str = "consilium-cost-rates-v1";
}

/// An order with its rates. Later ones of the same month go before earlier ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ordered {
    /// Number of the order, from 1.
    pub number: i64,
    /// What was signed.
    pub order: RatesOrder,
    /// The rates.
    pub table: RateTable,
    /// Who signed.
    pub officers: BTreeSet<Slug>,
}

impl RatesOrder {
    /// Refuses rates that are not of an earlier month than all that they cost.
    pub fn check(&self) -> Result<(), CostError> {
        if self.period < self.from {
            return Ok(());
        }
        Err(CostError::NotEarlier {
            period: self.period,
            from: self.from,
        })
    }
}

/// Orders that the rates of a closed month cost stays from a month on.
pub async fn order(
    state: &State,
    (hospital, register): (&Slug, &Officers),
    (period, method, from): (Month, Method, Month),
    by: &[Signer],
    now: Timestamp,
) -> Result<Ordered, CostError> {
    let kept = rates::kept(state, period, method).await?;
    let order = RatesOrder {
        hospital: hospital.clone(),
        rates: rates::digest(&kept.table)?,
        period,
        method,
        from,
        at: now,
    };
    order.check()?;
    let sealed: Result<Vec<_>, _> = by
        .iter()
        .map(|signer| Sealed::seal(signer, &order))
        .collect();
    let sealed = sealed?;
    let officers = signers(register, &order, &sealed);
    if officers.len() < PERSONS {
        return Err(CostError::Unsigned);
    }
    let mut change = state.begin().await?;
    let last: i64 = sqlx::query_scalar("select coalesce(max(number), 0) from cost_orders")
        .fetch_one(&mut *change)
        .await?;
    let number = last.checked_add(1).ok_or(StateError::Range)?;
    sqlx::query(
        "insert into cost_orders (number, from_month, rates, signed, at) \
         values ($1, $2, $3, $4, $5)",
    )
    .bind(number)
    .bind(from.to_string())
    .bind(text(&kept.table)?)
    .bind(text(&sealed)?)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    let names: Vec<&str> = officers.iter().map(Slug::as_str).collect();
    let detail = [
        ("period", period.to_string()),
        ("method", method.to_string()),
        ("from", from.to_string()),
        ("officers", names.join(",")),
    ];
    append(&mut change, now, "cost-rates", order.rates, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(Ordered {
        number,
        table: kept.table,
        order,
        officers,
    })
}

/// The orders that hold, first to last: signed by two who are, or were, registered, over the very rates
/// that are kept with them, of an earlier month.
pub async fn orders(state: &State, register: &Officers) -> Result<Vec<Ordered>, CostError> {
    let rows = sqlx::query("select number, rates, signed from cost_orders order by number")
        .fetch_all(state.pool())
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        let table: RateTable = parse(&row.try_get::<String, _>(1)?)?;
        let sealed: Vec<Sealed<RatesOrder>> = parse(&row.try_get::<String, _>(2)?)?;
        let order = sealed.iter().find_map(|one| opened(register, one));
        let Some(order) = order else { continue };
        let officers = signers(register, &order, &sealed);
        let fits = order.rates == rates::digest(&table)? && order.period == table.period;
        if officers.len() >= PERSONS && fits && order.method == table.method {
            order.check()?;
            found.push(Ordered {
                number: row.try_get(0)?,
                order,
                table,
                officers,
            });
        }
    }
    Ok(found)
}

/// The rates that stays may be costed by.
pub async fn book(state: &State, register: &Officers) -> Result<RateBook, CostError> {
    let mut book = RateBook::default();
    for ordered in orders(state, register).await? {
        book.add(ordered.order.from, ordered.table)?;
    }
    Ok(book)
}

fn opened(register: &Officers, sealed: &Sealed<RatesOrder>) -> Option<RatesOrder> {
    let former = register.former().iter().map(|(person, _)| person);
    let mut persons = register.all().iter().chain(former);
    persons.find_map(|person| sealed.open(&person.key).ok())
}

/// Who of the register signed this very order; who signed may have left since.
fn signers(
    register: &Officers,
    order: &RatesOrder,
    sealed: &[Sealed<RatesOrder>],
) -> BTreeSet<Slug> {
    let former = register.former().iter().map(|(person, _)| person);
    let persons = register.all().iter().chain(former);
    let by = persons.filter(|person| {
        let mut opened = sealed.iter().filter_map(|one| one.open(&person.key).ok());
        opened.any(|one| one == *order)
    });
    by.map(|person| person.name.clone()).collect()
}
