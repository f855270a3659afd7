//! `init`: a new alliance.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use schemas::id::Slug;

use crate::authority::Authority;
use crate::clock::Clock;
use crate::config::{self, Config, Limits};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator init --alliance river --data /srv/consilium --host coordinator.example.org"
)]
pub(super) struct Args {
    /// Name of the alliance.
    #[arg(long)]
    alliance: Slug,
    /// A name or address under which nodes reach the coordinator; the first stands in join codes.
    #[arg(long = "host", required = true)]
    hosts: Vec<String>,
    /// A new folder for the root's key, on a medium that is then kept offline. Without it, beside
    /// the data folder, with `-root` at the end of its name.
    #[arg(long)]
    root: Option<PathBuf>,
    /// Where the listener for nodes binds.
    #[arg(long, default_value = "127.0.0.1:7443")]
    node_address: SocketAddr,
    /// Where the public listener binds.
    #[arg(long, default_value = "127.0.0.1:7444")]
    public_address: SocketAddr,
}

pub(super) fn run(data: &Path, args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let host = args.hosts.first().context("at least one --host")?;
    let url = |address: SocketAddr| format!("https://{host}:{}", address.port());
    let config = Config {
        alliance: args.alliance.clone(),
        node_address: args.node_address,
        public_address: args.public_address,
        node_url: url(args.node_address),
        public_url: url(args.public_address),
        hosts: args.hosts.clone(),
        templates: None,
        rules: None,
        pages: None,
        limits: Limits::default(),
        data: None,
    };
    config.check()?;
    let path = data.join(config::FILE);
    ensure!(
        !path.exists(),
        "`{}` exists: this folder holds an alliance already",
        path.display()
    );
    let apart = match &args.root {
        Some(root) => root.clone(),
        None => beside(data).context("name a folder for the root's key with --root")?,
    };
    for folder in [data, &apart] {
        make_folder(folder).with_context(|| format!("`{}`", folder.display()))?;
    }
    ensure!(
        apart.canonicalize()? != data.canonicalize()?,
        "the root's key goes to a folder of its own: --root"
    );
    let root = Authority::create(data, &args.alliance, Clock::System.now())?;
    root.keep(&apart)?;
    // The settings come last: a folder without them is not an alliance.
    std::fs::write(&path, toml::to_string(&config)?)
        .with_context(|| format!("`{}`", path.display()))?;
    let authority = Authority::open(data, &args.alliance)?;
    writeln!(out, "alliance    {}", args.alliance)?;
    writeln!(out, "root CA     {}", authority.ca_digest())?;
    let key = authority.signer().public().fingerprint();
    writeln!(out, "message key {key}")?;
    writeln!(out, "settings    {}", path.display())?;
    writeln!(out, "root key    {}", apart.display())?;
    writeln!(
        out,
        "            move this folder to an offline medium now; only `authority reissue` needs it"
    )?;
    Ok(())
}

/// `data-root` beside `data`; none where the data folder has no name, like `.` or `/`.
fn beside(data: &Path) -> Option<PathBuf> {
    let mut name = data.file_name()?.to_owned();
    name.push("-root");
    Some(data.with_file_name(name))
}

/// A folder that only its owner enters.
fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    // A folder that was there before may be open to others.
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}
