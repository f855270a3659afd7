//! Secret keys in files that only their owner reads. They are never printed.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use pooled::boxes::BoxSecret;
use proofs::leaf::BlindingSeed;
use proofs::oprf::{OprfError, ServerKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Signer;
use schemas::time::{DataYear, Month};
use zeroize::Zeroizing;

use super::ConfigError;

/// The folder of keys below the data folder.
#[derive(Clone, Debug)]
pub struct Keys {
    folder: PathBuf,
}

/// The key that turns patient numbers of one data year into pseudonyms.
#[derive(Clone)]
pub struct PseudonymKey([u8; 32]);

impl std::fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

impl PseudonymKey {
    /// A key for one run, never stored.
    pub fn random() -> Result<Self, ConfigError> {
        let mut bytes = [0; 32];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| ConfigError::Random)?;
        Ok(Self(bytes))
    }

    /// The secret bytes, for the keyed hash only.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// A one-way value by which the state file recognises the key.
    pub fn check_value(&self) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("consilium 2026 pseudonym key check");
        hasher.update(&self.0);
        hasher.finalize().to_hex().to_string()
    }
}

/// The secret behind one month's commitments: OPRF keys and blindings. Removed when the month's
/// audit ends; from then on nobody can evaluate or open anything.
#[derive(Clone)]
pub struct AuditSeed([u8; 32]);

impl std::fmt::Debug for AuditSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditSeed(…)")
    }
}

impl AuditSeed {
    /// The OPRF key of a payer.
    pub fn oprf_key(&self, payer: &Slug, month: Month) -> Result<ServerKey, OprfError> {
        ServerKey::derive(&self.0, payer, month)
    }

    /// The seed of a batch's blindings: no two batches share one.
    pub fn blinding(&self, payer: &Slug, month: Month, version: u32) -> BlindingSeed {
        let batch = format!("{payer}|{month}|{version}");
        let seed = Digest::of("consilium-blinding-v1", &[&self.0, batch.as_bytes()]);
        BlindingSeed::from_bytes(*seed.as_bytes())
    }
}

