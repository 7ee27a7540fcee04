//! Who tells what happens: a reporter is given events, findings and what verbs come to, each as data, and makes of them what
//! its reader can use.

use serde_json::Value;

use super::findings::Sources;
use super::run_record::RunEnd;
use super::style::Styles;
use crate::engine::Event;
use crate::finding::Finding;

/// Listens to a run and tells somebody of it. What a reporter has no use for it lets pass.
pub trait Reporter: Send + Sync {
    /// Something the engine tells while it works; must not block for long, the engine waits for it.
    fn event(&self, _: &Event) {}

    /// How things go, in a line; `--quiet` leaves it out.
    fn progress(&self, _: &str) {}

    /// Something that must be seen, even with `--quiet`.
    fn say(&self, _: &str) {}

    /// What is wrong, or worth knowing.
    fn findings(&self, _: &[Finding]) {}

    /// What a verb has come to.
    ///
    /// # Errors
    /// When it cannot be written.
    fn result(&self, _: &dyn VerbReport) -> Result<(), Vec<Finding>> {
        Ok(())
    }

    /// A text that was asked for as it is, such as a template: the same in every format, byte by byte.
    ///
    /// # Errors
    /// When it cannot be written.
    fn data(&self, _: &str) -> Result<(), Vec<Finding>> {
        Ok(())
    }

    /// The verb is over, however it ended: the time for what can only be written as a whole.
    ///
    /// # Errors
    /// When it cannot be written.
    fn complete(&self) -> Result<(), Vec<Finding>> {
        Ok(())
    }

    /// The run is over, and this is the last that is told of it.
    fn ended(&self, _: &RunEnd) {}
}

/// What a verb has come to, or a part of it that can be told by itself, as data. Its parts are told in the order of the
/// methods; each is empty where there is no such thing to tell.
pub trait VerbReport {
    /// What is wrong, or worth knowing.
    fn findings(&self) -> &[Finding] {
        &[]
    }

    /// Lines that must be seen, beside the result.
    fn to_be_seen(&self, _: &Look) -> String {
        String::new()
    }

    /// Lines about how things went, beside the result; `--quiet` leaves them out.
    fn progress(&self, _: &Look) -> String {
        String::new()
    }

    /// The result for a program; none for a part, which a program is given with the whole, and where there is nothing to give.
    fn json(&self) -> Option<Value> {
        None
    }

    /// The result for a person; empty where the parts were told one by one.
    fn text(&self, _: &Look) -> String {
        String::new()
    }

    /// The result for GitHub's log, where it is another than a person's.
    fn github(&self, look: &Look) -> String {
        self.text(look)
    }

    /// Lines for a person beside the result, which a program has no use for; `--quiet` leaves them out.
    fn aside(&self, _: &Look) -> String {
        String::new()
    }
}

/// How a text for a person is to look, and what is known of who reads it.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Styles of the stream it goes to.
    pub styles: Styles,
    /// Details are shown.
    pub verbose: bool,
    /// A person is there to answer.
    pub interactive: bool,
    /// The files that findings point into.
    pub sources: Sources,
}
