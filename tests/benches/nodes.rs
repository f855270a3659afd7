//! One coordinator process and many members over TLS on this machine: `bench nodes [N] [GROUPS]` prints how
//! busy it is while all of them wait, how long a round of N answers takes them, and what the benchmark costs.
//!
//! Members are real links with keys, certificates and logs of their own in this process, which waits and
//! answers for all of them on the same cores; their answers are made up and signed before any is sent.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use coordinator::authority::Authority;
use coordinator::clock::Clock;
use coordinator::store::state::State;
use coordinator::{ask, membership, register, template};
use node::config::keys::Keys;
use node::enrol::enrol;
use node::ledger::Identity;
use node::link::{self, Desk, Link, Sent};
use node::store::dictionaries;
use policies::plan::{Layout, compile};
use policies::rules::{DEFAULT, Privacy};
use schemas::answer::Answer;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::enrolment::Fingerprint;
use schemas::id::Slug;
use schemas::question::Measure;
use schemas::round::{Reply, Round, Said, State as Stage};
use schemas::seal::{Sealed, Signer};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::millis;

/// How long the waiting is watched.
const IDLE: Duration = Duration::from_secs(30);
/// Answers that are on their way at one time: members answer at moments of their own.
const AT_ONCE: usize = 64;

struct Member {
    folder: TempDir,
    hospital: Slug,
    signer: Signer,
    state: node::store::state::State,
}

pub(super) fn run(words: &[String], bin: &Path) -> anyhow::Result<()> {
    let number = |place: usize, usual: usize| {
        let word = words.get(place).map(|word| word.parse());
        word.unwrap_or(Ok(usual)).context("a number")
    };
    let (members, groups) = (number(1, 1_000)?, number(2, 280)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(bench(members, groups, bin))
}

/// The coordinator's process; ended with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            let _gone = self.0.wait();
        }
    }
}

impl Process {
    /// Processor seconds so far, and the most memory it had, in MiB.
    fn spent(&self) -> anyhow::Result<(f64, u64)> {
        let pid = self.0.id();
        let ran = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let fields: Vec<&str> = ran
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok());
        let (user, system) = (ticks(12), ticks(13));
        let all = user.zip(system).map(|(user, system)| user + system);
        let seconds = all.context("/proc tells no time")? / 100.0;
        Ok((seconds, most(pid)?))
    }
}

/// The most memory that a process had, in MiB.
pub(super) fn most(pid: u32) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .unwrap_or_default()
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kib / 1024)
}

fn addresses() -> anyhow::Result<[SocketAddr; 2]> {
    let bound = [
        TcpListener::bind("127.0.0.1:0")?,
        TcpListener::bind("127.0.0.1:0")?,
    ];
    Ok([bound[0].local_addr()?, bound[1].local_addr()?])
}

