//! Disks: no room for one kind of row, copies of a state file, and copies that are put back.

use node::ledger::{self, BurnError};

use super::step::Came;
use super::wire::held;
use super::world::{Copied, World};
use crate::fixture::slug;
use crate::officers::STEWARD;

const OF_NODES: [&str; 8] = [
    "answers",
    "ledger",
    "log",
    "replies",
    "questions",
    "inbox",
    "checkpoints",
    "clock",
];
const OF_HUB: [&str; 5] = ["replies", "log", "messages", "rounds", "checkpoints"];

/// From now on no row of one table can be written: the transaction that tries fails at that place.
pub(super) async fn full(world: &mut World, who: usize, which: u16) -> Came {
    let hub = which.is_multiple_of(4);
    let at = usize::from(which / 4);
    let table = if hub {
        OF_HUB[at % OF_HUB.len()]
    } else {
        OF_NODES[at % OF_NODES.len()]
    };
    let statement = format!(
        "create trigger if not exists no_room_{table} before insert on {table} \
         begin select raise(abort, 'database or disk is full'); end"
    );
    run(world, hub, who, &statement).await;
    world
        .full
        .insert((if hub { None } else { Some(who) }, table));
    Came::Done(format!("{}{table}", if hub { "hub " } else { "" }))
}

/// All disks have room again.
pub(super) async fn room(world: &mut World) -> Came {
    for (node, table) in std::mem::take(&mut world.full) {
        free(world, node, table).await;
    }
    Came::Done(String::new())
}

async fn free(world: &World, node: Option<usize>, table: &str) {
    let statement = format!("drop trigger if exists no_room_{table}");
    run(world, node.is_none(), node.unwrap_or(0), &statement).await;
}

/// The copy may have been made of a full disk.
async fn node_room(world: &mut World, who: usize) {
    world.full.retain(|(node, _)| *node != Some(who));
    for table in OF_NODES {
        free(world, Some(who), table).await;
    }
}

async fn run(world: &World, hub: bool, who: usize, statement: &str) {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    let done = if hub {
        let state = world.hub.state().await;
        sqlx::query(statement).execute(state.pool()).await
    } else {
        sqlx::query(statement)
            .execute(world.nodes[who].state.pool())
            .await
    };
    done.expect("a trigger");
}

const FILES: [&str; 2] = ["state.sqlite", "state.sqlite-wal"];

/// Copies the state file as an administrator would who knows no better than `cp`.
pub(super) fn copy(world: &mut World, who: usize) -> Result<(), String> {
    let to = world.folder.path().join(format!("copy-{who}"));
    std::fs::create_dir_all(&to).map_err(|error| error.to_string())?;
    for file in FILES {
        let from = world.nodes[who].folder.join(file);
        if from.exists() {
            std::fs::copy(from, to.join(file)).map_err(|error| error.to_string())?;
        } else {
            std::fs::remove_file(to.join(file)).ok();
        }
    }
    let decided = world.decided[who].clone();
    world.copies.insert(who, Copied { decided });
    Ok(())
}

/// Puts the copy in place of the state file, in silence.
pub(super) async fn put_back(world: &mut World, who: usize) -> Came {
    let Some(copied) = world.copies.get(&who).cloned() else {
        return Came::Nothing("no copy".to_owned());
    };
    let from = world.folder.path().join(format!("copy-{who}"));
    let node = &mut world.nodes[who];
    node.state.pool().close().await;
    for file in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
        std::fs::remove_file(node.folder.join(file)).ok();
    }
    for file in FILES {
        if from.join(file).exists() {
            std::fs::copy(from.join(file), node.folder.join(file)).expect("a copy");
        }
    }
    node.restart().await;
    world.decided[who] = copied.decided;
    node_room(world, who).await;
    let node = &world.nodes[who];
    if let Err(what) = world.watched[who].again(node.state.pool()).await {
        return Came::Broken(what);
    }
    let mut seen = held(&world.seen);
    *seen.generation.entry(who).or_default() += 1;
    let forgetful = !world.watched[who].covers(who, &seen);
    seen.forgetful.insert(who, forgetful);
    Came::Done(if forgetful { "forgetful" } else { "as it was" }.to_owned())
}

/// The steward burns what a rollback lost, where the node noticed one.
pub(super) async fn burn(world: &mut World, who: usize) -> Came {
    let node = &world.nodes[who];
    let steward = slug(STEWARD);
    let burned = ledger::burn(&node.state, None, &world.made.rules, &steward, node.now()).await;
    match burned {
        Ok(_) => {
            held(&world.seen).forgetful.insert(who, false);
            Came::Done("burned".to_owned())
        }
        Err(BurnError::Nothing) => Came::Nothing("nothing is lost".to_owned()),
        Err(error) => Came::Nothing(error.to_string()),
    }
}
