//! What a run that did not get to its end has changed by then.

use std::fmt::Write as _;

use super::findings::printable;
use super::reporter::{Look, VerbReport};
use super::style::{Styles, paint};
use crate::engine::Account;

/// What was done by a run that was broken off.
#[derive(Debug)]
pub struct BrokenOff<'a>(pub &'a Account);

impl VerbReport for BrokenOff<'_> {
    fn to_be_seen(&self, look: &Look) -> String {
        text(self.0, &look.styles).trim_end().to_owned()
    }
}

/// A line for each thing that was done; what is not known is told as findings.
pub fn text(account: &Account, styles: &Styles) -> String {
    let mut out = String::new();
    if account.done.is_empty() {
        return out;
    }
    let _ = writeln!(out, "Done before that:");
    for effect in &account.done {
        let _ = writeln!(out, "  {} {}", paint(styles.warn, "·"), printable(&effect.text));
    }
    out
}
