//! A proxy that stands between a client and an AWS-compatible endpoint and does to requests what a network, a service or
//! an administrator does to them: loses the request, loses the answer, cuts it, delays it, refuses it.
//!
//! It runs in threads of its own, so it serves the engine in this process and the program in another one alike. What to do
//! to which request is said by rules: a [`When`] and a [`Fault`]. The first rule that fits a request decides, and every
//! request is put down in a log with its operation's name, in the order in which they came.

use std::fmt;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::operation::{Asked, Head};
use super::refusal::ServiceError;

/// How long a peer may say nothing before its connection is given up: a test must not hang for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which requests a rule is about. Those that fit are counted from the moment the rule is made.
#[derive(Debug, Clone, Default)]
pub struct When {
    operation: Option<String>,
    part: Option<String>,
    after: Option<String>,
    from: usize,
    until: Option<usize>,
}

impl When {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests of an operation, such as `ExecuteChangeSet` or `PutObject`.
    pub fn operation(name: &str) -> Self {
        Self { operation: Some(name.to_owned()), ..Self::default() }
    }

    /// Of those, requests with a text in their target or body.
    #[must_use]
    pub fn with(mut self, text: &str) -> Self {
        self.part = Some(text.to_owned());
        self
    }

    /// Of those, requests that come after one of another operation.
    #[must_use]
    pub fn after(mut self, operation: &str) -> Self {
        self.after = Some(operation.to_owned());
        self
    }

    /// Of those, the `n`th alone, from 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        (self.from, self.until) = (n, Some(n));
        self
    }

    /// Of those, the `n`th and all after it, from 1.
    #[must_use]
    pub fn from(mut self, n: usize) -> Self {
        self.from = n;
        self
    }

    fn fits(&self, asked: &Asked, log: &[Logged]) -> bool {
        self.after.as_ref().is_none_or(|name| log.iter().any(|logged| logged.operation == *name))
            && self.operation.as_ref().is_none_or(|name| *name == asked.operation)
            && self.part.as_ref().is_none_or(|part| asked.has(part))
    }
}

/// Something to run in the middle of a request, such as sending a signal.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

/// What happens to a request.
#[derive(Clone)]
pub enum Fault {
    /// It is not passed on, and the connection is closed.
    LoseRequest,
    /// It is passed on, and the connection is closed without an answer.
    LoseAnswer,
    /// It is passed on, and of the answer's bytes only so many come back.
    CutAnswer(usize),
    /// It is not passed on: the service says no.
    Refuse(ServiceError),
    /// It is passed on and carried out, and yet the service says no.
    RefuseAfter(ServiceError),
    /// It is passed on after a while.
    Delay(Duration),
    /// It is not passed on, and nobody answers until the client goes, once something is run.
    StallAfter(Hook),
    /// It is passed on, and the answer's text is changed.
    Rewrite(Arc<dyn Fn(&str) -> String + Send + Sync>),
    /// Something is run before it is passed on.
    Before(Hook),
    /// Something is run after it was carried out and before the answer goes back.
    After(Hook),
    /// Something is run once the answer went back.
    Passed(Hook),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::LoseRequest => f.write_str("LoseRequest"),
            Fault::LoseAnswer => f.write_str("LoseAnswer"),
            Fault::CutAnswer(bytes) => write!(f, "CutAnswer({bytes})"),
            Fault::Refuse(error) => write!(f, "Refuse({error:?})"),
            Fault::RefuseAfter(error) => write!(f, "RefuseAfter({error:?})"),
            Fault::Delay(time) => write!(f, "Delay({time:?})"),
            Fault::StallAfter(_) => f.write_str("StallAfter"),
            Fault::Rewrite(_) => f.write_str("Rewrite"),
            Fault::Before(_) => f.write_str("Before"),
            Fault::After(_) => f.write_str("After"),
            Fault::Passed(_) => f.write_str("Passed"),
        }
    }
}

impl Fault {
    /// Runs something before a request is passed on.
    pub fn before(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Fault::Before(Arc::new(hook))
    }

    /// Runs something after a request was carried out and before the answer goes back.
    pub fn after(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Fault::After(Arc::new(hook))
    }

    /// Runs something when a request has come that nobody will answer.
    pub fn stall_after(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Fault::StallAfter(Arc::new(hook))
    }

    /// Runs something once the answer went back.
    pub fn passed(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Fault::Passed(Arc::new(hook))
    }

    /// Changes the answer's text.
    pub fn rewrite(change: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Fault::Rewrite(Arc::new(change))
    }

    /// Whether the endpoint gets the request.
    fn passes_on(&self) -> bool {
        !matches!(self, Fault::LoseRequest | Fault::Refuse(_) | Fault::StallAfter(_))
    }
}

/// One request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// From 1, in the order in which they came.
    pub number: usize,
    /// The service by its signing name, such as `cloudformation`; empty when it is not signed.
    pub service: String,
    /// Such as `DescribeStacks`.
    pub operation: String,
    /// The request's target, such as `/bucket/key?x-id=PutObject`.
    pub target: String,
    /// What was done to it, if anything.
    pub fault: Option<String>,
    /// Whether the endpoint got it.
    pub passed_on: bool,
}

#[derive(Debug)]
struct Rule {
    when: When,
    fault: Fault,
    seen: usize,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    log: Vec<Logged>,
    /// Connections that are being served.
    open: usize,
}

