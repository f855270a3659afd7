//! A whole alliance in one process, from one seed: the real node and the real coordinator, with a
//! clock that is set, a network that is carried by hand, and faults at every place where bytes, time
//! or the disk come in. After every operation the rules of the design are checked against what an
//! observer outside both programs saw. docs/SIMULATION.md says what is real and what is not.

mod attack;
mod bug;
mod catalog;
mod check;
mod decide;
mod disk;
mod hostile;
mod hub;
mod made;
mod member;
mod merged;
mod node;
mod operation;
mod random;
mod seen;
mod shrink;
mod step;
mod wire;
mod world;

pub use bug::Bug;
pub use made::Made;
pub use operation::{Fault, Kind, Operation, drawn};
pub use shrink::{Case, shrink};
pub use world::{Broken, Outcome, play};
