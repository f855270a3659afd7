//! The two binaries as processes of this test. Every wait has an end, and every process ends with
//! the value that stands for it.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(super) use crate::binary::binary;

pub(super) const NODE: &str = "consilium-node";
pub(super) const COORDINATOR: &str = "consilium-coordinator";

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a process finds in its environment beside this one's.
pub(super) type Environment = Vec<(&'static str, String)>;

/// Runs one command to its end, which must be success, and gives what it printed.
pub(super) fn call(name: &str, data: &Path, words: &[&str]) -> String {
    call_under(name, data, words, Environment::new())
}

/// The same, with more in its environment.
pub(super) fn call_under(
    name: &str,
    data: &Path,
    words: &[&str],
    environment: Environment,
) -> String {
    let said = tried(name, data, words, environment);
    said.unwrap_or_else(|error| panic!("{name} {words:?}: {error}"))
}

/// The same of a command that may fail: what it said then.
pub(super) fn tried(
    name: &str,
    data: &Path,
    words: &[&str],
    environment: Environment,
) -> Result<String, String> {
    // Files, not pipes: a full pipe would hold the command up.
    let (mut out, mut errors) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let mut child = Command::new(binary(name))
        .arg("--data")
        .arg(data)
        .args(words)
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(errors.try_clone().unwrap())
        .spawn()
        .unwrap();
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{name} {words:?} did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let errors = text(&mut errors);
    if status.success() {
        Ok(text(&mut out))
    } else {
        Err(format!("{status}: {errors}"))
    }
}

fn text(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

/// One of the binaries, serving.
pub(super) struct Service {
    name: &'static str,
    data: PathBuf,
    /// Its command and its environment when it is started again.
    pub(super) words: Vec<String>,
    pub(super) environment: Environment,
    child: Option<Child>,
}

impl Service {
    /// Starts `run` in a data folder.
    pub(super) fn start(name: &'static str, data: &Path) -> Self {
        Self::start_with(name, data, &["run"])
    }

    /// Starts another command than `run`, or with more words after it.
    pub(super) fn start_with(name: &'static str, data: &Path, words: &[&str]) -> Self {
        let mut service = Self {
            name,
            data: data.to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            environment: Environment::new(),
            child: None,
        };
        service.again();
        service
    }

    /// The number of its process, while it serves.
    pub(super) fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Starts it again in the same folder.
    pub(super) fn again(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .unwrap();
        let child = Command::new(binary(self.name))
            .arg("--data")
            .arg(&self.data)
            .args(&self.words)
            .envs(self.environment.clone())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// SIGKILL, as a lost machine would end it: no destructor, no flush.
    pub(super) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        let before = child.try_wait().unwrap();
        assert_eq!(before, None, "{} had ended by itself", self.name);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            println!("{} in {}:\n{log}", self.name, self.data.display());
        }
    }
}
