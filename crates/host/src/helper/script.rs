//! A script for a Python, run to its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::supervised;

/// How long what looks after a script may take to end it and all it has started.
const ENDING: Duration = Duration::from_secs(6);

/// The most that is kept of each of a script's two outputs, in bytes.
const MOST_OUTPUT: u64 = 16 << 20;

/// A script to run.
#[derive(Debug)]
pub struct Script<'a> {
    /// The Python.
    pub python: &'a Path,
    /// The script's text.
    pub text: &'a str,
    /// What it finds behind its name in `sys.argv`.
    pub arguments: Vec<OsString>,
    /// All of its environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// The folder it works in: an empty one, or one that cannot be a stranger's.
    pub folder: &'a Path,
}

/// How a script ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself, well or not.
    Done(Output),
    /// Because it was to, with all it had started.
    Cancelled,
    /// Because it took too long, likewise.
    TooLong,
}

impl Script<'_> {
    /// Runs it. Nothing that it has started is left when this returns, nor when this program ends however it ends.
    ///
    /// # Errors
    ///
    /// When the Python cannot be run.
    pub fn run(&self, cancelled: &dyn Fn() -> bool, limit: Option<Duration>) -> std::io::Result<Ended> {
        let (their_end, our_end) = std::io::pipe()?;
        let began = Instant::now();
        let mut child = Command::new(self.python)
            // Nothing of the current folder, of PYTHON… variables, or of the user's own packages is imported.
            .args(["-I", "-B", "-X", "utf8", "-c", &supervised(self.text)])
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder)
            .stdin(Stdio::from(their_end))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An interrupt at the terminal is for this program, which then ends the script.
            .process_group(0)
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take().map(collect), child.stderr.take().map(collect));
        let mut pause = Duration::from_millis(1);
        let outcome = loop {
            if let Some(status) = child.try_wait()? {
                break Ok(status);
            }
            if cancelled() {
                break Err(Ended::Cancelled);
            }
            if limit.is_some_and(|limit| began.elapsed() > limit) {
                break Err(Ended::TooLong);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        drop(our_end);
        if outcome.is_err() {
            end(&mut child)?;
        }
        let text =
            |thread: Option<JoinHandle<Vec<u8>>>| thread.and_then(|thread| thread.join().ok()).unwrap_or_default();
        let (stdout, stderr) = (text(stdout), text(stderr));
        Ok(match outcome {
            Ok(status) => Ended::Done(Output { status, stdout, stderr }),
            Err(ended) => ended,
        })
    }
}

/// Waits for what looks after a script, whose pipe is closed, to have ended it.
fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < ENDING {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill()?;
    child.wait()
}

/// Reads to the end in a thread of its own, so that neither output waits for the other.
fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        // What cannot be read is not kept; the exit status tells how it went. The rest is read and dropped.
        let _ = (&mut from).take(MOST_OUTPUT).read_to_end(&mut kept);
        let _ = std::io::copy(&mut from, &mut std::io::sink());
        kept
    })
}