/// A new alliance with a dictionary of made-up case groups, and its process.
fn found(home: &Path, groups: usize, bin: &Path) -> anyhow::Result<(Process, SocketAddr)> {
    let tool = bin.join("consilium-coordinator");
    let hub = home.join("hub");
    let call = |words: &[&str]| -> anyhow::Result<()> {
        let output = Command::new(&tool)
            .arg("--data")
            .arg(&hub)
            .args(words)
            .output()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{words:?}: {told}");
        Ok(())
    };
    let [nodes, public] = addresses()?;
    let (nodes, at) = (nodes.to_string(), public.to_string());
    call(&[
        "init",
        "--alliance",
        "bench",
        "--host",
        "localhost",
        "--node-address",
        &nodes,
        "--public-address",
        &at,
    ])?;
    // All members come from one address here.
    let settings = hub.join("coordinator.toml");
    let text = std::fs::read_to_string(&settings)?;
    let text = text.replace("connections = 512", "connections = 4096");
    let text = text.replace(
        "connections_per_address = 128",
        "connections_per_address = 4096",
    );
    std::fs::write(&settings, text)?;
    let mut table = String::from("code,name_zh,name_en,mdc,weight,cost_fen,charge_fen,los_milli\n");
    for n in 0..groups {
        writeln!(table, "G{n:03},组{n},Group {n},MDCE,1.0,800000,900000,7000")?;
    }
    let (listed, built) = (home.join("groups.csv"), home.join("dictionary.json"));
    std::fs::write(&listed, table)?;
    let (listed, built) = (listed.to_string_lossy(), built.to_string_lossy());
    call(&[
        "dictionary",
        "build",
        "--plan",
        "chs",
        "--table",
        &listed,
        "--out",
        &built,
    ])?;
    call(&["dictionary", "publish", &built])?;
    for name in ["first", "second"] {
        call(&["administrator", "add", name])?;
    }
    for name in ["first", "second"] {
        call(&["policy", "approve", "--as", name])?;
    }
    let log = std::fs::File::create(home.join("hub.log"))?;
    let mut child = Command::new(&tool);
    let child = child
        .arg("--data")
        .arg(&hub)
        .arg("run")
        .stdout(log.try_clone()?)
        .stderr(log);
    let process = Process(child.spawn()?);
    for _ in 0..400 {
        if TcpStream::connect(public).is_ok() {
            return Ok((process, public));
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    bail!("nobody listens on {public}");
}

/// Lets one hospital in.
async fn join(
    state: &State,
    authority: &Authority,
    (url, n): (&str, usize),
) -> anyhow::Result<Member> {
    let hospital: Slug = format!("h{n:04}").parse()?;
    let folder = tempfile::tempdir()?;
    let signer = Keys::open(folder.path())?.make_message_key()?;
    let now = Clock::System.now();
    let first: Slug = "first".parse()?;
    let code = register::invite(state, authority, url, &hospital, &first, now).await?;
    let certificate = enrol(folder.path(), &hospital, &signer, &code, None).await?;
    let said = Fingerprint::of(&certificate, &signer.public());
    membership::approve(state, &hospital, said, &"second".parse()?, now).await?;
    let state = node::store::state::State::open(folder.path()).await?;
    let link = Link::open(folder.path(), &hospital, None, node::clock::Clock::System)?;
    let dictionary = link::fetch(&link, folder.path()).await?;
    dictionaries::accept(&state, &dictionary, true, now).await?;
    Ok(Member {
        folder,
        hospital,
        signer,
        state,
    })
}

impl Member {
    fn link(&self) -> anyhow::Result<Link> {
        Ok(Link::open(
            self.folder.path(),
            &self.hospital,
            None,
            node::clock::Clock::System,
        )?)
    }

    /// The loop of a running node; there is no round.
    async fn wait(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let (link, clock) = (self.link()?, node::clock::Clock::System);
        let desk = Desk {
            link: &link,
            state: &self.state,
            signer: &self.signer,
            hospital: &self.hospital,
            folder: self.folder.path(),
            clock: &clock,
            tick: Duration::from_millis(100),
        };
        let nothing = async |_: &Round, _: Digest| Ok::<_, std::fmt::Error>(None);
        link::run(&desk, nothing, stop).await;
        Ok(())
    }

    /// A signed answer of the round's shape: about 200 stays in each case group.
    fn answer(
        &self,
        (held, layout): (&ask::Held, &Layout),
        n: usize,
    ) -> anyhow::Result<Sealed<Reply>> {
        let spread = i64::try_from(n % 40)?;
        let block = |block: &policies::plan::BlockLayout| {
            let each = match &block.measure {
                Measure::Count => 180 + spread,
                Measure::Histogram { .. } => 6 + spread / 8,
                Measure::Squares { .. } => 220_000_000 + 1_000_000 * spread,
                _ => 190_000 + 1_000 * spread,
            };
            Some(vec![each; layout.numbers(block)])
        };
        let answer = Answer {
            question: held.round.question.digest()?,
            hospital: self.hospital.clone(),
            snapshots: Vec::new(),
            mechanism: Identity::new(layout.clone(), Vec::new())?.mechanism(),
            policy: Digest::of("consilium-bench", &[]),
            blocks: layout.blocks.iter().map(block).collect(),
        };
        let reply = Reply {
            round: held.digest,
            hospital: self.hospital.clone(),
            said: Said::Answered(Sealed::seal(&self.signer, &answer)?),
            log_head: Digest::ZERO,
        };
        Ok(Sealed::seal(&self.signer, &reply)?)
    }
}

async fn bench(count: usize, groups: usize, bin: &Path) -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    let (process, public) = found(home.path(), groups, bin)?;
    let hub = home.path().join("hub");
    let state = State::open(&hub).await?;
    let authority = Authority::open(&hub, &"bench".parse()?)?;
    let url = format!("https://localhost:{}", public.port());
    let begun = Instant::now();
    let mut members = Vec::with_capacity(count);
    for n in 0..count {
        members.push(Arc::new(join(&state, &authority, (&url, n)).await?));
    }
    let each = millis(begun) / f64::from(u32::try_from(count)?);
    println!("{count} hospitals joined, {each:.1} ms each");
    idle(&process, &members).await?;
    round((&process, &hub), (&state, &authority), &members, bin).await
}

/// All of them wait for rounds and exchange logs as running nodes do.
async fn idle(process: &Process, members: &[Arc<Member>]) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut waiting = JoinSet::new();
    for member in members {
        let (member, stop) = (Arc::clone(member), stop.clone());
        waiting.spawn(async move { member.wait(&stop).await });
    }
    // Until every log was told of and the first long polls hang.
    let mut before = process.spent()?;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let now = process.spent()?;
        let busy = (now.0 - before.0) / 10.0;
        println!("{:.0} % of a core after the start", 100.0 * busy);
        before = now;
        if busy < 0.3 {
            break;
        }
    }
    tokio::time::sleep(IDLE).await;
    let now = process.spent()?;
    let busy = 100.0 * (now.0 - before.0) / IDLE.as_secs_f64();
    println!(
        "{} waiting: {busy:.1} % of a core, {} MiB at most so far",
        members.len(),
        now.1
    );
    stop.cancel();
    while let Some(ended) = waiting.join_next().await {
        ended??;
    }
    Ok(())
}