/// A running proxy; it ends with the test's process.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// A proxy before an endpoint, such as `http://127.0.0.1:4566`.
    pub fn before(endpoint: &str) -> Self {
        let upstream: SocketAddr =
            endpoint.trim_start_matches("http://").trim_end_matches('/').parse().expect("an address and a port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let state = Arc::clone(&shared);
                count_open(&state, |open| open + 1);
                thread::spawn(move || {
                    // A connection that breaks is the client's to notice.
                    drop(serve(stream, upstream, &state));
                    count_open(&state, |open| open.saturating_sub(1));
                });
            }
        });
        Self { url, state }
    }

    /// Adds a rule after those that there are.
    pub fn rule(&self, when: When, fault: Fault) -> &Self {
        self.lock().rules.push(Rule { when, fault, seen: 0 });
        self
    }

    /// Takes all rules away; the log stays.
    pub fn clear(&self) -> &Self {
        self.lock().rules.clear();
        self
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Logged> {
        self.lock().log.clone()
    }

    /// The names of the operations asked for so far, in order.
    pub fn operations(&self) -> Vec<String> {
        self.lock().log.iter().map(|logged| logged.operation.clone()).collect()
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: &str) -> usize {
        self.lock().log.iter().filter(|logged| logged.operation == operation).count()
    }

    /// Forgets the log.
    pub fn forget(&self) -> &Self {
        self.lock().log.clear();
        self
    }

    /// Waits until everything that came has been passed on and answered, or given up.
    pub fn idle(&self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while self.lock().open > 0 {
            if Instant::now() > end {
                return Err(format!("the proxy is still at work after {PATIENCE:?}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the proxy went down")
    }
}

fn count_open(state: &Mutex<State>, change: impl FnOnce(usize) -> usize) {
    let mut state = state.lock().expect("no thread of the proxy went down");
    state.open = change(state.open);
}

/// What the rules say of a request, put down in the log.
fn decide(state: &Mutex<State>, asked: &Asked) -> Option<Fault> {
    let mut state = state.lock().expect("no thread of the proxy went down");
    let State { rules, log, .. } = &mut *state;
    let mut fault = None;
    for rule in rules {
        if !rule.when.fits(asked, log) {
            continue;
        }
        rule.seen += 1;
        let due = rule.seen >= rule.when.from && rule.when.until.is_none_or(|until| rule.seen <= until);
        if due && fault.is_none() {
            fault = Some(rule.fault.clone());
        }
    }
    let logged = Logged {
        number: state.log.len() + 1,
        service: asked.service.clone(),
        operation: asked.operation.clone(),
        target: asked.target.clone(),
        passed_on: fault.as_ref().is_none_or(Fault::passes_on),
        fault: fault.as_ref().map(|fault| format!("{fault:?}")),
    };
    state.log.push(logged);
    fault
}

/// One connection: one request, since every answer closes it.
fn serve(mut client: TcpStream, upstream: SocketAddr, state: &Mutex<State>) -> std::io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let Some((head, rest)) = Head::read(&mut client)? else { return Ok(()) };
    if head.upgrades() {
        return tunnel(client, upstream, &head, &rest);
    }
    if head.value("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = head.body(&mut client, rest)?;
    let asked = Asked::of(&head, &body);
    let fault = decide(state, &asked);
    match &fault {
        Some(Fault::LoseRequest) => return client.shutdown(Shutdown::Both),
        Some(Fault::Refuse(error)) => return client.write_all(&error.answer(&asked)),
        Some(Fault::StallAfter(_)) => {
            if let Some(Fault::StallAfter(hook)) = &fault {
                hook();
            }
            // Until the client closes its side.
            let _ = client.read(&mut [0; 1]);
            return Ok(());
        }
        Some(Fault::Delay(time)) => thread::sleep(*time),
        Some(Fault::Before(hook)) => hook(),
        _ => {}
    }
    let answer = pass_on(upstream, &head, &body)?;
    match fault {
        Some(Fault::LoseAnswer) => client.shutdown(Shutdown::Both),
        Some(Fault::CutAnswer(bytes)) => {
            client.write_all(answer.get(..bytes).unwrap_or(&answer))?;
            client.shutdown(Shutdown::Both)
        }
        Some(Fault::RefuseAfter(error)) => client.write_all(&error.answer(&asked)),
        Some(Fault::Rewrite(change)) => client.write_all(&rewritten(&answer, change.as_ref())),
        Some(Fault::After(hook)) => {
            hook();
            client.write_all(&answer)
        }
        Some(Fault::Passed(hook)) => {
            let written = client.write_all(&answer);
            hook();
            written
        }
        _ => client.write_all(&answer),
    }
}

/// The endpoint's whole answer as it came.
fn pass_on(upstream: SocketAddr, head: &Head, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(upstream)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&head.closing())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// An answer with another text and the length that fits it.
fn rewritten(answer: &[u8], change: &dyn Fn(&str) -> String) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return answer.to_vec() };
    let body = change(body);
    let kept = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    let mut head: Vec<String> = kept.map(str::to_owned).collect();
    head.push(format!("content-length: {}", body.len()));
    format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

/// A WebSocket: bytes both ways.
fn tunnel(client: TcpStream, upstream: SocketAddr, head: &Head, rest: &[u8]) -> std::io::Result<()> {
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(&head.raw)?;
    server.write_all(rest)?;
    client.set_read_timeout(None)?;
    let (mut to, mut from) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut client = client;
    let _ = std::io::copy(&mut server, &mut client);
    client.shutdown(Shutdown::Both)
}
