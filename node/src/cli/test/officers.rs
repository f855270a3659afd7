//! Officers of a hospital, by their commands.

use super::at;

/// Three officers, two signatures, and a template that stands.
pub(super) async fn two_sign(node: &str) {
    let policy = at(node, &["policy", "show"]).await.unwrap();
    let most = policy
        .lines()
        .find(|line| line.starts_with("one free question"));
    assert!(most.unwrap().contains("40000000"), "{policy}");
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
        "yearly-benchmark@2 until 2030-01-31, signed by a\n"
    );
    assert!(
        at(node, &["steward", "inbox"])
            .await
            .unwrap()
            .contains("nothing waits")
    );
}
