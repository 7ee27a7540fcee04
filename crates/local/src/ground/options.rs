//! How a local target is started, and why it may not.

use std::path::PathBuf;
use std::str::FromStr;

use super::functions::FunctionRunner;
use super::model_server::ModelServer;
use super::sources::{Clock, Ids};
use super::store::{DATABASE_LIMIT, StoreError};

/// What [`crate::start`] needs to know.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// The state folder, usually `.bedplate/local`; made when it is not there.
    pub dir: PathBuf,
    /// The most bytes that the database of the state may have.
    pub limit: u64,
    /// The port on 127.0.0.1; none takes a free one.
    pub port: Option<u16>,
    /// Resources whose creation or update is to fail.
    pub fail: Vec<Injection>,
    /// How long each resource takes to be made or changed: nothing, unless someone wants to watch.
    pub delay: std::time::Duration,
    /// A server that speaks OpenAI's API and answers in place of the stand-ins for models.
    pub model_server: Option<ModelServer>,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where request ids, version ids and other random identities come from.
    pub ids: Ids,
    /// Who runs functions for API Gateway.
    pub functions: FunctionRunner,
}

impl LocalOptions {
    /// The defaults over a state folder: a free port, the machine's clock, random ids, nothing made to fail.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            limit: DATABASE_LIMIT,
            port: None,
            fail: Vec::new(),
            delay: std::time::Duration::ZERO,
            model_server: None,
            clock: Clock::system(),
            ids: Ids::random(),
            functions: FunctionRunner::default(),
        }
    }
}

/// A failure the user asks for, to see what a deploy does then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The logical id of the resource in its template.
    pub logical_id: String,
    /// What the resource's event will say.
    pub reason: String,
}

impl FromStr for Injection {
    type Err = String;

    /// Reads `LOGICAL_ID` or `LOGICAL_ID=reason`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (logical_id, reason) = text.split_once('=').unwrap_or((text, "Failure injected by the local target"));
        if logical_id.is_empty() || !logical_id.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!(
                "`{logical_id}` is not a logical id: write `LOGICAL_ID` or `LOGICAL_ID=reason`, with letters and digits only in the id"
            ));
        }
        Ok(Self { logical_id: logical_id.to_owned(), reason: reason.to_owned() })
    }
}

impl LocalOptions {
    /// The same with the model server that the variable `BEDPLATE_MODEL_SERVER` names, if it names one.
    ///
    /// # Errors
    ///
    /// When it is not an address.
    pub fn with_model_server(mut self) -> Result<Self, LocalError> {
        if let Some(url) = std::env::var("BEDPLATE_MODEL_SERVER").ok().filter(|url| !url.is_empty()) {
            self.model_server = Some(ModelServer::new(&url).map_err(LocalError::ModelServer)?);
        }
        Ok(self)
    }
}

impl LocalOptions {
    /// The same with the most bytes of the database that the variable `BEDPLATE_LOCAL_LIMIT` names, if it names any.
    ///
    /// # Errors
    ///
    /// When it is not a size.
    pub fn with_limit(mut self) -> Result<Self, LocalError> {
        if let Some(text) = std::env::var("BEDPLATE_LOCAL_LIMIT").ok().filter(|text| !text.is_empty()) {
            self.limit = size(&text).ok_or(LocalError::Limit(text))?;
        }
        Ok(self)
    }
}

/// A number of bytes: digits and, if any, the unit `KiB`, `MiB` or `GiB`.
fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..)? {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.trim_end().parse::<u64>().ok()?.checked_mul(unit)
}

/// Why a local target could not start.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The state can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model server's address is none.
    #[error("BEDPLATE_MODEL_SERVER: {0}")]
    ModelServer(String),
    /// The limit of the database is none.
    #[error("BEDPLATE_LOCAL_LIMIT: `{0}` is not a size; write for example `2GiB` or `500MiB`")]
    Limit(String),
    /// The port can't be had.
    #[error("could not listen on 127.0.0.1:{port}: {source}; choose another port with `--port`")]
    Listen {
        /// The port asked for; 0 when any would do.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_injection_is_an_id_with_or_without_a_reason() {
        let plain: Injection = "PostersBucket".parse().expect("an id alone");
        assert_eq!(plain.logical_id, "PostersBucket");
        assert!(!plain.reason.is_empty());
        let told: Injection = "PostersBucket=no room = no bucket".parse().expect("with a reason");
        assert_eq!(told.reason, "no room = no bucket");
    }

    #[test]
    fn a_size_is_bytes_with_or_without_a_unit() {
        assert_eq!(["4096", "2GiB", "500 MiB"].map(size), [Some(4096), Some(2 << 30), Some(500 << 20)]);
        assert_eq!(["", "2GB", "-1", "18446744073709551615GiB"].map(size), [None; 4]);
    }

    #[test]
    fn an_injection_without_a_logical_id_is_refused() {
        for text in ["", "=reason", "Posters Bucket", "a/b=c"] {
            let message = text.parse::<Injection>().expect_err(text);
            assert!(message.contains("LOGICAL_ID=reason"), "{message}");
        }
    }
}
