//! `doctor`: what is wrong in this installation, and what to do about each thing.

use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use schemas::finding::{self, Finding};
use schemas::loss::Rho;

use super::{Node, next};
use crate::access::Standing;
use crate::answer;
use crate::backup;
use crate::clock::Clock;
use crate::config::keys::Keys;
use crate::config::{self, Config};
use crate::engine::Engine;
use crate::enrol::files::Files;
use crate::incoming::Incoming;
use crate::ledger;
use crate::load;
use crate::log;
use crate::store::dictionaries;
use crate::store::state::State;

/// Days before its end when a certificate should have been renewed by itself.
const LATE_DAYS: i64 = 8;

pub(super) async fn run(folder: &Path, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let findings = Box::pin(findings(folder)).await;
    if json {
        serde_json::to_writer_pretty(&mut *out, &findings)?;
        writeln!(out)?;
    } else {
        finding::show(&findings, out)?;
    }
    match finding::faults(&findings) {
        0 => Ok(()),
        1 => bail!("one thing does not work"),
        faults => bail!("{faults} things do not work"),
    }
}

async fn findings(folder: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let config = match Config::read(folder) {
        Ok(config) => config,
        Err(error) => {
            let next = format!("mend `{}`, or make a node: `init`", config::FILE);
            return vec![Finding::fault("settings", error.to_string(), next)];
        }
    };
    let told = format!("hospital {}", config.hospital);
    found.push(Finding::sound("settings", told));
    found.push(open_to_others(&config.data));
    found.push(free(&config.data));
    let since = u64::try_from(Clock::System.now().0).unwrap_or(0);
    let now = UNIX_EPOCH + Duration::from_secs(since);
    found.extend(incoming(&config.data, now));
    found.extend(keys(&config.data));
    if !config.data.join("state.sqlite").exists() {
        let next = "put the newest backup back (`restore`); a node without its state forgets what it spent";
        found.push(Finding::fault("state", "there is no state.sqlite", next));
        return found;
    }
    let state = match State::open(&config.data).await {
        Ok(state) => state,
        Err(error) => {
            let next = "check disk and permissions; else put the newest backup back (`restore`)";
            found.push(Finding::fault("state", format!("{error}"), next));
            return found;
        }
    };
    let node = Node {
        given: folder.to_owned(),
        config,
        state,
        clock: Clock::System,
    };
    found.extend(kept(&node).await);
    found.extend(engine(&node).await);
    found.extend(rules(&node).await);
    found.extend(joined(&node).await);
    found
}

fn open_to_others(data: &Path) -> Finding {
    let mode = std::fs::metadata(data).map(|found| found.permissions().mode() & 0o777);
    let next = format!("chmod 700 {}", next::path(data));
    match mode {
        Ok(mode) if mode & 0o077 != 0 => {
            Finding::fault("permissions", "other accounts enter the data folder", next)
        }
        Ok(_) => Finding::sound("permissions", "the data folder is closed"),
        Err(_) => Finding::fault("permissions", "the data folder cannot be looked at", next),
    }
}

