//! What the system says of this process (Linux).

use super::{Family, Kind, Page};

/// Families of every process.
pub(super) const PROCESS: [Family; 4] = [
    Family {
        name: "process_resident_memory_bytes",
        help: "Memory in use.",
        kind: Kind::Gauge,
        labels: &[],
    },
    Family {
        name: "process_open_fds",
        help: "Files and connections that are open.",
        kind: Kind::Gauge,
        labels: &[],
    },
    Family {
        name: "process_threads",
        help: "Threads.",
        kind: Kind::Gauge,
        labels: &[],
    },
    Family {
        name: "process_cpu_milliseconds",
        help: "Time on processors of the threads that live.",
        kind: Kind::Gauge,
        labels: &[],
    },
];

/// Adds memory, files, threads and time of this process; nothing where the system does not say.
pub fn process(page: &mut Page) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let mut lines = status.lines();
        let value = lines.find_map(|line| line.strip_prefix(name))?;
        value.split_whitespace().next()?.parse::<i64>().ok()
    };
    let files = std::fs::read_dir("/proc/self/fd").map(Iterator::count);
    let files = files.ok().and_then(|count| i64::try_from(count).ok());
    // Nanoseconds on processors, of all threads that live.
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let times = threads.filter_map(|one| {
        let text = std::fs::read_to_string(one.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<i64>().ok()
    });
    let time = times.fold(0_i64, i64::saturating_add) / 1_000_000;
    let found = [
        of("VmRSS:").map(|kib| kib.saturating_mul(1024)),
        files,
        of("Threads:"),
        Some(time),
    ];
    for (family, value) in PROCESS.iter().zip(found) {
        if let Some(value) = value {
            page.one(family, value);
        }
    }
}