/// One round: every answer, the end, and the benchmark.
async fn round(
    (process, hub): (&Process, &Path),
    (state, authority): (&State, &Authority),
    members: &[Arc<Member>],
    bin: &Path,
) -> anyhow::Result<()> {
    let templates = template::load(None)?;
    let yearly = templates.get("yearly-benchmark").context("a template")?;
    let rules = Privacy::parse(DEFAULT)?;
    let order = ask::Order {
        period: ask::period("2025")?,
        roster: Vec::new(),
        window: 3600,
        min_answers: None,
    };
    let drawn = ask::draw(
        state,
        authority,
        yearly,
        &rules,
        &order,
        Clock::System.now(),
    )
    .await?;
    let held = ask::begin(state, authority, drawn).await?;
    let first = members.first().context("a member")?;
    let offered: Sealed<Dictionary> =
        serde_json::from_slice(&std::fs::read(link::offered(first.folder.path()))?)?;
    let dictionary = offered.open(first.link()?.alliance_key())?;
    let layout = compile(&held.round.question, &dictionary, &rules)?;
    let cells: usize = layout
        .blocks
        .iter()
        .map(|block| layout.numbers(block))
        .sum();
    let mut replies = Vec::with_capacity(members.len());
    for (n, member) in members.iter().enumerate() {
        let link = member.link()?;
        ensure!(
            !link.rounds(0).await?.is_empty(),
            "the round is not offered"
        );
        replies.push((link, member.answer((&held, &layout), n)?));
    }
    let (gate, digest) = (Arc::new(Semaphore::new(AT_ONCE)), held.digest);
    let (begun, before) = (Instant::now(), process.spent()?);
    let mut sending = JoinSet::new();
    for (link, reply) in replies {
        let gate = Arc::clone(&gate);
        sending.spawn(async move {
            let _turn = gate.acquire().await?;
            let start = Instant::now();
            let sent = link.reply(&digest, &reply).await?;
            ensure!(
                sent == Sent::Acknowledged,
                "an answer was not taken: {sent:?}"
            );
            anyhow::Ok(millis(start))
        });
    }
    let mut times = Vec::with_capacity(members.len());
    while let Some(sent) = sending.join_next().await {
        times.push(sent??);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .unwrap_or(f64::NAN)
    };
    let (all, after) = (begun.elapsed().as_secs_f64(), process.spent()?);
    println!(
        "{} answers of {cells} cells, {AT_ONCE} at a time: {all:.1} s, median {:.0} ms, p99 {:.0} ms each; {:.1} s of a core, {} MiB at most",
        times.len(),
        at(50),
        at(99),
        after.0 - before.0,
        after.1
    );
    for _ in 0..200 {
        let now = ask::find(state, authority, &held.round.id).await?;
        if now.state == Stage::Closed {
            let id = held.round.id.as_str();
            let mut stages = Command::new(std::env::current_exe()?);
            let done = stages.arg("merged").arg(hub).arg(id).status()?;
            ensure!(done.success(), "the round was not merged");
            return benchmark(hub, id, bin);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the round did not close");
}

/// Reading, verifying, merging all answers, the figures and the report's files.
fn benchmark(hub: &Path, round: &str, bin: &Path) -> anyhow::Result<()> {
    let out = hub.with_file_name("report");
    let begun = Instant::now();
    let mut tool = Command::new(bin.join("consilium-coordinator"));
    let mut child = tool
        .arg("--data")
        .arg(hub)
        .args(["benchmark", round, "--out"])
        .arg(&out)
        .spawn()?;
    let mut memory = 0;
    let status = loop {
        memory = memory.max(most(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    ensure!(status.success(), "the benchmark was not written");
    println!(
        "benchmark of the round, report included: {:.2} s, {memory} MiB at most",
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}
