//! What can happen, as plain data, so that a run can be written down, repeated and shortened.

use std::fmt;
use std::str::FromStr;

use super::random::Random;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $one:ident $word:literal $weight:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $name { $($(#[$of])* $one,)* }

        impl $name {
            /// All of them with how often each is drawn.
            pub const ALL: &'static [(Self, u64)] = &[$((Self::$one, $weight),)*];

            /// One word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$one => $word,)* }
            }

            fn draw(random: &mut Random) -> Self {
                let total = Self::ALL.iter().map(|(_, weight)| weight).sum();
                let mut at = random.below(total);
                for (one, weight) in Self::ALL {
                    if at < *weight {
                        return *one;
                    }
                    at -= weight;
                }
                Self::ALL[0].0
            }

            fn read(word: &str) -> Option<Self> {
                Self::ALL.iter().map(|(one, _)| *one).find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// The kinds of operation, with the weight of each.
    Kind {
        /// A node's turn: exchange of logs, what was left open, poll, answers, sending.
        Turn "turn" 200,
        /// The coordinator opens a round of a shipped template.
        Open "open" 40,
        /// The coordinator's background task looks once.
        Look "look" 60,
        /// Time passes for everyone.
        Pass "pass" 60,
        /// One clock jumps.
        Jump "jump" 8,
        /// All clocks are set right.
        SetClocks "set-clocks" 10,
        /// The steward approves the newest letter that waits.
        Approve "approve" 40,
        /// The same, and the answer is held.
        ApproveHold "approve-hold" 10,
        /// A held answer may leave.
        Release "release" 12,
        /// An approved one is held.
        Hold "hold" 6,
        /// A letter is refused.
        Refuse "refuse" 8,
        /// A template may be answered unasked.
        Stand "stand" 12,
        /// No longer.
        Unstand "unstand" 6,
        /// The node is locked.
        Lock "lock" 4,
        /// It is unlocked.
        Unlock "unlock" 8,
        /// A node's process dies and starts again.
        CrashNode "crash-node" 10,
        /// The coordinator's does.
        CrashHub "crash-hub" 8,
        /// A disk has no more room for one kind of row.
        Full "full" 8,
        /// All disks have room.
        Room "room" 14,
        /// A member is cut off.
        Cut "cut" 6,
        /// All are connected.
        Connect "connect" 12,
        /// What was held back on the way arrives.
        Arrive "arrive" 20,
        /// A copy of a node's state file is made.
        Copy "copy" 6,
        /// The copy is put in place of the state file.
        PutBack "put-back" 3,
        /// The steward burns what a rollback lost.
        Burn "burn" 10,
        /// A member is shut out.
        Revoke "revoke" 2,
        /// A hospital joins (again).
        Join "join" 6,
        /// A coordinator's operator puts a question before nodes that its own rules would not let out.
        Lie "lie" 30,
        /// A free question, well formed and within its price.
        Free "free" 30,
        /// A question that was asked before, under a new name.
        Again "again" 20,
        /// A request that was sent before is sent once more by someone who kept it.
        Replay "replay" 14,
        /// A request with a forged signature, in another's name, or with a revoked certificate.
        Forge "forge" 14,
        /// A person decides who may not.
        Impostor "impostor" 10,
        /// The figures of an ended round are made.
        Merge "merge" 24,
        /// A node's state is checked as a whole (`log fsck`).
        Fsck "fsck" 6,
    }
}

words! {
    /// What goes wrong on the way of one request of a turn, or at one step of a charge.
    FaultKind {
        /// Nothing.
        None "-" 60,
        /// The request never arrives.
        LoseRequest "lose-request" 5,
        /// It arrives; the response does not.
        LoseResponse "lose-response" 6,
        /// It arrives twice.
        Twice "twice" 5,
        /// It arrives after what follows it.
        Late "late" 5,
        /// A byte of the response is changed.
        Alter "alter" 3,
        /// The node dies before the request leaves.
        DieBefore "die-before" 5,
        /// The node dies before it reads the response.
        DieAfter "die-after" 6,
        /// The coordinator dies before the request arrives, and starts again.
        HubDies "hub-dies" 3,
        /// The node dies at a step of a charge.
        DieCharging "die-charging" 6,
    }
}

/// A fault, and at which request of the turn, or which step of the charge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// At which, from 0.
    pub at: u8,
}

impl Fault {
    /// No fault.
    pub const NONE: Self = Self {
        kind: FaultKind::None,
        at: 0,
    };
}

/// One operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation {
    /// What happens.
    pub kind: Kind,
    /// To whom: a member's number; taken modulo their count.
    pub who: u8,
    /// Which of several, or how much; each kind reads it in its own way.
    pub which: u16,
    /// What goes wrong meanwhile.
    pub fault: Fault,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            who,
            which,
            fault,
        } = self;
        write!(f, "{} {who} {which}", kind.as_str())?;
        if fault.kind == FaultKind::None {
            Ok(())
        } else {
            write!(f, " {} {}", fault.kind.as_str(), fault.at)
        }
    }
}

impl FromStr for Operation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let bad = || format!("`{text}` is no operation");
        let [kind, who, which, rest @ ..] = words.as_slice() else {
            return Err(bad());
        };
        let fault = match rest {
            [] => Fault::NONE,
            [kind, at] => Fault {
                kind: FaultKind::read(kind).ok_or_else(bad)?,
                at: at.parse().map_err(|_| bad())?,
            },
            _ => return Err(bad()),
        };
        Ok(Self {
            kind: Kind::read(kind).ok_or_else(bad)?,
            who: who.parse().map_err(|_| bad())?,
            which: which.parse().map_err(|_| bad())?,
            fault,
        })
    }
}

/// The operations of a seed.
pub fn drawn(seed: u64, count: usize) -> Vec<Operation> {
    let mut random = Random::new(seed);
    let byte = |random: &mut Random, end| u8::try_from(random.below(end)).unwrap_or(0);
    (0..count)
        .map(|_| {
            let kind = Kind::draw(&mut random);
            let who = byte(&mut random, 4);
            let which = u16::try_from(random.below(65_536)).unwrap_or(0);
            let fault = Fault {
                kind: FaultKind::draw(&mut random),
                at: byte(&mut random, 8),
            };
            let fault = if kind == Kind::Turn {
                fault
            } else {
                Fault::NONE
            };
            Operation {
                kind,
                who,
                which,
                fault,
            }
        })
        .collect()
}
