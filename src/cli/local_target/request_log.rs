//! The log of requests to `bedplate local serve`: on standard error with `-v`, and in a file where one is named.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{fmt, registry, util::SubscriberInitExt as _};

use crate::finding::{Finding, code};

/// From now on each request is a line. The file is appended to; only its owner may read it if it is made here. What the
/// libraries log is left out.
///
/// # Errors
/// When the file cannot be opened.
pub(in crate::cli) fn listen(file: Option<&Path>, verbose: bool) -> Result<(), Vec<Finding>> {
    let own = || Targets::new().with_target("bedplate_local", LevelFilter::INFO);
    let file = match file {
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
            Some(file.map_err(|error| vec![cannot_be_opened(path, &error)])?)
        }
        None => None,
    };
    let file = file.map(|file| fmt::layer().with_target(false).with_writer(Mutex::new(file)).with_filter(own()));
    let terminal = verbose.then(|| fmt::layer().with_target(false).with_writer(std::io::stderr).with_filter(own()));
    // Whoever uses this program as a library may listen already.
    let _ = registry().with(file).with(terminal).try_init();
    Ok(())
}

fn cannot_be_opened(path: &Path, error: &std::io::Error) -> Finding {
    Finding::error(code::P021, format!("the log `{}` cannot be opened: {error}", path.display()))
        .help("name a file in a folder that exists, with `--log-file`")
}
