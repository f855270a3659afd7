//! What an answer is known by.

use policies::plan::Layout;
use schemas::answer::Snapshot;
use schemas::canonical;
use schemas::digest::Digest;

/// A compiled question on released data. Question, release numbers and layout are what its answer
/// is stored under: the same three give the same bytes for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    layout: Layout,
    mechanism: Digest,
    snapshots: Vec<Snapshot>,
}

impl Identity {
    /// Fails only where the layout has no canonical form.
    pub fn new(layout: Layout, snapshots: Vec<Snapshot>) -> Result<Self, canonical::Error> {
        Ok(Self {
            mechanism: layout.digest()?,
            layout,
            snapshots,
        })
    }

    /// The compiled question.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The data, by month.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// Digest of the question.
    pub fn question(&self) -> Digest {
        self.layout.question
    }

    /// Digest of the layout.
    pub fn mechanism(&self) -> Digest {
        self.mechanism
    }

    /// Release numbers of the data, joined by commas.
    pub fn releases(&self) -> String {
        let numbers: Vec<String> = self
            .snapshots
            .iter()
            .map(|snapshot| snapshot.release.to_string())
            .collect();
        numbers.join(",")
    }
}
