//! Batches on all cores, a few at a time, so that memory holds no more than those.

use std::num::NonZero;
use std::thread;

use super::AuditError;

/// Does `work` for 0, 1 … `count` − 1 and gives what it gave, in that order. `progress` hears how
/// many are done.
pub(super) fn each<T: Send>(
    count: usize,
    progress: &dyn Fn(usize, usize),
    work: impl Fn(usize) -> Result<T, AuditError> + Sync,
) -> Result<Vec<T>, AuditError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut done = Vec::with_capacity(count);
    while done.len() < count {
        let next = done.len()..count.min(done.len() + cores);
        let work = &work;
        let wave = thread::scope(|scope| {
            let running: Vec<_> = next.map(|one| scope.spawn(move || work(one))).collect();
            let joined = running.into_iter();
            let joined = joined.map(|thread| thread.join().map_err(|_| AuditError::Stopped)?);
            joined.collect::<Result<Vec<T>, _>>()
        })?;
        done.extend(wave);
        progress(done.len(), count);
    }
    Ok(done)
}
