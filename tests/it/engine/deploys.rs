//! Deployments against the local target, through the same clients that talk to AWS.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bedplate::aws::{Clients, StackState, Target};
use bedplate::cfn::Template;
use bedplate::engine::{
    ApproveAll, Approver, Claim, DeclineAll, DeployOptions, DeployReport, Desired, DestroyReport, Event, EventKind,
    EventSink, Outcome, PlanReport, Proposal, Recorder, Run, StackArtifact, bootstrap, deploy, destroy, list, outputs,
    plan, remove_bootstrap, status,
};
use bedplate::finding::Place;
use bedplate::local::{self, LocalOptions, Running};
use bedplate::plan::{Action, Plan, PlanKind, RiskKind};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::faults::Proxy;

/// A local target of its own, with clients.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) running: Running,
    pub(crate) clients: Clients,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut LocalOptions)) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let (running, clients) = open(dir.path(), change).await;
        Self { dir, running, clients }
    }

    /// The same with a proxy between, which does nothing until it is given rules.
    pub(crate) async fn behind_a_proxy() -> (Self, Proxy) {
        Self::start().await.through_a_proxy().await
    }

    /// The same, asked through a proxy from now on.
    pub(crate) async fn through_a_proxy(mut self) -> (Self, Proxy) {
        let proxy = Proxy::before(self.running.url());
        self.clients = Clients::connect(&Target::local(&proxy.url, "us-west-2")).await.expect("a region is set");
        (self, proxy)
    }

    /// The name of the bucket that [`World::poster`] makes.
    pub(crate) async fn bucket(&self) -> String {
        let resources = self.clients.stack_resources("poster-dev").await.expect("an answer");
        let bucket = resources.into_iter().find(|resource| resource.logical_id == "Posters").expect("a bucket");
        bucket.physical_id.expect("a name")
    }

    /// The same state behind another endpoint, started with other options.
    pub(super) async fn again(self, change: impl FnOnce(&mut LocalOptions)) -> Self {
        self.running.shutdown().await;
        let (running, clients) = open(self.dir.path(), change).await;
        Self { dir: self.dir, running, clients }
    }

    pub(crate) async fn deploy(&self, desired: &Desired) -> (DeployReport, Vec<Event>) {
        self.deploy_asking(desired, &ApproveAll).await
    }

    pub(crate) async fn deploy_asking(&self, desired: &Desired, approver: &dyn Approver) -> (DeployReport, Vec<Event>) {
        let recorder = Recorder::default();
        let run = Run::new(&self.clients, &recorder, CancellationToken::new());
        let report = deploy(&run, desired, &DeployOptions::default(), approver).await;
        (report, recorder.events())
    }

    pub(crate) async fn plan(&self, desired: &Desired) -> PlanReport {
        let recorder = Recorder::default();
        let run = Run::new(&self.clients, &recorder, CancellationToken::new());
        plan(&run, desired).await
    }

    pub(crate) async fn destroy(&self, stack: &str) -> (DestroyReport, Vec<Event>) {
        let recorder = Recorder::default();
        let run = Run::new(&self.clients, &recorder, CancellationToken::new());
        let report = destroy(&run, stack, Some("poster"), &ApproveAll).await;
        (report, recorder.events())
    }

    pub(crate) async fn state(&self, stack: &str) -> Option<StackState> {
        self.clients.stack(stack).await.expect("the endpoint answers").map(|stack| stack.state())
    }

    /// Protects a stack, the way another client would.
    pub(crate) async fn protect(&self, stack: &str) {
        let asked =
            [("Action", "UpdateTerminationProtection"), ("StackName", stack), ("EnableTerminationProtection", "true")];
        self.ask(&asked).await;
    }

    /// Asks CloudFormation something, the way another client would.
    async fn ask(&self, asked: &[(&str, &str)]) {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Version", "2010-05-15")
            .extend_pairs(asked)
            .finish();
        let mut stream = TcpStream::connect(self.running.address()).await.expect("it listens");
        let request = format!(
            "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=local/20260101/us-west-2/cloudformation/aws4_request, SignedHeaders=host, Signature=0\r\n\
             content-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{form}",
            form.len()
        );
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// A use case with an artifact, a bucket and a queue.
    pub(crate) fn poster(&self) -> Desired {
        let zip = self.dir.path().join("design.zip");
        std::fs::write(&zip, b"what is in the zip").expect("a writable folder");
        let mut desired = desired(
            "poster-dev",
            json!({
                "Posters": { "Type": "AWS::S3::Bucket" },
                "Wait": { "Type": "AWS::SQS::Queue", "Properties": {
                    "VisibilityTimeout": 30, "Tags": [{ "Key": "code", "Value": { "Ref": "CodeKey" } }] } },
            }),
        );
        desired.artifacts.push(StackArtifact {
            parameter: "CodeKey".into(),
            component: "functions.design".into(),
            path: zip,
            sha256: "ab".repeat(32),
            size: 18,
        });
        desired
    }
}

