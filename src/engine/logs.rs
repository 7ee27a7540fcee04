//! What the functions and APIs of a stack have logged: which groups, and their events in order of time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::claim::Claim;
use crate::aws::{CallError, Clients, LogEvent, StackResource};
use crate::finding::{Finding, code};
use crate::render::Rendered;

/// How far back the next look reaches beyond the last event, in milliseconds: what happens last may be told first.
const OVERLAP: i64 = 10_000;

/// The most pages of one group in one look; a look that is not through goes on with the next.
const PAGES: usize = 100;

/// A log group of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// What a person knows it by: a function's name, `apis.NAME`, or a logical id.
    pub name: String,
    /// The log group's name.
    pub group: String,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The source's name.
    pub source: String,
    /// The event.
    pub event: LogEvent,
}

/// The log groups of a deployed stack, functions first, each in the order of the template; `None` when it is not there.
///
/// # Errors
/// When CloudFormation cannot be asked, or the stack is not the one that `claim` says.
pub async fn log_sources(
    clients: &Clients,
    stack: &str,
    claim: &Claim,
    rendered: &Rendered,
) -> Result<Option<Vec<LogSource>>, Finding> {
    let failed = |error: CallError| error.finding();
    let Some(found) = clients.stack(stack).await.map_err(failed)? else { return Ok(None) };
    claim.refuse_foreign_read(&found)?;
    let resources = clients.stack_resources(&found.id).await.map_err(failed)?;
    Ok(Some(sources(rendered, &resources)))
}

fn sources(rendered: &Rendered, resources: &[StackResource]) -> Vec<LogSource> {
    let physical: BTreeMap<&str, &str> = resources
        .iter()
        .filter_map(|resource| Some((resource.logical_id.as_str(), resource.physical_id.as_deref()?)))
        .collect();
    let name_of = |logical_id: &str| {
        let origin = rendered.origins.get(logical_id).map(String::as_str).unwrap_or_default();
        let mut parts = origin.split('/').skip(1);
        match (parts.next(), parts.next()) {
            (Some("functions"), Some(name)) => name.to_owned(),
            (Some(section), Some(name)) => format!("{section}.{name}"),
            _ => logical_id.to_owned(),
        }
    };
    let mut found = Vec::new();
    let mut of_functions = BTreeSet::new();
    for resource in rendered.template.resources().filter(|resource| resource.type_ == "AWS::Lambda::Function") {
        let Some(id) = physical.get(resource.logical_id) else { continue };
        let configured = resource.properties().and_then(|all| all.get("LoggingConfig")?.get("LogGroup"));
        let group = match configured {
            Some(Value::String(name)) => name.clone(),
            Some(Value::Object(function)) => {
                let named = function.get("Ref").and_then(Value::as_str).unwrap_or_default();
                of_functions.insert(named);
                match physical.get(named) {
                    Some(group) => (*group).to_owned(),
                    None => continue,
                }
            }
            _ => format!("/aws/lambda/{id}"),
        };
        found.push(LogSource { name: name_of(resource.logical_id), group });
    }
    for resource in rendered.template.resources().filter(|resource| resource.type_ == "AWS::Logs::LogGroup") {
        if let Some(group) = physical.get(resource.logical_id)
            && !of_functions.contains(resource.logical_id)
            && !found.iter().any(|source| source.group == *group)
        {
            found.push(LogSource { name: name_of(resource.logical_id), group: (*group).to_owned() });
        }
    }
    found
}

/// Reads logs from a moment on, and again what is new since.
#[derive(Debug)]
pub struct LogReader {
    sources: Vec<(LogSource, i64)>,
    filter: Option<String>,
    /// Events told already, with their times, as far back as the next look reaches.
    printed: BTreeSet<(i64, String, String)>,
}

impl LogReader {
    /// A reader of some sources from a moment on, in milliseconds since 1970.
    pub fn new(sources: Vec<LogSource>, since: i64, filter: Option<String>) -> Self {
        Self { sources: sources.into_iter().map(|source| (source, since)).collect(), filter, printed: BTreeSet::new() }
    }

    /// What was logged and not told yet, oldest first.
    ///
    /// # Errors
    /// When the service cannot be asked or refuses.
    pub async fn poll(&mut self, clients: &Clients) -> Result<Vec<LogLine>, Finding> {
        let mut lines = Vec::new();
        for (source, since) in &mut self.sources {
            let mut next = None;
            for _ in 0..PAGES {
                let page = clients.log_events(&source.group, *since, self.filter.as_deref(), next.as_deref()).await;
                let page = page.map_err(|message| {
                    Finding::error(code::D066, format!("the log group `{}` cannot be read: {message}", source.group))
                        .help("check the filter pattern, and that `logs:FilterLogEvents` is allowed")
                })?;
                let Some(page) = page else { break };
                for event in page.events {
                    if self.printed.insert((event.at, source.group.clone(), event.id.clone())) {
                        lines.push(LogLine { source: source.name.clone(), event });
                    }
                }
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            let last = self.printed.iter().rev().find(|(_, group, _)| *group == source.group).map(|(at, ..)| *at);
            if let Some(last) = last {
                *since = (*since).max(last - OVERLAP);
            }
        }
        let oldest = self.sources.iter().map(|(_, since)| *since).min().unwrap_or_default();
        self.printed.retain(|(at, ..)| *at >= oldest);
        lines.sort_by_key(|line| line.event.at);
        Ok(lines)
    }
}
