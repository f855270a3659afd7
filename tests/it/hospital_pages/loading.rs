//! From a file to the position, in the browser: brought, tried, loaded, examined, released, and taken away.

use super::{Site, lines, signed, token};
use crate::hospital::{MAPPING, file};

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
    let form = signed("month=2025-01&step=released");
    let released = site.post("/months/step", &cookie, &form).await;
    assert_eq!(released.to, "/months?done=released");
    assert_eq!(site.get("/position", &cookie).await.status, 200);
    let gone = site
        .post("/incoming/remove", &cookie, &format!("file={name}"))
        .await;
    assert_eq!(gone.to, "/mapping?done=removed");
    assert_eq!(incoming(&site), [mapping]);
    // Nothing of its rows or its name stands in the log.
    let log = format!("{:?}", site.hospital.state.log().await.unwrap());
    assert!(!log.contains("P17") && !log.contains("patients.csv"));
}

#[tokio::test]
async fn a_file_that_is_not_the_pages_own_is_not_kept() {
    let site = Site::open().await;
    let cookie = site.cookie_of("it-team").await;
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
