//! What the command line writes and asks: results to standard output, everything else to standard error.

use std::borrow::Cow;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use super::globals::{Format, Globals};
use super::stream::EventStream;
use crate::finding::{Finding, code};
use crate::report;
use crate::report::findings::{for_terminal, json_line};
use crate::report::style::Styles;
use crate::spec::root_of;

/// The two streams and what may be done with them, decided once from the flags, the terminal and the environment.
#[derive(Debug, Clone)]
pub struct Ui {
    /// How results and diagnostics are written.
    pub format: Format,
    /// Styles for standard output.
    pub out_styles: Styles,
    /// Styles for standard error.
    pub err_styles: Styles,
    /// Progress is shown.
    pub progress: bool,
    /// Details are shown.
    pub verbose: bool,
    /// A person is there to answer, and to watch a line change.
    pub interactive: bool,
    /// Columns of standard error.
    pub width: usize,
    /// Events in JSON, up to the last line.
    pub stream: EventStream,
}

/// Columns when there is no terminal to ask.
const DEFAULT_WIDTH: usize = 100;

impl Ui {
    /// From the flags, the terminal and `NO_COLOR` (<https://no-color.org>).
    pub fn new(globals: &Globals) -> Self {
        let plain = globals.no_color
            || globals.format != Format::Text
            || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let err_terminal = io::stderr().is_terminal();
        let width = terminal_size::terminal_size_of(io::stderr())
            .map(|(width, _)| usize::from(width.0))
            .or_else(|| std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()))
            .unwrap_or(DEFAULT_WIDTH);
        Self {
            format: globals.format,
            out_styles: Styles::new(!plain && io::stdout().is_terminal()),
            err_styles: Styles::new(!plain && err_terminal),
            progress: !globals.quiet,
            verbose: globals.verbose > 0,
            interactive: err_terminal && io::stdin().is_terminal() && globals.format == Format::Text,
            width: width.max(40),
            stream: EventStream::default(),
        }
    }

    /// Writes a result.
    ///
    /// # Errors
    /// When standard output cannot be written; a reader that went away is not an error.
    pub fn out(&self, text: &str) -> Result<(), Vec<Finding>> {
        // Into a pipe or a file goes what was asked for, byte by byte.
        let text = if io::stdout().is_terminal() { for_terminal(text) } else { Cow::Borrowed(text) };
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(vec![Finding::error(code::P020, format!("standard output cannot be written: {error}"))])
            }
            _ => Ok(()),
        }
    }

    /// Writes a JSON value as a result, on one line.
    ///
    /// # Errors
    /// As [`Ui::out`].
    pub fn json(&self, value: &serde_json::Value) -> Result<(), Vec<Finding>> {
        self.out(&format!("{}\n", json_line(value)))
    }

    /// Says how things go, unless `--quiet`.
    pub fn status(&self, line: &str) {
        if self.progress {
            self.say(line);
        }
    }

    /// Says something that must be seen even with `--quiet`.
    pub fn say(&self, line: &str) {
        // Standard error that cannot be written leaves nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{}", for_terminal(line));
    }

    /// Shows findings on standard error, in the chosen format.
    pub fn findings(&self, findings: &[Finding]) {
        if !findings.is_empty() {
            let text = self.render_findings(findings, &self.err_styles);
            self.say(text.trim_end_matches('\n'));
        }
    }

    /// Findings in the chosen format.
    pub fn render_findings(&self, findings: &[Finding], styles: &Styles) -> String {
        match self.format {
            Format::Text => report::findings::text(findings, styles, &read_source),
            Format::Json => format!("{}\n", json_line(&report::findings::json(findings))),
            Format::Github => report::findings::github(findings),
        }
    }

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
