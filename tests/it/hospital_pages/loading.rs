//! From a file to the position, in the browser: brought, tried, loaded, examined, released, and taken away.

use std::os::unix::fs::PermissionsExt as _;

use node::quality;
use policies::quality::{DEFAULT, QualityRules};
use policies::rules::DEFAULT as POLICY;
use schemas::question::Dataset;

use super::{Site, lines, signed, token};
use crate::hospital::{Hospital, MAPPING, NOW, file};

const EDGE: &str = "----a-boundary-of-this-test";

/// A form with a file, as browsers write it.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, called, bytes) in parts {
        let called = called.map(|called| format!("; filename=\"{called}\""));
        let head = format!(
            "--{EDGE}\r\ncontent-disposition: form-data; name=\"{name}\"{}\r\n\r\n",
            called.unwrap_or_default()
        );
        body.extend(head.as_bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{EDGE}--\r\n").as_bytes());
    body
}

/// Status, and where it leads.
async fn send(site: &Site, cookie: &str, origin: &str, body: Vec<u8>) -> (u16, String) {
    let asked = site.browser().post(format!("{}/incoming", site.url));
    let asked = asked.header("cookie", cookie).header(
        "content-type",
        format!("multipart/form-data; boundary={EDGE}"),
    );
    let asked = if origin.is_empty() {
        asked
    } else {
        asked.header("origin", origin)
    };
    let answer = asked.body(body).send().await.unwrap();
    let to = answer.headers().get("location");
    let to = to.map_or(String::new(), |to| to.to_str().unwrap().to_owned());
    (answer.status().as_u16(), to)
}

fn incoming(site: &Site) -> Vec<String> {
    let found = std::fs::read_dir(site.hospital.config.data.join("incoming"));
    let names = found.into_iter().flatten().flatten();
    let names = names.map(|one| one.file_name().into_string().unwrap());
    names.collect()
}

