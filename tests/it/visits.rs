//! A browser's visits to a site of pages on a loopback address.

/// Everybody's password here.
pub(crate) const PASSWORD: &str = "a password of this test";

/// A site by its address.
pub(crate) struct Visits {
    pub(crate) url: String,
}

/// What came back.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) text: String,
    /// Where it leads on.
    pub(crate) to: String,
}

impl Visits {
    pub(crate) fn browser(&self) -> reqwest::Client {
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = reqwest::Client::builder().no_proxy();
        builder
            .redirect(reqwest::redirect::Policy::none())
            // A site on this machine has a certificate of its own.
            .danger_accept_invalid_certs(true)
            .build()
            .unwrap()
    }

    /// Signs in and gives the session's cookie; nothing where it was refused.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Option<String> {
        let browser = self.browser();
        let to = format!("{}/sign-in", self.url);
        let page = browser.get(&to).send().await.unwrap();
        let form = cookie(&page).unwrap();
        let text = page.text().await.unwrap();
        let token = token(&text).unwrap();
        let body = format!("token={token}&name={name}&password={}", plus(password));
        let sent = browser.post(&to).header("cookie", form).body(body);
        let answer = sent.send().await.unwrap();
        (answer.status() == 303).then(|| cookie(&answer).unwrap())
    }

    pub(crate) async fn cookie_of(&self, name: &str) -> String {
        self.sign_in(name, PASSWORD).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Page {
        let asked = self.browser().get(format!("{}{path}", self.url));
        page(asked.header("cookie", cookie).send().await.unwrap()).await
    }

    /// Sends a form with the token of a page that who is signed in may see.
    pub(crate) async fn post(&self, path: &str, cookie: &str, fields: &str) -> Page {
        let seen = self.get("/", cookie).await;
        let token = token(&seen.text).unwrap_or_default();
        let body = format!("token={token}&{fields}");
        self.raw(path, cookie, body).await
    }

    pub(crate) async fn raw(&self, path: &str, cookie: &str, body: String) -> Page {
        let asked = self.browser().post(format!("{}{path}", self.url));
        let sent = asked.header("cookie", cookie).body(body);
        page(sent.send().await.unwrap()).await
    }
}

async fn page(answer: reqwest::Response) -> Page {
    let headers = answer.headers();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        // With `no-referrer` a browser sends this site's own forms with the origin `null`: none is taken.
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(headers[name], value);
    }
    let to = headers.get("location");
    let to = to.map_or(String::new(), |to| to.to_str().unwrap().to_owned());
    Page {
        status: answer.status().as_u16(),
        to,
        text: answer.text().await.unwrap(),
    }
}

/// The cookie that an answer sets.
fn cookie(answer: &reqwest::Response) -> Option<String> {
    let all = answer.headers().get_all("set-cookie").iter();
    let set = all.map(|one| one.to_str().unwrap()).next()?;
    for word in ["__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(word), "{set}");
    }
    Some(set.split(';').next().unwrap().to_owned())
}

pub(crate) fn token(html: &str) -> Option<&str> {
    html.split("name=\"token\" value=\"")
        .nth(1)?
        .split('"')
        .next()
}

pub(crate) fn plus(text: &str) -> String {
    text.replace(' ', "+")
}

/// Fields with the right password.
pub(crate) fn signed(fields: &str) -> String {
    format!("{fields}&password={}", plus(PASSWORD))
}
