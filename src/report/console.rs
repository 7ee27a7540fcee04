//! Standard output and standard error. Reporters write to them, and nobody else does.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use super::findings::{Sources, for_terminal};
use super::reporter::{Look, VerbReport};
use super::style::Styles;
use crate::finding::{Finding, code};

/// The two streams and what may be done with them, decided once from the flags, the terminal and the environment.
#[derive(Debug, Clone)]
pub struct Console {
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
    /// The files that findings point into.
    pub sources: Sources,
}

impl Console {
    /// Writes a result to standard output.
    ///
    /// # Errors
    /// When it cannot be written; a reader that went away is not an error.
    pub(super) fn out(&self, text: &str) -> Result<(), Vec<Finding>> {
        if text.is_empty() {
            return Ok(());
        }
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

    /// Says how things go, unless `--quiet`.
    pub(super) fn progress(&self, line: &str) {
        if self.progress {
            self.say(line);
        }
    }

    /// Says something that must be seen even with `--quiet`.
    pub(super) fn say(&self, line: &str) {
        // Standard error that cannot be written leaves nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{}", for_terminal(line));
    }

    /// Writes text that moves what is on the terminal.
    pub(super) fn draw(&self, text: &str) {
        if !text.is_empty() {
            // Standard error that cannot be written leaves nobody to tell.
            let _ = io::stderr().lock().write_all(text.as_bytes());
        }
    }

    /// What of a report goes to standard error whatever the format, findings aside.
    pub(super) fn beside(&self, report: &dyn VerbReport) {
        let look = self.err_look();
        let (seen, progress) = (report.to_be_seen(&look), report.progress(&look));
        if !seen.is_empty() {
            self.say(&seen);
        }
        if !progress.is_empty() {
            self.progress(&progress);
        }
    }

    /// What of a report only a person reads beside the result.
    pub(super) fn aside(&self, report: &dyn VerbReport) {
        let aside = report.aside(&self.err_look());
        if !aside.is_empty() {
            self.progress(&aside);
        }
    }

    /// The look of standard output.
    pub(super) fn out_look(&self) -> Look {
        self.look(self.out_styles)
    }

    /// The look of standard error.
    pub(super) fn err_look(&self) -> Look {
        self.look(self.err_styles)
    }

    fn look(&self, styles: Styles) -> Look {
        Look { styles, verbose: self.verbose, interactive: self.interactive, sources: self.sources }
    }
}
