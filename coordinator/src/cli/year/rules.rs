//! `year rules`: the rules as files, and what is wrong with an alliance's own.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use policies::year::Rules;

use crate::year;

pub(super) fn files(
    (folder, check): (Option<PathBuf>, Option<PathBuf>),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if let Some(folder) = check {
        return checked(&folder, out);
    }
    let Some(folder) = folder else {
        bail!("name a folder with --out or --check");
    };
    let at = || format!("`{}`: name a new folder", folder.display());
    std::fs::create_dir(&folder).with_context(at)?;
    for (file, text) in Rules::SHIPPED {
        let path = folder.join(file);
        std::fs::write(&path, text).with_context(|| format!("`{}`", path.display()))?;
        writeln!(out, "{}", path.display())?;
    }
    writeln!(
        out,
        "next: edit them, then `year rules --check {0}`, `year what-if --rules {0}`; put those that an \
         alliance changed in `rules/` of its data folder before `year open`",
        folder.display()
    )?;
    Ok(())
}

fn checked(folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let shipped = Rules::read(|_| None)?;
    if !Rules::FILES.iter().any(|file| folder.join(file).is_file()) {
        let all = Rules::FILES.join(", ");
        bail!("`{}` holds none of {all}", folder.display());
    }
    let own = year::rules_beside(folder, &shipped)?;
    for file in Rules::FILES {
        let whose = if folder.join(file).is_file() {
            "own"
        } else {
            "as shipped"
        };
        writeln!(out, "{file:<16} {whose}")?;
    }
    for warning in own.odd() {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "sound: digest {}", own.digest()?)?;
    Ok(())
}
