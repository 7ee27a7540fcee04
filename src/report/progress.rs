//! Events as they happen: plain lines where nobody watches, and on a terminal a moving block below them with every
//! resource that is being worked on and how long it has taken so far.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::findings::{on_one_line, printable};
use super::style::{Styles, bytes, count, duration, paint};
use crate::engine::{Event, EventKind};

/// Rows of the moving block at most; the rest is counted.
const BLOCK_ROWS: usize = 12;

/// Turns events into text for standard error. Pure: whoever owns the stream writes what comes back.
#[derive(Debug)]
pub struct Progress {
    styles: Styles,
    width: usize,
    /// A person watches, and lines may be drawn over.
    live: bool,
    verbose: bool,
    working: BTreeMap<String, Working>,
    done: usize,
    drawn: usize,
    waiting: Option<(String, Instant)>,
}

#[derive(Debug)]
struct Working {
    status: String,
    resource_type: String,
    since: Instant,
}

impl Progress {
    /// A reporter for a stream of `width` columns.
    pub fn new(styles: Styles, width: usize, live: bool, verbose: bool) -> Self {
        Self { styles, width, live, verbose, working: BTreeMap::new(), done: 0, drawn: 0, waiting: None }
    }

    /// What to write for an event.
    pub fn event(&mut self, event: &Event, now: Instant) -> String {
        let line = self.line(event, now);
        let mut out = self.erase();
        if let Some(line) = line {
            let at = paint(self.styles.dim, format!("{:>6}", duration(event.elapsed)));
            let _ = writeln!(out, "{at}  {line}");
        }
        out + &self.block(now)
    }

    /// What to write when time has passed and nothing else has happened.
    pub fn tick(&mut self, now: Instant) -> String {
        if !self.live || (self.working.is_empty() && self.waiting.is_none()) {
            return String::new();
        }
        self.erase() + &self.block(now)
    }

