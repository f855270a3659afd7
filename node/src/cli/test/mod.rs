mod inside;
mod officers;

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_command_line_is_sound_and_every_command_shows_an_example() {
    let mut command = Cli::command();
    command.build();
    command.clone().debug_assert();
    let mut waiting = vec![command];
    while let Some(command) = waiting.pop() {
        let below: Vec<_> = command.get_subcommands().cloned().collect();
        if below.is_empty() && command.get_name() != "help" {
            let help = command.clone().render_long_help().to_string();
            assert!(help.contains("Example:"), "{}", command.get_name());
        }
        waiting.extend(
            below
                .into_iter()
                .filter(|command| command.get_name() != "help"),
        );
    }
}

/// What a command prints, and how it ends.
async fn run_both(line: &[&str]) -> (String, anyhow::Result<()>) {
    let mut out = Vec::new();
    let done = match Cli::try_parse_from(std::iter::once(&"consilium-node").chain(line)) {
        Ok(cli) => Box::pin(run(cli, &mut out)).await,
        Err(error) => Err(error.into()),
    };
    (String::from_utf8(out).unwrap(), done)
}

async fn run_line(line: &[&str]) -> anyhow::Result<String> {
    let (out, done) = run_both(line).await;
    done.map(|()| out)
}

/// The refusal of a command, in words.
async fn refusal(line: &[&str]) -> String {
    format!("{:#}", run_both(line).await.1.unwrap_err())
}

#[tokio::test]
async fn from_nothing_to_a_released_month() {
    use crate::load::fixture::{HEADER, MAPPING, dictionary, row};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (node, csv, mapping, json) = (at("node"), at("a.csv"), at("m.toml"), at("d.json"));
    let lines = format!("{HEADER}\n{}\n", row("s", "p", "2025-03", "FR19"));
    std::fs::write(&csv, lines).unwrap();
    std::fs::write(&mapping, MAPPING).unwrap();
    let (signer, _) = schemas::seal::Signer::generate().unwrap();
    let sealed = schemas::seal::Sealed::seal(&signer, &dictionary()).unwrap();
    std::fs::write(&json, serde_json::to_vec(&sealed).unwrap()).unwrap();
    let key = serde_json::to_value(signer.public()).unwrap();
    let key = key.as_str().unwrap();
    let data = ["--data", &node];
    let with = |rest: &[&'static str]| -> Vec<String> {
        data.iter().chain(rest).map(ToString::to_string).collect()
    };
    run_line(&["--data", &node, "init", "--hospital", "h1"])
        .await
        .unwrap();
    let file = ["--mapping", &mapping, "--history"];
    let load: Vec<&str> = ["--data", &node, "load", &csv]
        .into_iter()
        .chain(file)
        .collect();
    assert!(run_line(&load).await.is_err(), "no dictionary yet");
    let unsigned = [
        "--data",
        &node,
        "dictionary",
        "accept",
        &json,
        "--unsigned-for-trial",
    ];
    assert!(
        run_line(&unsigned).await.is_err(),
        "a signed one is not a plain one"
    );
    let accept = ["--data", &node, "dictionary", "accept", &json];
    assert!(run_line(&accept).await.is_err(), "no key yet");
    let accept: Vec<&str> = accept.into_iter().chain(["--alliance-key", key]).collect();
    run_line(&accept).await.unwrap();
    run_line(&["--data", &node, "dictionary", "accept", &json])
        .await
        .unwrap();
    let checked: Vec<&str> = ["--data", &node, "check", &csv]
        .into_iter()
        .chain(file)
        .collect();
    assert!(
        run_line(&checked)
            .await
            .unwrap()
            .contains("nothing was kept")
    );
    run_line(&load).await.unwrap();
    for rest in [&["months"][..], &["release", "all", "--officer", "Li Hua"]] {
        let line = with(rest);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        assert!(run_line(&line).await.unwrap().contains("2025-03"));
    }

    // What one free question may cost is shown before anything is spent.
    officers::two_sign(&node).await;
    for (rho, verdict) in [
        ("0.04", "would be answered"),
        ("0.05", "would be refused: allowance.free_question"),
    ] {
        let question = at(rho);
        let text = format!(
            "id = \"own\"\nversion = 1\nlabel = {{ zh = \"问\", en = \"q\" }}\npurpose = \"free\"\n\
             release = \"attributed\"\nbounds = {{ groups = 1, stays = 1 }}\n[[tables]]\nby = []\n\
             blocks = [{{ measure = {{ kind = \"count\" }}, rho = \"{rho}\" }}]"
        );
        std::fs::write(&question, text).unwrap();
        let ask = ["--data", &node, "ask", &question, "--period", "2025-03"];
        let dry: Vec<&str> = ask.into_iter().chain(["--dry-run"]).collect();
        let (mut told, done) = run_both(&dry).await;
        assert!(told.contains("at most: ρ 0.04"), "{told}");
        assert_eq!(done.is_ok(), rho == "0.04");
        if let Err(error) = done {
            told = format!("{error:#}");
        }
        assert!(told.contains(verdict), "{told}");
        if rho == "0.05" {
            let spend: Vec<&str> = ask.into_iter().chain(["--spend"]).collect();
            assert!(run_line(&spend).await.is_err());
        }
    }
    pooled_is_the_alliances(&node, &at("0.04")).await;
}

