//! The pages over real TLS: who gets which, forged forms, fixed sessions, locked names, strange parameters.

use std::net::SocketAddr;

use coordinator::accounts::{self, Account, Role};
use coordinator::api::{App, Listeners};
use coordinator::authority::Authority;
use coordinator::clock::Clock;
use coordinator::config::Config;
use coordinator::pages::{ROUTES, Who};
use coordinator::store::state::State;
use schemas::id::Slug;
use tokio_util::sync::CancellationToken;

pub(crate) const PASSWORD: &str = "a password of this test";

pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) state: State,
    pub(crate) url: String,
    pub(crate) clock: Clock,
    ca: Vec<u8>,
}

impl Site {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let alliance: Slug = "river".parse().unwrap();
        let clock = Clock::at(Clock::System.now());
        Authority::create(folder.path(), &alliance, clock.now()).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listeners = Listeners::bind(any, any).await.unwrap();
        let listeners = listeners.with_pages(Some(any)).await.unwrap();
        let url = format!(
            "https://localhost:{}",
            listeners.pages_address().unwrap().port()
        );
        let text = include_str!("../../deploy/coordinator.example.toml");
        let text = text.replace("river-alliance", "river");
        let mut config = Config::parse(&text, std::path::Path::new("example")).unwrap();
        config.data = Some(folder.path().to_owned());
        let state = State::open(folder.path()).await.unwrap();
        let authority = Authority::open(folder.path(), &alliance).unwrap();
        let ca = authority.ca_pem().as_bytes().to_vec();
        for (name, role) in [("wang", Role::Administrator), ("li", Role::Auditor)] {
            let name = name.parse().unwrap();
            let account = Account {
                name,
                role,
                changed: clock.now(),
            };
            accounts::set(&state, &account, PASSWORD, (&alliance, true))
                .await
                .unwrap();
        }
        let app = App::new(
            config,
            state.clone(),
            authority,
            clock.clone(),
            CancellationToken::new(),
        );
        tokio::spawn(async move { listeners.serve(app).await.unwrap() });
        Self {
            folder,
            state,
            url,
            clock,
            ca,
        }
    }

    pub(crate) fn browser(&self) -> reqwest::Client {
        let ca = reqwest::Certificate::from_pem(&self.ca).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([ca]).no_proxy();
        builder
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
    }

    /// Tries to sign in; status and the session's cookie.
    pub(crate) async fn sign_in(
        &self,
        name: &str,
        password: &str,
        fixed: &str,
    ) -> (u16, Option<String>) {
        let browser = self.browser();
        let page = browser
            .get(format!("{}/sign-in", self.url))
            .send()
            .await
            .unwrap();
        let form = cookie(&page).unwrap();
        let html = page.text().await.unwrap();
        let token = html
            .split("name=\"token\" value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let sent = browser
            .post(format!("{}/sign-in", self.url))
            .header("cookie", format!("{form}; {fixed}"))
            .body(format!(
                "token={token}&name={name}&password={}",
                password.replace(' ', "+")
            ));
        let answer = sent.send().await.unwrap();
        (answer.status().as_u16(), cookie(&answer))
    }

    pub(crate) async fn status(&self, method: &str, path: &str, cookie: &str) -> u16 {
        let method = method.parse().unwrap();
        let asked = self
            .browser()
            .request(method, format!("{}{path}", self.url));
        let answer = asked.header("cookie", cookie).send().await.unwrap();
        let headers = answer.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["referrer-policy"], "same-origin");
        answer.status().as_u16()
    }
}

fn cookie(answer: &reqwest::Response) -> Option<String> {
    let all = answer.headers().get_all("set-cookie").iter();
    let set = all.map(|one| one.to_str().unwrap()).next()?;
    for word in ["__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(word), "{set}");
    }
    Some(set.split(';').next().unwrap().to_owned())
}

/// Made from the table of routes: whoever adds one says here what each role gets.
#[tokio::test]
async fn every_route_by_every_role() {
    coordinator_tls();
    let site = Site::open().await;
    let (status, wang) = site.sign_in("wang", PASSWORD, "").await;
    assert_eq!(status, 303);
    let (wang, li) = (
        wang.unwrap(),
        site.sign_in("li", PASSWORD, "").await.1.unwrap(),
    );
    for route in ROUTES {
        let path = route.path.replace("{id}", "r99").replace("{year}", "2099");
        let missing = route.path.contains('{');
        let both = if missing { 404 } else { 200 };
        let expected = match (route.method, route.path) {
            // Without its token no form is taken, whoever sends it.
            ("POST", "/sign-in") => [403, 403, 403],
            ("POST", _) => [303, 403, 403],
            (_, "/sign-in") => [200, 200, 200],
            (_, "/accounts" | "/rounds/new") => [303, 403, 200],
            (_, "/years/{year}/propose") => [303, 403, 404],
            _ => [303, both, both],
        };
        let found = [
            site.status(route.method, &path, "").await,
            site.status(route.method, &path, &li).await,
            site.status(route.method, &path, &wang).await,
        ];
        assert_eq!(found, expected, "{} {}", route.method, route.path);
        assert_eq!(route.who == Who::Everyone, route.path == "/sign-in");
        for strange in [
            "?csv=zz",
            "?from=-1&until=99999999999999999999",
            "?q=%ff%00<script>&split='",
            "?lang=xx&%",
            "?pooled=../x",
        ] {
            if route.method == "GET" {
                let status = site.status("GET", &format!("{path}{strange}"), &wang).await;
                assert!(status < 500, "{status} {path}{strange}");
            }
        }
    }
    assert_eq!(site.status("GET", "/no-such-page", "").await, 404);
}

#[tokio::test]
async fn a_session_is_new_and_a_wrong_name_is_as_wrong_as_a_wrong_password() {
    coordinator_tls();
    let site = Site::open().await;
    let fixed = "__Host-consilium=fixed-by-somebody";
    let (_, cookie) = site.sign_in("li", PASSWORD, fixed).await;
    assert!(cookie.is_some_and(|cookie| !cookie.contains("fixed")));
    assert_eq!(site.status("GET", "/", fixed).await, 303);
    for _ in 0..5 {
        assert_eq!(site.sign_in("wang", "wrong", "").await.0, 403);
        assert_eq!(site.sign_in("nobody", "wrong", "").await.0, 403);
    }
    // Locked: the right password gets the same answer.
    assert_eq!(site.sign_in("wang", PASSWORD, "").await, (403, None));
    assert_eq!(site.sign_in("li", PASSWORD, "").await.0, 303);
}

pub(crate) fn coordinator_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