async fn open(dir: &Path, change: impl FnOnce(&mut LocalOptions)) -> (Running, Clients) {
    let mut options = LocalOptions::new(dir.join("state"));
    change(&mut options);
    let running = local::start(options).await.expect("a free port");
    let clients = Clients::connect(&Target::local(running.url(), "us-west-2")).await.expect("a region is set");
    (running, clients)
}

pub(crate) fn desired(stack: &str, resources: Value) -> Desired {
    let template = json!({
        "Parameters": {
            "ArtifactBucket": { "Type": "String", "Default": "none" },
            "CodeKey": { "Type": "String", "Default": "none" },
        },
        "Resources": resources,
        "Outputs": { "Stack": { "Value": { "Ref": "AWS::StackName" } } },
    });
    let mut desired = Desired::new(stack, Template::from_value(template).expect("a template"));
    desired.tags.insert("bedplate:use-case".into(), "poster".into());
    desired
}

pub(crate) fn with(desired: &Desired, change: impl FnOnce(&mut Value)) -> Desired {
    let mut value = desired.template.value().clone();
    change(&mut value);
    Desired { template: Template::from_value(value).expect("a template"), ..desired.clone() }
}

/// The kinds of events that came, in order, without those of resources and stacks.
pub(crate) fn steps(events: &[Event]) -> Vec<&'static str> {
    let name = |event: &Event| match event.what {
        EventKind::Started { .. } => "started",
        EventKind::ArtifactBucketMade { .. } => "bucket made",
        EventKind::ArtifactUploaded { .. } => "uploaded",
        EventKind::ArtifactPresent { .. } => "present",
        EventKind::ChangeSetCreated { .. } => "change set",
        EventKind::ChangeSetRemoved { .. } => "change set removed",
        EventKind::PlanReady { .. } => "plan",
        EventKind::Executing { .. } => "executing",
        EventKind::Waiting { .. } => "waiting",
        EventKind::Warning { .. } => "warning",
        EventKind::DestroyPlanReady { .. } => "destroy_plan",
        EventKind::OutputsReady { .. } => "outputs",
        EventKind::Finished { .. } => "finished",
        _ => "",
    };
    events.iter().map(name).filter(|name| !name.is_empty()).collect()
}

#[tokio::test]
async fn a_use_case_is_made_left_alone_changed_and_taken_away() {
    let world = World::start().await;
    let desired = world.poster();

    let (report, events) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(
        steps(&events),
        ["started", "change set", "plan", "bucket made", "uploaded", "executing", "outputs", "finished"]
    );
    assert_eq!(report.results.outputs[0].value, "poster-dev");
    assert_eq!(report.results.plan.as_ref().map(|plan| plan.kind), Some(PlanKind::Create));

    let (report, events) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::NoChange, "{:?}", report.findings);
    assert_eq!(steps(&events), ["started", "outputs", "finished"], "nothing is uploaded and nothing runs");
    assert_eq!(report.results.outputs[0].value, "poster-dev");

    let longer = with(&desired, |it| it["Resources"]["Wait"]["Properties"]["VisibilityTimeout"] = json!(40));
    let (report, events) = world.deploy(&longer).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(steps(&events), ["started", "change set", "plan", "present", "executing", "outputs", "finished"]);
    let changes = report.results.plan.expect("a plan").changes;
    assert_eq!((changes.len(), changes[0].action, changes[0].logical_id.as_str()), (1, Action::Modify, "Wait"));
    assert_eq!(changes[0].reasons[0].path, "Properties.VisibilityTimeout");

    let (report, events) = world.destroy("poster-dev").await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    assert_eq!(steps(&events), ["started", "destroy_plan", "finished"]);
    let destroy_plan = report.results.destroy_plan.expect("what went");
    assert_eq!((destroy_plan.resources.len(), destroy_plan.artifacts.count), (2, 1));
    assert_eq!(world.state("poster-dev").await, None);

    let (report, _) = world.destroy("poster-dev").await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Absent, 0));
    assert!(report.findings[0].message.contains("123456789012"), "{}", report.findings[0]);
}

