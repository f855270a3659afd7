//! The logs as third parties see them: witnessed, published, damaged, put back from old backups.

mod alliance;
mod flipped;
mod forks;
mod killed;
mod million;
mod random;
mod releases;
