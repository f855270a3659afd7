//! The coordinator as a witness of its members' logs (C2SP tlog-witness).

use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tree;
use proofs::witness::{Request, generation, judge, log_key, witness_key, witness_name};
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{LogError, coordinator, whole};
use crate::authority::Authority;
use crate::register::Member;
use crate::store::state::{Change, State, append};

/// Most contradictions that are kept of one log: one is enough to prove it.
const MOST_FORKS: i64 = 16;

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Add {
    /// The coordinator's signature line.
    pub cosignature: String,
    /// Whether the log has grown.
    pub grown: bool,
}

/// Cosigns a member's checkpoint if its log continues what was cosigned before, and remembers it in
/// the same change. A contradiction is kept with both notes and logged.
pub async fn add(
    state: &State,
    authority: &Authority,
    member: &Member,
    request: Request,
    now: Timestamp,
) -> Result<Add, LogError> {
    let claimed = Checkpoint::parse(request.note.text())?.origin;
    let alliance = authority.alliance();
    let named = generation(alliance, &member.hospital, &claimed);
    let generation = named.ok_or(LogError::NoSuchLog)?;
    let log = log_key(&member.hospital, &claimed, member.message_key)?;
    let mut change = state.begin().await?;
    let held = last(&mut change, &claimed).await?;
    let seen = held.as_ref().map(|(checkpoint, _)| checkpoint);
    let checkpoint = match judge(&log.key, seen, &request) {
        Ok(checkpoint) => checkpoint,
        Err(refusal) => {
            if let Some((_, held)) = held.filter(|_| refusal.is_fork()) {
                forked(change, member, &claimed, (&held, &request.note), now).await?;
            }
            return Err(refusal.into());
        }
    };
    let own = witness_key(alliance, &coordinator()?, authority.signer().public())?;
    let mut note = request.note.of_keys(std::slice::from_ref(&log.key));
    let moment = u64::try_from(now.0).unwrap_or(0);
    note.cosign(
        &witness_name(alliance, &coordinator()?),
        authority.signer(),
        moment,
    )?;
    let cosignature = note.of_keys(std::slice::from_ref(&own.key)).to_string();
    let cosignature = cosignature
        .rsplit_once("\n\n")
        .map(|(_, lines)| lines.to_owned());
    let grown = seen.is_none_or(|seen| seen.size < checkpoint.size);
    if grown {
        sqlx::query(
            "insert into checkpoints (origin, size, organisation, old, proof, note) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&claimed)
        .bind(whole(checkpoint.size)?)
        .bind(member.hospital.as_str())
        .bind(whole(request.old)?)
        .bind(serde_json::to_string(&request.proof).unwrap_or_default())
        .bind(note.to_string())
        .execute(&mut *change)
        .await?;
        if seen.is_none() && generation > 1 {
            let detail = [
                ("hospital", member.hospital.to_string()),
                ("generation", generation.to_string()),
            ];
            let subject = tree::leaf_hash(claimed.as_bytes());
            append(&mut change, now, "log-restart", subject, &detail).await?;
        }
        change.commit().await?;
    }
    Ok(Add {
        cosignature: cosignature.unwrap_or_default(),
        grown,
    })
}

async fn last(change: &mut Change, origin: &str) -> Result<Option<(Checkpoint, Note)>, LogError> {
    let row = sqlx::query("select note from checkpoints where origin = $1 order by size desc")
        .bind(origin)
        .fetch_optional(&mut **change)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let note = Note::parse(row.try_get::<String, _>(0)?.as_bytes())?;
    Ok(Some((Checkpoint::parse(note.text())?, note)))
}

async fn forked(
    mut change: Change,
    member: &Member,
    origin: &str,
    (held, shown): (&Note, &Note),
    now: Timestamp,
) -> Result<(), LogError> {
    let (held, shown) = (held.to_string(), shown.to_string());
    let kept = sqlx::query(
        "insert into forks (origin, held, shown, at) select $1, $2, $3, $4 \
         where (select count(*) from forks where origin = $1) < $5 on conflict do nothing",
    )
    .bind(origin)
    .bind(&held)
    .bind(&shown)
    .bind(now.0)
    .bind(MOST_FORKS)
    .execute(&mut *change)
    .await?;
    if kept.rows_affected() == 1 {
        let detail = [
            ("organisation", member.hospital.to_string()),
            ("held", tree::leaf_hash(held.as_bytes()).to_string()),
            ("shown", tree::leaf_hash(shown.as_bytes()).to_string()),
        ];
        let subject = tree::leaf_hash(origin.as_bytes());
        append(&mut change, now, "fork", subject, &detail).await?;
        change.commit().await?;
    }
    Ok(())
}
