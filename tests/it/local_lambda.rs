//! Lambda, CloudWatch Logs and IAM of the local target from outside.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::{Capability, StackStatus};
use bedplate::local::{self, Clock, LocalOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::Project;

const REGION: &str = "us-west-2";

/// The SDK's configuration for an endpoint, with a client's own type.
macro_rules! client {
    ($sdk:ident, $url:expr, $credentials:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version_latest()
                .region($sdk::config::Region::new(REGION))
                .credentials_provider($credentials)
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                .endpoint_url($url)
                .build(),
        )
    };
}

fn administrator() -> Credentials {
    Credentials::new("local", "local", None, None, "test")
}

/// Makes a stack and waits for it.
async fn make(url: &str, resources: Value) {
    let stacks = client!(aws_sdk_cloudformation, url, administrator());
    let template = json!({ "Resources": resources }).to_string();
    let made = stacks.create_stack().stack_name("functions").template_body(template);
    made.capabilities(Capability::CapabilityNamedIam).send().await.expect("a stack begun");
    loop {
        let described = stacks.describe_stacks().stack_name("functions").send().await.expect("the stack");
        match described.stacks()[0].stack_status() {
            Some(StackStatus::CreateInProgress) => tokio::task::yield_now().await,
            Some(StackStatus::CreateComplete) => return,
            other => panic!("{other:?}: {:?}", stacks.describe_stack_events().stack_name("functions").send().await),
        }
    }
}

/// A role for functions, and one a person may assume, both with these statements.
fn roles(statements: &Value) -> Value {
    let role = |principal: Value| {
        json!({
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": if principal.get("Service").is_some() { "functions" } else { "people" },
                "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [
                    { "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }
                ] },
                "Policies": [{ "PolicyName": "grants", "PolicyDocument": {
                    "Version": "2012-10-17", "Statement": statements
                } }],
            },
        })
    };
    json!({
        "Role": role(json!({ "Service": "lambda.amazonaws.com" })),
        "People": role(json!({ "AWS": "arn:aws:iam::123456789012:root" })),
    })
}

fn function(code: &str) -> Value {
    json!({
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "f", "Runtime": "python3.13", "Handler": "index.handler", "Timeout": 20,
            "Role": { "Fn::GetAtt": ["Role", "Arn"] }, "Code": { "ZipFile": code },
        },
    })
}

