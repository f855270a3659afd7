//! The rows of a table, on all cores.

/// What a pure function makes of each, in their order; many hospitals have many figures a row.
pub(super) fn on_all_cores<T: Copy + Sync, M: Send>(
    all: &[T],
    make: impl Fn(T) -> M + Sync,
) -> Vec<M> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let part = all.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let make = &make;
        let parts: Vec<_> = all
            .chunks(part)
            .map(|part| scope.spawn(move || part.iter().map(|one| make(*one)).collect::<Vec<M>>()))
            .collect();
        let ended = parts.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended
            .flat_map(|made| made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
