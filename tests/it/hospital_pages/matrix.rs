//! Every route by every role, by what exists and by what does not; strange forms and parameters.

use node::answer::{Spoken, answer_round};
use node::pages::ROUTES;
use web::site::routes::Who;

use super::{PEOPLE, Site, lines, signed};
use crate::hospital::{NOW, question};

/// What the people of [`PEOPLE`], in their order, get of a page: whoever adds a route says it here.
fn may(method: &str, path: &str) -> [bool; 4] {
    match (method, path) {
        ("GET", "/" | "/months" | "/months/{load}/{month}" | "/ledger") => [true; 4],
        ("POST", "/sign-out") => [true; 4],
        ("GET", "/position") => [true, true, true, false],
        ("GET", "/costs" | "/costs/{month}" | "/costs/{month}/{department}" | "/warnings") => {
            [true, true, false, false]
        }
        ("GET", "/mapping" | "/load")
        | ("POST", "/incoming" | "/incoming/remove" | "/load" | "/months/examine") => {
            [false, true, false, true]
        }
        ("GET", "/inbox" | "/inbox/{round}" | "/standing" | "/openings") => {
            [false, true, true, false]
        }
        ("POST", "/openings/{request}/approve" | "/openings/{request}/refuse") => {
            [false, true, true, false]
        }
        ("GET", "/log") | ("POST", "/log/verify") => [false, true, true, true],
        (
            "POST",
            "/months/step"
            | "/inbox/{round}/approve"
            | "/inbox/{round}/refuse"
            | "/inbox/{round}/hold"
            | "/inbox/{round}/release"
            | "/lock"
            | "/unlock"
            | "/standing/add"
            | "/standing/remove",
        ) => [false, true, false, false],
        other => panic!("{other:?} is in no row of the matrix"),
    }
}

/// A site with a load, a question that waits, and a closed month; the places of a path that exist.
async fn filled() -> (Site, Vec<(&'static str, String)>) {
    let site = Site::open().await;
    let summary = site.hospital.hold(&lines()).await;
    let app = site.hospital.app().await;
    let asked = question(
        &app,
        "2025",
        "bounds = { groups = 3, stays = 1 }\n[[tables]]\nby = [\"sex\"]\n\
         blocks = [{ measure = { kind = \"count\" }, rho = \"0.02\" }]",
    );
    let (round, digest) = super::steward::round("r1", asked, NOW);
    let said = answer_round(&app, &round, digest).await.unwrap();
    assert_eq!(said, Spoken::Waits);
    let places = vec![
        ("{load}", summary.load.unwrap()),
        ("{month}", "2025-01".to_owned()),
        ("{round}", digest.to_string()),
        ("{department}", site.close_costs().await),
        ("{request}", digest.to_string()),
    ];
    (site, places)
}

#[tokio::test]
async fn every_route_by_every_role_and_id() {
    let (site, places) = filled().await;
    let mut cookies = Vec::new();
    for (name, _) in PEOPLE {
        cookies.push(site.cookie_of(name).await);
    }
    // A browser takes `..` out of an address by itself: what climbs is encoded.
    let foreign = [
        "..%2f..%2fnode.toml",
        "%2e%2e%2fstate.sqlite",
        "2025-13",
        "x%00y",
        "0000",
    ];
    for route in ROUTES {
        if route.path == "/sign-in" {
            assert_eq!(route.who, Who::Everyone);
            continue;
        }
        let mut path = route.path.to_owned();
        for (name, value) in &places {
            path = path.replace(name, value);
        }
        let row = may(route.method, route.path);
        let told = format!("{} {}", route.method, route.path);
        if route.method == "POST" {
            assert_eq!(
                site.raw(&path, "", String::new()).await.status,
                303,
                "{told}"
            );
            for (cookie, (may, (_, role))) in cookies.iter().zip(row.iter().zip(PEOPLE)) {
                // Without its token no form is taken, whoever sends it.
                assert_eq!(
                    site.raw(&path, cookie, String::new()).await.status,
                    403,
                    "{told}"
                );
                if !may {
                    let page = site.post(&path, cookie, &signed("reason=x")).await;
                    assert_eq!(page.status, 403, "{told} as {role:?}");
                }
            }
            continue;
        }
        let nobody = site.get(&path, "").await;
        assert_eq!(
            (nobody.status, nobody.to.as_str()),
            (303, "/sign-in"),
            "{told}"
        );
        for (cookie, (may, (_, role))) in cookies.iter().zip(row.iter().zip(PEOPLE)) {
            let page = site.get(&path, cookie).await;
            let expected = if *may { 200 } else { 403 };
            assert_eq!(page.status, expected, "{told} as {role:?}");
            assert!(!page.text.contains('⟦'), "{told}: words are missing");
            if !route.path.contains('{') {
                continue;
            }
            for strange in foreign {
                let mut path = route.path.to_owned();
                for (name, _) in &places {
                    path = path.replace(name, strange);
                }
                let page = site.get(&path, cookie).await;
                let expected = if *may { 404 } else { 403 };
                assert_eq!(page.status, expected, "{path} as {role:?}");
            }
        }
    }
    assert_eq!(site.get("/no-such-page", "").await.status, 404);
}

#[tokio::test]
async fn nothing_strange_breaks_a_page_or_decides_anything() {
    let (site, places) = filled().await;
    let cookie = site.cookie_of("li-hua").await;
    let entries = site.hospital.state.log().await.unwrap().len();
    let filled_in = |path: &str| {
        let mut path = path.to_owned();
        for (name, value) in &places {
            path = path.replace(name, value);
        }
        path
    };
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        for strange in [
            "csv=zz",
            "from=-1&until=99999999999999999999",
            "q=%ff%00<script>&split='",
            "lang=xx&%",
            "done=<script>&refused=<script>",
            "file=..%2f..%2fnode.toml&mapping=../keys/message.pk8",
            "until=0&from=18446744073709551615",
        ] {
            let path = format!("{}?{strange}", filled_in(route.path));
            let page = site.get(&path, &cookie).await;
            assert!(page.status < 500, "{} {path}", page.status);
            // The shell's own scripts are files of the site; nothing of an address becomes one.
            let mut scripts = page.text.split("<script").skip(1);
            assert!(scripts.all(|one| one.starts_with(" src=\"/")), "{path}");
            assert!(!page.text.contains("<script>"), "{path}");
        }
    }
    let long = "x".repeat(7_000);
    let forms = [
        "",
        "&&&=&=x&%",
        "month=2025-99&step=released",
        "month=2025-01&step=retired",
        "template=%00&purpose=none&until=99999-99-99",
        "reason=%0a%1b[31m&hold=maybe",
        "month=2025-01&step=released&grade_d=yes&password=%ff%fe",
        long.as_str(),
    ];
    let posts = ROUTES.iter().filter(|route| route.method == "POST");
    for route in posts.filter(|route| !matches!(route.path, "/sign-in" | "/sign-out")) {
        for form in forms {
            let page = site.post(&filled_in(route.path), &cookie, form).await;
            assert!(page.status < 500, "{} {} {form}", page.status, route.path);
        }
    }
    let log = site.hospital.state.log().await.unwrap();
    assert_eq!(
        log.len(),
        entries,
        "a form without the password decided something"
    );
    // A form beyond its bound, and one that is none.
    let page = site
        .raw("/lock", &cookie, "x=".to_owned() + &"y".repeat(20_000))
        .await;
    assert_eq!(page.status, 400);
}
