//! Bugs that a simulation must find: each is planted at a seam, as the state file, the message or the
//! dependency that a faulty program would have left. The product has no switch for any of them.

use node::answer::App;
use node::link::Signed;
use node::steward::{self, LetterState};
use schemas::request::Request;
use schemas::round::{Reply, Said};
use schemas::seal::{Sealed, Signer};

use super::made::Made;
use super::operation::Kind;
use super::seen::Kept;
use super::world::World;

macro_rules! bugs {
    ($($(#[$of:meta])* $one:ident $word:literal,)*) => {
        /// A planted bug.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Bug { $($(#[$of])* $one,)* }

        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$one,)*];

            /// One word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$one => $word,)* }
            }
        }
    };
}

bugs! {
    /// The stored answer is forgotten: the question would be drawn anew.
    ForgottenAnswer "forgotten-answer",
    /// The charge is undone after the answer left.
    ForgottenCharge "forgotten-charge",
    /// An entry is taken out of the middle of the log.
    CutLog "cut-log",
    /// The last entry is not written.
    ShortLog "short-log",
    /// The steward's key signs without the steward.
    Unasked "unasked",
    /// A held answer counts as released.
    HoldIgnored "hold-ignored",
    /// A lock is undone by nobody.
    LockIgnored "lock-ignored",
    /// No noise is added.
    Noiseless "noiseless",
    /// The limits of the allowance are ten times what two officers signed.
    Overspending "overspending",
    /// What is sent is changed on the way and signed with the node's own key.
    Resigned "resigned",
    /// The coordinator forgets what it saw of logs, and a node is put back unseen.
    ForgottenCheckpoints "forgotten-checkpoints",
    /// Clocks go back by a day and nobody remembers that they were ahead.
    ClockBack "clock-back",
    /// A round with too few answers is closed as if it had enough.
    ClosedEarly "closed-early",
    /// A hospital's answer is merged twice.
    MergedTwice "merged-twice",
    /// A stored reply is replaced by the hospital's reply to another round.
    SwappedReply "swapped-reply",
    /// Who was shut out is let in.
    Unrevoked "unrevoked",
}

impl Bug {
    /// Of its word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bug| bug.as_str() == word)
    }

    /// Bugs of what the node is put together from.
    pub(super) fn in_the_node(self, app: &mut App) {
        match self {
            Self::Noiseless => app.noise = Box::new(crate::noise::Zero),
            Self::Overspending => {
                let more = || crate::fixture::rho("9");
                let allowance = &mut app.policy.allowance;
                allowance.total = more();
                allowance.benchmark = more();
                allowance.free = more();
            }
            _ => {}
        }
    }

    /// Bugs on the way of a request.
    pub(super) fn on_the_way(self, signer: &Signer, made: &Made, kept: &mut Kept) {
        if self != Self::Resigned || !kept.path.ends_with("/reply") {
            return;
        }
        let changed = resigned(signer, made, kept);
        if let Some((header, body)) = changed {
            kept.body = body;
            for (name, value) in &mut kept.headers {
                if name == schemas::request::REQUEST {
                    value.clone_from(&header);
                }
            }
        }
    }

    /// Bugs of what lies on the disks, after an operation.
    pub(super) async fn on_disk(self, world: &mut World, kind: Kind) {
        let statements: &[&'static str] = match self {
            Self::ForgottenAnswer => &["delete from told_wholes", "delete from answers"],
            Self::ForgottenCharge => &["update ledger set spent_nano = 0"],
            Self::CutLog => &[
                "drop trigger if exists log_loses_nothing",
                "delete from log where sequence = (select max(sequence) - 2 from log)",
                "create trigger log_loses_nothing before delete on log begin select raise(abort, 'x'); end",
            ],
            Self::ShortLog if kind == Kind::Turn => &[
                "drop trigger if exists log_loses_nothing",
                "delete from log where sequence = (select max(sequence) from log)",
            ],
            Self::HoldIgnored => &["update inbox set state = 'released' where state = 'held'"],
            Self::LockIgnored => &["update locks set locked = 0"],
            Self::ClockBack => &["delete from clock"],
            _ => &[],
        };
        for &statement in statements {
            if let Some(node) = world.touched() {
                sqlx::query(statement).execute(node.state.pool()).await.ok();
            }
        }
        let statements: &[&'static str] = match self {
            Self::ForgottenCheckpoints => {
                &["delete from checkpoints where organisation <> 'coordinator'"]
            }
            Self::ClockBack => &["delete from clock"],
            Self::ClosedEarly => &["update rounds set state = 'closed' where state = 'dead'"],
            Self::SwappedReply => &[
                "update replies set sealed = (select o.sealed from replies o where \
                 o.hospital = replies.hospital order by o.rowid limit 1)",
            ],
            Self::Unrevoked => &[
                "update standings set standing = 'active'",
                "update certificates set revoked = null, accepted_until = null",
            ],
            _ => &[],
        };
        for &statement in statements {
            let state = world.hub.state().await;
            sqlx::query(statement).execute(state.pool()).await.ok();
        }
        match self {
            Self::ClockBack if kind == Kind::Jump => world.all_back(86_400),
            Self::Unasked => unasked(world).await,
            _ => {}
        }
    }
}

/// Approves everything that waits, by the steward's key and not by him.
async fn unasked(world: &World) {
    let Some(node) = world.touched() else {
        return;
    };
    let Ok(letters) = steward::letters(&node.state).await else {
        return;
    };
    if letters
        .iter()
        .any(|letter| letter.state == LetterState::Pending)
    {
        let mut nobody = super::decide::Decided::default();
        let kind = (Kind::Approve, 0);
        super::decide::decide(&world.made, node, &mut nobody, kind)
            .await
            .ok();
    }
}

fn resigned(signer: &Signer, made: &Made, kept: &Kept) -> Option<(String, Vec<u8>)> {
    let key = signer.public();
    let sealed: Sealed<Reply> = serde_json::from_slice(&kept.body).ok()?;
    let mut reply = sealed.open(&key).ok()?;
    let Said::Answered(answer) = &reply.said else {
        return None;
    };
    let mut answer = answer.open(&key).ok()?;
    let cell = answer.blocks.first_mut()?.as_mut()?.first_mut()?;
    *cell += 1000;
    reply.said = Said::Answered(Sealed::seal(signer, &answer).ok()?);
    let body = serde_json::to_vec(&Sealed::seal(signer, &reply).ok()?).ok()?;
    let (_, header) = kept
        .headers
        .iter()
        .find(|(name, _)| name == schemas::request::REQUEST)?;
    let header: Sealed<Request> = serde_json::from_str(header).ok()?;
    let request = header.open(&key).ok()?;
    let (sender, at) = (&request.sender, request.issued);
    let to = &made.alliance;
    let signed = Signed::new(signer, sender, to, &kept.path, body, at).ok()?;
    Some((signed.header, signed.body))
}
