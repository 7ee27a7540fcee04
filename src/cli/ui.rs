//! What the command line asks, and what it knows of the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use super::globals::{Format, Globals};
use crate::report::console::Console;
use crate::report::style::Styles;
use crate::spec::root_of;

/// The person at the terminal, if there is one.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// A person is there to answer, and to watch a line change.
    pub interactive: bool,
}

/// Columns when there is no terminal to ask.
const DEFAULT_WIDTH: usize = 100;

/// The two streams, from the flags, the terminal and `NO_COLOR` (<https://no-color.org>).
pub fn console(globals: &Globals) -> Console {
    let plain = globals.no_color
        || globals.format != Format::Text
        || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let err_terminal = io::stderr().is_terminal();
    let width = terminal_size::terminal_size_of(io::stderr())
        .map(|(width, _)| usize::from(width.0))
        .or_else(|| std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()))
        .unwrap_or(DEFAULT_WIDTH);
    Console {
        out_styles: Styles::new(!plain && io::stdout().is_terminal()),
        err_styles: Styles::new(!plain && err_terminal),
        progress: !globals.quiet,
        verbose: globals.verbose > 0,
        interactive: err_terminal && io::stdin().is_terminal() && globals.format == Format::Text,
        width: width.max(40),
        sources: read_source,
    }
}

impl Ui {
    /// Asks a yes/no question on the terminal; without one the answer is no.
    pub fn confirm(&self, question: &str) -> bool {
        if !self.interactive {
            return false;
        }
        let answer = ask(&format!("{question} [y/N] "));
        answer.is_some_and(|answer| matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for something to be typed in full; without a terminal the answer is no.
    pub fn confirm_by_name(&self, question: &str, name: &str) -> bool {
        self.interactive
            && ask(&format!("{question}: type `{name}` to go ahead: ")).is_some_and(|answer| answer == name)
    }
}

/// A line from the terminal.
fn ask(prompt: &str) -> Option<String> {
    let _ = write!(io::stderr().lock(), "{prompt}");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned())
}

/// The largest file a finding's line is shown from.
const SOURCE_LIMIT: u64 = 1 << 20;

/// The text of a file of a project, which may have become something else since it was looked at.
fn read_source(file: &str) -> Option<String> {
    let path = Path::new(file);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let bytes = root_of(folder).ok()?.read(path, SOURCE_LIMIT).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