#[tokio::test]
async fn events_are_those_of_this_operation_in_the_order_they_happened() {
    let world = World::start().await;
    world.deploy(&world.poster()).await;
    let longer = with(&world.poster(), |it| it["Resources"]["Wait"]["Properties"]["VisibilityTimeout"] = json!(40));
    let (_, events) = world.deploy(&longer).await;
    let told: Vec<String> = events
        .iter()
        .filter_map(|event| match &event.what {
            EventKind::Stack { status, .. } => Some(format!("stack {status}")),
            EventKind::Resource { logical_id, status, .. } => Some(format!("{logical_id} {status}")),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            "stack UPDATE_IN_PROGRESS",
            "Wait UPDATE_IN_PROGRESS",
            "Wait UPDATE_COMPLETE",
            "stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "stack UPDATE_COMPLETE",
        ]
    );
}

#[tokio::test]
async fn a_failure_is_told_by_its_cause_at_its_line_and_the_next_deploy_makes_the_stack_anew() {
    let failing =
        |options: &mut LocalOptions| options.fail = vec!["Wait=the queue is closed".parse().expect("a failure")];
    let world = World::with(failing).await;
    let mut desired = world.poster();
    let place = Place { file: "usecase.yaml".into(), line: 7, column: 3 };
    desired.places = [("/Resources/Wait".to_owned(), place)].into_iter().collect();
    let (report, _) = world.deploy(&desired).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::RolledBack, 10));
    let cause = &report.findings[0];
    assert!(cause.message.contains("`Wait`") && cause.message.contains("the queue is closed"), "{cause}");
    assert_eq!(cause.place.as_ref().map(|place| place.line), Some(7));
    assert_eq!(world.state("poster-dev").await, Some(StackState::FailedCreate));

    let world = world.again(|_| {}).await;
    let (report, events) = world.deploy_asking(&desired, &DeclineAll).await;
    assert_eq!(report.outcome, Outcome::Declined);
    assert_eq!(report.results.plan.map(|plan| plan.kind), Some(PlanKind::Recreate));
    assert_eq!(steps(&events), ["started", "warning", "plan", "finished"]);
    assert_eq!(world.state("poster-dev").await, Some(StackState::FailedCreate), "declined: not even cleaned up");

    let (report, _) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(world.state("poster-dev").await, Some(StackState::Good));
}

#[tokio::test]
async fn a_new_stack_that_fails_is_deleted_where_that_was_asked_for() {
    let fail = |options: &mut LocalOptions| options.fail = vec!["Wait".parse().expect("a failure")];
    let world = World::with(fail).await;
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    let options = DeployOptions { delete_on_failure: true, ..DeployOptions::default() };
    let report = deploy(&run, &world.poster(), &options, &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::RolledBack, "{:?}", report.findings);
    assert_eq!(world.state("poster-dev").await, None);
}

#[tokio::test]
async fn a_failed_stack_whose_bucket_holds_something_is_made_anew_by_permission_only() {
    let world = World::with(|options| options.fail = vec!["Wait".parse().expect("a failure")]).await;
    let desired = desired(
        "poster-dev",
        json!({
            "Posters": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "posters" } },
            "Wait": { "Type": "AWS::SQS::Queue", "DependsOn": "Posters" },
        }),
    );
    let template = desired.template.value().to_string();
    world
        .ask(&[
            ("Action", "CreateStack"),
            ("StackName", "poster-dev"),
            ("TemplateBody", &template),
            ("DisableRollback", "true"),
            ("Tags.member.1.Key", "bedplate:use-case"),
            ("Tags.member.1.Value", "poster"),
        ])
        .await;
    while world.state("poster-dev").await != Some(StackState::FailedCreate) {
        tokio::task::yield_now().await;
    }
    let risks = |plan: Option<Plan>| plan.expect("a plan").risks;
    let (report, _) = world.deploy_asking(&desired, &DeclineAll).await;
    assert_eq!(risks(report.results.plan), [], "an empty bucket is no loss");
    world.clients.upload_bytes("posters", "a", vec![1], "123456789012").await.expect("an upload");
    let (report, _) = world.deploy_asking(&desired, &DeclineAll).await;
    let told: Vec<(RiskKind, String, Option<String>)> =
        risks(report.results.plan).into_iter().map(|risk| (risk.kind, risk.resource, risk.physical)).collect();
    assert_eq!(told, [(RiskKind::DataLoss, "Posters".to_owned(), Some("posters".to_owned()))]);
    assert_eq!(risks(world.plan(&desired).await.results.plan).len(), 1, "`plan` says it too");
}