#[tokio::test]
async fn a_file_goes_from_the_browser_to_questions() {
    let site = Site::open().await;
    let cookie = site.cookie_of("li-hua").await;
    let seen = site.get("/mapping", &cookie).await;
    let held = token(&seen.text).unwrap().to_owned();
    let bring = async |called: &str, bytes: &[u8]| {
        let body = form(&[
            ("token", None, held.as_bytes()),
            ("upload", Some(called), bytes),
        ]);
        send(&site, &cookie, "", body).await
    };
    let (status, to) = bring("../../node.toml", MAPPING.as_bytes()).await;
    assert_eq!(status, 303);
    let mapping = to.rsplit('=').next().unwrap().to_owned();
    let (_, to) = bring("Li Hua's patients.csv", &file(&lines())).await;
    let name = to.rsplit('=').next().unwrap().to_owned();
    assert!(to.starts_with("/mapping?done=uploaded&file=20") && name.ends_with(".csv"));
    assert!(!name.contains("patients") && incoming(&site).len() == 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let path = site.hospital.config.data.join("incoming").join(&name);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let tried = site
        .get(&format!("/mapping?file={name}&mapping={mapping}"), &cookie)
        .await;
    assert!(tried.text.contains("action=\"/load\""), "{}", tried.text);
    let wanted = format!("file={name}&mapping={mapping}&history=yes");
    let begun = site.post("/load", &cookie, &wanted).await;
    assert_eq!(begun.to, "/load");
    let mut page = site.get("/load", &cookie).await;
    for _ in 0..600 {
        if page.text.contains("/months/") && page.text.contains("id=\"loaded\"") {
            break;
        }
        assert!(!page.text.contains("class=\"note alarm\""), "{}", page.text);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        page = site.get("/load", &cookie).await;
    }
    let mut links = page.text.split("href=\"/months/").skip(1);
    let month = links.find_map(|one| one.split('"').next().filter(|to| to.contains("2025-01")));
    let month = month.unwrap().to_owned();
    let (load, _) = month.split_once('/').unwrap();
    // What was loaded is what the log says the command loads.
    let log = site.hospital.state.log().await.unwrap();
    assert_eq!(log.last().unwrap().kind.as_str(), "load");
    let form = format!("load={load}&month=2025-01");
    let examined = site.post("/months/examine", &cookie, &form).await;
    assert_eq!(examined.to, format!("/months/{month}?done=examined"));
    own_rules_stay(&site, &cookie, load).await;
    let form = signed("month=2025-01&step=released");
    let released = site.post("/months/step", &cookie, &form).await;
    assert_eq!(released.to, "/months?done=released");
    assert_eq!(site.get("/position", &cookie).await.status, 200);
    // The load has taken the file away by itself, and the page says so; the mapping stays.
    assert_eq!(incoming(&site), [mapping.as_str()]);
    let page = site.get("/load?lang=en", &cookie).await.text;
    assert!(page.contains("The file was taken away") && !page.contains("/incoming/remove"));
    // Nothing of its rows or its name stands in the log.
    let log = format!("{:?}", site.hospital.state.log().await.unwrap());
    assert!(!log.contains("P17") && !log.contains("patients.csv"));
}

/// A run of the hospital's own rules, and one that its tables left provisional, are not replaced on the page.
async fn own_rules_stay(site: &Site, cookie: &str, load: &str) {
    let (state, data) = (&site.hospital.state, &site.hospital.config.data);
    let form = format!("load={load}&month=2025-01");
    let (stays, month) = (Dataset::Stays, "2025-01".parse().unwrap());
    let shipped = QualityRules::parse(DEFAULT).unwrap();
    let mut own = shipped.clone();
    own.rules.pop();
    quality::run(state, data, &own, (stays, month, None), NOW)
        .await
        .unwrap();
    let to = format!("/months/{load}/2025-01");
    let refused = format!("{to}?refused=own-rules");
    assert_eq!(
        site.post("/months/examine", cookie, &form).await.to,
        refused
    );
    let held = quality::ruled(state, "stays", month).await.unwrap();
    assert_eq!(held, Some((own, false)));
    for lang in ["en", "zh-CN"] {
        let page = site.get(&format!("{refused}&lang={lang}"), cookie).await;
        assert!(page.text.contains("consilium-node quality run"));
    }
    sqlx::query("update quality_runs set rules = $1, provisional = 1")
        .bind(serde_json::to_string(&shipped).unwrap())
        .execute(state.pool())
        .await
        .unwrap();
    assert_eq!(
        site.post("/months/examine", cookie, &form).await.to,
        refused
    );
    quality::run(state, data, &shipped, (stays, month, None), NOW)
        .await
        .unwrap();
    let again = site.post("/months/examine", cookie, &form).await.to;
    assert_eq!(again, format!("{to}?done=examined"));
}

/// A mapping decides what is counted of whom: IT brings files alone, and takes files alone away.
#[tokio::test]
async fn mappings_are_the_stewards() {
    let site = Site::open().await;
    let folder = site.hospital.config.data.join("incoming");
    super::make_closed(&folder);
    std::fs::write(folder.join("kept.toml"), MAPPING).unwrap();
    for (name, may) in [("it-team", false), ("li-hua", true)] {
        let cookie = site.cookie_of(name).await;
        let seen = site.get("/mapping", &cookie).await;
        let held = token(&seen.text).unwrap().to_owned();
        for called in ["a.toml", "A.CSV.TOML"] {
            // Of IT nothing behind the name is read: the rest of the form never comes.
            let mut body = form(&[
                ("token", None, held.as_bytes()),
                ("upload", Some(called), MAPPING.as_bytes()),
            ]);
            if !may {
                body.truncate(body.len() - EDGE.len() - 8);
            }
            let (status, to) = send(&site, &cookie, "", body).await;
            let refused = to == "/mapping?refused=mapping-steward";
            assert_eq!((status, refused), (303, !may), "{called} by {name}: {to}");
        }
        let page = site.get("/mapping?lang=en", &cookie).await.text;
        assert_eq!(page.contains("Take kept.toml away"), may, "{name}");
        let gone = site
            .post("/incoming/remove", &cookie, "file=kept.toml")
            .await;
        assert_eq!(gone.to == "/mapping?done=removed", may, "{}", gone.to);
        assert_eq!(folder.join("kept.toml").exists(), !may);
    }
}

/// What lies there is listed with its button; too much is refused; a folder that others enter is not used.
#[tokio::test]
async fn files_do_not_pile_up() {
    let hospital = Hospital::with_policy("h1", POLICY).await;
    let folder = hospital.config.data.join("incoming");
    super::make_closed(&folder);
    std::fs::write(folder.join(".coming-dead"), "x").unwrap();
    let site = Site::of(hospital).await;
    assert_eq!(incoming(&site), [""; 0], "swept when the pages start");
    let cookie = site.cookie_of("it-team").await;
    let seen = site.get("/mapping", &cookie).await;
    let held = token(&seen.text).unwrap().to_owned();
    let csv = form(&[
        ("token", None, held.as_bytes()),
        ("upload", Some("a.csv"), b"x\n"),
    ]);
    for n in 0..20 {
        let (_, to) = send(&site, &cookie, "", csv.clone()).await;
        assert!(to.contains("done=uploaded"), "{n}: {to}");
    }
    let (_, to) = send(&site, &cookie, "", csv.clone()).await;
    assert_eq!(to, "/mapping?refused=full");
    let page = site.get(&format!("{to}&lang=en"), &cookie).await.text;
    for name in incoming(&site) {
        assert!(page.contains(&format!("Take {name} away")));
        let form = format!("file={name}");
        let gone = site.post("/incoming/remove", &cookie, &form).await;
        assert_eq!(gone.to, "/mapping?done=removed");
    }
    assert_eq!(incoming(&site), [""; 0]);
    let large = std::fs::File::create(folder.join("large.csv")).unwrap();
    // One byte less than 8 GiB, without content.
    large.set_len(8 * 1024 * 1024 * 1024 - 1).unwrap();
    let (_, to) = send(&site, &cookie, "", csv.clone()).await;
    assert_eq!(to, "/mapping?refused=full");
    assert_eq!(incoming(&site), ["large.csv"]);
    large.set_len(1).unwrap();
    let open = std::fs::Permissions::from_mode(0o750);
    std::fs::set_permissions(&folder, open).unwrap();
    let (_, to) = send(&site, &cookie, "", csv).await;
    assert_eq!(to, "/mapping?refused=incoming-open");
    let page = site.get("/mapping?lang=en", &cookie).await.text;
    assert!(page.contains("chmod 700") && !page.contains("large.csv"));
    let form = "file=large.csv&mapping=a.toml";
    for path in ["/load", "/incoming/remove"] {
        assert_eq!(site.post(path, &cookie, form).await.to, to, "{path}");
    }
    assert_eq!(incoming(&site), ["large.csv"]);
}

#[tokio::test]
async fn a_file_that_is_not_the_pages_own_is_not_kept() {
    let site = Site::open().await;
    let cookie = site.cookie_of("li-hua").await;
    let seen = site.get("/mapping", &cookie).await;
    let held = token(&seen.text).unwrap().to_owned();
    let good = ("token", None, held.as_bytes());
    let csv: (&str, Option<&str>, &[u8]) = ("upload", Some("a.csv"), b"x\n");
    for (told, origin, parts) in [
        ("no token", "", vec![csv]),
        ("token last", "", vec![csv, good]),
        ("another token", "", vec![("token", None, &b"x"[..]), csv]),
        ("another origin", "http://evil.example", vec![good, csv]),
    ] {
        let (status, _) = send(&site, &cookie, origin, form(&parts)).await;
        assert_eq!(status, 403, "{told}");
    }
    for (called, refused) in [("a.exe", "kind"), ("", "no-file")] {
        let parts = [good, ("upload", Some(called), &b"x"[..])];
        let (_, to) = send(&site, &cookie, "", form(&parts)).await;
        assert_eq!(to, format!("/mapping?refused={refused}"));
    }
    let large = vec![b'#'; 1024 * 1024 + 1];
    let parts = [good, ("upload", Some("a.toml"), large.as_slice())];
    let (_, to) = send(&site, &cookie, "", form(&parts)).await;
    assert_eq!(to, "/mapping?refused=large");
    // A connection that breaks leaves nothing.
    let mut cut = form(&[good, csv]);
    cut.truncate(cut.len() - EDGE.len() - 8);
    assert_eq!(send(&site, &cookie, "", cut).await.0, 400);
    assert_eq!(incoming(&site), [""; 0]);
    let finance = site.cookie_of("wu-jun").await;
    assert_eq!(send(&site, &finance, "", form(&[good, csv])).await.0, 403);
}
