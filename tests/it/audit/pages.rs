//! The insurer's pages: who gets which, steps as the commands take them, the pack as one file.

use coordinator::insurer::{self, Desk, ROUTES};
use web::site::local;
use web::site::routes::Who;

use super::*;
use crate::visits::{PASSWORD, Visits, signed};

/// Serves the pages of the folder that holds an insurer's audit.
async fn open(insurer: &Insurer) -> Visits {
    let root = insurer._home.path();
    insurer::set(root, &slug("he-ping"), PASSWORD, NOW).unwrap();
    let desk = Desk::new(root, coordinator::clock::Clock::at(NOW)).unwrap();
    let listener = local::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let router = insurer::router(&desk);
        local::serve(listener, router, &[], std::future::pending())
            .await
            .unwrap();
    });
    Visits { url }
}

/// Begins a step and waits for its end; gives the page that tells of it.
async fn step(site: &Visits, cookie: &str, step: &str) -> String {
    let page = site
        .post("/audits/audit/step", cookie, &format!("step={step}"))
        .await;
    assert_eq!((page.status, page.to.as_str()), (303, "/audits/audit"));
    loop {
        let text = site.get("/audits/audit?lang=en", cookie).await.text;
        if !text.contains(": working.") {
            return text;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The files of a POSIX archive.
fn unpacked(bytes: &[u8], folder: &std::path::Path) {
    let path = folder.join("pack.tar");
    std::fs::write(&path, bytes).unwrap();
    let done = std::process::Command::new("tar")
        .args(["-x", "-f"])
        .arg(&path)
        .arg("-C")
        .arg(folder)
        .status();
    assert!(done.unwrap().success());
}

/// Both officers of the hospital sign for the opening that waits, on the hospital's own pages.
async fn sign_on_pages(closing: &Closing) {
    let site = crate::hospital_pages::serve(&closing.hospital).await;
    let standing = standing(&closing.hospital.state, &closing.hospital.config).await;
    let (state, hospital) = (&closing.hospital.state, &closing.hospital.config.hospital);
    let openings = node::audit::openings(state, &standing, hospital).await;
    let request = openings.unwrap()[0].request;
    let to = format!("/openings/{request}/approve");
    for name in ["li-hua", "zhao-min"] {
        let cookie = site.cookie_of(name).await;
        let page = site.get("/openings?lang=en", &cookie).await.text;
        assert!(page.contains("Sign for the opening") && page.contains("i01"));
        let wrong = site.post(&to, &cookie, "password=wrong").await;
        assert_eq!(wrong.to, "/openings?refused=password");
        let done = site.post(&to, &cookie, &signed("")).await;
        assert_eq!(done.to, "/openings?done=opening-sign");
        let again = site.post(&to, &cookie, &signed("")).await;
        assert_eq!(again.to, "/openings?refused=again");
    }
    let finance = site.cookie_of("wu-jun").await;
    assert_eq!(site.post(&to, &finance, &signed("")).await.status, 403);
}

#[tokio::test]
async fn an_audit_goes_from_match_to_a_pack_that_is_believed() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let all = settled(60);
    let own = of_payer(&all, "I01");
    let mut list = own.clone();
    list[0].fen += 1;
    let nonce = [("i01", insurer.nonce)];
    closing
        .close_as(&listed(&list), MAPPING, &nonce, false)
        .await
        .unwrap();
    let site = open(&insurer).await;
    let cookie = site.cookie_of("he-ping").await;
    let page = site.get("/?lang=en", &cookie).await.text;
    assert!(page.contains("h01") && page.contains("begun") && !page.contains('⟦'));
    insurer
        .prepare(&paid(&own), &closing.book("i01").await)
        .unwrap();
    // What is prepared is not prepared again: nothing that is sent is read.
    let list = [("paid", &b"another list"[..])];
    let to = sent(&site, "/audits/audit/prepare", &cookie, &list).await;
    assert_eq!(to, "/audits/audit?refused=prepared");
    let page = site.get(&format!("{to}&lang=en"), &cookie).await.text;
    assert!(page.contains("prepared already") && !page.contains(": working."));
    assert_eq!(closing.answer(&insurer).await, 0);
    assert!(step(&site, &cookie, "match").await.contains("Match: done."));
    assert!(
        step(&site, &cookie, "totals")
            .await
            .contains("Check the total: done.")
    );
    // The hospital's officers have not signed.
    assert!(
        step(&site, &cookie, "sample")
            .await
            .contains("Open leaves: not done.")
    );
    closing.answer(&insurer).await;
    sign_on_pages(&closing).await;
    assert_eq!(closing.answer(&insurer).await, 0);
    assert!(
        step(&site, &cookie, "sample")
            .await
            .contains("Open leaves: done.")
    );
    assert_eq!(site.get("/audits/audit/pack", &cookie).await.status, 404);
    assert!(
        step(&site, &cookie, "report")
            .await
            .contains("Write the report: done.")
    );
    let page = step(&site, &cookie, "verify").await;
    assert!(page.contains("Verify the pack: done.") && page.contains("another amount"));
    assert!(page.contains(&own[0].number) && !page.contains('⟦'));
    let chinese = site.get("/audits/audit?lang=zh-CN", &cookie).await.text;
    assert!(chinese.contains("金额不符") && !chinese.contains('⟦'));
    let asked = site
        .browser()
        .get(format!("{}/audits/audit/pack", site.url));
    let answer = asked.header("cookie", &cookie).send().await.unwrap();
    let bytes = answer.bytes().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    unpacked(&bytes, folder.path());
    let pack = Folder::new(&folder.path().join("pack"));
    let report = audit::verify(&pack, &known(&closing.log_key())).unwrap();
    assert_eq!(report.findings.len(), 1);
}

/// A form with files, as browsers write it; where it leads.
async fn sent(site: &Visits, to: &str, cookie: &str, files: &[(&str, &[u8])]) -> String {
    let seen = site.get("/", cookie).await.text;
    let token = crate::visits::token(&seen).unwrap();
    let edge = "----a-boundary-of-this-test";
    let mut body =
        format!("--{edge}\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n")
            .into_bytes();
    for (name, bytes) in files {
        let head = format!(
            "--{edge}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\n"
        );
        body.extend(head.as_bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{edge}--\r\n").as_bytes());
    let asked = site.browser().post(format!("{}{to}", site.url));
    let asked = asked.header("cookie", cookie).body(body);
    let kind = format!("multipart/form-data; boundary={edge}");
    let answer = asked.header("content-type", kind).send().await.unwrap();
    let to = answer.headers().get("location");
    to.map_or(String::new(), |to| to.to_str().unwrap().to_owned())
}

/// Begins to send a paid list and stays in the middle of it.
async fn sends(site: &Visits, to: &str, cookie: &str) -> tokio::net::TcpStream {
    use tokio::io::AsyncWriteExt as _;

    let seen = site.get("/", cookie).await.text;
    let token = crate::visits::token(&seen).unwrap();
    let host = site.url.strip_prefix("http://").unwrap();
    let text = format!(
        "POST {to} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\ncontent-length: 100000\r\n\
         content-type: multipart/form-data; boundary=edge\r\n\r\n\
         --edge\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n\
         --edge\r\ncontent-disposition: form-data; name=\"paid\"; filename=\"x\"\r\n\r\nnumber"
    );
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    stream
}

/// Of many who send a list at once one is read; who goes away gives the turn back.
#[tokio::test]
async fn a_preparation_has_its_turn_before_it_is_read() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let site = open(&insurer).await;
    let cookie = site.cookie_of("he-ping").await;
    let to = "/audits/audit/prepare";
    let works = async |wanted: bool| {
        for _ in 0..500 {
            let page = site.get("/audits/audit?lang=en", &cookie).await.text;
            if page.contains(": working.") == wanted {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the page never said it");
    };
    let held = sends(&site, to, &cookie).await;
    works(true).await;
    // The second is refused, and a step likewise.
    assert_eq!(sent(&site, to, &cookie, &[("paid", b"x")]).await, "");
    let step = site.post("/audits/audit/step", &cookie, "step=match").await;
    assert_eq!(step.status, 429);
    drop(held);
    works(false).await;
    assert_eq!(sent(&site, to, &cookie, &[]).await, "/audits/audit");
    assert!(works(false).await.contains("no paid list"));
}

/// Of many who begin an audit of one name at once one begins it.
#[tokio::test]
async fn a_name_is_begun_once() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let site = open(&insurer).await;
    let cookie = site.cookie_of("he-ping").await;
    let case = insurer.folder.case().unwrap();
    let key = case.log_key.replace('+', "%2B").replace('/', "%2F");
    for n in 0..5 {
        let fields = format!(
            "name=same-{n}&alliance={}&hospital={}&payer=i01&month={}&log-key={key}&quorum=0",
            case.alliance, case.subject.hospital, case.subject.period,
        );
        // So are witnesses whose keys are none.
        let cut = format!("{fields}&witnesses=h02%3Dkey/of/h02");
        let refused = site.post("/begin", &cookie, &cut).await;
        assert_eq!(refused.to, "/begin?refused=key");
        // What is refused leaves the name free.
        let wrong = fields.replace("log-key=", "log-key=x");
        let refused = site.post("/begin", &cookie, &wrong).await;
        assert_eq!(refused.to, "/begin?refused=key");
        let one = || site.post("/begin", &cookie, &fields);
        let all = tokio::join!(one(), one(), one(), one());
        let all = [all.0, all.1, all.2, all.3].map(|page| page.to);
        let begun = all.iter().filter(|to| **to == format!("/audits/same-{n}"));
        assert_eq!(begun.count(), 1, "{all:?}");
    }
}

/// Begun, and prepared from the list, on pages alone: the folder is what the commands make.
#[tokio::test]
async fn an_audit_is_begun_from_a_paid_list_on_pages() {
    let closing = Closing::new().await;
    let other = Insurer::begin(&closing, "i02").await;
    let site = open(&other).await;
    let cookie = site.cookie_of("he-ping").await;
    let case = other.folder.case().unwrap();
    let fields = format!(
        "name=h01-again&alliance={}&hospital={}&payer=i02&month={}&log-key={}&quorum=0",
        case.alliance,
        case.subject.hospital,
        case.subject.period,
        case.log_key.replace('+', "%2B").replace('/', "%2F"),
    );
    for (wrong, refused) in [
        (fields.replace("name=h01-again", "name=..%2Fx"), "form"),
        (fields.replace("name=h01-again", "name=audit"), "name"),
        (fields.replace("log-key=", "log-key=x"), "key"),
    ] {
        let page = site.post("/begin", &cookie, &wrong).await;
        assert_eq!(page.to, format!("/begin?refused={refused}"));
    }
    let page = site.post("/begin", &cookie, &fields).await;
    assert_eq!(page.to, "/audits/h01-again");
    let text = site.get("/audits/h01-again?lang=en", &cookie).await.text;
    let folder = Folder::new(&other._home.path().join("h01-again"));
    let begun = audit::begun(&folder).unwrap();
    assert!(
        text.contains(&begun.nonce.to_string()) && text.contains(&begun.message_key.to_string())
    );
    assert!(text.contains("multipart/form-data") && !text.contains('⟦'));
    let to = "/audits/h01-again/prepare";
    let list = paid(&of_payer(&settled(60), "I02"));
    for (files, told) in [
        (vec![], "no paid list"),
        (
            vec![("paid", list.as_bytes()), ("book", &b"no book"[..])],
            "not done",
        ),
    ] {
        assert_eq!(sent(&site, to, &cookie, &files).await, "/audits/h01-again");
        loop {
            let text = site.get("/audits/h01-again?lang=en", &cookie).await.text;
            if !text.contains(": working.") {
                assert!(text.contains(told) && !text.contains('⟦'), "{text}");
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn every_route_of_the_insurer_by_everybody_and_foreign_names() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let site = open(&insurer).await;
    let cookie = site.cookie_of("he-ping").await;
    // Beside the audits lies what is none.
    std::fs::create_dir(insurer._home.path().join("other")).unwrap();
    for route in ROUTES {
        let path = route.path.replace("{audit}", "audit");
        let told = format!("{} {}", route.method, route.path);
        match (route.method, route.path) {
            (_, "/sign-in") => assert_eq!(route.who, Who::Everyone),
            (
                "POST",
                "/sign-out" | "/begin" | "/audits/{audit}/step" | "/audits/{audit}/prepare",
            ) => {
                assert_eq!(
                    site.raw(&path, "", String::new()).await.status,
                    303,
                    "{told}"
                );
                assert_eq!(
                    site.raw(&path, &cookie, String::new()).await.status,
                    403,
                    "{told}"
                );
            }
            ("GET", "/" | "/begin" | "/signals" | "/audits/{audit}" | "/audits/{audit}/pack") => {
                assert_eq!(site.get(&path, "").await.status, 303, "{told}");
                let page = site.get(&path, &cookie).await;
                // No report, no pack.
                let expected = if path.ends_with("pack") { 404 } else { 200 };
                assert_eq!(page.status, expected, "{told}");
                assert!(!page.text.contains('⟦'), "{told}");
            }
            other => panic!("{other:?} is in no row of the matrix"),
        }
        for strange in ["other", "..%2f", "..%2faudit", "audit%00", "accounts.json"] {
            if route.method == "GET" && route.path.contains("{audit}") {
                let path = route.path.replace("{audit}", strange);
                assert_eq!(site.get(&path, &cookie).await.status, 404, "{path}");
            }
        }
        if route.method == "GET" {
            for strange in ["?csv=zz", "?lang=%ff&from=-1", "?q=<script>"] {
                let page = site.get(&format!("{path}{strange}"), &cookie).await;
                assert!(
                    page.status < 500 && !page.text.contains("<script>"),
                    "{path}{strange}"
                );
            }
        }
    }
    for form in ["", "step=", "step=verify&step=%00", "step=begin"] {
        let page = site.post("/audits/audit/step", &cookie, form).await;
        assert!(page.status < 500, "{} {form}", page.status);
    }
    assert!(site.sign_in("he-ping", "wrong").await.is_none());
    insurer::remove(insurer._home.path(), &slug("he-ping")).unwrap();
    assert_eq!(site.get("/", &cookie).await.status, 303);
}
