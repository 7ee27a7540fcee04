//! One process that runs a function, and how it is talked to: see `shim.py` for its side.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::ground::Clock;
use bedplate_host::helper::supervised;

/// The script that a process runs.
const SHIM: &str = concat!(include_str!("addresses.py"), "\n", include_str!("shim.py"));

/// What is kept of one call's output, in bytes; what comes after is left out, and that is said.
const LARGEST_OUTPUT: usize = 4 << 20;

/// The largest answer, in bytes: Lambda's limit of a synchronous response, and some room for its own refusal.
/// Source: Lambda quotas, "Invocation payload".
pub(super) const LARGEST_ANSWER: usize = 6 << 20;

/// The largest frame taken from a process; more than that is no answer of a function.
const LARGEST_FRAME: u32 = 64 << 20;

/// The longest line of output, in bytes: what CloudWatch Logs takes as one event.
/// Source: CloudWatch Logs API reference, `PutLogEvents` (1 MiB, 26 bytes of it for each event itself).
const LONGEST_LINE: u64 = (1 << 20) - 26;

/// How long what looks after a process may take to end it and all it has started.
const ENDING: Duration = Duration::from_secs(6);

/// How long the rest of the output is waited for once an answer is there; only a function that closed its output is late.
const REST_OF_OUTPUT: Duration = Duration::from_millis(500);

/// How a process is started.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    pub executable: PathBuf,
    pub code: PathBuf,
    pub layers: Vec<PathBuf>,
    pub handler: String,
    pub environment: BTreeMap<String, String>,
}

/// One event.
#[derive(Debug, Clone)]
pub(super) struct InvocationEvent {
    pub header: Value,
    pub payload: bytes::Bytes,
}

/// What came of a call.
#[derive(Debug)]
pub(super) enum InvocationOutcome {
    /// The handler's answer.
    Answer { payload: Vec<u8>, memory: u64 },
    /// An error of the handler, or while it was imported.
    Error { error: Value, memory: u64 },
    /// No answer in time; the process is dead.
    TimedOut,
    /// The process ended.
    Exited(Option<ExitStatus>),
}

/// A process, ready for an event.
#[derive(Debug)]
pub(super) struct FunctionProcess {
    child: Child,
    /// Gone once the process is to end: what looks after it then ends it, and all it has started.
    channel: Option<BufReader<UnixStream>>,
    output: mpsc::Receiver<Vec<u8>>,
    token: String,
    /// When it was started.
    pub since: Instant,
}

impl FunctionProcess {
    /// Starts a process and lets it import the handler; says how that went.
    ///
    /// # Errors
    ///
    /// When the process can't be started.
    pub async fn start(
        start: &Start,
        limit: Duration,
        output: &mut ProcessOutput,
    ) -> std::io::Result<(Self, InvocationOutcome)> {
        let since = Instant::now();
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let (reader, writer) = std::io::pipe()?;
        let child = Command::new(&start.executable)
            // Not `-I`: all of the environment is the function's own, and where this machine's SDK is among its user's packages
            // it stands for the one that AWS's Python brings.
            .args(["-X", "utf8", "-c", &supervised(SHIM)])
            .env_clear()
            .envs(&start.environment)
            .current_dir(&start.code)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(OwnedFd::from(writer.try_clone()?)))
            .stderr(Stdio::from(OwnedFd::from(writer)))
            // A group of its own: an interrupt at the terminal is not for it.
            .process_group(0)
            .spawn()?;
        let (lines, output_lines) = mpsc::channel(256);
        tokio::spawn(read_lines(pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?, lines));
        let mut worker = Self {
            child,
            channel: Some(BufReader::new(UnixStream::from_std(ours)?)),
            output: output_lines,
            token: uuid::Uuid::new_v4().simple().to_string(),
            since,
        };
        let settings = json!({
            "code": start.code, "layers": start.layers, "handler": start.handler, "token": worker.token,
        });
        let outcome = worker.exchange(&settings, &[], limit, output).await;
        Ok((worker, outcome))
    }

    /// Sends one event and waits for what comes of it; only after an answer or an error of the handler can the process
    /// be used again.
    pub async fn call(
        &mut self,
        event: &InvocationEvent,
        limit: Duration,
        output: &mut ProcessOutput,
    ) -> InvocationOutcome {
        self.exchange(&event.header, &event.payload, limit, output).await
    }

    async fn exchange(
        &mut self,
        header: &Value,
        body: &[u8],
        limit: Duration,
        output: &mut ProcessOutput,
    ) -> InvocationOutcome {
        let (mut open, mut ended) = (true, false);
        let answered = {
            let channel = &mut self.channel;
            let answer = async {
                let channel = channel.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
                send(channel, header, body).await?;
                receive(channel).await
            };
            let deadline = tokio::time::sleep(limit);
            tokio::pin!(answer, deadline);
            loop {
                tokio::select! {
                    answered = &mut answer => break Some(answered),
                    line = self.output.recv(), if open => match line {
                        Some(line) if line == self.token.as_bytes() => ended = true,
                        Some(line) => output.push(&line),
                        None => open = false,
                    },
                    () = &mut deadline => break None,
                }
            }
        };
        let outcome = match answered {
            Some(Ok((header, payload))) => {
                let memory = header.get("memory").and_then(Value::as_u64).unwrap_or(0);
                if header.get("ok").and_then(Value::as_bool) == Some(true) {
                    InvocationOutcome::Answer { payload, memory }
                } else {
                    InvocationOutcome::Error { error: header.get("error").cloned().unwrap_or(Value::Null), memory }
                }
            }
            Some(Err(_)) => {
                // What looks after it ends as it did; one that closed its channel and lives on is ended.
                let status = tokio::time::timeout(REST_OF_OUTPUT, self.child.wait()).await;
                let status = status.ok().and_then(Result::ok);
                if status.is_none() {
                    self.kill().await;
                }
                InvocationOutcome::Exited(status)
            }
            None => {
                self.kill().await;
                InvocationOutcome::TimedOut
            }
        };
        while open && !ended {
            match tokio::time::timeout(REST_OF_OUTPUT, self.output.recv()).await {
                Ok(Some(line)) if line == self.token.as_bytes() => ended = true,
                Ok(Some(line)) => output.push(&line),
                Ok(None) | Err(_) => break,
            }
        }
        outcome
    }

    /// Ends the process and whatever it started. Dropping it does the same without waiting.
    pub async fn end(mut self) {
        self.kill().await;
    }

    async fn kill(&mut self) {
        self.channel = None;
        if tokio::time::timeout(ENDING, self.child.wait()).await.is_err() {
            // Something is not to be killed; what looks after it has given up by now, or hangs itself.
            let _ = self.child.kill().await;
        }
    }
}

