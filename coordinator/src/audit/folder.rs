//! The folder of one audit. Files are written under a passing name and renamed: whole or absent.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use proofs::book::{self, Believed, Book, Subject, Trust};
use proofs::checkpoint::Member;
use proofs::exchange::{Ask, Reply, Request, Said};
use proofs::note::Key;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Sealed, Signer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::AuditError;
use crate::store::private;

/// What is audited, and by which keys the two sides are known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The alliance.
    pub alliance: Slug,
    /// Hospital, payer, month.
    pub subject: Subject,
    /// Key of the hospital's settlement log, as `consilium-node audit key` prints it.
    pub log_key: String,
    /// Organisations other than the hospital that must have witnessed the close; 0 asks for none.
    pub quorum: u32,
    /// Keys of witnesses.
    pub witnesses: Vec<Witness>,
    /// The insurer's own message key.
    pub insurer_key: Digest,
}

/// A witness.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Whose it is.
    pub organisation: Slug,
    /// The key, as a C2SP verifier key.
    pub key: String,
}

impl Case {
    /// The key of the hospital's log; its name must be the log's.
    pub fn log(&self) -> Result<Member, AuditError> {
        let key: Key = self.log_key.parse()?;
        let subject = &self.subject;
        if key.name() != book::origin(&self.alliance, &subject.hospital) {
            return Err(AuditError::Other("hospital's log key"));
        }
        Ok(Member {
            organisation: subject.hospital.clone(),
            key,
        })
    }

    /// Whom a reader of the hospital's books believes.
    pub fn trust(&self) -> Result<Trust, AuditError> {
        let witnesses = self.witnesses.iter().map(|witness| {
            Ok(Member {
                organisation: witness.organisation.clone(),
                key: witness.key.parse()?,
            })
        });
        let witnesses = witnesses.collect::<Result<Vec<_>, AuditError>>()?;
        Ok(Trust {
            alliance: self.alliance.clone(),
            log: self.log()?,
            witnesses,
            quorum: usize::try_from(self.quorum).unwrap_or(usize::MAX),
        })
    }

    /// Believes a book of this case.
    pub fn believe(&self, bytes: &[u8]) -> Result<Believed, AuditError> {
        Ok(Book::from_bytes(bytes)?.believe(&self.subject, &self.trust()?)?)
    }

    /// What the hospital replied to a request: signed by its key, about these bytes.
    pub fn said(&self, name: &str, request: &[u8], reply: &[u8]) -> Result<Said, AuditError> {
        let shape = |source| AuditError::Shape {
            path: name.to_owned(),
            source,
        };
        let request: Sealed<Request> = canonical::read(request).map_err(shape)?;
        let reply: Sealed<Reply> = canonical::read(reply).map_err(shape)?;
        let reply = reply.open(&self.log()?.key.public())?;
        if reply.request != request.digest()? {
            return Err(AuditError::Reply(name.to_owned()));
        }
        match reply.said {
            Said::Refused(why) => Err(AuditError::Refused(why)),
            said => Ok(said),
        }
    }
}

/// The folder of one audit.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A folder; nothing is read.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The path of a file inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Whether a file is there.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The case.
    pub fn case(&self) -> Result<Case, AuditError> {
        self.json("case.json")
    }

    /// The book, believed.
    pub(super) fn book(&self, case: &Case) -> Result<Believed, AuditError> {
        case.believe(&self.read("book")?)
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, AuditError> {
        fs::read(self.path(name)).map_err(io_error(name))
    }

    /// Names of the requests in a folder, in order.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, AuditError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(folder)).map_err(io_error(folder))? {
            let path = entry.map_err(io_error(folder))?.path();
            if path.extension().is_some_and(|kind| kind == "json") {
                let name = path.file_name().unwrap_or_default();
                names.push(name.to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, AuditError> {
        let shape = |source| AuditError::Shape {
            path: name.to_owned(),
            source,
        };
        canonical::read(&self.read(name)?).map_err(shape)
    }

    /// A secret, which only its owner may read.
    pub(super) fn secret(&self, name: &str) -> Result<Vec<u8>, AuditError> {
        private::read(&self.path(name)).map_err(io_error(name))
    }

    /// A secret of 32 bytes.
    pub(super) fn secret_32(&self, name: &str) -> Result<[u8; 32], AuditError> {
        let bytes = self.secret(name)?;
        bytes.try_into().map_err(|_| AuditError::Other("key file"))
    }

    pub(super) fn signer(&self) -> Result<Signer, AuditError> {
        Ok(Signer::from_pkcs8(&self.secret("private/message.pk8")?)?)
    }

    /// Writes a file, whole and durably, for its owner only.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), AuditError> {
        let path = self.path(name);
        let done = || -> io::Result<()> {
            let folder = path.parent().unwrap_or(&self.0);
            make(folder)?;
            let passing = path.with_extension("part");
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&passing)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&passing, &path)?;
            File::open(folder)?.sync_all()
        };
        done().map_err(io_error(name))
    }

    pub(super) fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), AuditError> {
        let shape = |source| AuditError::Shape {
            path: name.to_owned(),
            source,
        };
        self.write(name, &canonical::to_bytes(value).map_err(shape)?)
    }

    /// Writes a signed request, unless it stands there already: it is never drawn twice.
    pub(super) fn ask(
        &self,
        name: &str,
        (case, release): (&Case, u32),
        number: u32,
        ask: Ask,
    ) -> Result<(), AuditError> {
        let name = format!("requests/{name}.json");
        if self.has(&name) {
            return Ok(());
        }
        let request = Request {
            subject: case.subject.clone(),
            release,
            number,
            ask,
        };
        self.write_json(&name, &Sealed::seal(&self.signer()?, &request)?)
    }

    /// What the hospital said to a request, and the digest of the request.
    pub(super) fn said(&self, case: &Case, name: &str) -> Result<(Said, Digest), AuditError> {
        let (asked, replied) = (
            format!("requests/{name}.json"),
            format!("replies/{name}.json"),
        );
        if !self.has(&replied) {
            return Err(AuditError::Waiting(format!(
                "`{replied}` is not there yet; have the hospital answer `{asked}`"
            )));
        }
        let (request, reply) = (self.read(&asked)?, self.read(&replied)?);
        let said = case.said(&replied, &request, &reply)?;
        let sealed: Sealed<Request> = self.json(&asked)?;
        Ok((said, sealed.digest()?))
    }
}

pub(super) fn io_error(name: &str) -> impl FnOnce(io::Error) -> AuditError + '_ {
    move |source| AuditError::Io {
        path: name.to_owned(),
        source,
    }
}

/// The name of a batch.
pub(super) fn batch_name(batch: usize) -> String {
    format!("{:04}", batch + 1)
}

/// Makes a folder, and those above it, that only its owner enters.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
