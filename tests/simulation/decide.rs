//! What the steward decides, and what an outsider knows of his decisions.

use std::collections::{BTreeMap, BTreeSet};

use node::steward::{self, Acting, Letter, LetterState, StewardError};
use policies::template;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::round::TemplateRef;
use schemas::seal::Signer;
use schemas::time::Timestamp;

use super::made::Made;
use super::node::Node;
use super::operation::Kind;
use crate::fixture::slug;
use crate::officers::{SECOND, STEWARD};

/// What was decided about one round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decision {
    Approved,
    Held,
    Released,
    Refused,
}

/// What a steward really decided.
#[derive(Clone, Default, Debug)]
pub(super) struct Decided {
    pub(super) standing: BTreeSet<String>,
    pub(super) rounds: BTreeMap<Digest, Decision>,
    pub(super) locked: bool,
}

impl Decided {
    /// What the stewards decided when the alliance was made.
    pub(super) fn first() -> Self {
        let standing = FIRST
            .iter()
            .map(|(name, version)| format!("{name}@{version}"));
        Self {
            standing: standing.collect(),
            ..Self::default()
        }
    }

    /// Whether an answer to this round may leave.
    pub(super) fn allows(&self, round: Digest, template: Option<&str>) -> bool {
        if self.locked {
            return false;
        }
        match self.rounds.get(&round) {
            Some(Decision::Approved | Decision::Released) => true,
            Some(Decision::Held | Decision::Refused) => false,
            None => template.is_some_and(|template| self.standing.contains(template)),
        }
    }
}

/// Templates that are answered unasked from the start.
const FIRST: [(&str, u32); 2] = [("monthly-benchmark", 2), ("yearly-hospitals", 2)];

/// Stands these templates, when the alliance is made.
pub(super) async fn stand_first(by: Acting<'_>, state: &node::store::state::State) {
    for (name, version) in FIRST {
        let id = slug(name);
        let of = TemplateRef { id, version };
        steward::stand(state, by, of, None, UNTIL)
            .await
            .expect("a standing approval");
    }
}

/// Long after every run.
const UNTIL: Timestamp = Timestamp(4_000_000_000);

fn acting<'a>(made: &'a Made, node: &Node, (name, key): (&'a Slug, &'a Signer)) -> Acting<'a> {
    let member = &made.members[node.who];
    Acting {
        officers: &member.standing.officers,
        access: &member.standing.access,
        policy: member.standing.approved.policy,
        hospital: &member.name,
        name,
        key,
        at: node.now(),
    }
}

/// Release numbers of the data that a letter asks about, as the steward's page shows them.
async fn releases(node: &Node, letter: &Letter) -> Option<String> {
    let question = &letter.round.question;
    let of = (question.dataset, &question.period);
    let released = node::snapshot::released_of(&node.state, &node.folder, of).await;
    let months = released.ok()?.months;
    let numbers: Vec<String> = months.iter().map(|one| one.release.to_string()).collect();
    Some(numbers.join(","))
}

async fn letter(node: &Node, which: u16, stands: &[LetterState]) -> Option<Letter> {
    let mut letters = steward::letters(&node.state).await.ok()?;
    letters.retain(|letter| stands.contains(&letter.state));
    let at = usize::from(which).checked_rem(letters.len())?;
    Some(letters.swap_remove(at))
}

/// One decision; what came of it in a word.
pub(super) async fn decide(
    made: &Made,
    node: &Node,
    decided: &mut Decided,
    (kind, which): (Kind, u16),
) -> Result<(), String> {
    let name = slug(STEWARD);
    let by = acting(made, node, (&name, &made.members[node.who].officers[0]));
    let state = &node.state;
    let said = |error: StewardError| error.to_string();
    let mut decides = |letter: &Letter, what| {
        decided.rounds.insert(letter.digest, what);
    };
    let none = || "no letter".to_owned();
    match kind {
        Kind::Approve | Kind::ApproveHold => {
            let letter = letter(node, which, &[LetterState::Pending]).await;
            let letter = letter.ok_or_else(none)?;
            let hold = kind == Kind::ApproveHold;
            let of = releases(node, &letter).await.ok_or("no releases")?;
            steward::approve(state, by, &letter, of, hold)
                .await
                .map_err(said)?;
            let what = if hold {
                Decision::Held
            } else {
                Decision::Approved
            };
            decides(&letter, what);
        }
        Kind::Release => {
            let letter = letter(node, which, &[LetterState::Held])
                .await
                .ok_or_else(none)?;
            steward::release(state, by, &letter).await.map_err(said)?;
            decides(&letter, Decision::Released);
        }
        Kind::Hold => {
            let letter = letter(node, which, &[LetterState::Approved]).await;
            let letter = letter.ok_or_else(none)?;
            steward::hold(state, by, &letter).await.map_err(said)?;
            decides(&letter, Decision::Held);
        }
        Kind::Refuse => {
            let all = [
                LetterState::Pending,
                LetterState::Approved,
                LetterState::Held,
            ];
            let letter = letter(node, which, &all).await.ok_or_else(none)?;
            steward::refuse(state, by, &letter, "not now")
                .await
                .map_err(said)?;
            decides(&letter, Decision::Refused);
        }
        Kind::Stand | Kind::Unstand => {
            let shipped = template::shipped();
            let of = &shipped[usize::from(which) % shipped.len()].reference();
            if kind == Kind::Stand {
                let of = of.clone();
                steward::stand(state, by, of, None, UNTIL)
                    .await
                    .map_err(said)?;
                decided.standing.insert(
                    shipped[usize::from(which) % shipped.len()]
                        .reference()
                        .to_string(),
                );
            } else {
                let gone = steward::remove_standing(state, by, &of.to_string()).await;
                gone.map_err(said)?;
                decided.standing.remove(&of.to_string());
            }
        }
        Kind::Lock => {
            steward::lock(state, by).await.map_err(said)?;
            decided.locked = true;
        }
        _ => {
            steward::unlock(state, by).await.map_err(said)?;
            decided.locked = false;
        }
    }
    Ok(())
}

/// A decision of a person who may not decide, or about what is decided already; nobody takes it.
pub(super) async fn impostor(made: &Made, node: &Node, which: u16) -> Result<(), String> {
    let member = &made.members[node.who];
    let (steward, second) = (slug(STEWARD), slug(SECOND));
    let (stranger, _) = Signer::generate().expect("a key");
    let again = [
        LetterState::Approved,
        LetterState::Released,
        LetterState::Sent,
    ];
    let (who, stands): ((&Slug, &Signer), &[LetterState]) = match which % 4 {
        0 => ((&second, &member.officers[1]), &[LetterState::Pending]),
        1 => ((&steward, &stranger), &[LetterState::Pending]),
        2 => ((&second, &member.officers[0]), &[LetterState::Pending]),
        _ => ((&steward, &member.officers[0]), &again),
    };
    let Some(letter) = letter(node, which / 4, stands).await else {
        return Err("no letter".to_owned());
    };
    let of = releases(node, &letter).await.ok_or("no releases")?;
    let by = acting(made, node, who);
    let done = steward::approve(&node.state, by, &letter, of, false).await;
    done.map_err(|error| error.to_string())
}
