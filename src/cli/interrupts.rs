//! Ctrl-C and SIGTERM: the first ends the run in order, the second at once.

use std::sync::mpsc;

use tokio_util::sync::CancellationToken;

use crate::engine::ExitCode;
use crate::report::Reporters;
use crate::report::changes::BrokenOff;

/// A token that the first signal cancels. A second one ends the program, with exit code 130; what may be left is told first,
/// and in JSON the last line is `finished` all the same.
pub fn watch(reporters: Reporters) -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    let (ready, registered) = mpsc::channel();
    // A thread of its own, so that a signal counts from the first moment on, before there is a runtime.
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async move {
            let Some(mut signals) = Signals::new() else { return };
            // Whoever waits for it may be gone; the signals count all the same.
            let _ = ready.send(());
            signals.next().await;
            cancel.cancel();
            signals.next().await;
            at_once(&reporters);
        });
    });
    // Where no signal can be listened to, the sender is gone and nothing is waited for.
    let _ = registered.recv();
    token
}

fn at_once(reporters: &Reporters) -> ! {
    let said = match reporters.so_far() {
        None => "interrupted at once".to_owned(),
        Some(changes) => {
            // Standard output may be gone too; nobody waits for that now.
            let _ = reporters.result(&BrokenOff(&changes));
            reporters.findings(&changes.findings());
            format!("interrupted at once: {}", changes.aftermath())
        }
    };
    reporters.say(&said);
    reporters.end(ExitCode::Interrupted, &[]);
    std::process::exit(i32::from(ExitCode::Interrupted.code()))
}

/// The signals that end a run: `SIGINT` and `SIGTERM`, or Ctrl-C where there are no signals.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    #[cfg(not(unix))]
    fn new() -> Option<Self> {
        Some(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