#[tokio::test]
async fn a_failed_update_is_rolled_back_and_the_stack_stays_as_it_was() {
    let world = World::start().await;
    let desired = world.poster();
    world.deploy(&desired).await;
    let world = world.again(|options| options.fail = vec!["More".parse().expect("a failure")]).await;
    let more = with(&desired, |it| it["Resources"]["More"] = json!({ "Type": "AWS::SQS::Queue" }));
    let (report, _) = world.deploy(&more).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::RolledBack, 10), "{:?}", report.findings);
    assert!(report.findings[0].message.contains("`More`"), "{}", report.findings[0]);
    assert_eq!(world.state("poster-dev").await, Some(StackState::RolledBackUpdate));

    let world = world.again(|_| {}).await;
    let (report, _) = world.deploy(&more).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
}

#[tokio::test]
async fn a_declined_deployment_leaves_no_trace() {
    let world = World::start().await;
    let (report, events) = world.deploy_asking(&world.poster(), &DeclineAll).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Declined, 4));
    assert_eq!(steps(&events), ["started", "change set", "plan", "change set removed", "finished"]);
    assert_eq!(world.state("poster-dev").await, None);
    assert!(world.clients.stacks().await.expect("an answer").is_empty(), "no artifact bucket either");

    world.deploy(&world.poster()).await;
    let longer = with(&world.poster(), |it| it["Resources"]["Wait"]["Properties"]["VisibilityTimeout"] = json!(40));
    let (report, events) = world.deploy_asking(&longer, &DeclineAll).await;
    assert_eq!(report.outcome, Outcome::Declined);
    assert!(steps(&events).contains(&"change set removed"), "{:?}", steps(&events));
    let shown = report.results.plan.and_then(|plan| plan.change_set).expect("the plan is that of a change set");
    let sets = world.clients.change_set_names("poster-dev").await.expect("an answer");
    assert!(!sets.contains(&shown), "{shown} is still among {sets:?}");
}

#[tokio::test]
async fn planning_changes_nothing() {
    let world = World::start().await;
    let report = world.plan(&world.poster()).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Planned, 0), "{:?}", report.findings);
    assert_eq!(report.results.plan.map(|plan| (plan.kind, plan.changes.len())), Some((PlanKind::Create, 2)));
    assert!(world.clients.stacks().await.expect("an answer").is_empty(), "not even a stack in review");

    world.deploy(&world.poster()).await;
    let named = with(&world.poster(), |it| it["Resources"]["Posters"]["Properties"] = json!({ "BucketName": "mine" }));
    let report = world.plan(&named).await;
    let plan = report.results.plan.expect("a plan");
    assert_eq!(plan.changes[0].action, Action::Replace);
    assert_eq!(plan.data_loss.len(), 1, "the bucket's objects");
    assert_eq!(world.plan(&world.poster()).await.outcome, Outcome::NoChange);
    let stacks = world.clients.stacks().await.expect("an answer");
    assert!(!stacks.is_empty() && stacks.iter().all(|it| it.state() == StackState::Good), "{stacks:?}");
}

/// Cancels the run when it is asked.
struct CancelWhenAsked(CancellationToken);

#[async_trait]
impl Approver for CancelWhenAsked {
    async fn approve(&self, _: Proposal<'_>) -> bool {
        self.0.cancel();
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_interruption_before_execution_removes_the_change_set() {
    let world = World::start().await;
    let cancel = CancellationToken::new();
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, cancel.clone());
    let report = deploy(&run, &world.poster(), &DeployOptions::default(), &CancelWhenAsked(cancel)).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Interrupted, 130));
    assert_eq!(world.state("poster-dev").await, None);
}

/// Cancels the run at the first event of a resource.
struct CancelWhenRunning(CancellationToken, Mutex<Vec<Event>>);

impl EventSink for CancelWhenRunning {
    fn emit(&self, event: Event) {
        if matches!(event.what, EventKind::Resource { .. }) {
            self.0.cancel();
        }
        self.1.lock().expect("no panic while telling").push(event);
    }
}

