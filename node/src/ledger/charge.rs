//! The one transaction in which an answer is made, signed, charged, stored and logged.

use policies::plan::{Bound, told};
use schemas::answer::Answer;
use schemas::loss::Rho;
use schemas::question::Release;
use schemas::seal::Sealed;
use sqlx::Row as _;

use super::limit::raise;
use super::told::{keep_apart, keep_wholes};
use super::{
    Charged, FIND, Identity, LedgerError, Payer, Step, Watch, charged, name, rolled_back, whole,
};
use crate::noise::Noisy;
use crate::store::state::{Change, State, append};

/// Makes an answer of noisy cells, signs, charges and stores it in one transaction. If another
/// asker was faster, the draw is dropped and the stored answer returned, free of charge.
pub async fn charge(
    state: &State,
    identity: &Identity,
    drawn: Noisy,
    payer: Payer<'_>,
    watch: Watch,
) -> Result<Charged, LedgerError> {
    if drawn.question() != identity.question() {
        return Err(LedgerError::OtherQuestion);
    }
    let layout = identity.layout();
    let mut change = state.begin().await?;
    watch(Step::Begun);
    if rolled_back(&mut *change).await? {
        return Err(LedgerError::RolledBack);
    }
    let found = sqlx::query(FIND)
        .bind(identity.question().to_string())
        .bind(identity.releases())
        .bind(identity.mechanism().to_string())
        .fetch_optional(&mut *change)
        .await?;
    if let Some(row) = found {
        return charged(&row.try_get::<String, _>(0)?);
    }
    if !payer.under.holds(&mut *change).await? {
        return Err(LedgerError::Changed);
    }
    let told = told(layout)?;
    let attributed = Release::Attributed;
    keep_apart(&mut change, &told.subjects, attributed, layout.period).await?;
    let due = due(&mut change, identity).await?;
    let answer = Answer {
        question: identity.question(),
        hospital: payer.hospital.clone(),
        snapshots: identity.snapshots().to_vec(),
        mechanism: identity.mechanism(),
        policy: payer.under.policy,
        blocks: drawn.into_blocks(),
    };
    let sealed = Sealed::seal(payer.signer, &answer)?;
    let text = serde_json::to_string(&sealed).map_err(|_| LedgerError::Damaged)?;
    sqlx::query(
        "insert into answers (question, releases, mechanism, sealed, charged_nano, at) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(identity.question().to_string())
    .bind(identity.releases())
    .bind(identity.mechanism().to_string())
    .bind(text)
    .bind(whole(due)?)
    .bind(payer.at.0)
    .execute(&mut *change)
    .await?;
    keep_wholes(&mut change, &told.wholes, identity).await?;
    watch(Step::Stored);
    for year in layout.period.years() {
        let quota = payer.policy.quota(payer.purpose);
        raise(
            &mut change,
            year.0,
            "all",
            due,
            payer.policy.allowance.total,
        )
        .await?;
        raise(&mut change, year.0, name(payer.purpose), due, quota).await?;
    }
    watch(Step::Paid);
    let years: Vec<String> = layout
        .period
        .years()
        .iter()
        .map(ToString::to_string)
        .collect();
    let detail = [
        ("charge", due.to_string()),
        ("purpose", name(payer.purpose).to_owned()),
        ("years", years.join(" ")),
        ("answer", sealed.digest()?.to_string()),
        ("policy", answer.policy.to_string()),
        ("mechanism", identity.mechanism().to_string()),
    ];
    let question = identity.question();
    append(&mut change, payer.at, "charge", question, &detail).await?;
    watch(Step::Logged);
    change.commit().await?;
    watch(Step::Committed);
    Ok(Charged {
        sealed,
        paid_now: due,
    })
}

/// What this answer costs each data year. The first month of a series pays for the whole series;
/// later months are free; a month asked again on other data (restated) pays for one month more.
async fn due(change: &mut Change, identity: &Identity) -> Result<Rho, LedgerError> {
    let layout = identity.layout();
    let (Bound::Series { months }, Some(series)) = (layout.bound, layout.series) else {
        return Ok(layout.charge);
    };
    let month = layout.period.from.to_string();
    let known = sqlx::query("select month from series where series = $1")
        .bind(series.to_string())
        .fetch_all(&mut **change)
        .await?;
    let mut same_month = false;
    for row in &known {
        same_month |= row.try_get::<String, _>(0)? == month;
    }
    // A series asks for one month.
    let [snapshot] = identity.snapshots() else {
        return Err(LedgerError::Damaged);
    };
    sqlx::query("insert into series (series, month, release) values ($1, $2, $3)")
        .bind(series.to_string())
        .bind(&month)
        .bind(i64::from(snapshot.release))
        .execute(&mut **change)
        .await?;
    if known.is_empty() {
        return Ok(layout.charge);
    }
    let one_month = Rho::from_nano(layout.charge.nano().div_ceil(u64::from(months.max(1))))?;
    Ok(if same_month { one_month } else { Rho::ZERO })
}