fn free(data: &Path) -> Finding {
    match rustix::fs::statvfs(data) {
        Ok(disk) => finding::room(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(_) => Finding::soon("disk", "its room is not known", "look at its disk"),
    }
}

/// The folder of files that are brought on pages: closed to others, and nothing forgotten in it.
fn incoming(data: &Path, now: SystemTime) -> Option<Finding> {
    let check = "incoming";
    Some(match Incoming::of(data) {
        Ok(None) => return None,
        Ok(Some(folder)) => match folder.forgotten(now) {
            0 => Finding::sound(check, "no file lies longer than 7 days"),
            files => {
                let told = format!("files that lie longer than 7 days: {files}, rows as they came");
                let next = "take them away: on the page `/mapping`, or in the folder `incoming`";
                Finding::soon(check, told, next)
            }
        },
        Err(error) => {
            let next = "make it a folder of the node's account, closed to others (chmod 700); pages do not \
                        use it before";
            Finding::fault(check, error.to_string(), next)
        }
    })
}

/// Every key file is closed to others, and the message key can be read.
fn keys(data: &Path) -> Vec<Finding> {
    let check = "keys";
    let Ok(files) = std::fs::read_dir(data.join("keys")) else {
        let next = "put the keys back from where they are kept";
        return vec![Finding::fault(check, "there is no folder of keys", next)];
    };
    let (mut count, mut found) = (0_usize, Vec::new());
    for file in files.filter_map(Result::ok) {
        count = count.saturating_add(1);
        let mode = file.metadata().map(|found| found.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            let name = file.file_name().to_string_lossy().into_owned();
            let next = format!("chmod 600 {}", next::path(&file.path()));
            found.push(Finding::fault(
                check,
                format!("{name} is open to others"),
                next,
            ));
        }
    }
    let read = Keys::open(data).and_then(|keys| keys.message_key());
    if let Err(error) = read {
        let next =
            "put keys/message.pk8 back from where it is kept; a new one needs a new join code";
        found.push(Finding::fault(check, error.to_string(), next));
    }
    if found.is_empty() {
        found.push(Finding::sound(check, format!("{count} files, closed")));
    }
    found
}

/// The state, its months, and whether it was put back.
async fn kept(node: &Node) -> Vec<Finding> {
    let mut found = Vec::new();
    let key = Keys::open(&node.config.data).and_then(|keys| keys.message_key());
    if let Ok(key) = key {
        found.push(match log::fsck(&node.state, &key.public()).await {
            Ok(sound) => Finding::sound("state", format!("sound, {} entries", sound.entries)),
            Err(error) => Finding::fault("state", error.to_string(), "put the newest backup back"),
        });
    }
    found.push(
        match backup::sound_columns(&node.state, &node.config.data).await {
            Ok(()) => Finding::sound("months", "every file is the one that was loaded"),
            Err(error) => {
                let next = "put that month's folder back from a backup, or load the month again";
                Finding::fault("months", error.to_string(), next)
            }
        },
    );
    let burn = "`consilium-node log burn --as NAME` shows what it costs, and does it";
    match log::lost(&node.state).await {
        Ok(Some(_)) => found.push(Finding::fault(
            "rollback",
            "this state is older than what the coordinator saw of it; nothing is answered",
            burn,
        )),
        Ok(None) => {}
        Err(error) => found.push(Finding::fault("rollback", error.to_string(), burn)),
    }
    if let Ok(Some(_)) = backup::waiting(&node.state).await {
        let next = "`consilium-node log restored --as NAME`";
        let told = "a backup was put back; nothing is answered until an officer acknowledges it";
        found.push(Finding::fault("rollback", told, next));
    }
    found
}

/// The engine that the settings name: whether it is reached and holds every released month whole.
async fn engine(node: &Node) -> Option<Finding> {
    let check = "columns";
    let columns = node.config.columns.as_ref()?;
    let engine = match Engine::open(columns, &node.config.hospital) {
        Ok(engine) => engine,
        Err(error) => {
            let next = "mend `[columns]` in node.toml, or the file that `url_file` names";
            return Some(Finding::fault(check, error.to_string(), next));
        }
    };
    let send = "`columns send`";
    Some(match load::missing(&node.state, &engine).await {
        Ok(missing) => match missing.first() {
            None => match load::strangers(&node.state, &engine).await {
                Ok(0) => Finding::sound(check, "the engine answers and holds every released month"),
                Ok(months) => {
                    let told = format!("the engine holds {months} months that no load has");
                    Finding::fault(check, told, "`columns send`, which deletes them")
                }
                Err(error) => Finding::fault(check, error.to_string(), "look at the engine"),
            },
            Some(month) => {
                let months = missing.len();
                let told = format!("the engine lacks {months} released months, {month} first");
                Finding::fault(check, told, send)
            }
        },
        Err(error) => {
            let next = "check address, login, rights and firewall of the engine";
            Finding::fault(check, error.to_string(), next)
        }
    })
}

/// Dictionary, policy, and what is left of the allowance.
async fn rules(node: &Node) -> Vec<Finding> {
    let mut found = vec![match dictionaries::latest(&node.state).await {
        Ok(Some(one)) => Finding::sound("dictionary", format!("version {}", one.version)),
        Ok(None) => {
            let next = "`dictionary fetch`, then `dictionary accept`";
            Finding::fault("dictionary", "none was accepted", next)
        }
        Err(error) => Finding::fault("dictionary", error.to_string(), "put a backup back"),
    }];
    let (config, now) = (&node.config, node.clock.now());
    let sign = "two officers sign it: `policy approve --as NAME`";
    let policy = match answer::policy(config) {
        Ok(policy) => policy,
        Err(error) => {
            found.push(Finding::fault(
                "policy",
                error.to_string(),
                "mend policy.toml",
            ));
            return found;
        }
    };
    let (data, hospital) = (&config.data, &config.hospital);
    let standing = match Standing::open(&node.state, data, hospital, &policy, now).await {
        Ok(standing) => standing,
        Err(error) => {
            found.push(Finding::fault("policy", error.to_string(), sign));
            return found;
        }
    };
    found.push(Finding::sound("policy", "in force, signed by two"));
    let total = standing.policy.allowance.total;
    match ledger::lines(&node.state).await {
        Ok(lines) => {
            let whole = lines.iter().filter(|line| line.purpose == "all");
            found.extend(whole.map(|line| left(line.year.0, line.spent, total)));
        }
        Err(error) => found.push(Finding::fault("allowance", error.to_string(), "log fsck")),
    }
    found
}

fn left(year: u16, spent: Rho, total: Rho) -> Finding {
    let left = total.saturating_sub(spent);
    let told = format!("{year}: ρ {left} of {total} left");
    let next = "what is spent of a data year never comes back; plan what is still asked of it";
    if left.nano().saturating_mul(10) < total.nano() {
        Finding::soon("allowance", told, next)
    } else {
        Finding::sound("allowance", told)
    }
}

/// Certificate, clock and the way to the coordinator.
async fn joined(node: &Node) -> Vec<Finding> {
    if Files::in_folder(&node.config.data).present().is_none() {
        let told = "this node has not joined the alliance";
        return vec![Finding::soon(
            "membership",
            told,
            "`enrol -`, with a join code",
        )];
    }
    let link = match super::link::open(node) {
        Ok(link) => link,
        Err(error) => {
            let next =
                "put keys/tls.pem, ca.pem, alliance.key and coordinator.url back, or join anew";
            return vec![Finding::fault("membership", format!("{error:#}"), next)];
        }
    };
    let now = node.clock.now();
    let left = link.certificate_ends().0.saturating_sub(now.0);
    let renew =
        "it is renewed while `run` reaches the coordinator; after its end ask for a join code";
    let certificate = ("the node's certificate", left);
    let mut found = vec![finding::lasting(
        "certificate",
        certificate,
        LATE_DAYS,
        renew,
    )];
    if let Ok(Some(agreed)) = node.state.agreed().await {
        let behind = agreed.0.saturating_sub(now.0);
        if behind > schemas::request::SKEW {
            let told = format!("this clock is {behind} seconds behind the time agreed before");
            found.push(Finding::fault(
                "clock",
                told,
                "set this machine's clock right (NTP)",
            ));
        }
    }
    let next =
        "check address, proxy, firewall and clock; `coordinator` and `proxy` stand in node.toml";
    found.push(match link.rounds(0).await {
        Ok(_) => Finding::sound("connection", "the coordinator answers, clocks agree"),
        Err(error) => Finding::fault("connection", error.to_string(), next),
    });
    found
}
