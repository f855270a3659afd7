//! Where rows come from: a file, a folder, or a view of a database.

use std::path::PathBuf;

use schemas::question::Dataset;

use super::IngestError;
use super::columns;
use super::encoding::Encoding;
use super::mapping::Mapping;
use super::source::Source;
use super::sql::View;

/// Where rows come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A file, or a folder of FHIR resources.
    File(PathBuf),
    /// A view of the hospital's own database.
    View(View),
}

impl Origin {
    /// The names of the columns. Those that the mapping names must be of types that are read.
    pub fn header(
        &self,
        mapping: &Mapping,
        only: &[(String, String)],
    ) -> Result<Vec<String>, IngestError> {
        let source = match self {
            Self::File(path) => {
                let source = Source::open(path, mapping.encoding)?;
                if mapping.dataset != Dataset::Stays && !source.is_table() {
                    let rule = "FHIR folders and settlement lists hold stays only";
                    return Err(IngestError::rule("dataset", rule));
                }
                source
            }
            Self::View(view) => return Ok(view.header().to_vec()),
        };
        let wanted = columns::named(mapping, only, None);
        let mut odd = source.unread();
        odd.retain(|name| wanted.contains(name.as_str()));
        if odd.is_empty() {
            Ok(source.header().to_vec())
        } else {
            Err(IngestError::Types(odd))
        }
    }

    /// The rows, from the first one. A view has no encoding of its own.
    pub fn open(&self, encoding: Encoding) -> Result<Source, IngestError> {
        match self {
            Self::File(path) => Source::open(path, encoding),
            Self::View(view) => Source::view(view, None),
        }
    }

    /// The view, where it is one.
    pub fn view(&self) -> Option<&View> {
        match self {
            Self::File(_) => None,
            Self::View(view) => Some(view),
        }
    }
}

impl From<PathBuf> for Origin {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}