/// A pooled question is the alliance's to open: no spending here is promised.
async fn pooled_is_the_alliances(node: &str, plain: &str) {
    let question = format!("{plain}-pooled");
    let text = std::fs::read_to_string(plain).unwrap();
    std::fs::write(&question, text.replace("attributed", "pooled")).unwrap();
    let ask = ["--data", node, "ask", &question, "--period", "2025-03"];
    let dry: Vec<&str> = ask.into_iter().chain(["--dry-run"]).collect();
    let told = run_line(&dry).await.unwrap();
    assert!(
        told.contains("pooled open") && !told.contains("--spend"),
        "{told}"
    );
    let spend: Vec<&str> = ask.into_iter().chain(["--spend"]).collect();
    let told = refusal(&spend).await;
    assert!(told.contains("consilium-coordinator pooled open"), "{told}");
}

/// A fingerprint counts in digits of either case.
#[test]
fn a_fingerprint_is_accepted_as_people_write_it() {
    let print = "AB".repeat(32);
    let words = [
        "consilium-node",
        "pooled",
        "accept",
        "h02",
        &print,
        "--as",
        "li",
    ];
    assert!(Cli::try_parse_from(words).is_ok());
    let words = words.map(|word| word.strip_suffix("AB").unwrap_or(word));
    assert!(Cli::try_parse_from(words).is_err(), "two digits too few");
}

async fn at(node: &str, words: &[&str]) -> anyhow::Result<String> {
    let words: Vec<&str> = ["--data", node].into_iter().chain(words.to_vec()).collect();
    run_line(&words).await
}

/// A node with a dictionary; its folder, and those of a mapping and of files.
struct Made {
    folder: tempfile::TempDir,
    node: String,
    mapping: String,
}

impl Made {
    async fn new() -> Self {
        use crate::load::fixture::{MAPPING, dictionary};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (node, mapping, json) = (at("node"), at("m.toml"), at("d.json"));
        std::fs::write(&mapping, MAPPING).unwrap();
        std::fs::write(&json, serde_json::to_vec(&dictionary()).unwrap()).unwrap();
        let made = run_line(&["--data", &node, "init", "--hospital", "h1"])
            .await
            .unwrap();
        assert!(
            made.contains(&format!("next: consilium-node --data {node} enrol -")),
            "{made}"
        );
        let accept = ["dictionary", "accept", &json, "--unsigned-for-trial"];
        let accept: Vec<&str> = ["--data", &node].into_iter().chain(accept).collect();
        run_line(&accept).await.unwrap();
        Self {
            folder,
            node,
            mapping,
        }
    }

