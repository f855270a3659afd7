//! The committee member's part after the certificate: sums of the survivors' masks, never a single
//! one. What was given once is given again as it was.

use std::collections::BTreeMap;

use pooled::family;
use pooled::inspect::Proposal;
use pooled::offer::Offer;
use pooled::shape::Class;
use pooled::sums::{Sent, Sum};
use pooled::survivors::Certificate;
use pooled::vote::Ballot;
use sqlx::Row as _;

use super::{Desk, Opened, PooledError, ballot, families, open, seat};
use crate::store::state::{StateError, append};

/// This seat's words on the mask sums of its classes, with the vectors of those in `vectors`.
pub async fn sums(
    desk: &Desk<'_>,
    offer: &Offer,
    proposal: &Proposal,
    certificate: &Certificate,
    vectors: &[Class],
) -> Result<Vec<Vec<u8>>, PooledError> {
    let opened = open(desk, offer).await?;
    let certified = certificate.verify(&opened.round)?;
    families::keep(desk, &opened.round, certificate, &certified).await?;
    may(desk, &opened, certificate).await?;
    let mut stored = stored(desk, &opened).await?;
    if stored.is_empty() {
        let inspected = seat::look(desk, &opened, proposal).await?;
        let inspected = inspected.map_err(|_| PooledError::OtherSet)?;
        let round = opened.round.clone();
        let (member, signer) = (&desk.app.hospital, &desk.app.signer);
        for (class, vector) in inspected.sums(&round, &certified)? {
            let word = Sum::sign(&round, &certified, member, signer, class, &vector)?;
            stored.insert(class, Sent::with_vector(word, &vector));
        }
        store(desk, &opened, &stored).await?;
    }
    let mut given = Vec::with_capacity(stored.len());
    for (class, mut sent) in stored {
        if !vectors.contains(&class) {
            sent.vector = None;
        }
        given.push(sent.to_bytes()?);
    }
    Ok(given)
}

/// A certified set beside the own vote, or one that the family rule forbids, is not unmasked.
async fn may(
    desk: &Desk<'_>,
    opened: &Opened,
    certificate: &Certificate,
) -> Result<(), PooledError> {
    let manifest = opened.round.manifest();
    let mut change = desk.app.state.begin().await?;
    let cast = ballot::cast(&mut change, &opened.round).await?;
    let wanted = Ballot::Certify(certificate.survivors.digest()?);
    if cast.is_some_and(|cast| cast != wanted) {
        return Err(PooledError::OtherSet);
    }
    let hash = opened.round.hash();
    let earlier = families::earlier(&mut change, hash, &manifest.round).await?;
    Ok(family::check(manifest, &certificate.survivors, &earlier)?)
}

async fn stored(desk: &Desk<'_>, opened: &Opened) -> Result<BTreeMap<Class, Sent>, PooledError> {
    let round = &opened.round;
    let rows = sqlx::query("select class, sent from pooled_sums where round = $1")
        .bind(round.manifest().round.as_str())
        .fetch_all(desk.app.state.pool())
        .await?;
    let mut sums = BTreeMap::new();
    for row in &rows {
        let bits = u8::try_from(row.try_get::<i64, _>(0)?).map_err(|_| StateError::Range)?;
        let class = round
            .shape()
            .classes()
            .into_iter()
            .find(|class| class.bits() == bits);
        let class = class.ok_or(StateError::Range)?;
        sums.insert(class, Sent::parse(round, &row.try_get::<Vec<u8>, _>(1)?)?);
    }
    Ok(sums)
}

async fn store(
    desk: &Desk<'_>,
    opened: &Opened,
    sums: &BTreeMap<Class, Sent>,
) -> Result<(), PooledError> {
    let app = desk.app;
    let name = &opened.round.manifest().round;
    let mut change = app.state.begin().await?;
    for (class, sent) in sums {
        sqlx::query("insert into pooled_sums (round, class, sent) values ($1, $2, $3)")
            .bind(name.as_str())
            .bind(i64::from(class.bits()))
            .bind(sent.to_bytes()?)
            .execute(&mut *change)
            .await?;
    }
    let detail = [("round", name.to_string())];
    append(
        &mut change,
        app.clock.now(),
        "pooled-sums",
        *opened.round.hash(),
        &detail,
    )
    .await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}
