//! An address on this machine that remembers all it was sent: before a real endpoint, or instead of one; and a terminal
//! to answer questions on.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use regex::Regex;

use crate::support::Project;

/// A recording address; its threads end with the test process.
pub struct Recorder {
    /// Its address.
    pub url: String,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Who signed a request, for which region and service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signer {
    /// The id of the access key.
    pub key: String,
    /// The region it was signed for.
    pub region: String,
    /// The service it was signed for.
    pub service: String,
}

impl Recorder {
    /// Before the endpoint at an address: everything passes, in both directions.
    pub fn before(url: &str) -> Self {
        let target = url.trim_start_matches("http://").to_owned();
        Self::start(move |client, heard| {
            let Ok(server) = TcpStream::connect(&target) else { return };
            let (Ok(mut back_from), Ok(mut back_to)) = (server.try_clone(), client.try_clone()) else { return };
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut back_from, &mut back_to);
                let _ = back_to.shutdown(Shutdown::Write);
            });
            let (mut client, mut server) = (client, server);
            let mut buffer = [0; 16 << 10];
            while let Ok(count @ 1..) = client.read(&mut buffer) {
                heard(&buffer[..count]);
                if server.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            let _ = server.shutdown(Shutdown::Write);
        })
    }

    /// Instead of AWS: it tells everybody who they are, and refuses all else. Keys that begin with `AKIA` and a digit belong
    /// to the account of twelve such digits, all others to 111122223333.
    pub fn knowing_only_who_asks() -> Self {
        Self::instead_of_aws(|_| None)
    }

    /// The same, with accounts in which nothing is deployed.
    pub fn with_nothing_deployed() -> Self {
        Self::instead_of_aws(|body| {
            if body.is_empty() {
                // Only buckets are asked about without a body.
                return Some("<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>".to_owned());
            }
            let list = "<DescribeStacksResponse><DescribeStacksResult><Stacks/></DescribeStacksResult></DescribeStacksResponse>";
            let none = "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id x does not exist</Message>\
                        </Error></ErrorResponse>";
            let asked = body.contains("Action=DescribeStacks");
            asked.then(|| if body.contains("StackName=") { none.to_owned() } else { list.to_owned() })
        })
    }

    fn instead_of_aws(known: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::start(move |mut client, heard| {
            let length_of = Regex::new(r"(?i)content-length: (\d+)").expect("a pattern");
            let mut read = Vec::new();
            let mut buffer = [0; 16 << 10];
            while let Ok(count @ 1..) = client.read(&mut buffer) {
                heard(&buffer[..count]);
                read.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&read).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = length_of.captures(head).map_or(0, |found| found[1].parse::<usize>().expect("a number"));
                if body.len() < length {
                    continue;
                }
                let answer = if body.contains("Action=GetCallerIdentity") {
                    let account = account_of(head);
                    format!(
                        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/ann</Arn>\
                         <UserId>A</UserId><Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                    )
                } else {
                    let refused =
                        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
                    known(body).unwrap_or_else(|| refused.to_owned())
                };
                let status = match answer.as_str() {
                    missing if missing.contains("NoSuchBucket") => "404 Not Found",
                    refused if refused.contains("<Error>") => "403 Forbidden",
                    _ => "200 OK",
                };
                let length = answer.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\r\n{answer}");
                if client.write_all(answer.as_bytes()).is_err() {
                    return;
                }
                read.clear();
            }
        })
    }

    fn start(serve: impl Fn(TcpStream, &dyn Fn(&[u8])) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let (serve, all) = (Arc::new(serve), Arc::clone(&heard));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (serve, all) = (Arc::clone(&serve), Arc::clone(&all));
                let index = {
                    let mut all = all.lock().expect("no panic while recording");
                    all.push(Vec::new());
                    all.len() - 1
                };
                std::thread::spawn(move || {
                    serve(client, &|bytes| {
                        all.lock().expect("no panic while recording")[index].extend_from_slice(bytes)
                    });
                });
            }
        });
        Self { url, heard }
    }

    /// All that was sent since the last time this was asked, a text a connection.
    pub fn take(&self) -> Vec<String> {
        let mut heard = self.heard.lock().expect("no panic while recording");
        // A connection that is still open goes on in its place.
        heard.iter_mut().map(|bytes| String::from_utf8_lossy(&std::mem::take(bytes)).into_owned()).collect()
    }

    /// Who signed what was sent since the last time something was taken.
    pub fn signers(&self) -> BTreeSet<Signer> {
        let pattern = Regex::new(r"Credential=([^/\s,]+)(?:/|%2F)\d{8}(?:/|%2F)([^/%\s]+)(?:/|%2F)([a-z0-9-]+)")
            .expect("a pattern");
        let sent = self.take();
        let found = sent.iter().flat_map(|text| pattern.captures_iter(text));
        let signer =
            |it: regex::Captures<'_>| Signer { key: it[1].into(), region: it[2].into(), service: it[3].into() };
        found.map(signer).collect()
    }

    /// The actions of the query protocol that were asked for since the last time something was taken.
    pub fn actions(&self) -> Vec<String> {
        let pattern = Regex::new(r"Action=([A-Za-z]+)").expect("a pattern");
        let sent = self.take();
        sent.iter().flat_map(|text| pattern.captures_iter(text)).map(|it| it[1].to_owned()).collect()
    }
}

fn account_of(head: &str) -> String {
    let key = Regex::new(r"Credential=AKIA(\d)").expect("a pattern");
    key.captures(head).map_or("111122223333".to_owned(), |found| found[1].repeat(12))
}

/// A terminal for one command: `answers` are typed one after the other, each when the program asks.
const TERMINAL: &str = "
import os, pty, sys
answers = sys.argv[1].split(',') if sys.argv[1] else []
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b''
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:
        break
    if not more:
        break
    sys.stdout.buffer.write(more)
    seen += more
    if seen.endswith(b'[y/N] '):
        seen = b''
        answer = (answers.pop(0) if answers else 'n').encode()
        # An interrupt is a key of its own.
        os.write(terminal, answer if answer == b'\\x03' else answer + b'\\n')
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// Runs the program on a terminal; gives its exit code and what the terminal showed.
pub fn on_terminal(project: &Project, args: &[&str], variables: &[(&str, &str)], answers: &str) -> (i32, String) {
    let asked = project.command(args);
    let mut command = Command::new("python3");
    command.arg("-c").arg(TERMINAL).arg(answers).arg(asked.get_program()).args(asked.get_args());
    command.env_clear().current_dir(project.path()).stdin(Stdio::null());
    command.envs(asked.get_envs().filter_map(|(name, value)| Some((name, value?)))).envs(variables.iter().copied());
    let output = command.env("TERM", "dumb").output().expect("a terminal");
    let shown = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), shown)
}
