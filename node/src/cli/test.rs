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

async fn run_line(line: &[&str]) -> anyhow::Result<String> {
    let mut out = Vec::new();
    let cli = Cli::try_parse_from(std::iter::once(&"consilium-node").chain(line))?;
    run(cli, &mut out).await?;
    Ok(String::from_utf8(out)?)
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
    two_officers_sign(&node).await;
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
        let told = run_line(&dry).await.unwrap();
        assert!(told.contains("at most: ρ 0.04"), "{told}");
        assert!(told.contains(verdict), "{told}");
        if rho == "0.05" {
            let spend: Vec<&str> = ask.into_iter().chain(["--spend"]).collect();
            assert!(run_line(&spend).await.is_err());
        }
    }
}

async fn at(node: &str, words: &[&str]) -> anyhow::Result<String> {
    let words: Vec<&str> = ["--data", node].into_iter().chain(words.to_vec()).collect();
    run_line(&words).await
}

/// Three officers, two signatures, and a template that stands.
async fn two_officers_sign(node: &str) {
    let policy = at(node, &["policy", "show"]).await.unwrap();
    assert!(policy.contains("\"free_question\": 40000000"), "{policy}");
    assert!(policy.contains("not in force"), "{policy}");
    let dry = ["ask", "yearly-benchmark", "--period", "2025", "--dry-run"];
    assert!(at(node, &dry).await.is_err(), "nobody signed the policy");
    at(node, &["officer", "add", "a", "--role", "steward"])
        .await
        .unwrap();
    assert!(
        at(node, &["officer", "add", "b", "--role", "finance"])
            .await
            .is_err()
    );
    at(node, &["officer", "add", "b", "--role", "security_officer"])
        .await
        .unwrap();
    assert!(
        at(node, &["officer", "add", "c", "--role", "steward"])
            .await
            .is_err()
    );
    let key = |name: &str| format!("{name}={node}/keys/officer-{name}.pk8");
    let (a, b) = (key("a"), key("b"));
    let third = ["officer", "add", "c", "--role", "steward", "--by", &a];
    assert!(at(node, &third).await.is_err(), "one signature");
    let third = [
        "officer", "add", "c", "--role", "steward", "--by", &a, "--by", &b,
    ];
    at(node, &third).await.unwrap();
    assert_eq!(
        at(node, &["officer", "list"])
            .await
            .unwrap()
            .lines()
            .count(),
        3
    );
    assert!(
        at(node, &["policy", "approve", "--as", "a"])
            .await
            .unwrap()
            .contains("1 of 2")
    );
    assert!(at(node, &dry).await.is_err(), "one of two signed");
    assert!(
        at(node, &["policy", "approve", "--as", "c"])
            .await
            .unwrap()
            .contains("2 of 2")
    );
    assert!(
        at(node, &["policy", "show"])
            .await
            .unwrap()
            .contains("signed by a, c")
    );
    a_template_stands(node).await;
}

async fn a_template_stands(node: &str) {
    let stand = [
        "steward",
        "standing",
        "add",
        "yearly-benchmark",
        "--until",
        "2030-01-31",
    ];
    let as_b: Vec<&str> = stand.into_iter().chain(["--as", "b"]).collect();
    assert!(
        at(node, &as_b).await.is_err(),
        "the second officer decides on no question"
    );
    let as_a: Vec<&str> = stand.into_iter().chain(["--as", "a"]).collect();
    at(node, &as_a).await.unwrap();
    let standing = at(node, &["steward", "standing", "list"]).await.unwrap();
    assert_eq!(
        standing,
        "yearly-benchmark@1 until 2030-01-31, signed by a\n"
    );
    assert!(
        at(node, &["steward", "inbox"])
            .await
            .unwrap()
            .contains("nothing waits")
    );
}
