//! The two programs, as built beside the tests.

use std::path::{Path, PathBuf};

/// Where a program lies.
pub(crate) fn binary(name: &str) -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let binary = exe.parent().and_then(Path::parent).unwrap().join(name);
    assert!(
        binary.is_file(),
        "build the binaries first: cargo build --release --workspace --bins"
    );
    binary
}