    fn file(&self, name: &str, lines: &[String]) -> String {
        let path = self.folder.path().join(name);
        let header = crate::load::fixture::HEADER;
        std::fs::write(&path, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
        path.display().to_string()
    }

    fn reading<'a>(&'a self, command: &'a str, file: &'a str) -> [&'a str; 7] {
        let mapping = self.mapping.as_str();
        [
            "--data",
            &self.node,
            command,
            file,
            "--mapping",
            mapping,
            "--history",
        ]
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_said_with_what_to_do() {
    let made = Made::new().await;
    let again = refusal(&["--data", &made.node, "init", "--hospital", "h2"]).await;
    assert!(
        again.contains("hospital `h1` exists") && again.contains("node.toml"),
        "{again}"
    );
    let fetch = refusal(&["--data", &made.node, "dictionary", "fetch"]).await;
    let enrol = format!("first: consilium-node --data {} enrol -", made.node);
    assert!(fetch.contains(&enrol), "{fetch}");
    let gone = refusal(&made.reading("check", "no/such.csv")).await;
    assert!(gone.contains("`no/such.csv` could not be read"), "{gone}");
    let period = [
        "--data",
        &made.node,
        "ask",
        "x",
        "--period",
        "March",
        "--dry-run",
    ];
    assert!(refusal(&period).await.contains("2025-01..2025-06"));
    let help = Cli::command().render_long_help().to_string();
    assert!(help.contains("Exit codes:"));
}

#[tokio::test]
async fn a_check_fails_where_nothing_or_only_bad_months_would_load() {
    use crate::load::fixture::row;
    let made = Made::new().await;
    let bad: Vec<String> = (0..4)
        .map(|n| row(&format!("b{n}"), "p", "2025-03", "?"))
        .collect();
    let none = made.file("none.csv", &bad);
    let (out, done) = run_both(&made.reading("check", &none)).await;
    assert!(out.contains("0 kept, 4 in quarantine"), "{out}");
    assert!(format!("{:#}", done.unwrap_err()).contains("code-shape"));
    let mut half = bad.clone();
    half.push(row("s", "p", "2025-03", "FR19"));
    let half = made.file("half.csv", &half);
    let (out, done) = run_both(&made.reading("check", &half)).await;
    assert!(
        out.contains("grade D for accuracy 20: code-shape (4 rows)"),
        "{out}"
    );
    assert!(format!("{:#}", done.unwrap_err()).contains("grade D: 2025-03"));
}

#[tokio::test]
async fn each_step_names_its_reports_and_the_next() {
    use crate::load::fixture::row;
    let made = Made::new().await;
    let lines: Vec<String> = (0..4)
        .map(|n| row(&format!("s{n}"), "p", "2025-03", "FR19"))
        .collect();
    let file = made.file("a.csv", &lines);
    let checked = run_line(&made.reading("check", &file)).await.unwrap();
    let line = made.reading("load", &file);
    let next = format!("next: consilium-node {}", line.join(" "));
    assert!(checked.contains(&next), "{checked}");
    let loaded = run_line(&line).await.unwrap();
    assert!(
        loaded.contains("2025: 1 patients, 4 stays, most of one patient: 4"),
        "{loaded}"
    );
    assert!(loaded.contains("k 4 (smallest class), l 1"), "{loaded}");
    assert!(
        loaded.contains("release 2025-03 --officer NAME"),
        "{loaded}"
    );
    for (name, role) in [("a", "steward"), ("b", "security_officer")] {
        let add = ["officer", "add", name, "--role", role];
        at(&made.node, &add).await.unwrap();
        let approve = ["policy", "approve", "--as", name];
        at(&made.node, &approve).await.unwrap();
    }
    let dry = ["ask", "yearly-benchmark", "--period", "2025", "--dry-run"];
    let dry: Vec<&str> = ["--data", &made.node].into_iter().chain(dry).collect();
    let refused = refusal(&dry).await;
    assert!(
        refused.contains("would be refused: no month of the period is released"),
        "{refused}"
    );
    let officer = [
        "--data",
        &made.node,
        "release",
        "2025-03",
        "--officer",
        "Li Hua",
    ];
    let released = run_line(&officer).await.unwrap();
    for output in [&loaded, &released] {
        let report = |name: &str| {
            let path = output.split_whitespace().find(|word| word.ends_with(name));
            Path::new(path.unwrap()).is_file()
        };
        assert!(
            report("quarantine.csv") && report("quality.txt"),
            "{output}"
        );
        assert!(report("deidentification.txt"), "{output}");
    }
    assert!(released.contains("k 4 (smallest class), l 1"), "{released}");
    assert!(
        released.contains("ask yearly-benchmark --period 2025 --dry-run"),
        "{released}"
    );
    let dry = run_line(&dry).await.unwrap();
    assert!(
        dry.contains("thousandths of the reference")
            && dry.contains("improved, where peers")
            && dry.contains("improved, agreed with the case groups")
            && dry.contains("least error of the means at the same cost")
            && dry.contains("--spend"),
        "{dry}"
    );
    let log = run_line(&["--data", &made.node, "log", "show"])
        .await
        .unwrap();
    assert!(log.lines().all(|line| line.contains("Z ")), "{log}");
}
