//! What a partial may cost: how it may look before it is compiled, how much it may do, how much it may write.
//!
//! No clock decides: a partial that is refused on one machine is refused on every machine.

use std::sync::atomic::{AtomicUsize, Ordering};

use handlebars::{Output, RenderError, RenderErrorReason};

use super::trace::Trace;
use crate::finding::{Finding, Place, code};
use crate::yaml;

/// The largest partial, in bytes; ten times the largest of the program's own.
pub(super) const SIZE_LIMIT: u64 = 64 << 10;

/// The most tags of a partial: compiling one counts its way from the first character of the file.
const MOST_TAGS: usize = 500;

/// How deep blocks stand in blocks, each `else` counted as one more: both compiling and rendering go down with them.
const DEEPEST: usize = 32;

/// The most that all loops of a use case's partials do, in tags and texts between them; of 500 resources the program's own take
/// a tenth of it.
const MOST_STEPS: usize = 100_000;

/// The most that a partial renders to, in bytes: no more is read as YAML.
const MOST_WRITTEN: usize = yaml::MAX_BYTES;

/// The most that all partials of a use case render to, in bytes: four templates as large as one may be.
const MOST_IN_ALL: usize = 4 * yaml::MAX_BYTES;

/// Refuses what would take Handlebars long, or deeper than a thread's stack goes.
///
/// A tag here holds names and no brackets or quotes, so that it ends at its first `}}` for us as for Handlebars.
///
/// # Errors
/// `R160` for too many or too deep tags, `R002` for a tag with something else in it, at its place.
pub(super) fn within_bounds(name: &str, file: &str, text: &str) -> Result<(), Finding> {
    let refuse = |code, at: usize, message: String, help: &str| {
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let place = Place { file: file.to_owned(), line, column };
        Err(Finding::error(code, message).at(Some(place)).help(help))
    };
    let (mut at, mut tags) = (0, 0_usize);
    let mut blocks: Vec<usize> = Vec::new();
    while let Some(start) = text.get(at..).and_then(|rest| rest.find("{{")).map(|found| at + found) {
        tags += 1;
        if tags > MOST_TAGS {
            let message = format!("the partial `{name}` has more than {MOST_TAGS} tags");
            return refuse(code::R160, start, message, "write the common parts once, in a `{{#each …}}`");
        }
        let rest = text.get(start + 2..).unwrap_or_default();
        let end = rest.find("}}");
        let inside = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        let body = inside.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '~');
        let escaped = text.get(..start).is_some_and(|before| before.ends_with('\\'));
        let plain = match body.strip_prefix('!') {
            Some(comment) => !comment.starts_with("--") || (comment.len() >= 4 && comment.ends_with("--")),
            None => !body.strip_prefix('{').unwrap_or(body).contains(['"', '\'', '(', '[', '{']),
        };
        if escaped || !plain {
            let message = format!("the partial `{name}` uses a Handlebars feature that partials do not have");
            let help = "a tag holds names and nothing else: `{{json …}}`, `{{#if …}}`, `{{#unless …}}`, `{{#each …}}` and `{{#with …}}`";
            return refuse(code::R002, start, message, help);
        }
        if body.starts_with('#') {
            blocks.push(1);
        } else if body.starts_with('/') {
            blocks.pop();
        } else if (body.starts_with("else") || body.starts_with('^'))
            && let Some(block) = blocks.last_mut()
        {
            *block += 1;
        }
        if blocks.iter().sum::<usize>() > DEEPEST {
            let message = format!("blocks of the partial `{name}` stand more than {DEEPEST} deep in each other");
            return refuse(code::R160, start, message, "take some of them apart");
        }
        let Some(end) = end else { break };
        at = start + 2 + end + 2;
    }
    Ok(())
}

/// How much the partials of a use case have done.
#[derive(Debug, Default)]
pub(in crate::render) struct Budget {
    steps: AtomicUsize,
    written: AtomicUsize,
}

impl Budget {
    /// Another one, of which as much is gone as of this one.
    pub(super) fn spent(&self) -> Budget {
        let copy = |count: &AtomicUsize| AtomicUsize::new(count.load(Ordering::Relaxed));
        Budget { steps: copy(&self.steps), written: copy(&self.written) }
    }

    /// Counts what is done next; what has no loop is bounded by what is written.
    ///
    /// # Errors
    /// When it has done too much.
    pub(super) fn spend(&self, steps: usize) -> Result<(), RenderError> {
        let before = self.steps.fetch_add(steps, Ordering::Relaxed);
        match before.saturating_add(steps) > MOST_STEPS {
            false => Ok(()),
            true => {
                let why =
                    format!("the partials of the use case take more than {MOST_STEPS} steps; loops in loops multiply");
                Err(RenderErrorReason::Other(why).into())
            }
        }
    }
}

/// What a partial renders to, up to a bound.
#[derive(Debug)]
pub(super) struct Written<'b> {
    text: String,
    budget: &'b Budget,
    trace: &'b Trace<'b>,
}

impl<'b> Written<'b> {
    pub(super) fn within(budget: &'b Budget, trace: &'b Trace<'b>) -> Self {
        Self { text: String::new(), budget, trace }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl Output for Written<'_> {
    fn write(&mut self, text: &str) -> std::io::Result<()> {
        if self.text.len().saturating_add(text.len()) > MOST_WRITTEN {
            let why = format!("it renders to more than {MOST_WRITTEN} bytes, the most a template may have");
            return Err(std::io::Error::other(why));
        }
        let before = self.budget.written.fetch_add(text.len(), Ordering::Relaxed);
        if before.saturating_add(text.len()) > MOST_IN_ALL {
            let why = format!("the partials of the use case render to more than {MOST_IN_ALL} bytes together");
            return Err(std::io::Error::other(why));
        }
        self.text.push_str(text);
        self.trace.written(self.text.len());
        Ok(())
    }
}
