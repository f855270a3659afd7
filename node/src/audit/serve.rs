//! Answering one request. The work depends on the size of what is asked and on nothing else that
//! the insurer holds.

use std::path::Path;

use proofs::exchange::{
    Ask, MAX_OPENED, MAX_PLACES, Opened, OpenedLeaf, Refusal, Reply, Request, Said,
};
use proofs::sample;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;

use super::AuditError;
use super::store::{self, Use};
use crate::commit;
use crate::commit::store::{Close, StoredBatch};
use crate::config::Config;
use crate::config::keys::Keys;
use crate::ledger;
use crate::steward;
use crate::store::state::{self, State, StateError};

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Served {
    /// Answered or refused: these signed bytes go back.
    Reply(Vec<u8>),
    /// It opens leaves: an officer must agree first to the request of this digest.
    Waits(Digest),
}

struct Audit<'a> {
    request: Request,
    digest: Digest,
    batch: &'a StoredBatch,
    close: &'a Close,
    cap: u64,
}

/// Answers a signed request. `officer` agrees to leaves being opened. The same bytes again get the
/// stored reply and count once.
pub async fn serve(
    state: &State,
    config: &Config,
    now: Timestamp,
    officer: Option<&str>,
    bytes: &[u8],
) -> Result<Served, AuditError> {
    let sealed: Sealed<Request> = canonical::read(bytes)?;
    let request = authentic(state, &config.hospital, &sealed).await?;
    let digest = sealed.digest()?;
    if let Some(reply) = store::reply(state.pool(), &digest).await? {
        return Ok(Served::Reply(reply.into_bytes()));
    }
    if steward::locked(state)
        .await?
        .is_some_and(|lock| lock.locked)
    {
        return Err(AuditError::Locked);
    }
    let keys = Keys::open(&config.data)?;
    let signer = keys.message_key()?;
    let closes = commit::store::closes(state.pool()).await?;
    let batches = commit::store::batches(state.pool()).await?;
    let Some(audit) = find(request, digest, &closes, &batches) else {
        return refused(&signer, &digest, Refusal::Closed);
    };
    let approved = store::approval(state.pool(), &digest).await?;
    let officer = officer.or(approved.as_deref());
    if matches!(audit.request.ask, Ask::Open { .. }) && officer.is_none() {
        return Ok(Served::Waits(digest));
    }
    let (said, used) = match audit.said(state, &keys, &config.data).await? {
        Ok(said) => said,
        Err(refusal) => return refused(&signer, &digest, refusal),
    };
    let reply = seal(&signer, &digest, said)?;
    let subject = &audit.request.subject;
    let whose = (&subject.payer, subject.period);
    let mut change = state.begin().await?;
    if let Some(reply) = store::reply(&mut *change, &digest).await? {
        return Ok(Served::Reply(reply.into_bytes()));
    }
    if ledger::rolled_back(&mut *change).await? {
        return Err(AuditError::RolledBack);
    }
    if !store::spend(&mut change, whose, used).await? {
        let refusal = match used {
            Use::Openings(..) => Refusal::Opened,
            _ => Refusal::Cap,
        };
        drop(change);
        return refused(&signer, &digest, refusal);
    }
    store::keep(&mut change, &digest, whose, &reply).await?;
    let (subject, detail) = audit.entry(officer);
    state::append(&mut change, now, "audit", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(Served::Reply(reply.into_bytes()))
}

/// The request, if a payer signed it that asks about its own settlements here.
async fn authentic(
    state: &State,
    hospital: &Slug,
    sealed: &Sealed<Request>,
) -> Result<Request, AuditError> {
    let payers = store::payers(state.pool()).await?;
    let claimed = sealed.claimed_key();
    let payer = payers.iter().find(|(_, key)| key.fingerprint() == claimed);
    let (payer, key) = payer.ok_or(AuditError::Unknown)?;
    let request = sealed.open(key)?;
    if request.subject.payer != *payer || request.subject.hospital != *hospital {
        return Err(AuditError::NotItsOwn);
    }
    Ok(request)
}

fn find<'a>(
    request: Request,
    digest: Digest,
    closes: &'a [Close],
    batches: &'a [StoredBatch],
) -> Option<Audit<'a>> {
    let subject = &request.subject;
    let own = || {
        let own = batches.iter();
        own.filter(|batch| batch.payer == subject.payer && batch.month == subject.period)
    };
    let batch = own().find(|batch| batch.version == request.release)?;
    let close = closes
        .iter()
        .find(|close| (close.month, close.version) == (batch.month, batch.version))?;
    // ⌈1.05 × own count⌉, over all versions of the month together.
    let count = own().map(|batch| batch.settlements).max().unwrap_or(0);
    Some(Audit {
        cap: count + count.div_ceil(20),
        request,
        digest,
        batch,
        close,
    })
}