/// What a call printed, up to a limit, and when: milliseconds since 1970.
#[derive(Debug)]
pub(super) struct ProcessOutput {
    pub lines: Vec<(i64, String)>,
    clock: Clock,
    bytes: usize,
}

impl ProcessOutput {
    pub fn new(clock: Clock) -> Self {
        Self { lines: Vec::new(), clock, bytes: 0 }
    }

    /// Adds a line of the platform's own.
    pub fn say(&mut self, line: String) {
        self.lines.push((self.clock.now().as_millisecond(), line));
    }

    fn push(&mut self, line: &[u8]) {
        // CloudWatch Logs takes no empty events.
        if self.bytes > LARGEST_OUTPUT || line.is_empty() {
            return;
        }
        self.bytes += line.len();
        if self.bytes > LARGEST_OUTPUT {
            self.say(format!("The local target keeps {LARGEST_OUTPUT} bytes of a call's output; the rest is left out"));
        } else {
            self.say(String::from_utf8_lossy(line).into_owned());
        }
    }
}

/// Passes a process's output on, line by line, until it closes it.
async fn read_lines(pipe: pipe::Receiver, lines: mpsc::Sender<Vec<u8>>) {
    let mut reader = BufReader::new(pipe);
    loop {
        let mut line = Vec::new();
        // A line without an end is passed on in pieces.
        match (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

async fn send(channel: &mut BufReader<UnixStream>, header: &Value, body: &[u8]) -> std::io::Result<()> {
    let header = header.to_string();
    let too_large = |_| std::io::Error::from(std::io::ErrorKind::InvalidInput);
    let mut frame = Vec::with_capacity(8 + header.len() + body.len());
    frame.extend_from_slice(&u32::try_from(header.len()).map_err(too_large)?.to_be_bytes());
    frame.extend_from_slice(&u32::try_from(body.len()).map_err(too_large)?.to_be_bytes());
    frame.extend_from_slice(header.as_bytes());
    frame.extend_from_slice(body);
    channel.get_mut().write_all(&frame).await
}

async fn receive(channel: &mut BufReader<UnixStream>) -> std::io::Result<(Value, Vec<u8>)> {
    let (header, body) = (channel.read_u32().await?, channel.read_u32().await?);
    if header > LARGEST_FRAME || body > LARGEST_FRAME {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut header = vec![0; header as usize];
    channel.read_exact(&mut header).await?;
    let mut payload = vec![0; body as usize];
    channel.read_exact(&mut payload).await?;
    Ok((serde_json::from_slice(&header)?, payload))
}
