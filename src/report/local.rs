//! What the local target serves and holds, as the verbs of `local` show it.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Value, json};

use super::findings::{on_one_line, printable};
use super::reporter::{Look, VerbReport};
use super::style::count;
use crate::local::{Injection, Inventory};

/// The local target as it is served.
#[derive(Debug, Serialize)]
pub struct ServedLocally<'a> {
    /// Where.
    pub url: &'a str,
    /// Its account.
    pub account: &'a str,
}

impl VerbReport for ServedLocally<'_> {
    fn json(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn text(&self, _: &Look) -> String {
        format!("{}\n", self.url)
    }
}

const SERVING: &str = "Serving the local target, account 123456789012; credentials: local / local. Ctrl-C ends it.";

/// How the local target is served.
#[derive(Debug)]
pub struct ServingLocally<'a> {
    /// The model server that answers, where there is one.
    pub model_server: Option<String>,
    /// What will fail.
    pub fail: &'a [Injection],
}

impl VerbReport for ServingLocally<'_> {
    fn progress(&self, _: &Look) -> String {
        let mut said = format!("{SERVING}\n");
        if let Some(url) = &self.model_server {
            let _ = writeln!(said, "Text and vectors come from the model server {url}");
        }
        for one in self.fail {
            let _ = writeln!(said, "{} will fail: {}", on_one_line(&one.logical_id), printable(&one.reason));
        }
        said.trim_end_matches('\n').to_owned()
    }
}

/// An interrupt has come.
#[derive(Debug)]
pub struct ServingEnds;

impl VerbReport for ServingEnds {
    fn progress(&self, _: &Look) -> String {
        "Ending: what is under way is finished first".to_owned()
    }
}

/// What the local target holds.
#[derive(Debug, Serialize)]
pub struct LocalReport {
    /// The folder of its state.
    pub dir: PathBuf,
    /// What is in it.
    #[serde(flatten)]
    pub holds: Inventory,
}

impl VerbReport for LocalReport {
    fn json(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn text(&self, _: &Look) -> String {
        let holds = &self.holds;
        let mut out = String::new();
        for stack in &holds.stacks {
            let resources = number(stack.resources, "resource");
            let name = on_one_line(&stack.name);
            let _ = writeln!(out, "stack   {:14} {name}  {}, {resources}", stack.region, stack.status);
        }
        for bucket in &holds.buckets {
            let versions = number(bucket.versions, "object version");
            let _ = writeln!(out, "bucket  {:14} {}  {versions}", bucket.region, on_one_line(&bucket.name));
        }
        for table in &holds.tables {
            let items = number(table.items, "item");
            let _ = writeln!(out, "table   {:14} {}  {items}", table.region, on_one_line(&table.name));
        }
        if out.is_empty() {
            out.push_str("The local target holds nothing\n");
        }
        out
    }
}

fn number(number: u32, what: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), what)
}

/// How forgetting everything ended.
#[derive(Debug)]
pub enum ResetReport {
    /// What a local target of unknown origin had is gone.
    Removed,
    /// It is still there.
    NotRemoved,
    /// Everything is forgotten.
    Forgotten,
    /// It is still there.
    NotForgotten,
    /// There was no local target.
    NothingToDo,
}

impl VerbReport for ResetReport {
    fn to_be_seen(&self, _: &Look) -> String {
        match self {
            Self::NotRemoved => "Not approved: nothing was removed (without a terminal, say `--yes`)",
            Self::NotForgotten => "Not approved: nothing was forgotten (without a terminal, say `--yes`)",
            Self::Removed | Self::Forgotten | Self::NothingToDo => "",
        }
        .to_owned()
    }

    fn progress(&self, _: &Look) -> String {
        match self {
            Self::Removed => "Removed",
            Self::Forgotten => "The local target is empty",
            Self::NothingToDo => "The local target holds nothing: nothing to do",
            Self::NotRemoved | Self::NotForgotten => "",
        }
        .to_owned()
    }
}
