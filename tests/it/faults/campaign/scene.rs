//! Where a session takes place: a fresh local target, things in it that are none of the program's, a project of small use
//! cases, and the program itself, run behind the proxy.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::direct::Direct;
use super::inventory::{Inventory, at_rest, statuses};
use crate::faults::Proxy;
use crate::support::{Project, Served};

/// The longest a run may take, whatever is done to it, in a debug build on a busy machine.
const LONGEST_RUN: Duration = Duration::from_secs(150);

/// A bucket that somebody made by hand, under the name that the use case `greedy` wants.
pub const SQUATTED: &str = "wanted-by-greedy";

/// One run of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Deploys a use case in a version.
    Deploy(&'static str, u8),
    /// Destroys a use case.
    Destroy(&'static str),
    /// Tries the smoke tests of a use case.
    Smoke(&'static str),
    /// Makes the artifact bucket.
    Bootstrap,
    /// Takes the artifact bucket away.
    RemoveBootstrap,
}

impl Step {
    /// The stack it is about.
    pub fn stack(self) -> String {
        match self {
            Step::Deploy(use_case, _) | Step::Destroy(use_case) | Step::Smoke(use_case) => format!("{use_case}-dev"),
            Step::Bootstrap | Step::RemoveBootstrap => "bedplate-artifacts".to_owned(),
        }
    }

    fn arguments(self) -> Vec<&'static str> {
        match self {
            Step::Deploy(use_case, _) => vec!["deploy", use_case, "--yes", "--allow", "data-loss"],
            Step::Destroy(use_case) => vec!["destroy", use_case, "--yes"],
            Step::Smoke(use_case) => vec!["smoke", use_case],
            Step::Bootstrap => vec!["bootstrap", "--region", "us-west-2"],
            Step::RemoveBootstrap => vec!["bootstrap", "--remove", "--yes", "--region", "us-west-2"],
        }
    }
}

/// The program while it runs, for whoever sends it signals from the proxy.
#[derive(Debug, Clone, Default)]
pub struct Victim(Arc<Mutex<Option<Child>>>);

impl Victim {
    /// Sends a signal, unless the program has ended.
    pub fn send(&self, signal: Signal) {
        let child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = child.as_ref().and_then(|child| Pid::from_raw(child.id().cast_signed())) {
            // It is not waited for while the lock is held, so the number is still its own.
            let _ = kill_process(pid, signal);
        }
    }

    /// The code or the signal that it ended with, once it has.
    fn ended(&self) -> Option<Result<i32, i32>> {
        use std::os::unix::process::ExitStatusExt as _;
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let status = child.as_mut()?.try_wait().expect("a child of ours")?;
        *child = None;
        Some(status.code().ok_or_else(|| status.signal().unwrap_or(0)))
    }
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Its exit code, or the signal that ended it.
    pub exit: Result<i32, i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The statuses of the stacks at the moment it ended.
    pub statuses: BTreeMap<String, String>,
}

impl Ending {
    /// The lines of events.
    pub fn lines(&self) -> Vec<Value> {
        self.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The last line, if it is of kind `finished`.
    pub fn finished(&self) -> Option<Value> {
        self.lines().pop().filter(|line| line["kind"] == "finished")
    }

    /// How it says it ended.
    pub fn outcome(&self) -> String {
        self.finished().map(|line| line["outcome"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
    }
}

/// Where a session takes place.
pub struct Scene {
    /// The proxy that the program is run behind.
    pub proxy: Proxy,
    /// The endpoint itself.
    pub direct: Direct,
    /// What there was before the program was first run: all of it is somebody else's.
    pub foreign: Inventory,
    project: Project,
    _served: Served,
    _place: Project,
}

impl Scene {
    /// A fresh one; with stacks of others in it, whose artifact bucket nobody may take away, or without.
    pub fn new(others: bool) -> Self {
        let place = Project::empty();
        // CloudFormation finds the squatted name before it begins; this is one that fails on the way.
        let served = place.serve(&["--fail", "Doomed=out of capacity"]);
        let direct = Direct::to(&served.url);
        place_foreign_things(&direct, others);
        at_rest(&direct).expect("foreign stacks come to rest");
        let foreign = Inventory::of(&direct);
        let project = Project::empty();
        for use_case in ["taken", "lent", "review"] {
            project.write(&spec_path(use_case), small(use_case, "  Jobs: { Type: AWS::SQS::Queue }\n"));
        }
        let bucket = format!("  Wanted: {{ Type: AWS::S3::Bucket, Properties: {{ BucketName: {SQUATTED} }} }}\n");
        project.write(&spec_path("greedy"), small("greedy", &bucket));
        let doomed = "  Papers: { Type: AWS::S3::Bucket }\n  Doomed: { Type: AWS::SQS::Queue, DependsOn: [Papers] }\n";
        project.write(&spec_path("doomed"), small("doomed", doomed));
        Self { proxy: Proxy::before(&served.url), direct, foreign, project, _served: served, _place: place }
    }

    /// Runs the program to its end, with events in JSON or words for a person.
    pub fn run(&self, step: Step, json: bool, victim: &Victim) -> Result<Ending, String> {
        if let Step::Deploy("notes", version) = step {
            self.write_notes(version);
        }
        let mut arguments = step.arguments();
        if json {
            arguments.extend(["--format", "json"]);
        }
        let url = self.proxy.url.clone();
        arguments.extend(["--target", "aws", "--endpoint-url", &url]);
        let file = |name: &str| File::create(self.project.path().join(name)).expect("a file");
        let mut command = self.project.command(&arguments);
        command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr"));
        {
            // No signal is sent before there is a child: the hooks wait for the lock.
            let mut child = victim.0.lock().unwrap_or_else(PoisonError::into_inner);
            *child = Some(command.spawn().expect("the program starts"));
        }
        let began = Instant::now();
        let exit = loop {
            if let Some(exit) = victim.ended() {
                break exit;
            }
            if began.elapsed() > LONGEST_RUN {
                victim.send(Signal::KILL);
                return Err(format!(
                    "it did not end within {LONGEST_RUN:?}\n{}\n{}",
                    self.project.read("stdout"),
                    self.project.read("stderr")
                ));
            }
            thread::sleep(Duration::from_millis(5));
        };
        let statuses = statuses(&self.direct);
        Ok(Ending { exit, stdout: self.project.read("stdout"), stderr: self.project.read("stderr"), statuses })
    }

    /// What there is once nothing goes on any more.
    pub fn inventory(&self) -> Result<Inventory, String> {
        self.proxy.idle()?;
        at_rest(&self.direct)?;
        Ok(Inventory::of(&self.direct))
    }

    /// The documents of `notes` in a version, by their keys.
    pub fn documents(version: u8) -> BTreeMap<String, String> {
        let kept = match version {
            1 => ["a.txt", "b.txt", "c.txt"],
            _ => ["a.txt", "b.txt", "d.txt"],
        };
        let text = |key: &str| match key {
            "a.txt" => format!("document {key} of version {version}\n"),
            _ => format!("document {key}\n"),
        };
        kept.into_iter().map(|key| (key.to_owned(), text(key))).collect()
    }

    /// The rows that `notes` has at least in a version, by their texts.
    pub fn rows(version: u8) -> Vec<String> {
        (1..=version + 1).map(|row| format!("row {row}")).collect()
    }

    fn write_notes(&self, version: u8) {
        let folder = "stacks/notes";
        let _ = std::fs::remove_dir_all(self.project.path().join(folder).join("documents"));
        for (key, text) in Self::documents(version) {
            self.project.write(&format!("{folder}/documents/{key}"), text);
        }
        let rows: String = (1..=version + 1).map(|row| format!("- {{ Id: {row}, Text: row {row} }}\n")).collect();
        self.project.write(&format!("{folder}/data/rows.yaml"), rows);
        let code = format!(
            "def handler(event, context):\n    return {{\"statusCode\": 200, \"body\": \"marker-{version}\"}}\n"
        );
        self.project.write(&format!("{folder}/code/app.py"), code);
        let doomed = if version == 3 { "\n  Doomed: { Type: AWS::SQS::Queue, DependsOn: [Jobs] }" } else { "" };
        let spec = format!(
            "bedplate: 1\nname: notes\nregion: us-west-2\nbuckets:\n  papers:\n    versioning: true\n    documents: documents/\n\
             tables:\n  notes:\n    partition-key: {{ name: Id, type: number }}\n    seed: data/rows.yaml\n\
             functions:\n  echo:\n    code: code/\n    handler: app.handler\n    runtime: python3.13\n    \
             environment: {{ MARKER: marker-{version} }}\n\
             apis:\n  web:\n    kind: http\n    routes:\n      - GET /hello: {{ function: echo }}\n\
             resources:\n  Jobs: {{ Type: AWS::SQS::Queue, Properties: {{ VisibilityTimeout: 3{version} }} }}{doomed}\n\
             smoke:\n  - invoke: functions.echo\n  - call: GET apis.web /hello\n"
        );
        self.project.write(&spec_path("notes"), spec);
    }
}

fn spec_path(use_case: &str) -> String {
    format!("stacks/{use_case}/usecase.yaml")
}

fn small(use_case: &str, resources: &str) -> String {
    format!("bedplate: 1\nname: {use_case}\nregion: us-west-2\nresources:\n{resources}")
}

/// Things that the program has not made and must leave as they are.
fn place_foreign_things(direct: &Direct, others: bool) {
    let stack = |name: &str, resources: Value, tags: &[(&str, &str)]| {
        let body = json!({ "Resources": resources }).to_string();
        let mut parameters = vec![("StackName".to_owned(), name.to_owned()), ("TemplateBody".to_owned(), body)];
        for (index, (key, value)) in (1..).zip(tags) {
            parameters.push((format!("Tags.member.{index}.Key"), (*key).to_owned()));
            parameters.push((format!("Tags.member.{index}.Value"), (*value).to_owned()));
        }
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
        direct.cloudformation("CreateStack", &parameters).expect("a stack");
    };
    let bucket = |name: &str| json!({ "Type": "AWS::S3::Bucket", "Properties": { "BucketName": name } });
    let table = json!({ "Type": "AWS::DynamoDB::Table", "Properties": {
        "TableName": "somebodys-table", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "Id", "AttributeType": "N" }],
        "KeySchema": [{ "AttributeName": "Id", "KeyType": "HASH" }] } });
    stack("somebody", json!({ "Bucket": bucket("somebodys-bucket"), "Table": table }), &[]);
    if others {
        // A stack of another use case under the name that `taken` would have, and one of another owner.
        stack(
            "taken-dev",
            json!({ "Bucket": bucket("takens-bucket") }),
            &[("bedplate:use-case", "other"), ("bedplate:stage", "dev")],
        );
        stack(
            "lent-dev",
            json!({ "Bucket": bucket("lents-bucket") }),
            &[("bedplate:use-case", "lent"), ("bedplate:stage", "dev"), ("bedplate:owner", "ann")],
        );
    }
    let queue = json!({ "Resources": { "Queue": { "Type": "AWS::SQS::Queue" } } }).to_string();
    let review = [
        ("StackName", "review-dev"),
        ("ChangeSetName", "theirs"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", queue.as_str()),
    ];
    direct.cloudformation("CreateChangeSet", &review).expect("a change set");
    at_rest(direct).expect("stacks come to rest");
    let by_hand =
        "<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>";
    let done = |(status, answer): (u16, String)| assert_eq!(status, 200, "{answer}");
    done(direct.rest("s3", "PUT", &format!("/{SQUATTED}"), by_hand));
    let of_others: &[&str] = if others { &["takens-bucket", "lents-bucket"] } else { &[] };
    for name in [SQUATTED, "somebodys-bucket"].iter().chain(of_others) {
        done(direct.rest("s3", "PUT", &format!("/{name}/letters/a.txt"), "dear ann"));
        done(direct.rest("s3", "PUT", &format!("/{name}/b.txt"), "dear bob"));
    }
    done(direct.rest("s3", "POST", "/somebodys-bucket/big?uploads", ""));
    for id in ["1", "2"] {
        let item = json!({ "TableName": "somebodys-table", "Item": { "Id": { "N": id }, "Of": { "S": "somebody" } } });
        direct.json("dynamodb", "DynamoDB_20120810.PutItem", &item);
    }
}
