//! The question templates that rounds are opened from: those shipped with the software, and those
//! of a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use policies::template::{Template, TemplateError};
use schemas::id::Slug;

/// Why templates could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder could not be read.
    #[error("`{path}` could not be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A template is refused.
    #[error("`{path}` is refused")]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: TemplateError,
    },
    /// Two templates bear one name.
    #[error("two templates are named `{0}`")]
    Twice(Slug),
}

/// All templates by name: the shipped ones and those of the folder.
pub fn load(folder: Option<&Path>) -> Result<BTreeMap<Slug, Template>, LoadError> {
    let shipped = policies::template::shipped().into_iter();
    let mut templates: BTreeMap<Slug, Template> = shipped
        .map(|template| (template.id.clone(), template))
        .collect();
    let mut add = |text: &str, path: &Path| {
        let template = Template::parse(text).map_err(|source| LoadError::Refused {
            path: path.to_owned(),
            source,
        })?;
        match templates.insert(template.id.clone(), template) {
            Some(earlier) => Err(LoadError::Twice(earlier.id)),
            None => Ok(()),
        }
    };
    if let Some(folder) = folder {
        for path in files(folder)? {
            let text = std::fs::read_to_string(&path).map_err(|source| LoadError::Unreadable {
                path: path.clone(),
                source,
            })?;
            add(&text, &path)?;
        }
    }
    Ok(templates)
}

/// The TOML files of a folder by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |source| LoadError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_templates_load() {
        let templates = load(None).unwrap();
        let names: Vec<&str> = templates.keys().map(Slug::as_str).collect();
        assert_eq!(
            names,
            [
                "audit-signals",
                "monthly-benchmark",
                "yearly-alliance",
                "yearly-benchmark",
                "yearly-followups",
                "yearly-hospitals",
                "yearly-pooled",
                "yearly-referrals",
                "yearly-surveys",
                "yearly-visits",
                "yearly-warnings"
            ]
        );
    }
}
