//! How a child process of a crash test dies: at the step it was told, without a word.

use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use node::ledger::Step;

static DIE_AT: AtomicI64 = AtomicI64::new(i64::MAX);

/// From now on so many steps are lived through.
pub(crate) fn after(steps: i64) {
    DIE_AT.store(steps, Ordering::SeqCst);
}

/// A watch of the ledger that ends this process once its step has come.
pub(crate) fn die(_: Step) {
    if DIE_AT.fetch_sub(1, Ordering::SeqCst) == 0 {
        // SIGKILL on ourselves: no destructor, no flush.
        let _gone = Command::new("kill")
            .args(["-9", &std::process::id().to_string()])
            .status();
    }
}
