//! The logs as third parties see them: witnessed, published, damaged, put back from old backups.

mod alliance;
mod flipped;
mod killed;
mod million;
mod random;
