//! The log of requests to `bedplate local serve`: on standard error with `-v`, and in a file where one is named.

use std::fs::File;
use std::sync::Mutex;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{fmt, registry, util::SubscriberInitExt as _};

/// From now on each request is a line, of a file opened for appending and of standard error. What the libraries log is
/// left out.
pub(in crate::cli) fn listen(file: Option<File>, verbose: bool) {
    let own = || Targets::new().with_target("bedplate_local", LevelFilter::INFO);
    let file = file.map(|file| fmt::layer().with_target(false).with_writer(Mutex::new(file)).with_filter(own()));
    let terminal = verbose.then(|| fmt::layer().with_target(false).with_writer(std::io::stderr).with_filter(own()));
    // Whoever uses this program as a library may listen already.
    let _ = registry().with(file).with(terminal).try_init();
}
