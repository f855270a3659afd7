//! `doctor`: what is wrong in this installation, and what to do about each thing.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use schemas::finding::{self, Finding};
use sqlx::Row as _;

use super::{Office, administrator};
use crate::authority::Authority;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::dictionary;
use crate::log;
use crate::register;
use crate::store::state::State;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator doctor --data /srv/consilium\n\nNothing sensitive is shown; the output may be sent to whoever helps. Exit code 1 where something does not work."
)]
pub(super) struct Args {
    /// For machines.
    #[arg(long)]
    json: bool,
}

/// Days before its end when the issuing CA is made anew.
const CA_DAYS: i64 = 60;
/// Days before its end when the pages' certificate is replaced.
const PAGE_DAYS: i64 = 14;
/// Seconds without a word after which a member is told of.
const SILENT: i64 = 86_400;

/// Looks at everything and says whether nothing is at fault.
pub(super) async fn run(data: &Path, args: &Args, out: &mut dyn Write) -> anyhow::Result<bool> {
    let found = findings(data).await;
    if args.json {
        super::write_json(out, &found)?;
    } else {
        finding::show(&found, out)?;
    }
    Ok(finding::faults(&found) == 0)
}

async fn findings(data: &Path) -> Vec<Finding> {
    let config = match Config::read(data) {
        Ok(config) => config,
        Err(error) => {
            let next = format!("mend `{}`, or make an alliance: `init`", config::FILE);
            return vec![Finding::fault("settings", error.to_string(), next)];
        }
    };
    let mut found = vec![Finding::sound(
        "settings",
        format!("alliance {}", config.alliance),
    )];
    found.push(open_to_others(data));
    found.push(match rustix::fs::statvfs(data) {
        Ok(disk) => finding::room(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(_) => Finding::soon("disk", "its room is not known", "look at its disk"),
    });
    let authority = match Authority::open(data, &config.alliance) {
        Ok(authority) => authority,
        Err(error) => {
            let next = "put alliance.pk8, issuing.pem and ca.pem back from where they are kept (mode 0600); the \
                        root's key stays offline";
            found.push(Finding::fault("keys", error.to_string(), next));
            return found;
        }
    };
    found.push(Finding::sound(
        "keys",
        "closed, and the root's is elsewhere",
    ));
    let clock = Clock::System;
    found.extend(certificates(&authority, &config, clock.now().0));
    if !data.join("state.sqlite").exists() {
        let next = "put the newest backup back: `restore`";
        found.push(Finding::fault("state", "there is no state.sqlite", next));
        return found;
    }
    let state = match State::open(data).await {
        Ok(state) => state,
        Err(error) => {
            let next = "check disk and permissions; else put the newest backup back (`restore`)";
            found.push(Finding::fault("state", error.to_string(), next));
            return found;
        }
    };
    let office = Office {
        config,
        state,
        authority,
        clock,
    };
    found.extend(kept(&office).await);
    found.extend(rules(&office, data).await);
    found.extend(members(&office).await);
    found.extend(listening(&office.config));
    found
}

fn open_to_others(data: &Path) -> Finding {
    let mode = std::fs::metadata(data).map(|found| found.permissions().mode());
    let next = format!("chmod 700 {}", data.display());
    match mode {
        Ok(mode) if mode & 0o077 != 0 => {
            Finding::fault("permissions", "other accounts enter the data folder", next)
        }
        Ok(_) => Finding::sound("permissions", "the data folder is closed"),
        Err(_) => Finding::fault("permissions", "the data folder cannot be looked at", next),
    }
}

/// The alliance's CAs and, where one is named, the pages' certificate.
fn certificates(authority: &Authority, config: &Config, now: i64) -> Vec<Finding> {
    let check = "certificates";
    let reissue = "make a new issuing CA from the offline root: `authority reissue`";
    let found = authority.issuing();
    let issuing = found.first().and_then(|one| ends(one));
    let mut all = vec![match issuing {
        Some(end) => {
            let what = ("the issuing CA", end.saturating_sub(now));
            finding::lasting(check, what, CA_DAYS, reissue)
        }
        None => Finding::fault(check, "the issuing CA cannot be read", reissue),
    }];
    let named = config
        .pages
        .as_ref()
        .and_then(|pages| pages.certificate.as_ref());
    if let Some(path) = named {
        let next = "replace the pages' certificate and key, then start the service again";
        let end = std::fs::read(path).ok().and_then(|pem| pem_ends(&pem));
        all.push(match end {
            Some(end) => {
                let what = ("the pages' certificate", end.saturating_sub(now));
                finding::lasting(check, what, PAGE_DAYS, next)
            }
            None => Finding::fault(check, "the pages' certificate cannot be read", next),
        });
    }
    all
}

fn ends(der: &[u8]) -> Option<i64> {
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn pem_ends(pem: &[u8]) -> Option<i64> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    ends(&CertificateDer::from_pem_slice(pem).ok()?)
}

/// The state, and whether the clock is believed.
async fn kept(office: &Office) -> Vec<Finding> {
    let key = office.authority.signer().public();
    let mut found = vec![match log::fsck(&office.state, &key).await {
        Ok(sound) => Finding::sound("state", format!("sound, {} entries", sound.entries)),
        Err(error) => Finding::fault("state", error.to_string(), "put the newest backup back"),
    }];
    let highest = sqlx::query("select highest from clock where id = 1")
        .fetch_optional(office.state.pool())
        .await;
    let highest = highest
        .ok()
        .flatten()
        .and_then(|row| row.try_get::<i64, _>(0).ok());
    let behind = highest.unwrap_or(0).saturating_sub(office.clock.now().0);
    if behind > schemas::request::SKEW {
        let told = format!("this clock is {behind} seconds behind the time seen before");
        let next =
            "set this machine's clock right (NTP); if it once ran ahead: `run --accept-clock`";
        found.push(Finding::fault("clock", told, next));
    } else {
        found.push(Finding::sound("clock", "not behind the time seen before"));
    }
    let forks = sqlx::query("select origin from forks limit 1").fetch_optional(office.state.pool());
    if let Ok(Some(row)) = forks.await {
        let origin: String = row.try_get(0).unwrap_or_default();
        let next = "its owner explains both checkpoints: `log export` holds them; an old backup does this too";
        found.push(Finding::soon(
            "logs",
            format!("{origin} showed two histories"),
            next,
        ));
    }
    found
}

async fn rules(office: &Office, data: &Path) -> Vec<Finding> {
    let sign = "two administrators sign it: `policy approve --as NAME`";
    let policy = match administrator::check(office, data).await {
        Ok(()) => Finding::sound("policy", "in force, signed by two"),
        Err(error) => Finding::fault("policy", format!("{error:#}"), sign),
    };
    let publish = "`dictionary build`, then `dictionary publish`";
    let published = match dictionary::latest(&office.state, &office.authority).await {
        Ok(Some(_)) => Finding::sound("dictionary", "published"),
        Ok(None) => Finding::soon("dictionary", "none was published", publish),
        Err(error) => Finding::fault("dictionary", error.to_string(), "`log fsck`"),
    };
    vec![policy, published]
}

/// Who waits for approval, and who was not heard of.
async fn members(office: &Office) -> Vec<Finding> {
    let all = match register::members(&office.state).await {
        Ok(all) => all,
        Err(error) => return vec![Finding::fault("members", error.to_string(), "`log fsck`")],
    };
    let now = office.clock.now().0;
    let mut found = Vec::new();
    for member in &all {
        let name = &member.hospital;
        match member.standing.as_str() {
            "pending" => {
                let next = format!(
                    "a second administrator compares the fingerprint: `members approve {name}`"
                );
                found.push(Finding::soon(
                    "members",
                    format!("{name} waits for approval"),
                    next,
                ));
            }
            "active"
                if member
                    .seen
                    .is_none_or(|seen| now.saturating_sub(seen.0) > SILENT) =>
            {
                let next = "its IT runs `consilium-node doctor` there";
                let told = format!("{name} was not heard of for a day or more");
                found.push(Finding::soon("members", told, next));
            }
            _ => {}
        }
    }
    if found.is_empty() {
        found.push(Finding::sound(
            "members",
            format!("{} known, none silent", all.len()),
        ));
    }
    found
}

/// Whether the service runs here and is reached.
fn listening(config: &Config) -> Vec<Finding> {
    let reached = |address: SocketAddr| {
        let mut place = address;
        if address.ip().is_unspecified() {
            place.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        TcpStream::connect_timeout(&place, Duration::from_secs(2)).is_ok()
    };
    let one = |what: &str, address: SocketAddr| {
        if reached(address) {
            Finding::sound("listeners", format!("{what} answers at {address}"))
        } else {
            let next = "start the service (`run`), or mend its address and the firewall";
            Finding::soon(
                "listeners",
                format!("{what} does not answer at {address}"),
                next,
            )
        }
    };
    let mut all = vec![
        one("the port for nodes", config.node_address),
        one("the public port", config.public_address),
    ];
    all.extend(
        config
            .pages
            .as_ref()
            .map(|pages| one("the pages", pages.address)),
    );
    all
}
