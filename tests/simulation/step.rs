//! One operation.

use std::sync::atomic::Ordering;

use coordinator::ask::{self, Order};
use coordinator::membership::{self, Cause};
use node::log;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;

use super::hostile::{self, By};
use super::node::Turned;
use super::operation::{Fault, Kind, Operation};
use super::wire::held;
use super::world::World;
use super::{attack, decide, disk, member, merged};
use crate::fixture::slug;

/// What came of an operation: a word for the trace.
pub(super) enum Came {
    Done(String),
    /// Nothing could be done.
    Nothing(String),
    /// What must be refused was not.
    Broken(String),
}

impl Came {
    pub(super) fn of(done: Result<(), String>) -> Self {
        match done {
            Ok(()) => Self::Done("done".to_owned()),
            Err(why) => Self::Nothing(why),
        }
    }
}

pub(super) async fn apply(world: &mut World, operation: &Operation) -> Came {
    let (who, which) = (
        usize::from(operation.who) % world.nodes.len(),
        operation.which,
    );
    match operation.kind {
        Kind::Turn => turn(world, who, operation.fault).await,
        Kind::Open => Came::of(open(world, which).await),
        Kind::Look => Came::of(world.hub.look().await),
        Kind::Pass => pass(world, which),
        Kind::Jump => jump(world, who, which),
        Kind::SetClocks => {
            world.all_back(0);
            Came::Done(String::new())
        }
        Kind::Approve
        | Kind::ApproveHold
        | Kind::Release
        | Kind::Hold
        | Kind::Refuse
        | Kind::Stand
        | Kind::Unstand
        | Kind::Lock
        | Kind::Unlock => {
            let (made, node) = (&world.made, &world.nodes[who]);
            let decided = &mut world.decided[who];
            Came::of(decide::decide(made, node, decided, (operation.kind, which)).await)
        }
        Kind::Impostor => match decide::impostor(&world.made, &world.nodes[who], which).await {
            Ok(()) => Came::Broken(format!("h{}: who may not decide, decided", who + 1)),
            Err(why) => Came::Nothing(why),
        },
        Kind::CrashNode => {
            world.nodes[who].restart().await;
            Came::Done(String::new())
        }
        Kind::CrashHub => {
            world.hub.restart().await;
            Came::Done(String::new())
        }
        Kind::Full => disk::full(world, who, which).await,
        Kind::Room => disk::room(world).await,
        Kind::Cut => {
            world.nodes[who].wire.cut(true);
            Came::Done(String::new())
        }
        Kind::Connect => {
            for node in &world.nodes {
                node.wire.cut(false);
            }
            Came::Done(String::new())
        }
        Kind::Copy => Came::of(disk::copy(world, who)),
        Kind::PutBack => disk::put_back(world, who).await,
        Kind::Burn => disk::burn(world, who).await,
        Kind::Revoke => Came::of(revoke(world, who).await),
        Kind::Join => Came::of(join(world, who).await),
        Kind::Lie | Kind::Free | Kind::Again => put(world, operation.kind, which).await,
        Kind::Arrive => attack::arrive(world, which).await,
        Kind::Replay => attack::replay(world, which).await,
        Kind::Forge => attack::forge(world, who, which).await,
        Kind::Merge => merged::merge(world, which).await,
        Kind::Fsck => {
            let key = world.made.members[who].key.public();
            match log::fsck(&world.nodes[who].state, &key).await {
                Ok(_) => Came::Done(String::new()),
                Err(error) => Came::Broken(format!("h{}: fsck: {error}", who + 1)),
            }
        }
    }
}

async fn turn(world: &mut World, who: usize, fault: Fault) -> Came {
    match world.nodes[who].turn(fault).await {
        Turned::Done => Came::Done("done".to_owned()),
        Turned::Waits => Came::Done("waits".to_owned()),
        Turned::Failed(why) => Came::Nothing(why),
        Turned::Died => {
            world.nodes[who].restart().await;
            Came::Done("died".to_owned())
        }
    }
}