/// Calls the function `f` over plain HTTP; gives the answer's head and body.
async fn invoke(url: &str, event: &str) -> (String, String) {
    let address = url.strip_prefix("http://").expect("an address");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: \
         AWS4-HMAC-SHA256 Credential=local/20261124/{REGION}/lambda/aws4_request\r\ncontent-length: {}\r\n\r\n{event}",
        event.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    (head.to_owned(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_has_its_own_environment_and_nothing_of_the_callers() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = local::start(LocalOptions::new(dir.path())).await.expect("a local target");
    let code = "import os\n\ndef handler(event, context):\n    return dict(os.environ)\n";
    let mut resources = roles(&json!([{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" }]));
    resources["Function"] = function(code);
    resources["Function"]["Properties"]["Environment"] = json!({ "Variables": { "GREETING": "hello" } });
    make(target.url(), resources).await;
    let (head, body) = invoke(target.url(), "").await;
    assert!(head.contains("x-amz-executed-version: $LATEST"), "{head}");
    let environment: Value = serde_json::from_str(&body).expect(&body);
    for (name, value) in [
        ("GREETING", "hello"),
        ("AWS_ENDPOINT_URL", target.url()),
        ("AWS_REGION", REGION),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("_HANDLER", "index.handler"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert!(environment["AWS_ACCESS_KEY_ID"].as_str().is_some_and(|key| key.starts_with("ASIALOCAL")), "{environment}");
    for foreign in ["HOME", "CARGO_MANIFEST_DIR", "AWS_PROFILE", "USER"] {
        assert_eq!(environment.get(foreign), None, "{foreign} is not the function's");
    }
    let unpacked = std::fs::read_dir(dir.path().join("functions")).expect("unpacked code").count();
    assert_eq!(unpacked, 1);
    target.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_end_with_their_session() {
    let dir = tempfile::tempdir().expect("a folder");
    let now = Arc::new(AtomicI64::new(1_800_000_000));
    let told = Arc::clone(&now);
    let clock = Clock::from_fn(move || jiff_of(told.load(Ordering::SeqCst)));
    let target = local::start(LocalOptions { clock, ..LocalOptions::new(dir.path()) }).await.expect("a local target");
    make(target.url(), roles(&json!([{ "Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*" }]))).await;
    let sts = client!(aws_sdk_sts, target.url(), administrator());
    let assumed = sts.assume_role().role_arn("arn:aws:iam::123456789012:role/people").role_session_name("me");
    let assumed = assumed.duration_seconds(900).send().await.expect("a session");
    let keys = assumed.credentials().expect("credentials");
    let credentials = Credentials::new(
        keys.access_key_id(),
        keys.secret_access_key(),
        Some(keys.session_token().to_owned()),
        None,
        "test",
    );
    let tables = client!(aws_sdk_dynamodb, target.url(), credentials.clone());
    tables.list_tables().send().await.expect("its role may");
    let denied =
        tables.describe_table().table_name("t").send().await.expect_err("its role may not").into_service_error();
    assert_eq!(denied.code(), Some("AccessDeniedException"));
    assert_eq!(
        denied.message(),
        Some(
            "User: arn:aws:sts::123456789012:assumed-role/people/me is not authorized to perform: dynamodb:DescribeTable \
             on resource: arn:aws:dynamodb:us-west-2:123456789012:table/t because no identity-based policy allows the \
             dynamodb:DescribeTable action"
        )
    );
    now.fetch_add(899, Ordering::SeqCst);
    tables.list_tables().send().await.expect("the last second of the session");
    now.fetch_add(1, Ordering::SeqCst);
    let ended = tables.list_tables().send().await.expect_err("the session has ended").into_service_error();
    assert_eq!(ended.code(), Some("ExpiredTokenException"));
    let sessions = client!(aws_sdk_sts, target.url(), credentials);
    let ended = sessions.get_caller_identity().send().await.expect_err("the session has ended").into_service_error();
    assert_eq!(ended.code(), Some("ExpiredTokenException"));
    target.shutdown().await;
}

fn jiff_of(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).expect("a time")
}

/// Takes a lock that everything it starts shares: a program, and a daemon with a session of its own whose parents are gone. Then
/// it answers, goes round in a loop, or stays in machine code without ever letting another thread run.
const ENDLESS: &str = r#"
import fcntl, os, re, signal, subprocess, sys, time

def handler(event, context):
    held = open(event["lock"], "w")
    fcntl.flock(held, fcntl.LOCK_EX)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[held.fileno()])
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            while True:
                time.sleep(600)
        os._exit(0)
    os.wait()
    open(event["ready"], "w").write("locked")
    while event["then"] == "loop":
        pass
    if event["then"] == "machine code":
        re.match("(a+)+b", "a" * 64)
    return "answered"
"#;

/// Waits until a lock is free, which is when every process that shares it has ended.
fn freed(lock: &Path) -> bool {
    let file = std::fs::OpenOptions::new().write(true).open(lock).expect("the lock");
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(file.lock().is_ok()));
    wait.recv_timeout(Duration::from_secs(30)).unwrap_or(false)
}

/// The function of [`ENDLESS`].
async fn make_endless(url: &str, timeout: u32) {
    let mut resources = roles(&json!([{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" }]));
    resources["Function"] = function(ENDLESS);
    resources["Function"]["Properties"]["Timeout"] = json!(timeout);
    make(url, resources).await;
}

#[test]
fn nothing_of_a_function_outlives_a_killed_endpoint() {
    for then in ["loop", "machine code", "answer"] {
        let project = Project::empty();
        project.write("bedplate.yaml", "");
        let (lock, ready) = (project.path().join("lock"), project.path().join("ready"));
        // A pipe tells the moment the function has its lock.
        assert!(Command::new("mkfifo").arg(&ready).status().expect("mkfifo runs").success());
        let mut served = project.serve(&[]);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let event = json!({ "lock": lock, "ready": ready, "then": then }).to_string();
        let url = served.url.clone();
        runtime.block_on(make_endless(&url, 600));
        let call = runtime.spawn(async move { invoke(&url, &event).await });
        assert_eq!(std::fs::read_to_string(&ready).expect("told"), "locked");
        if then == "answer" {
            assert_eq!(runtime.block_on(call).expect("a call").1, "\"answered\"");
        }
        served.kill();
        assert!(freed(&lock), "{then}: the function and what it started end with a killed endpoint");
        runtime.shutdown_background();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_function_outlives_its_time() {
    for then in ["loop", "machine code"] {
        let dir = tempfile::tempdir().expect("a folder");
        let target = local::start(LocalOptions::new(dir.path())).await.expect("a local target");
        make_endless(target.url(), 1).await;
        let (lock, ready) = (dir.path().join("lock"), dir.path().join("ready"));
        let event = json!({ "lock": lock, "ready": ready, "then": then }).to_string();
        let (head, body) = invoke(target.url(), &event).await;
        assert!(head.contains("x-amz-function-error: Unhandled"), "{head}");
        assert!(body.contains("Task timed out after 1.00 seconds"), "{body}");
        assert!(ready.exists() && freed(&lock), "{then}: the function and what it started end when its time is over");
        target.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_function_outlives_the_end_of_its_endpoint() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = local::start(LocalOptions::new(dir.path())).await.expect("a local target");
    make_endless(target.url(), 20).await;
    let (lock, ready) = (dir.path().join("lock"), dir.path().join("ready"));
    let event = json!({ "lock": lock, "ready": ready, "then": "answer" }).to_string();
    assert_eq!(invoke(target.url(), &event).await.1, "\"answered\"");
    let held = std::fs::File::open(&lock).expect("the lock");
    assert!(held.try_lock().is_err(), "what it started goes on between calls, as on AWS");
    target.shutdown().await;
    assert!(held.try_lock().is_ok(), "and is gone once the endpoint has ended");
}

#[test]
fn the_report_tells_which_statements_were_needed() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let served = project.serve(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let statements = json!([
            { "Sid": "Tables", "Effect": "Allow", "Action": ["dynamodb:ListTables", "dynamodb:GetItem"], "Resource": "*" },
            { "Sid": "Idle", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" },
        ]);
        make(&served.url, roles(&statements)).await;
        let sts = client!(aws_sdk_sts, &served.url, administrator());
        let assumed = sts.assume_role().role_arn("arn:aws:iam::123456789012:role/people").role_session_name("me");
        let keys = assumed.send().await.expect("a session").credentials.expect("credentials");
        let credentials =
            Credentials::new(keys.access_key_id, keys.secret_access_key, Some(keys.session_token), None, "test");
        let tables = client!(aws_sdk_dynamodb, &served.url, credentials);
        for _ in 0..2 {
            tables.list_tables().send().await.expect("its role may");
        }
        tables.delete_table().table_name("t").send().await.expect_err("its role may not");
    });
    let report = project.run(&["local", "iam-report"]).ok();
    let lines: Vec<&str> = report.stdout.lines().collect();
    let (used, idle) = ("used 2 times, but never dynamodb:GetItem", "never used");
    let tables = "  grants Tables: Allow dynamodb:GetItem, dynamodb:ListTables on *: ";
    let objects = format!("  grants Idle: Allow s3:GetObject on arn:aws:s3:::b/*: {idle}");
    assert_eq!(
        lines[..7],
        [
            "functions People (people)",
            &format!("{tables}{used}"),
            &objects,
            "functions Role (functions)",
            &format!("{tables}{idle}"),
            &objects,
            "Denied",
        ]
    );
    assert!(lines[7].contains("dynamodb:DeleteTable") && lines[7].ends_with("(1 time)"), "{}", report.session());
    let json = project.run(&["local", "iam-report", "--format", "json"]).ok();
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["denials"][0]["action"], "dynamodb:DeleteTable");
}
