//! For a person: results on standard output, everything else on standard error.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::console::Console;
use super::progress::Progress;
use super::reporter::{Reporter, VerbReport};
use super::run_record::RunEnd;
use super::{destroy_plan, findings, plan, smoke};
use crate::engine::{EngineVerb, Event, EventKind};
use crate::finding::Finding;

/// How often the moving block is drawn again: often enough that seconds count evenly, seldom enough to cost nothing.
const TICK: Duration = Duration::from_millis(250);

/// Tells a person.
pub struct TextReporter {
    console: Console,
    /// What of the engine is followed, from its first event to its last.
    followed: Mutex<Option<Followed>>,
}

/// One verb of the engine that is followed.
struct Followed {
    /// The verb, once it is known.
    verb: Option<EngineVerb>,
    progress: Arc<Mutex<Progress>>,
    /// Shows time passing, on a terminal.
    ticker: Option<JoinHandle<()>>,
}

impl Followed {
    fn new(console: &Console) -> Self {
        let live = console.interactive && console.progress;
        let progress = Arc::new(Mutex::new(Progress::new(console.err_styles, console.width, live, console.verbose)));
        let runtime = Handle::try_current().ok().filter(|_| live);
        let ticker = runtime.map(|runtime| runtime.spawn(tick(console.clone(), Arc::clone(&progress))));
        Self { verb: None, progress, ticker }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if let Some(ticker) = &self.ticker {
            ticker.abort();
        }
    }
}

async fn tick(console: Console, progress: Arc<Mutex<Progress>>) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        interval.tick().await;
        if let Ok(mut progress) = progress.lock() {
            console.draw(&progress.tick(Instant::now()));
        }
    }
}

impl TextReporter {
    /// Tells a person at this console.
    pub fn new(console: Console) -> Self {
        Self { console, followed: Mutex::new(None) }
    }

    /// The streams it writes to.
    pub(super) fn console(&self) -> &Console {
        &self.console
    }

    fn show(&self, event: &Event, followed: &Followed) {
        match (&event.what, followed.verb) {
            // That is the verb's own result, which it gives when it is over.
            (EventKind::PlanReady { .. }, Some(EngineVerb::Plan)) => {}
            (EventKind::PlanReady { plan }, _) => {
                self.console.progress(&format!("\n{}", plan::text(plan, &self.console.err_styles)));
            }
            (EventKind::DestroyPlanReady { destroy_plan }, _) => {
                self.console.progress(&format!("\n{}", destroy_plan::text(destroy_plan, &self.console.err_styles)));
            }
            // And this is that of the verb that tries what is deployed.
            (EventKind::SmokeTested { result }, Some(EngineVerb::Smoke)) => {
                // A reader that went away must not stop what is under way.
                let _ = self.console.out(&format!("{}\n", smoke::line(result, &self.console.out_styles)));
            }
            _ if self.console.progress => {
                if let Ok(mut progress) = followed.progress.lock() {
                    self.console.draw(&progress.event(event, Instant::now()));
                }
            }
            _ => {}
        }
    }
}

impl Reporter for TextReporter {
    fn event(&self, event: &Event) {
        let mut slot = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let followed = slot.get_or_insert_with(|| Followed::new(&self.console));
        if let EventKind::Started { verb, .. } = &event.what {
            followed.verb = Some(*verb);
        }
        self.show(event, followed);
        if let EventKind::Finished { .. } = &event.what {
            *slot = None;
        }
    }

    fn progress(&self, line: &str) {
        self.console.progress(line);
    }

    fn say(&self, line: &str) {
        self.console.say(line);
    }

    fn findings(&self, findings: &[Finding]) {
        if !findings.is_empty() {
            let text = findings::text(findings, &self.console.err_styles, self.console.sources);
            self.console.say(text.trim_end_matches('\n'));
        }
    }

    fn result(&self, report: &dyn VerbReport) -> Result<(), Vec<Finding>> {
        self.findings(report.findings());
        self.console.beside(report);
        self.console.out(&report.text(&self.console.out_look()))?;
        self.console.aside(report);
        Ok(())
    }

    fn data(&self, text: &str) -> Result<(), Vec<Finding>> {
        self.console.out(text)
    }

    fn ended(&self, end: &RunEnd) {
        self.findings(&end.untold);
    }
}
