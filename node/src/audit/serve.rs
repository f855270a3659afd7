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
use schemas::seal::{PublicKey, Sealed, Signer};
use schemas::time::Timestamp;

use super::AuditError;
use super::listed::{self, Asked};
use super::opening::{Asking, Decision, Door};
use super::store::{self, Use};
use crate::commit;
use crate::commit::store::{Close, StoredBatch};
use crate::config::Config;
use crate::config::keys::{AuditSeed, Keys};
use crate::ledger;
use crate::steward;
use crate::store::state::{self, State, StateError};

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Served {
    /// Answered or refused: these signed bytes go back.
    Reply(Vec<u8>),
    /// It opens leaves: two officers must sign first for the request of this digest.
    Waits(Digest),
    /// It opens leaves, and too many of this payer wait for the officers already: nothing is kept of
    /// it, and it is taken once they have decided about others.
    Later,
}

/// Most openings of one payer that wait for officers.
const MOST_WAITING: i64 = 64;

struct Audit<'a> {
    request: Request,
    digest: Digest,
    batch: &'a StoredBatch,
    close: &'a Close,
    cap: u64,
}

/// Answers a signed request. One that opens leaves is listed for the officers and waits for their
/// signatures. The same bytes again get the stored reply and count once.
pub async fn serve(
    state: &State,
    config: &Config,
    now: Timestamp,
    door: Door<'_>,
    bytes: &[u8],
) -> Result<Served, AuditError> {
    let sealed: Sealed<Request> = canonical::read(bytes)?;
    let (request, key) = authentic(state, &config.hospital, &sealed).await?;
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
    let payer = request.subject.payer.clone();
    let asking = Asking {
        hospital: &config.hospital,
        payer: &payer,
        key: &key,
    };
    asking.check(door)?;
    let keys = Keys::open(&config.data)?;
    let signer = keys.message_key()?;
    let closes = commit::store::closes(state.pool()).await?;
    let batches = commit::store::batches(state.pool()).await?;
    let Some(audit) = find(request, digest, &closes, &batches) else {
        return refused(&signer, &digest, Refusal::Closed);
    };
    let Some(seed) = keys.audit_seed(audit.request.subject.period)? else {
        return refused(&signer, &digest, Refusal::Closed);
    };
    let officers = match audit.gate(state, &asking, door, now).await? {
        Gate::Open(officers) => officers,
        Gate::Waits => return Ok(Served::Waits(digest)),
        Gate::Later => return Ok(Served::Later),
        Gate::Shut(refusal) => return refused(&signer, &digest, refusal),
    };
    let (said, used) = match audit.said(state, &seed, &config.data).await? {
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
    // The steward may have locked the node meanwhile, or an officer refused; a policy may have been
    // signed, or a person have left, under which this would not have been answered.
    if !door.standing.holds(&mut *change).await? {
        return Err(AuditError::Changed);
    }
    let lock = steward::last(&mut *change).await?;
    if lock.is_some_and(|lock| lock.locked) {
        return Err(AuditError::Locked);
    }
    if listed::refused(&mut *change, &digest).await? {
        drop(change);
        return refused(&signer, &digest, Refusal::Declined);
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
    let (subject, detail) = audit.entry(&officers);
    state::append(&mut change, now, "audit", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(Served::Reply(reply.into_bytes()))
}

/// Most leaves opened for a payer and month.
fn most_opened() -> u64 {
    u64::try_from(MAX_OPENED).unwrap_or(u64::MAX)
}

/// The request and its payer's key, if a payer signed it that asks about its own settlements here.
async fn authentic(
    state: &State,
    hospital: &Slug,
    sealed: &Sealed<Request>,
) -> Result<(Request, PublicKey), AuditError> {
    let payers = store::payers(state.pool()).await?;
    let claimed = sealed.claimed_key();
    let payer = payers.iter().find(|(_, key)| key.fingerprint() == claimed);
    let (payer, key) = payer.ok_or(AuditError::Unknown)?;
    let request = sealed.open(key)?;
    if request.subject.payer != *payer || request.subject.hospital != *hospital {
        return Err(AuditError::NotItsOwn);
    }
    Ok((request, *key))
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

/// What stands between a request and its answer.
enum Gate {
    /// Nothing; these officers signed, where it takes any.
    Open(Vec<Slug>),
    /// Officers have to sign.
    Waits,
    /// Too many wait already.
    Later,
    /// A rule.
    Shut(Refusal),
}

impl Audit<'_> {
    /// Leaves are opened once the officers agreed; what could not be opened anyway does not trouble
    /// them.
    async fn gate(
        &self,
        state: &State,
        asking: &Asking<'_>,
        door: Door<'_>,
        now: Timestamp,
    ) -> Result<Gate, AuditError> {
        let Ask::Open { nonce, places, .. } = &self.request.ask else {
            return Ok(Gate::Open(Vec::new()));
        };
        let chosen = match self.chosen(nonce, places) {
            Ok(chosen) => u64::try_from(chosen.len()).unwrap_or(u64::MAX),
            Err(refusal) => return Ok(Gate::Shut(refusal)),
        };
        let subject = &self.request.subject;
        let (_, opened) = store::spent(state.pool(), (&subject.payer, subject.period)).await?;
        if opened.saturating_add(chosen) > most_opened() {
            return Ok(Gate::Shut(Refusal::Opened));
        }
        let checkpoint = self.close.digest();
        match asking
            .decision(state, door, (self.digest, checkpoint))
            .await?
        {
            Decision::Granted(officers) => return Ok(Gate::Open(officers)),
            Decision::Declined => return Ok(Gate::Shut(Refusal::Declined)),
            Decision::Forbidden => return Ok(Gate::Shut(Refusal::Forbidden)),
            Decision::Waits => {}
        }
        let mut change = state.begin().await?;
        let asked = Asked {
            request: self.digest,
            payer: subject.payer.clone(),
            month: subject.period,
            version: self.request.release,
            leaves: u64::try_from(places.len()).unwrap_or(u64::MAX),
            checkpoint,
            refused: None,
            at: now,
        };
        let Some(new) = listed::list(&mut change, &asked, MOST_WAITING).await? else {
            return Ok(Gate::Later);
        };
        if new {
            let detail = [
                ("payer", subject.payer.to_string()),
                ("month", subject.period.to_string()),
            ];
            state::append(&mut change, now, "audit-wait", self.digest, &detail).await?;
            change.commit().await.map_err(StateError::from)?;
        }
        Ok(Gate::Waits)
    }

    /// What to say and what it uses up; or why not.
    async fn said(
        &self,
        state: &State,
        seed: &AuditSeed,
        data: &Path,
    ) -> Result<Result<(Said, Use), Refusal>, AuditError> {
        let subject = &self.request.subject;
        match &self.request.ask {
            Ask::Evaluate(elements) => {
                let asked = u64::try_from(elements.0.len()).unwrap_or(u64::MAX);
                let whose = (&subject.payer, subject.period);
                let (before, _) = store::spent(state.pool(), whose).await?;
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
                let used = u64::try_from(places.len()).unwrap_or(u64::MAX);
                let used = Use::Openings(used, most_opened());
                Ok(self.parcel(receiver, opened.collect(), used))
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
        let text = self.close.text();
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
    fn entry(&self, officers: &[Slug]) -> (Digest, Vec<(&'static str, String)>) {
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
        if !officers.is_empty() {
            // Which one they signed for: its digest is drawn with the receiver's key in it.
            detail.push(("request", self.digest.to_string()));
            let names: Vec<&str> = officers.iter().map(Slug::as_str).collect();
            detail.push(("officers", names.join(",")));
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