async fn open(world: &mut World, which: u16) -> Result<(), String> {
    let made = std::sync::Arc::clone(&world.made);
    let honest = &made.catalog.honest;
    let (template, period) = &honest[usize::from(which) % honest.len()];
    let order = Order {
        period: period.parse().map_err(|_| "a period")?,
        roster: Vec::new(),
        window: [600, 3600, 86_400, 7 * 86_400][usize::from(which / 7) % 4],
        min_answers: None,
    };
    let (state, now) = (world.hub.state().await, world.hub.now());
    let authority = &world.hub.authority;
    let said = |error: ask::AskError| error.to_string();
    let drawn = ask::draw(&state, authority, template, &made.rules, &order, now).await;
    let drawn = drawn.map_err(said)?;
    let held = ask::begin(&state, authority, drawn).await.map_err(said)?;
    world.note(&held.round, &held.sealed);
    Ok(())
}

fn pass(world: &mut World, which: u16) -> Came {
    let long = i64::from(which / 8);
    let seconds = match which % 8 {
        0..=3 => 1 + long % 60,
        4..=6 => 60 + long % 3600,
        _ => 3600 + (long * 37) % (3 * 86_400),
    };
    world.time += seconds;
    for node in &world.nodes {
        node.time.fetch_add(seconds, Ordering::SeqCst);
    }
    world.hub.clock.advance(seconds);
    Came::Done(format!("{seconds} s"))
}

fn jump(world: &mut World, who: usize, which: u16) -> Came {
    let by = [200, -200, 3600, -3600, 86_400, -86_400][usize::from(which / 5) % 6];
    if which.is_multiple_of(5) {
        world.hub.clock.advance(by);
    } else {
        world.nodes[who].time.fetch_add(by, Ordering::SeqCst);
    }
    Came::Done(format!("{by} s"))
}

async fn put(world: &mut World, kind: Kind, which: u16) -> Came {
    world.names += 1;
    let (made, now) = (std::sync::Arc::clone(&world.made), world.hub.now());
    let name = format!("x{}-{}", world.names, kind.as_str());
    let (round, by) = match kind {
        Kind::Free => (hostile::free(&made, &name, which, now), By::Alliance),
        Kind::Again => (hostile::again(&made, &name, which, now), By::Alliance),
        _ => hostile::lie(&made, &name, which, now),
    };
    if by == By::Stranger {
        // Somebody between coordinator and nodes; an answer to it is to a round that nobody opened.
        let (stranger, _) = Signer::generate().expect("a key");
        let sealed = Sealed::seal(&stranger, &round).expect("a signature");
        for node in &world.nodes {
            node.wire
                .add(serde_json::to_string(&sealed).expect("a text"));
        }
        return Came::Done("by a stranger".to_owned());
    }
    let hub = std::sync::Arc::clone(&world.hub);
    let signer = hub.authority.signer();
    if hub.put(&round, signer, &hostile::everyone(&made)).await {
        let sealed = Sealed::seal(signer, &round).expect("a signature");
        world.note(&round, &sealed);
        return Came::Done(String::new());
    }
    Came::Nothing("no room".to_owned())
}

async fn revoke(world: &mut World, who: usize) -> Result<(), String> {
    let (state, now) = (world.hub.state().await, world.hub.now());
    let name = &world.made.members[who].name;
    membership::revoke(&state, name, Cause::Breach, &slug("li"), now)
        .await
        .map_err(|error| error.to_string())?;
    world.revoked.insert(who);
    Ok(())
}

async fn join(world: &mut World, who: usize) -> Result<(), String> {
    let state = world.hub.state().await;
    let now: Timestamp = world.hub.now();
    let own = &world.made.members[who];
    let (authority, config) = (&world.hub.authority, world.hub.config());
    let whose = (&own.name, &own.key);
    let joined = member::joined(&state, authority, config, whose, now).await?;
    member::keep(&world.nodes[who].folder, &joined);
    world.nodes[who].join_again();
    world.revoked.remove(&who);
    held(&world.seen).kept.retain(|kept| kept.who != who);
    Ok(())
}
