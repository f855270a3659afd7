//! Where warnings go beside the screen: a file and an address, both the hospital's own. They name the
//! case, so that somebody can act; the file therefore lies outside the data folder.

use std::path::Path;

use ::sinks::{Lines, SinkError, Webhook};
use policies::early::Alert;

use super::EarlyError;

/// File and address, where there are any.
#[derive(Debug, Default)]
pub struct Sinks {
    file: Option<Lines>,
    webhook: Option<Webhook>,
}

impl Sinks {
    /// A file, and an address with the one CA that its certificate may be from.
    pub fn new(
        data: &Path,
        file: Option<&Path>,
        webhook: Option<(&str, Option<&Path>)>,
    ) -> Result<Self, EarlyError> {
        let mut sinks = Self::default();
        if let Some(path) = file {
            let real = |path: &Path| path.canonicalize().map_err(SinkError::File);
            let path = std::path::absolute(path).map_err(SinkError::File)?;
            let folder = real(path.parent().unwrap_or(Path::new("/")))?;
            if folder.starts_with(real(data)?) {
                return Err(EarlyError::Inside);
            }
            let lines = Lines::at(path);
            // One that cannot be written shows here, not with the first warning.
            lines.append::<Alert>(&[])?;
            sinks.file = Some(lines);
        }
        if let Some((address, ca)) = webhook {
            sinks.webhook = Some(Webhook::new(address, ca)?);
        }
        Ok(sinks)
    }

    /// Tells them; the file last, so that what is in it was told.
    pub async fn tell(&self, alerts: &[Alert]) -> Result<(), SinkError> {
        if let Some(webhook) = &self.webhook {
            webhook.post(alerts).await?;
        }
        if let Some(file) = &self.file {
            file.append(alerts)?;
        }
        Ok(())
    }
}
