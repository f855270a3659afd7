use super::*;

#[tokio::test]
async fn accounts_come_change_and_go_and_the_log_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).await.unwrap();
    let slug = |text: &str| text.parse::<Slug>().unwrap();
    let account = Account {
        name: slug("li"),
        role: Role::Auditor,
        changed: Timestamp(5),
    };
    let by = slug("wang-fang");
    assert!(matches!(
        set(&state, &account, "long enough one", (&by, false)).await,
        Err(AccountError::Unknown(_))
    ));
    set(&state, &account, "long enough one", (&by, true))
        .await
        .unwrap();
    assert!(matches!(
        set(&state, &account, "long enough one", (&by, true)).await,
        Err(AccountError::Known(_))
    ));
    let later = Account {
        changed: Timestamp(6),
        ..account.clone()
    };
    set(&state, &later, "another long one", (&by, false))
        .await
        .unwrap();
    let (found, hashed) = find(&state, &slug("li")).await.unwrap().unwrap();
    assert!(found == later && hashed.fits("another long one") && !hashed.fits("long enough one"));
    remove(&state, &slug("li"), &by, Timestamp(7))
        .await
        .unwrap();
    assert!(all(&state).await.unwrap().is_empty());
    let kinds: Vec<String> = state
        .log()
        .await
        .unwrap()
        .iter()
        .map(|one| one.kind.to_string())
        .collect();
    assert_eq!(kinds, ["account", "account-password", "account-removed"]);
}