impl Keys {
    /// The keys below a data folder; the folder is made if it is missing.
    pub fn open(data: &Path) -> Result<Self, ConfigError> {
        let folder = data.join("keys");
        if !folder.is_dir() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(ConfigError::io(&folder))?;
        }
        Ok(Self { folder })
    }

    /// Makes the message key; refuses to replace one.
    pub fn make_message_key(&self) -> Result<Signer, ConfigError> {
        let (signer, bytes) = Signer::generate().map_err(|_| ConfigError::Random)?;
        self.write_new("message.pk8", &bytes)?;
        Ok(signer)
    }

    /// Reads the message key.
    pub fn message_key(&self) -> Result<Signer, ConfigError> {
        let bytes = self.read("message.pk8")?;
        Signer::from_pkcs8(&bytes)
            .map_err(|_| key_error("message.pk8", "an Ed25519 key in PKCS #8"))
    }

    /// The pseudonym key of a data year, or `None` where there is none yet.
    pub fn pseudonym_key(&self, year: DataYear) -> Result<Option<PseudonymKey>, ConfigError> {
        let name = pseudonym_name(year);
        if !self.folder.join(&name).exists() {
            return Ok(None);
        }
        let bytes = self.read(&name)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| key_error(&name, "holds exactly 32 bytes"))?;
        Ok(Some(PseudonymKey(bytes)))
    }

    /// Makes the pseudonym key of a data year; refuses to replace one.
    pub fn make_pseudonym_key(&self, year: DataYear) -> Result<PseudonymKey, ConfigError> {
        let key = PseudonymKey::random()?;
        self.write_new(&pseudonym_name(year), &key.0)?;
        Ok(key)
    }

    /// The key of the numbers in early warnings; made when it is first asked for.
    pub fn warning_key(&self) -> Result<PseudonymKey, ConfigError> {
        self.made_once("warning.key")
    }

    /// The key that seals how far views were read; made when it is first asked for.
    pub fn view_key(&self) -> Result<PseudonymKey, ConfigError> {
        self.made_once("view.key")
    }

    fn made_once(&self, name: &str) -> Result<PseudonymKey, ConfigError> {
        if !self.folder.join(name).exists() {
            let key = PseudonymKey::random()?;
            self.write_new(name, &key.0)?;
            return Ok(key);
        }
        let bytes = <[u8; 32]>::try_from(self.read(name)?.as_slice())
            .map_err(|_| key_error(name, "holds exactly 32 bytes"))?;
        Ok(PseudonymKey(bytes))
    }

    /// The audit seed of a month, or `None` where there is none (yet, or any more).
    pub fn audit_seed(&self, month: Month) -> Result<Option<AuditSeed>, ConfigError> {
        let name = audit_name(month);
        if !self.folder.join(&name).exists() {
            return Ok(None);
        }
        let bytes = self.read(&name)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| key_error(&name, "holds exactly 32 bytes"))?;
        Ok(Some(AuditSeed(bytes)))
    }

    /// Makes the audit seed of a month; refuses to replace one.
    pub fn make_audit_seed(&self, month: Month) -> Result<AuditSeed, ConfigError> {
        let PseudonymKey(bytes) = PseudonymKey::random()?;
        self.write_new(&audit_name(month), &bytes)?;
        Ok(AuditSeed(bytes))
    }

    /// Destroys the audit seed of a month; harmless where there is none.
    pub fn remove_audit_seed(&self, month: Month) -> Result<(), ConfigError> {
        let path = self.folder.join(audit_name(month));
        if path.exists() {
            fs::remove_file(&path).map_err(ConfigError::io(&path))?;
            let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
            folder.map_err(ConfigError::io(&self.folder))?;
        }
        Ok(())
    }

    /// A committee seat's key for boxes of a month, or `None` where there is none (yet, or any more).
    pub fn seat_secret(&self, epoch: u32, month: Month) -> Result<Option<BoxSecret>, ConfigError> {
        let name = seat_name(epoch, month);
        if !self.folder.join(&name).exists() {
            return Ok(None);
        }
        let bytes = Zeroizing::new(self.read(&name)?);
        let bytes = <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| key_error(&name, "holds exactly 32 bytes"))?;
        let secret = BoxSecret::from_bytes(bytes);
        Ok(Some(
            secret.map_err(|_| key_error(&name, "a key for boxes"))?,
        ))
    }

    /// Makes a seat's key of a month; refuses to replace one.
    pub fn make_seat_secret(&self, epoch: u32, month: Month) -> Result<BoxSecret, ConfigError> {
        let secret = BoxSecret::generate().map_err(|_| ConfigError::Random)?;
        self.write_new(&seat_name(epoch, month), secret.as_bytes())?;
        Ok(secret)
    }

    /// Epochs and months of the seat keys that are still here.
    pub fn seat_months(&self) -> Result<Vec<(u32, Month)>, ConfigError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(ConfigError::io(&self.folder))? {
            let name = entry.map_err(ConfigError::io(&self.folder))?.file_name();
            let name = name.to_string_lossy();
            let named = name
                .strip_prefix("seat-")
                .and_then(|name| name.strip_suffix(".key"));
            let parts = named.and_then(|name| name.split_once('-'));
            if let Some((epoch, month)) = parts
                && let (Ok(epoch), Ok(month)) = (epoch.parse(), month.parse())
            {
                found.push((epoch, month));
            }
        }
        found.sort();
        Ok(found)
    }

    /// Destroys a seat's key of a month: overwritten, then removed. What the disk itself keeps of
    /// overwritten blocks is beyond this.
    pub fn remove_seat_secret(&self, epoch: u32, month: Month) -> Result<(), ConfigError> {
        let path = self.folder.join(seat_name(epoch, month));
        let mut file = File::options()
            .write(true)
            .open(&path)
            .map_err(ConfigError::io(&path))?;
        file.write_all(&[0; 32]).map_err(ConfigError::io(&path))?;
        file.sync_all().map_err(ConfigError::io(&path))?;
        fs::remove_file(&path).map_err(ConfigError::io(&path))?;
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(ConfigError::io(&self.folder))
    }

    /// Where an officer's key lies unless the officer keeps it elsewhere.
    pub fn officer_path(&self, name: &Slug) -> PathBuf {
        self.folder.join(format!("officer-{name}.pk8"))
    }

    /// Makes an officer's key in a file of its own; refuses to replace one.
    pub fn make_officer_key(&self, path: &Path) -> Result<Signer, ConfigError> {
        let (signer, bytes) = Signer::generate().map_err(|_| ConfigError::Random)?;
        self.write_new(&path.display().to_string(), &bytes)?;
        Ok(signer)
    }

    /// Reads an officer's key.
    pub fn officer_key(&self, path: &Path) -> Result<Signer, ConfigError> {
        let name = path.display().to_string();
        Signer::from_pkcs8(&self.read(&name)?)
            .map_err(|_| key_error(&name, "an Ed25519 key in PKCS #8"))
    }

    // A full path stays one: `join` then leaves the folder of keys.
    fn read(&self, name: &str) -> Result<Vec<u8>, ConfigError> {
        let path = self.folder.join(name);
        let file = File::open(&path).map_err(ConfigError::io(&path))?;
        let mode = file.metadata().map_err(ConfigError::io(&path))?.mode();
        if mode & 0o077 != 0 {
            return Err(key_error(name, "only its owner may read it (mode 0600)"));
        }
        let mut bytes = Vec::new();
        file.take(64 * 1024)
            .read_to_end(&mut bytes)
            .map_err(ConfigError::io(&path))?;
        Ok(bytes)
    }

    // Whole or not at all, also where the process dies meanwhile: half a key would stop every
    // later start.
    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<(), ConfigError> {
        let path = self.folder.join(name);
        write_whole(&path, bytes).map_err(ConfigError::io(&path))
    }
}

/// Writes a new file of mode 0600, durably; refuses to replace one.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
}

fn audit_name(month: Month) -> String {
    format!("audit-{month}.key")
}

fn seat_name(epoch: u32, month: Month) -> String {
    format!("seat-{epoch}-{month}.key")
}

fn pseudonym_name(year: DataYear) -> String {
    format!("pseudonym-{year}.key")
}

fn key_error(name: &str, rule: &'static str) -> ConfigError {
    ConfigError::Key {
        name: name.to_owned(),
        rule,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_made_once_private_and_silent() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let year = DataYear(2025);
        assert!(keys.pseudonym_key(year).unwrap().is_none());
        let key = keys.make_pseudonym_key(year).unwrap();
        assert_eq!(keys.pseudonym_key(year).unwrap().unwrap().0, key.0);
        assert!(keys.make_pseudonym_key(year).is_err());
        assert_eq!(format!("{key:?}"), "PseudonymKey(…)");
        let path = folder.path().join("keys/pseudonym-2025.key");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            keys.pseudonym_key(year),
            Err(ConfigError::Key { .. })
        ));
        let signer = keys.make_message_key().unwrap();
        assert_eq!(keys.message_key().unwrap().public(), signer.public());
    }
}
