//! The list of refused rows: row number (in a folder file and line), field, rule. Never a value.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::rules::Fault;

/// Name of the file in a load's folder.
pub const FILE: &str = "quarantine.csv";

/// A quarantine file being written.
#[derive(Debug)]
pub struct Quarantine {
    file: BufWriter<File>,
}

impl Quarantine {
    /// Begins the file of a load.
    pub fn create(load: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create_new(load.join(FILE))?);
        file.write_all(b"row,field,rule\n")?;
        Ok(Self { file })
    }

    /// Adds a row by where it stands. Row numbers count the header as 1.
    pub fn add(&mut self, place: &str, fault: &Fault) -> io::Result<()> {
        writeln!(self.file, "{place},{},{}", fault.field, fault.rule.id())
    }

    /// Ends the file and brings it to the disk.
    pub fn finish(self) -> io::Result<()> {
        self.file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    }
}
