//! What the programs tell: rows 37 and 38 of the threats. The real binaries, logging everything
//! they can, on data of planted people and on text of bad intent.

mod lines;
mod canaries;
mod secrets;

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::binary::binary;
use crate::hospital::MAPPING;

const NODE: &str = "consilium-node";
const COORDINATOR: &str = "consilium-coordinator";

/// Everything that every dependency says too.
const LEVEL: (&str, &str) = ("RUST_LOG", "trace");

fn program(name: &str) -> Command {
    let mut command = Command::new(binary(name));
    command
        .env(LEVEL.0, LEVEL.1)
        .env("RUST_BACKTRACE", "full")
        .stdin(Stdio::null());
    command
}

/// What one command, or one service, told.
struct Told {
    what: String,
    success: bool,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (out, err) = (&self.out, &self.err);
        let [out, err] = [out, err].map(|text| String::from_utf8_lossy(text));
        write!(f, "{}: {}\n{out}\n{err}", self.what, self.success)
    }
}

/// A folder with an alliance in it, and everything that was told there.
struct Place {
    folder: tempfile::TempDir,
    told: Vec<Told>,
    running: Vec<(String, Child)>,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            told: Vec::new(),
            running: Vec::new(),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and gives its path as a word.
    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.at(name), bytes).unwrap();
        self.word(name)
    }

    fn word(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    /// Runs a command in a data folder, whatever comes of it.
    fn tell(&mut self, name: &str, data: &str, words: &[&str]) -> &Told {
        let output = program(name)
            .arg("--data")
            .arg(self.at(data))
            .args(words)
            .output()
            .unwrap();
        self.told.push(Told {
            what: format!("{name} {data} {words:?}"),
            success: output.status.success(),
            out: output.stdout,
            err: output.stderr,
        });
        self.told.last().unwrap()
    }

    /// Runs a command that must succeed and gives what it printed.
    fn done(&mut self, name: &str, data: &str, words: &[&str]) -> String {
        let told = self.tell(name, data, words);
        assert!(told.success, "{told:?}");
        String::from_utf8(told.out.clone()).unwrap()
    }

    /// Runs a command that must refuse.
    fn refused(&mut self, name: &str, data: &str, words: &[&str]) {
        let told = self.tell(name, data, words);
        assert!(!told.success && !told.err.is_empty(), "{told:?}");
    }

    /// Starts `run`; its log stands beside the data folder.
    fn start(&mut self, name: &str, data: &str) {
        let file = |kind: &str| File::create(self.at(&format!("{data}.{kind}"))).unwrap();
        let child = program(name)
            .arg("--data")
            .arg(self.at(data))
            .arg("run")
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        self.running.push((data.to_owned(), child));
    }

    /// Ends the services; what they told is kept like the rest.
    fn stop(&mut self) {
        for (data, mut child) in self.running.drain(..) {
            child.kill().ok();
            child.wait().ok();
            let read = |kind: &str| {
                std::fs::read(self.folder.path().join(format!("{data}.{kind}"))).unwrap()
            };
            self.told.push(Told {
                what: format!("{data} run"),
                success: true,
                out: read("out"),
                err: read("err"),
            });
        }
    }

    /// A coordinator with a published dictionary and a signed policy, running.
    fn found(&mut self, files: &str) {
        let [nodes, public] = two_addresses();
        let words = "init --alliance river --host localhost --node-address";
        let words: Vec<&str> = words.split(' ').chain([nodes.as_str()]).collect();
        let words = [&words[..], &["--public-address", &public]].concat();
        self.done(COORDINATOR, "hub", &words);
        let (groups, built) = (
            self.word(&format!("{files}/groups.csv")),
            self.word("built.json"),
        );
        let words = ["dictionary", "build", "--plan", "chs", "--table", &groups];
        let words = [&words[..], &["--out", &built]].concat();
        self.done(COORDINATOR, "hub", &words);
        self.done(COORDINATOR, "hub", &["dictionary", "publish", &built]);
        for name in ["wang-fang", "chen-jie"] {
            self.done(COORDINATOR, "hub", &["administrator", "add", name]);
        }
        for name in ["wang-fang", "chen-jie"] {
            self.done(COORDINATOR, "hub", &["policy", "approve", "--as", name]);
        }
        self.start(COORDINATOR, "hub");
        for _ in 0..400 {
            if std::net::TcpStream::connect(&public).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the coordinator does not listen");
    }

    /// Enrols a hospital. Gives the join code, which only the two who speak by phone may know.
    fn join(&mut self, name: &str) -> String {
        self.done(NODE, name, &["init", "--hospital", name]);
        let said = self.done(COORDINATOR, "hub", &["invite", name, "--as", "wang-fang"]);
        let code = said
            .split_whitespace()
            .find(|w| w.starts_with("consilium1."));
        let code = code.unwrap().to_owned();
        let said = self.done(NODE, name, &["enrol", &code]);
        let heard = said.split("fingerprint ").nth(1).unwrap();
        let heard = heard.split_whitespace().next().unwrap();
        let words = ["members", "approve", name, "--as", "chen-jie"];
        let words = [&words[..], &["--fingerprint", heard]].concat();
        self.done(COORDINATOR, "hub", &words);
        self.done(NODE, name, &["dictionary", "fetch"]);
        let offered = self.word(&format!("{name}/dictionary/offered.json"));
        self.done(NODE, name, &["dictionary", "accept", &offered]);
        code
    }

    /// Two officers, their signed policy, standing approvals.
    fn seat(&mut self, name: &str) {
        for (officer, role) in [("li-hua", "steward"), ("zhao-min", "security_officer")] {
            self.done(NODE, name, &["officer", "add", officer, "--role", role]);
        }
        for officer in ["li-hua", "zhao-min"] {
            self.done(NODE, name, &["policy", "approve", "--as", officer]);
        }
        let words = ["steward", "standing", "add", "yearly-benchmark"];
        let words = [&words[..], &["--until", "2099-12-31", "--as", "li-hua"]].concat();
        self.done(NODE, name, &words);
    }

    /// The mapping of the generator's files, with something replaced.
    fn mapping(&self, name: &str, from: &str, to: &str) -> String {
        assert!(MAPPING.contains(from));
        self.put(name, MAPPING.replacen(from, to, 1))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn two_addresses() -> [String; 2] {
    let free = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    free.map(|socket| socket.local_addr().unwrap().to_string())
}
