//! Limits of a data year: the early check, and the charge that holds in the transaction.

use policies::plan::Layout;
use schemas::loss::{NotALoss, Rho};
use sqlx::Row as _;

use super::{LedgerError, Payer, WORST, lines, name, whole};
use crate::store::state::{Change, State};

/// Adds to one line of the ledger if the limit allows, else fails and undoes everything.
pub(super) async fn raise(
    change: &mut Change,
    year: u16,
    purpose: &'static str,
    charge: Rho,
    limit: Rho,
) -> Result<(), LedgerError> {
    sqlx::query(
        "insert into ledger (year, purpose, spent_nano) values ($1, $2, 0) on conflict do nothing",
    )
    .bind(i64::from(year))
    .bind(purpose)
    .execute(&mut **change)
    .await?;
    let raised = sqlx::query(
        "update ledger set spent_nano = spent_nano + $1 \
         where year = $2 and purpose = $3 and spent_nano + $1 <= $4",
    )
    .bind(whole(charge)?)
    .bind(i64::from(year))
    .bind(purpose)
    .bind(whole(limit)?)
    .execute(&mut **change)
    .await?;
    if raised.rows_affected() == 1 {
        return Ok(());
    }
    let spent: i64 = sqlx::query("select spent_nano from ledger where year = $1 and purpose = $2")
        .bind(i64::from(year))
        .bind(purpose)
        .fetch_one(&mut **change)
        .await?
        .try_get(0)?;
    let spent = Rho::from_nano(u64::try_from(spent).map_err(|_| LedgerError::Loss(NotALoss))?)?;
    Err(LedgerError::OutOfAllowance {
        year,
        purpose,
        needed: charge,
        left: limit.saturating_sub(spent),
    })
}

/// Whether a charge would fit now: the early check, so that nothing is scanned in vain. The
/// transaction checks again.
pub async fn affordable(
    state: &State,
    layout: &Layout,
    payer: Payer<'_>,
) -> Result<(), LedgerError> {
    let paid_series = match layout.series {
        Some(series) => sqlx::query("select 1 from series where series = $1 limit 1")
            .bind(series.to_string())
            .fetch_optional(state.pool())
            .await?
            .is_some(),
        None => false,
    };
    if paid_series {
        return Ok(());
    }
    let limits = [
        ("all", layout.charge, payer.policy.allowance.total),
        (
            name(payer.purpose),
            layout.charge,
            payer.policy.quota(payer.purpose),
        ),
    ];
    fits(state, layout, &limits).await
}

/// Whether an upload's charge would fit now, and what it costs if the whole committee colludes.
pub async fn affordable_upload(
    state: &State,
    layout: &Layout,
    (charge, worst): (Rho, Rho),
    payer: Payer<'_>,
) -> Result<(), LedgerError> {
    let policy = payer.policy;
    let limits = [
        ("all", charge, policy.allowance.total),
        (name(payer.purpose), charge, policy.quota(payer.purpose)),
        (WORST, worst, policy.pooled.worst),
    ];
    fits(state, layout, &limits).await
}

async fn fits(
    state: &State,
    layout: &Layout,
    limits: &[(&'static str, Rho, Rho)],
) -> Result<(), LedgerError> {
    let spent = lines(state).await?;
    for year in layout.period.years() {
        for (purpose, charge, limit) in limits.iter().copied() {
            let line = spent
                .iter()
                .find(|line| line.year == year && line.purpose == purpose);
            let before = line.map_or(Rho::ZERO, |line| line.spent);
            if before.checked_add(charge)? > limit {
                return Err(LedgerError::OutOfAllowance {
                    year: year.0,
                    purpose,
                    needed: charge,
                    left: limit.saturating_sub(before),
                });
            }
        }
    }
    Ok(())
}
