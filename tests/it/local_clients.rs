//! Every operation of the local target, driven by AWS's own clients: `boto3` by the scripts in `tests/local`, the AWS CLI by
//! those in `tests/local/commands`. What the endpoint says it simulates and nobody drove fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{self, Project};

/// Operations by service, under the names that the SDKs have for both.
type Operations = BTreeMap<String, BTreeSet<String>>;

/// What the AWS CLI has no command for, and why.
const NO_COMMAND: &[(&str, &str, &str)] = &[
    ("bedrock-agent-runtime", "AgenticRetrieveStream", "answers with an event stream"),
    ("bedrock-agent-runtime", "InvokeAgent", "answers with an event stream"),
    ("bedrock-agent-runtime", "InvokeFlow", "answers with an event stream"),
    ("bedrock-agent-runtime", "RetrieveAndGenerateStream", "answers with an event stream"),
    ("bedrock-agentcore", "InvokeHarness", "answers with an event stream"),
    ("bedrock-runtime", "ConverseStream", "answers with an event stream"),
    ("bedrock-runtime", "InvokeModelWithResponseStream", "answers with an event stream"),
];

/// Scripts in a folder that are about other endpoints than ours.
const OTHERS: &[&str] = &["ministack.py"];

fn scripts(folder: &str) -> Vec<PathBuf> {
    let folder = support::repository().join(folder);
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is_script = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".py") && !OTHERS.contains(&name)
    };
    let mut scripts: Vec<PathBuf> = files.filter(is_script).collect();
    scripts.sort();
    scripts
}

fn python(program: &Path) -> Command {
    let mut command = Command::new(program);
    for proxy in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn fetch(url: &str) -> String {
    use std::io::{Read as _, Write as _};
    let address = url.strip_prefix("http://").expect("an address");
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    let request = format!("GET /_bedplate/operations HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}

/// Runs each script at an endpoint of its own; gives what is simulated, and what was driven.
fn drive(interpreter: &Path, folder: &str) -> (String, Operations) {
    // Functions run with the Python that runs the script: it has the SDK.
    let own = interpreter.parent().expect("a folder").display().to_string();
    let path = format!("{own}:{}", std::env::var("PATH").unwrap_or_default());
    let run = |script: &Path| -> (String, Operations) {
        let project = Project::empty();
        project.write("bedplate.yaml", "");
        let served = project.serve_with(&[], &[("PATH", &path)]);
        let record = project.path().join("record.json");
        let driver = support::repository().join("tests/local/support/drive.py");
        let output =
            python(interpreter).arg(driver).arg(&record).arg(script).arg(&served.url).output().expect("Python runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", script.display());
        let driven = serde_json::from_slice(&std::fs::read(&record).expect("a record")).expect("JSON");
        (fetch(&served.url), driven)
    };
    let run = &run;
    let results: Vec<(String, Operations)> = std::thread::scope(|scope| {
        let running: Vec<_> = scripts(folder).into_iter().map(|script| scope.spawn(move || run(&script))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let told = results.first().expect("a script").0.clone();
    let mut driven = Operations::new();
    for (service, operations) in results.into_iter().flat_map(|(_, driven)| driven) {
        driven.entry(service).or_default().extend(operations);
    }
    (told, driven)
}

/// The operations of one list that are not in another.
fn beyond(all: &Operations, others: &Operations) -> Vec<(String, String)> {
    let pairs = all.iter().flat_map(|(service, operations)| operations.iter().map(move |one| (service, one)));
    let missing = pairs.filter(|(service, one)| !others.get(*service).is_some_and(|others| others.contains(*one)));
    missing.map(|(service, one)| (service.clone(), one.clone())).collect()
}

fn rows(table: &[(&str, &str, &str)]) -> Vec<(String, String)> {
    table.iter().map(|(service, operation, _)| ((*service).to_owned(), (*operation).to_owned())).collect()
}

#[test]
fn boto3_drives_every_operation() {
    let interpreter = support::judges();
    let (told, driven) = drive(&interpreter, "tests/local");
    let told: Operations = serde_json::from_str(&told).expect("JSON");
    assert_eq!(beyond(&told, &driven), [], "nobody drove it");
    assert_eq!(beyond(&driven, &told), [], "it answered, and is not told");
}

#[test]
fn the_aws_cli_drives_every_operation_that_it_has_a_command_for() {
    let interpreter = support::judges();
    let (told, driven) = drive(&interpreter, "tests/local/commands");
    let program = support::repository().join("tests/local/support/without_command.py");
    let output = python(&interpreter).arg(program).arg(&told).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let without: Operations = serde_json::from_slice(&output.stdout).expect("JSON");
    let told: Operations = serde_json::from_str(&told).expect("JSON");
    let all: Vec<(String, String)> = beyond(&without, &Operations::new());
    // Left: what the CLI has no command for. Right: what the table above says of it.
    assert_eq!(all, rows(NO_COMMAND));
    assert_eq!(beyond(&told, &driven), rows(NO_COMMAND), "nobody drove it");
}