impl Audit<'_> {
    /// What to say and what it uses up; or why not.
    async fn said(
        &self,
        state: &State,
        keys: &Keys,
        data: &Path,
    ) -> Result<Result<(Said, Use), Refusal>, AuditError> {
        let subject = &self.request.subject;
        let Some(seed) = keys.audit_seed(subject.period)? else {
            return Ok(Err(Refusal::Closed));
        };
        match &self.request.ask {
            Ask::Evaluate(elements) => {
                let asked = u64::try_from(elements.0.len()).unwrap_or(u64::MAX);
                let whose = (&subject.payer, subject.period);
                let before = store::evaluated(state.pool(), whose).await?;
                if before.saturating_add(asked) > self.cap {
                    return Ok(Err(Refusal::Cap));
                }
                let key = seed.oprf_key(&subject.payer, subject.period)?;
                let elements = elements.0.clone();
                let answer = tokio::task::spawn_blocking(move || key.evaluate_batch(&elements));
                match answer.await {
                    Ok(Ok(answer)) => Ok(Ok((
                        Said::evaluated(&answer),
                        Use::Evaluations(asked, self.cap),
                    ))),
                    _ => Ok(Err(Refusal::Content)),
                }
            }
            Ask::Total(receiver) => {
                let total = OpenedLeaf::new(None, &self.batch.total, "");
                Ok(self.parcel(receiver, vec![total], Use::Nothing))
            }
            Ask::Open {
                receiver,
                nonce,
                places,
            } => {
                let places = match self.chosen(nonce, places) {
                    Ok(places) => places,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let labels = commit::log::labels(data, self.close, self.batch, &places)?;
                let opened = labels.iter().zip(&places);
                let opened = opened
                    .map(|((opening, group), place)| OpenedLeaf::new(Some(*place), opening, group));
                let most = u64::try_from(MAX_OPENED).unwrap_or(u64::MAX);
                let used = u64::try_from(places.len()).unwrap_or(u64::MAX);
                Ok(self.parcel(receiver, opened.collect(), Use::Openings(used, most)))
            }
        }
    }

    /// The leaves to open: all where they are few, else a sample that neither side could steer.
    fn chosen(&self, nonce: &Digest, places: &[u32]) -> Result<Vec<u32>, Refusal> {
        let rising = places.windows(2).all(|pair| match pair {
            [one, next] => one < next,
            _ => true,
        });
        let inside = places
            .last()
            .is_some_and(|last| u64::from(*last) < self.batch.leaves);
        if !rising || !inside || places.len() > MAX_PLACES {
            return Err(Refusal::Content);
        }
        if places.len() <= MAX_OPENED {
            return Ok(places.to_vec());
        }
        if self.batch.nonce != Some(sample::commitment(nonce)) {
            return Err(Refusal::Nonce);
        }
        let note = self.close.checkpoint.split("\n\n").next();
        let text = format!("{}\n", note.unwrap_or_default());
        Ok(sample::sample(&text, nonce, places, MAX_OPENED))
    }

    fn parcel(
        &self,
        receiver: &Digest,
        opened: Vec<OpenedLeaf>,
        used: Use,
    ) -> Result<(Said, Use), Refusal> {
        let parcel = Opened(opened).seal(receiver, &self.digest);
        let parcel = parcel.map_err(|_| Refusal::Content)?;
        Ok((Said::Parcel(parcel), used))
    }

    /// What the log says of it: nothing that depends on which claims were asked about.
    fn entry(&self, officer: Option<&str>) -> (Digest, Vec<(&'static str, String)>) {
        let subject = &self.request.subject;
        let kind = match self.request.ask {
            Ask::Evaluate(_) => "evaluate",
            Ask::Total(_) => "total",
            Ask::Open { .. } => "open",
        };
        let month = subject.period.to_string();
        let number = self.request.number.to_be_bytes();
        let parts: [&[u8]; 3] = [subject.payer.as_str().as_bytes(), month.as_bytes(), &number];
        let mut detail = vec![
            ("payer", subject.payer.to_string()),
            ("month", month.clone()),
            ("asked", kind.to_owned()),
        ];
        if let (Ask::Open { .. }, Some(officer)) = (&self.request.ask, officer) {
            detail.push(("officer", officer.to_owned()));
        }
        (Digest::of("consilium-audit-v1", &parts), detail)
    }
}

fn refused(signer: &Signer, request: &Digest, why: Refusal) -> Result<Served, AuditError> {
    let reply = seal(signer, request, Said::Refused(why))?;
    Ok(Served::Reply(reply.into_bytes()))
}

fn seal(signer: &Signer, request: &Digest, said: Said) -> Result<String, AuditError> {
    let reply = Reply {
        request: *request,
        said,
    };
    let sealed = Sealed::seal(signer, &reply)?;
    let bytes = canonical::to_bytes(&sealed)?;
    Ok(String::from_utf8(bytes).map_err(|_| StateError::Range)?)
}
