use super::*;

#[test]
fn a_password_fits_its_hash_alone() {
    // `printf %s password | argon2 0123456789abcdef -id -k 19456 -t 2 -p 1 -l 32 -r`
    let hashed = Hashed::with("password", *b"0123456789abcdef").unwrap();
    assert!(hashed.fits("password") && !hashed.fits("passwore") && !hashed.fits(""));
    assert_eq!(Hashed::read(&hashed.written()).as_ref(), Some(&hashed));
    assert!(!Hashed::nobody().fits("") && !Hashed::nobody().fits("password"));
    assert_ne!(
        Hashed::new("password").unwrap(),
        Hashed::new("password").unwrap()
    );
    for broken in ["", "argon2id 1 1 1 00 00", "argon2id 19456 2 1 é0 00"] {
        assert_eq!(Hashed::read(broken), None);
    }
    assert_eq!(format!("{hashed:?}"), "Hashed");
}

#[test]
fn generated_passwords_are_acceptable_and_differ() {
    let (one, other) = (generate().unwrap(), generate().unwrap());
    assert!(acceptable(&one).is_ok() && one != other && one.len() == 24);
    for bad in ["short", "with\ncontrol-character", &"x".repeat(201)] {
        assert!(acceptable(bad).is_err(), "{bad}");
    }
    assert!(acceptable("十二个汉字才算够长的口令吧").is_ok());
}

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
