//! `round open|list|show|close|wait`.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use policies::rules::{self, Privacy};
use schemas::id::Slug;
use schemas::round::{Standing, State as RoundState};
use schemas::time::Period;

use super::{Office, write_json};
use crate::ask::{self, Drawn, Order};
use crate::collect::{self, Progress};
use crate::template;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Opens a round from a template.
    #[command(
        after_help = "Example:\n  consilium-coordinator round open yearly-benchmark --period 2025 --deadline 7d --min-answers 5"
    )]
    Open(OpenArgs),
    /// Lists all rounds.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows where a round stands, hospital by hospital.
    Show {
        /// The round.
        id: Slug,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends a round now.
    Close {
        /// The round.
        id: Slug,
    },
    /// Waits until a round has ended. Exit code 0: closed; 3: died; 4: still open.
    Wait {
        /// The round.
        id: Slug,
        /// How long to wait at most, for example `90s`, `10m`, `2h`.
        #[arg(long, default_value = "10m", value_parser = seconds)]
        timeout: i64,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct OpenArgs {
    /// The template.
    template: Slug,
    /// The months asked about: `2025`, `2025-03` or `2025-01..2025-06`.
    #[arg(long, value_parser = ask::period)]
    period: Period,
    /// The hospitals asked, separated by commas; all members without it.
    #[arg(long, value_delimiter = ',')]
    roster: Vec<Slug>,
    /// Time until the deadline, for example `30s`, `12h`, `7d`; at most 60 days.
    #[arg(long, default_value = "7d", value_parser = seconds)]
    deadline: i64,
    /// Fewer answers and the round dies; the template's number without it. Not below the number of
    /// hospitals that the alliance's rules ask of a figure across hospitals (at least 3).
    #[arg(long)]
    min_answers: Option<u32>,
    /// See what would be asked, whom, what it costs and whether it was asked before; open nothing.
    #[arg(long, conflicts_with = "json")]
    dry_run: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Reads `90s`, `10m`, `12h`, `7d` as seconds.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let refused = || "write a whole number and s, m, h or d, for example 7d".to_owned();
    let unit = text.chars().last().ok_or_else(refused)?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(refused()),
    };
    let number = text.strip_suffix(unit).ok_or_else(refused)?;
    let plain = number.len() <= 9 && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = number.parse().map_err(|_| refused())?;
    if plain {
        Ok(number.saturating_mul(each))
    } else {
        Err(refused())
    }
}

pub(super) async fn run(
    office: &Office,
    command: Command,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Open(args) => open(office, args, out).await?,
        Command::List { json } => list(office, json, out).await?,
        Command::Show { id, json } => {
            let progress = progress(office, &id).await?;
            show(&progress, json, out)?;
        }
        Command::Close { id } => {
            let held = ask::find(&office.state, &office.authority, &id).await?;
            let state = collect::close(&office.state, &held, office.clock.now()).await?;
            writeln!(out, "{id} {}", word(state))?;
        }
        Command::Wait { id, timeout } => return wait(office, &id, timeout, out).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(office: &Office, args: OpenArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let templates = template::load(office.config.templates.as_deref())?;
    let template = templates
        .get(&args.template)
        .with_context(|| format!("there is no template `{}`", args.template))?;
    let rules = rules(office)?;
    ask::enough(args.min_answers.or(template.min_answers), &rules)?;
    let order = Order {
        period: args.period,
        roster: args.roster,
        window: args.deadline,
        min_answers: args.min_answers,
    };
    let (state, authority, now) = (&office.state, &office.authority, office.clock.now());
    let drawn = ask::draw(state, authority, template, &rules, &order, now).await?;
    for before in drawn.before.iter().filter(|_| !args.dry_run) {
        tracing::warn!(
            round = %before,
            "asked the very same question: of the same releases hospitals give the same answer again, free of charge"
        );
    }
    if args.dry_run {
        return dry(&drawn, out);
    }
    let left_out = drawn.left_out.clone();
    let held = ask::begin(state, authority, drawn).await?;
    if args.json {
        return write_json(
            out,
            &serde_json::json!({
                "id": held.round.id,
                "digest": held.digest,
                "question": held.round.question.digest()?,
                "rho": held.round.question.rho()?.to_string(),
                "left_out": left_out,
            }),
        );
    }
    writeln!(out, "{}", held.round.id)?;
    for note in left_out {
        tracing::warn!(%note, "left out, the dictionary lacks it");
    }
    Ok(())
}

/// What people need to know of a round before it begins.
fn dry(drawn: &Drawn, out: &mut dyn Write) -> anyhow::Result<()> {
    let round = &drawn.round;
    let period = round.question.period;
    let template = round.template.as_ref().map(ToString::to_string);
    writeln!(
        out,
        "question   {}, {}..{}",
        template.unwrap_or_default(),
        period.from,
        period.to
    )?;
    writeln!(out, "deadline   {}", round.deadline)?;
    let names: Vec<&str> = round.roster.iter().map(Slug::as_str).collect();
    writeln!(
        out,
        "hospitals  {} asked, at least {} answers: {}",
        names.len(),
        round.min_answers,
        names.join(", ")
    )?;
    writeln!(
        out,
        "cost       each hospital ρ {} of each data year",
        drawn.charge
    )?;
    for before in &drawn.before {
        writeln!(
            out,
            "note       `{before}` asked the very same question: of the same releases hospitals give the \
             same answer again, free of charge; `benchmark {before} --out DIR` writes its figures"
        )?;
    }
    for note in &drawn.left_out {
        writeln!(out, "left out   {note}: the dictionary lacks it")?;
    }
    Ok(writeln!(
        out,
        "next       nothing was opened; the same without --dry-run opens it"
    )?)
}

/// The alliance's floors.
pub(super) fn rules(office: &Office) -> anyhow::Result<Privacy> {
    let text = match &office.config.rules {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("`{}` cannot be read", path.display()))?,
        None => rules::DEFAULT.to_owned(),
    };
    Ok(Privacy::parse(&text)?)
}

async fn list(office: &Office, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for held in ask::list(&office.state, &office.authority).await? {
        rows.push(collect::progress(&office.state, &held, office.clock.now()).await?);
    }
    if json {
        return write_json(out, &rows);
    }
    for row in rows {
        let asked = row.hospitals.len();
        let (id, state) = (&row.id, word(row.state));
        writeln!(
            out,
            "{id:<32} {state:<7} {} of {asked} answers",
            row.answers
        )?;
    }
    Ok(())
}

async fn progress(office: &Office, id: &Slug) -> anyhow::Result<Progress> {
    let held = ask::find(&office.state, &office.authority, id).await?;
    Ok(collect::progress(&office.state, &held, office.clock.now()).await?)
}

fn show(progress: &Progress, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return write_json(out, progress);
    }
    writeln!(
        out,
        "{} {}, {} answers of {} needed, {} s left",
        progress.id,
        word(progress.state),
        progress.answers,
        progress.min_answers,
        progress.seconds_left
    )?;
    for (hospital, place) in &progress.hospitals {
        let standing = match place.standing {
            Standing::Waiting => "waiting",
            Standing::Answered => "answered",
            Standing::Declined(reason) => reason.as_str(),
            Standing::Late => "late",
        };
        let heard = place
            .heard_seconds_ago
            .map_or("never heard of".to_owned(), |age| {
                format!("heard {age} s ago")
            });
        writeln!(out, "  {hospital:<24} {standing:<16} {heard}")?;
    }
    Ok(())
}

async fn wait(
    office: &Office,
    id: &Slug,
    timeout: i64,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let end = office.clock.now().0.saturating_add(timeout);
    loop {
        let held = ask::find(&office.state, &office.authority, id).await?;
        let code = match held.state {
            RoundState::Closed => 0,
            RoundState::Dead => 3,
            RoundState::Open if office.clock.now().0 >= end => 4,
            RoundState::Open => {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        show(&progress(office, id).await?, false, out)?;
        return Ok(ExitCode::from(code));
    }
}

fn word(state: RoundState) -> &'static str {
    match state {
        RoundState::Open => "open",
        RoundState::Closed => "closed",
        RoundState::Dead => "dead",
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_read() {
        for (text, expected) in [("90s", 90), ("10m", 600), ("7d", 604_800)] {
            assert_eq!(seconds(text), Ok(expected));
        }
        for bad in ["", "7", "d", "-1d", "1.5h", "7天", "9999999999d"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
