//! What is refused, and that nothing is told that should not be.

use super::server::Kind;
use super::{Database, SECRET, lines, mapping, said};
use crate::hospital::Hospital;

async fn refused(kind: Kind) {
    let Some(database) = Database::start(kind).await else {
        return;
    };
    let hospital = Hospital::new("h01").await;
    database.add(&lines(0, 30), None).await;
    let before = hospital.trace().await;
    let text = mapping();
    for (from, to, told) in [
        (
            "reporting.stays",
            "reporting.stay",
            "no view of the mapping's name",
        ),
        (
            "reporting.stays",
            "reporting.st ays",
            "names of views and columns",
        ),
        (
            "reporting.stays",
            "reporting.s\\\"; drop table his.stays",
            "names of views",
        ),
        ("\"changed_at\"", "\"changed\"", "lacks `changed`"),
        ("\"changed_at\"", "\"drg\"", "a watermark is"),
        ("[\"settlement_no\"]", "[]", "at least one column"),
        ("\"discharge_date\"", "\"discharged\"", "lacks `discharged`"),
    ] {
        assert!(text.contains(from), "{from}");
        let said = database.run(&hospital, "load", &text.replace(from, to));
        assert!(!said.ok && said.err.contains(told), "{to}: {}", said.err);
    }
    // The address: wrong password, nobody there, no address, one that others can read.
    for (url, told) in [
        (
            database.server.url("reader", "wrong-word"),
            "refused the login",
        ),
        (
            database
                .server
                .url("reader", SECRET)
                .replace("/.tmp", "/.none"),
            "could not be reached",
        ),
        ("sqlite://hunter".to_owned(), "database's address is"),
    ] {
        let path = database.url("other", &url);
        let mut program = database.command(&hospital, "load", &text);
        // The last one counts not: a flag stands once.
        let words: Vec<_> = program.get_args().map(std::ffi::OsStr::to_owned).collect();
        program = std::process::Command::new(program.get_program());
        let mut is_next = false;
        for word in words {
            program.arg(if std::mem::take(&mut is_next) {
                path.as_os_str()
            } else {
                &word
            });
            is_next = word == "--database";
        }
        let said = said(program);
        assert!(!said.ok && said.err.contains(told), "{}", said.err);
        for word in ["wrong-word", "reader", SECRET, "hunter", ".tmp"] {
            assert!(!said.err.contains(word), "{}", said.err);
        }
    }
    // Columns of types that are not read, rows without a watermark, a login that may not read.
    let (binary, revoke) = match kind {
        Kind::Postgres => ("bytea", "revoke select on reporting.stays from reader"),
        Kind::MariaDb => ("blob", "revoke select on reporting.* from reader@localhost"),
    };
    let odd = format!(
        "drop view reporting.stays; alter table his.stays drop column district; \
         alter table his.stays add column district {binary}; \
         create view reporting.stays as select * from his.stays"
    );
    let grant = match kind {
        Kind::Postgres => "grant select on reporting.stays to reader",
        Kind::MariaDb => "grant select on reporting.* to reader@localhost",
    };
    database.server.run(&odd).await;
    database.server.run(grant).await;
    let said = database.run(&hospital, "load", &text);
    assert!(
        said.err
            .contains(&format!("`district` is of the type {binary}")),
        "{}",
        said.err
    );
    let less: String = text
        .lines()
        .filter(|line| !line.contains("district"))
        .map(|line| format!("{line}\n"))
        .collect();
    database
        .server
        .run("update his.stays set changed_at = null where settlement_no = 'S0000001'")
        .await;
    let said = database.run(&hospital, "load", &less);
    assert!(
        said.err
            .contains("1 rows of the view have no key or no watermark"),
        "{}",
        said.err
    );
    database.server.run(revoke).await;
    let said = database.run(&hospital, "load", &less);
    let told = ["may not read the view", "no view of the mapping's name"];
    assert!(
        told.iter().any(|told| said.err.contains(told)),
        "{}",
        said.err
    );
    // Nothing was kept of any of them.
    let after = hospital.trace().await;
    assert_eq!(before.1, after.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_without_address_or_value() {
    refused(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_of_mysql_too() {
    refused(Kind::MariaDb).await;
}
