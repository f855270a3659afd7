//! What stands on no page, and what stands on the steward's alone.

use node::pages::ROUTES;

use super::{PEOPLE, Site};
use crate::hospital::{Line, MAPPING, file};

const PATIENT: &str = "CANARYPATIENT72";
const SETTLEMENT: &str = "CANARYSETTLE72";

/// A stay whose amounts nobody else has, in a group of its own.
fn canary() -> Line {
    Line::new(PATIENT, SETTLEMENT, 3, "BB21", 77_731).with("department", "2100")
}

#[tokio::test]
async fn nothing_of_a_record_stands_on_a_page_for_a_role_that_may_not() {
    let site = Site::open().await;
    let mut lines = super::lines();
    lines.push(canary());
    let summary = site.hospital.hold(&lines).await;
    let load = summary.load.unwrap();
    let incoming = site.hospital.config.data.join("incoming");
    super::make_closed(&incoming);
    std::fs::write(incoming.join("march.csv"), file(&[canary()])).unwrap();
    std::fs::write(incoming.join("own.toml"), MAPPING).unwrap();
    // What lies elsewhere is not listed, whatever leads there.
    std::os::unix::fs::symlink(
        site.hospital.config.data.join("node.toml"),
        incoming.join("link.toml"),
    )
    .unwrap();
    let tried = "/mapping?file=march.csv&mapping=own.toml&lang=en";
    for (name, _) in PEOPLE {
        let cookie = site.cookie_of(name).await;
        let mut paths: Vec<String> = ROUTES
            .iter()
            .filter(|route| route.method == "GET")
            .map(|route| {
                route
                    .path
                    .replace("{load}", &load)
                    .replace("{month}", "2025-03")
            })
            .collect();
        paths.push(tried.to_owned());
        for path in paths {
            let page = site.get(&path, &cookie).await.text;
            for secret in [PATIENT, SETTLEMENT, "1960-05-05", "2025-03-18"] {
                assert!(!page.contains(secret), "{secret} on {path} for {name}");
            }
            assert!(!page.contains("link.toml"), "{path}");
            // The amount of one stay: the data officer sees it where a mapping is tried.
            let amount = page.contains("77731") || page.contains("77,731");
            let may = name == "li-hua" && path == tried;
            assert_eq!(amount, may, "{path} for {name}");
        }
        // Rows and codes that no list knows are on the page only: there is no file of them.
        for table in ["csv=rows", "csv=unlisted", "xlsx=unlisted"] {
            let rows = site.get(&format!("{tried}&{table}"), &cookie).await;
            assert!(matches!(rows.status, 403 | 404), "{table} for {name}");
        }
    }
    let cookie = site.cookie_of("it-team").await;
    let page = site.get(tried, &cookie).await.text;
    assert!(page.contains("Coverage by the dictionary") && page.contains("steward only"));
}

#[tokio::test]
async fn tables_come_as_files_with_where_they_are_from() {
    let site = Site::open().await;
    site.hospital.hold(&super::lines()).await;
    let cookie = site.cookie_of("wu-jun").await;
    for (path, table) in [("/months", "months"), ("/ledger", "charges")] {
        let page = site
            .get(&format!("{path}?csv={table}&lang=en"), &cookie)
            .await;
        assert_eq!(page.status, 200);
        if table == "months" {
            assert!(page.text.contains("hospital,h1") && page.text.contains("consilium-node "));
        }
    }
    assert_eq!(site.get("/months?csv=none", &cookie).await.status, 404);
}