    fn line(&mut self, event: &Event, now: Instant) -> Option<String> {
        let styles = self.styles;
        if !matches!(event.what, EventKind::Waiting { .. }) {
            self.waiting = None;
        }
        match &event.what {
            EventKind::Resource { stack: _, logical_id, resource_type, status, reason, took } => {
                self.resource(logical_id, resource_type, status, reason.as_deref(), *took, now)
            }
            EventKind::Stack { stack, status, reason } => {
                // Who started it is known to whoever did.
                let reason = reason.as_ref().filter(|reason| *reason != "User Initiated");
                let reason = reason.map_or_else(String::new, |reason| format!(": {}", printable(reason)));
                Some(format!(
                    "{} {}{reason}",
                    paint(self.style_of(status), on_one_line(status)),
                    paint(styles.strong, on_one_line(stack))
                ))
            }
            EventKind::Waiting { r#for } => {
                self.waiting = Some((r#for.clone(), now));
                (!self.live).then(|| format!("waiting for {}", on_one_line(r#for)))
            }
            EventKind::Note { message } => Some(printable(message)),
            EventKind::Emptied { bucket, deleted } => {
                Some(format!("emptied {}: {} deleted", on_one_line(bucket), versions(*deleted)))
            }
            EventKind::Emptying { bucket, deleted } => {
                self.waiting = Some((format!("{bucket} to be empty, {} deleted so far", versions(*deleted)), now));
                None
            }
            EventKind::Building { doing, .. } => Some(printable(doing)),
            EventKind::Uploading { component, done, total, .. } => {
                let text = format!("{component}: {} of {} uploaded", bytes(*done), bytes(*total));
                self.waiting = Some((text.clone(), now));
                (!self.live).then_some(text)
            }
            EventKind::ArtifactUploaded { component, size, .. } => {
                Some(format!("uploaded {component} ({})", bytes(*size)))
            }
            EventKind::ArtifactBucketMade { bucket, stack } => Some(format!(
                "making the artifact bucket {}, in a stack of its own, {}",
                on_one_line(bucket),
                on_one_line(stack)
            )),
            EventKind::ArtifactBuilt { component, size, .. } if self.verbose => {
                Some(format!("packaged {component} ({})", bytes(*size)))
            }
            EventKind::ArtifactPresent { component, .. } if self.verbose => {
                Some(format!("{component} is uploaded already"))
            }
            EventKind::DocumentsReady { component, uploaded, removed, unchanged } => {
                let mut parts = vec![format!("{} uploaded", count(*uploaded, "document"))];
                parts.extend((*removed > 0).then(|| format!("{removed} deleted")));
                parts.extend((*unchanged > 0).then(|| format!("{unchanged} there already")));
                Some(format!("{component}: {}", parts.join(", ")))
            }
            EventKind::ReadingDocuments { component, job } => {
                Some(format!("{component}: reading (job {})", on_one_line(job)))
            }
            EventKind::DocumentsRead { component, indexed, deleted, failed } => {
                let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
                let mut parts = vec![format!("{} read", count(number(*indexed), "document"))];
                parts.extend((*deleted > 0).then(|| format!("{deleted} deleted")));
                parts.extend((*failed > 0).then(|| format!("{failed} failed")));
                Some(format!("{component}: {}", parts.join(", ")))
            }
            EventKind::SmokeTested { result } => Some(super::smoke::line(result, &styles)),
            EventKind::RowsReady { component, written, present } => {
                let there = if *present > 0 { format!(", {present} there already") } else { String::new() };
                Some(format!("{component}: {} written{there}", count(*written, "row")))
            }
            EventKind::DocumentUploaded { component, key, size } if self.verbose => {
                Some(format!("{component}: uploaded {} ({})", on_one_line(key), bytes(*size)))
            }
            EventKind::DocumentRemoved { component, key } if self.verbose => {
                Some(format!("{component}: deleted {}", on_one_line(key)))
            }
            EventKind::ChangeSetCreated { name } if self.verbose => Some(format!("change set {}", on_one_line(name))),
            EventKind::ChangeSetRemoved { name } if self.verbose => {
                Some(format!("removed the change set {}", on_one_line(name)))
            }
            EventKind::Executing { name, .. } if self.verbose => Some(format!("executing {}", on_one_line(name))),
            EventKind::Warning { finding } => {
                let head = paint(styles.warn, format!("warning[{}]:", finding.code));
                Some(format!("{head} {}", printable(&finding.message)))
            }
            // The first line, the plan and the end are the command line's to say; the rest is for `--verbose`.
            EventKind::Started { .. }
            | EventKind::ArtifactBuilt { .. }
            | EventKind::ArtifactPresent { .. }
            | EventKind::DocumentUploaded { .. }
            | EventKind::DocumentRemoved { .. }
            | EventKind::ChangeSetCreated { .. }
            | EventKind::ChangeSetRemoved { .. }
            | EventKind::Executing { .. }
            | EventKind::PlanReady { .. }
            | EventKind::DestroyPlanReady { .. }
            | EventKind::OutputsReady { .. }
            | EventKind::Finished { .. } => None,
        }
    }

    fn resource(
        &mut self,
        logical_id: &str,
        resource_type: &str,
        status: &str,
        reason: Option<&str>,
        took: Duration,
        now: Instant,
    ) -> Option<String> {
        let key = logical_id.to_owned();
        let over = !status.ends_with("_IN_PROGRESS");
        if over {
            self.working.remove(&key);
            self.done += 1;
        } else {
            let since = now.checked_sub(took).unwrap_or(now);
            let entry = self.working.entry(key).or_insert_with(|| Working {
                status: status.to_owned(),
                resource_type: resource_type.to_owned(),
                since,
            });
            if entry.status != status {
                *entry = Working { status: status.to_owned(), resource_type: resource_type.to_owned(), since };
            }
            if !self.verbose {
                return None;
            }
        }
        let failed = status.ends_with("_FAILED");
        let reason = reason
            .filter(|_| failed || self.verbose)
            .map_or_else(String::new, |reason| format!("\n{:10}{}", "", printable(reason)));
        Some(format!(
            "{} {} {}{}{reason}",
            paint(self.style_of(status), format!("{:18}", on_one_line(status))),
            on_one_line(logical_id),
            paint(self.styles.dim, on_one_line(resource_type)),
            if over { paint(self.styles.dim, format!(" in {}", duration(took))) } else { String::new() },
        ))
    }

    fn style_of(&self, status: &str) -> anstyle::Style {
        if status.ends_with("_FAILED") {
            self.styles.bad
        } else if status.contains("ROLLBACK") {
            self.styles.warn
        } else if status.ends_with("_COMPLETE") {
            self.styles.good
        } else {
            self.styles.info
        }
    }

    /// Takes the moving block away, so that a line can be written above where it will be drawn again.
    fn erase(&mut self) -> String {
        let drawn = std::mem::take(&mut self.drawn);
        if drawn == 0 { String::new() } else { format!("\u{1b}[{drawn}A\u{1b}[J") }
    }

    fn block(&mut self, now: Instant) -> String {
        if !self.live {
            return String::new();
        }
        let mut rows = Vec::new();
        for (logical_id, working) in self.working.iter().take(BLOCK_ROWS) {
            let since = duration(now.saturating_duration_since(working.since));
            rows.push(format!("{since:>6}  {:18} {logical_id} {}", working.status, working.resource_type));
        }
        if self.working.len() > BLOCK_ROWS {
            rows.push(format!("{:>6}  and {} more", "", self.working.len() - BLOCK_ROWS));
        }
        if let Some((what, since)) = &self.waiting {
            rows.push(format!("{:>6}  waiting for {what}", duration(now.saturating_duration_since(*since))));
        }
        self.drawn = rows.len();
        rows.iter().fold(String::new(), |mut out, row| {
            // A row that wraps would make the block taller than counted.
            let row: String = on_one_line(row).chars().take(self.width.saturating_sub(1)).collect();
            let _ = writeln!(out, "{}", paint(self.styles.dim, row));
            out
        })
    }
}

fn versions(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "version")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: EventKind) -> Event {
        Event { at: jiff::Timestamp::UNIX_EPOCH, elapsed: Duration::from_millis(1_200), what }
    }

    fn resource(status: &str, reason: Option<&str>) -> Event {
        event(EventKind::Resource {
            stack: "s".into(),
            logical_id: "DesignFunction".into(),
            resource_type: "AWS::Lambda::Function".into(),
            status: status.into(),
            reason: reason.map(str::to_owned),
            took: Duration::from_secs(2),
        })
    }

    #[test]
    fn without_a_terminal_each_resource_is_one_line_when_it_is_over() {
        let mut progress = Progress::new(Styles::new(false), 80, false, false);
        let now = Instant::now();
        assert_eq!(progress.event(&resource("CREATE_IN_PROGRESS", None), now), "");
        assert_eq!(
            progress.event(&resource("CREATE_COMPLETE", None), now),
            "  1.2s  CREATE_COMPLETE    DesignFunction AWS::Lambda::Function in 2.0s\n"
        );
        assert_eq!(progress.tick(now), "");
    }

    #[test]
    fn a_failure_says_why() {
        let mut progress = Progress::new(Styles::new(false), 80, false, false);
        let said = progress.event(&resource("CREATE_FAILED", Some("no \u{1b}[2Jroom")), Instant::now());
        assert!(said.contains("CREATE_FAILED") && said.contains("\n          no \u{fffd}[2Jroom"), "{said}");
    }

    #[test]
    fn on_a_terminal_what_is_worked_on_stays_below_with_its_time() {
        let mut progress = Progress::new(Styles::new(false), 80, true, false);
        let now = Instant::now();
        let said = progress.event(&resource("CREATE_IN_PROGRESS", None), now);
        assert_eq!(said, "  2.0s  CREATE_IN_PROGRESS DesignFunction AWS::Lambda::Function\n");
        let later = progress.tick(now + Duration::from_secs(5));
        assert_eq!(later, "\u{1b}[1A\u{1b}[J  7.0s  CREATE_IN_PROGRESS DesignFunction AWS::Lambda::Function\n");
        let over = progress.event(&resource("CREATE_COMPLETE", None), now);
        assert_eq!(over, "\u{1b}[1A\u{1b}[J  1.2s  CREATE_COMPLETE    DesignFunction AWS::Lambda::Function in 2.0s\n");
        assert_eq!(progress.tick(now), "");
    }

    #[test]
    fn the_moving_block_never_wraps() {
        let mut progress = Progress::new(Styles::new(false), 40, true, false);
        let said = progress.event(&resource("CREATE_IN_PROGRESS", None), Instant::now());
        assert!(said.lines().all(|line| line.chars().count() < 40), "{said}");
    }
}
