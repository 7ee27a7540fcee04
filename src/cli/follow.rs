//! Shows events while a verb works: text on standard error, or a JSON line each on standard output.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::globals::Format;
use super::ui::Ui;
use crate::engine::{Event, EventKind, EventSink};
use crate::report;
use crate::report::progress::Progress;

/// How often the moving block is drawn again: often enough that seconds count evenly, seldom enough to cost nothing.
const TICK: Duration = Duration::from_millis(250);

/// Shows events as they come.
pub struct Follower {
    ui: Ui,
    progress: Arc<Mutex<Progress>>,
    ticker: Option<tokio::task::JoinHandle<()>>,
    /// The plan is the verb's own result and is shown by the verb; in JSON nothing else is.
    plan_is_result: bool,
    /// How smoke tests end is the verb's own result.
    smoke_is_result: bool,
}

impl Follower {
    /// Follows a verb whose result is the plan.
    pub fn without_plan(ui: &Ui) -> Self {
        Self::new(ui, true)
    }

    /// Follows a verb whose result is how smoke tests end.
    pub fn with_smoke(ui: &Ui) -> Self {
        let mut follower = Self::new(ui, false);
        follower.smoke_is_result = true;
        follower
    }

    /// Starts to follow; needs a runtime, since on a terminal time is shown passing.
    pub fn start(ui: &Ui) -> Self {
        Self::new(ui, false)
    }

    fn new(ui: &Ui, plan_is_result: bool) -> Self {
        let live = ui.interactive && ui.progress;
        let progress = Arc::new(Mutex::new(Progress::new(ui.err_styles, ui.width, live, ui.verbose)));
        let ticker = live.then(|| {
            let progress = Arc::clone(&progress);
            tokio::spawn(async move {
                let mut interval = tokio::time::interval(TICK);
                loop {
                    interval.tick().await;
                    if let Ok(mut progress) = progress.lock() {
                        write(&progress.tick(Instant::now()));
                    }
                }
            })
        });
        Self { ui: ui.clone(), progress, ticker, plan_is_result, smoke_is_result: false }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(ticker) = &self.ticker {
            ticker.abort();
        }
    }
}

impl EventSink for Follower {
    fn emit(&self, event: Event) {
        if self.ui.format == Format::Json {
            if self.plan_is_result {
                return;
            }
            if let Ok(line) = serde_json::to_value(&event) {
                self.ui.stream.event(&line);
            }
            return;
        }
        match &event.what {
            EventKind::PlanReady { .. } if self.plan_is_result => {}
            EventKind::PlanReady { plan } => {
                self.ui.status(&format!("\n{}", report::plan::text(plan, &self.ui.err_styles)));
            }
            EventKind::DestroyPlanReady { destroy_plan } => {
                self.ui.status(&format!("\n{}", report::destroy_plan::text(destroy_plan, &self.ui.err_styles)));
            }
            EventKind::SmokeTested { result } if self.smoke_is_result => {
                // A reader that went away must not stop what is under way.
                let _ = self.ui.out(&format!("{}\n", report::smoke::line(result, &self.ui.out_styles)));
            }
            _ if self.ui.progress => {
                if let Ok(mut progress) = self.progress.lock() {
                    write(&progress.event(&event, Instant::now()));
                }
            }
            _ => {}
        }
    }
}

fn write(text: &str) {
    if !text.is_empty() {
        // Standard error that cannot be written leaves nobody to tell.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}