#[tokio::test]
async fn an_interrupted_execution_goes_on_and_the_next_deploy_picks_it_up() {
    let world = World::with(|options| options.delay = Duration::from_millis(300)).await;
    let cancel = CancellationToken::new();
    let sink = CancelWhenRunning(cancel.clone(), Mutex::default());
    let run = Run::new(&world.clients, &sink, cancel);
    let report = deploy(&run, &world.poster(), &DeployOptions::default(), &ApproveAll).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Interrupted, 130));
    assert_eq!(report.findings[0].code, "D016");
    assert_eq!(world.state("poster-dev").await, Some(StackState::InProgress));

    let (report, events) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::NoChange, "{:?}", report.findings);
    assert_eq!(steps(&events), ["started", "waiting", "outputs", "finished"]);
}

#[tokio::test]
async fn two_use_cases_are_deployed_at_once() {
    let world = World::start().await;
    let one = desired("one-dev", json!({ "Queue": { "Type": "AWS::SQS::Queue" } }));
    let two = desired("two-dev", json!({ "Topic": { "Type": "AWS::SNS::Topic" } }));
    let ((first, events), (second, _)) = tokio::join!(world.deploy(&one), world.deploy(&two));
    assert_eq!((first.outcome, second.outcome), (Outcome::Deployed, Outcome::Deployed));
    let foreign =
        |event: &Event| matches!(&event.what, EventKind::Resource { logical_id, .. } if logical_id == "Topic");
    assert!(!events.iter().any(foreign), "each tells its own events");
    let names: Vec<String> = list(&world.clients).await.expect("an answer").into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["one-dev", "two-dev"]);
}

#[tokio::test]
async fn somebody_elses_stack_is_not_touched() {
    let world = World::start().await;
    world.deploy(&world.poster()).await;
    let mut other = world.poster();
    other.tags.insert("bedplate:use-case".into(), "other".into());
    let (report, _) = world.deploy(&other).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D012"));
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    let report = destroy(&run, "poster-dev", Some("other"), &ApproveAll).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D012"));
    assert_eq!(world.state("poster-dev").await, Some(StackState::Good));
}

#[tokio::test]
async fn status_and_outputs_tell_what_is_there() {
    let world = World::start().await;
    assert!(status(&world.clients, "poster-dev", &Claim::default(), None).await.expect("an answer").is_none());
    assert!(outputs(&world.clients, "poster-dev", &Claim::default()).await.expect("an answer").is_none());
    let desired = world.poster();
    world.deploy(&desired).await;
    let told = status(&world.clients, "poster-dev", &Claim::default(), Some(&desired.template))
        .await
        .expect("an answer")
        .expect("a stack");
    assert_eq!(told.spec_changed, Some(false));
    let other = Template::from_value(json!({ "Resources": { "Other": { "Type": "AWS::S3::Bucket" } } }));
    let other = other.expect("a template");
    let told = status(&world.clients, "poster-dev", &Claim::default(), Some(&other))
        .await
        .expect("an answer")
        .expect("a stack");
    assert_eq!(told.spec_changed, Some(true));
    assert!(told.causes.is_empty() && !told.in_progress);
    assert_eq!(told.resources.len(), 2);
    assert!(told.last_operation.iter().any(|event| event.is_stack() && event.status == "CREATE_COMPLETE"));
    let values = outputs(&world.clients, "poster-dev", &Claim::default()).await.expect("an answer").expect("a stack");
    assert_eq!(values[0].key, "Stack");
}

#[tokio::test]
async fn a_refused_change_set_says_why_and_leaves_nothing() {
    let world = World::start().await;
    let broken =
        desired("poster-dev", json!({ "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "Nonsense": 1 } } }));
    let (report, _) = world.deploy(&broken).await;
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.findings.iter().any(|it| it.message.contains("Nonsense")), "{:?}", report.findings);
    assert_eq!(world.state("poster-dev").await, None);

    let role = json!({ "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": {
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" } }] } } });
    let (report, _) = world.deploy(&desired("poster-dev", json!({ "Role": role }))).await;
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.findings[0].message.contains("CAPABILITY"), "{:?}", report.findings);
    assert_eq!(world.state("poster-dev").await, None);
}

#[tokio::test]
async fn the_artifact_bucket_is_made_once_and_goes_when_nobody_needs_it() {
    let world = World::start().await;
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    assert_eq!(bootstrap(&run).await.outcome, Outcome::Ready);
    assert_eq!(bootstrap(&run).await.outcome, Outcome::NoChange);
    world.deploy(&world.poster()).await;
    let report = remove_bootstrap(&run, &ApproveAll).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D026"));
    world.destroy("poster-dev").await;
    assert_eq!(remove_bootstrap(&run, &ApproveAll).await.outcome, Outcome::Destroyed);
    assert_eq!(remove_bootstrap(&run, &ApproveAll).await.outcome, Outcome::Absent);
}
