//! What a deployment ends with when CloudFormation refuses, fails or is in a state that nothing can be made of: a code each.

use std::sync::Arc;

use bedplate::aws::Clients;
use bedplate::engine::{
    ApproveAll, DeployOptions, DeployReport, Desired, Event, EventKind, Outcome, Recorder, Report, Run, StackArtifact,
    artifact_bucket_name, deploy,
};
use bedplate::finding::Place;
use bedplate::local::LocalOptions;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::deploys::{World, desired, with};
use super::failed_creations::{half_made, use_case};
use super::proxy::{ACCOUNT, make_bucket, put, s3};
use crate::faults::{Fault, When};

fn failing(logical_id: &'static str) -> impl FnOnce(&mut LocalOptions) {
    move |options| options.fail = vec![format!("{logical_id}=no room left").parse().expect("a failure")]
}

fn codes<R>(report: &Report<R>) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn warned(events: &[Event]) -> Vec<&'static str> {
    let code = |event: &Event| match &event.what {
        EventKind::Warning { finding } => Some(finding.code.as_str()),
        _ => None,
    };
    events.iter().filter_map(code).collect()
}

/// An answer in which one status is another.
fn says(from: &'static str, to: &'static str) -> Fault {
    let (from, to) = (format!(">{from}<"), format!(">{to}<"));
    Fault::Rewrite(Arc::new(move |answer| answer.replace(&from, &to)))
}

async fn deploy_with(clients: &Clients, desired: &Desired) -> (DeployReport, Vec<Event>) {
    let recorder = Recorder::default();
    let run = Run::new(clients, &recorder, CancellationToken::new());
    let report = deploy(&run, desired, &DeployOptions::default(), &ApproveAll).await;
    (report, recorder.events())
}

#[tokio::test]
async fn an_artifact_bucket_that_cannot_be_made_or_is_gone_is_told() {
    let world = World::with(failing("Artifacts")).await;
    let (report, _) = world.deploy(&world.poster()).await;
    assert_eq!((report.outcome, codes(&report)), (Outcome::Failed, vec!["D004"]), "{:?}", report.findings);
    assert!(report.findings[0].message.contains("no room left"), "{}", report.findings[0]);

    let world = World::start().await;
    world.deploy(&world.poster()).await;
    let bucket = artifact_bucket_name(ACCOUNT, "us-west-2");
    let key = format!("poster-dev/{}.zip", "ab".repeat(32));
    s3(&world).delete_object().bucket(&bucket).key(key).send().await.expect("a deletion");
    s3(&world).delete_bucket().bucket(&bucket).send().await.expect("an empty bucket");
    let mut other = world.poster();
    other.artifacts = vec![StackArtifact { sha256: "cd".repeat(32), ..other.artifacts[0].clone() }];
    let (report, _) = world.deploy(&other).await;
    assert_eq!((report.outcome, codes(&report)), (Outcome::Failed, vec!["D005"]), "{:?}", report.findings);
}

#[tokio::test]
async fn the_resource_that_failed_is_told_at_its_place_and_without_one_the_stack() {
    let place = Place { file: "usecase.yaml".into(), line: 7, column: 3 };
    for (forgotten, code) in [(false, "D006"), (true, "D007")] {
        let (world, proxy) = World::with(failing("Wait")).await.through_a_proxy().await;
        if forgotten {
            // A failure of a resource is told as if it had been none.
            proxy.rule(When::operation("DescribeStackEvents"), says("CREATE_FAILED", "CREATE_IN_PROGRESS"));
        }
        let mut desired = world.poster();
        desired.places = [("/Resources/Wait".to_owned(), place.clone())].into_iter().collect();
        let (report, _) = world.deploy(&desired).await;
        assert_eq!(report.outcome, Outcome::RolledBack, "{:?}", report.findings);
        assert_eq!(codes(&report), [code], "{:?}", report.findings);
        assert_eq!(report.findings[0].place, (!forgotten).then(|| place.clone()));
        assert!(report.findings[0].help.is_some(), "{}", report.findings[0]);
    }
}

#[tokio::test]
async fn a_failed_creation_is_made_anew_with_a_warning_unless_it_cannot_be_removed() {
    let (world, proxy) = half_made().await.through_a_proxy().await;
    proxy.rule(When::any().after("DeleteStack"), says("DELETE_COMPLETE", "DELETE_FAILED"));
    let (report, events) = world.deploy(&use_case()).await;
    assert_eq!(report.outcome, Outcome::Failed, "{:?}", report.findings);
    assert!(warned(&events).contains(&"D011") && codes(&report).contains(&"D010"), "{:?}", report.findings);
}

#[tokio::test]
async fn a_stack_that_is_stuck_or_busy_is_not_changed() {
    let (world, proxy) = World::behind_a_proxy().await;
    let (report, _) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    for (status, code) in [("UPDATE_ROLLBACK_FAILED", "D014"), ("UPDATE_FAILED", "D015")] {
        proxy
            .clear()
            .forget()
            .rule(When::operation("DescribeStacks").with("poster-dev"), says("CREATE_COMPLETE", status));
        let (report, _) = world.deploy(&world.poster()).await;
        assert_eq!((report.outcome, codes(&report)), (Outcome::Failed, vec![code]), "{:?}", report.findings);
        assert!(
            report.findings[0].help.as_ref().is_some_and(|help| help.contains("rollback")),
            "{:?}",
            report.findings
        );
        assert_eq!(proxy.count("CreateChangeSet"), 0);
    }
    proxy
        .clear()
        .rule(When::operation("DescribeStacks").with("poster-dev"), says("CREATE_COMPLETE", "UPDATE_IN_PROGRESS"));
    let report = world.plan(&world.poster()).await;
    assert_eq!((report.outcome, codes(&report)), (Outcome::Failed, vec!["D021"]), "{:?}", report.findings);
}

#[tokio::test]
async fn a_template_longer_than_cloudformation_takes_is_not_sent() {
    let world = World::start().await;
    let notes = "a".repeat(1_100_000);
    let long = with(&world.poster(), |it| it["Metadata"] = json!({ "Notes": notes }));
    let (report, _) = world.deploy(&long).await;
    assert_eq!((report.outcome, codes(&report)), (Outcome::Failed, vec!["D017"]), "{:?}", report.findings);
    assert!(world.clients.stacks().await.expect("an answer").is_empty());
}

#[tokio::test]
async fn what_cloudformation_finds_before_it_changes_anything_is_an_error_or_a_warning() {
    let world = World::start().await;
    make_bucket(&world, "posters").await;
    let named = desired(
        "poster-dev",
        json!({
            "Posters": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "posters" } },
            "Wait": { "Type": "AWS::SQS::Queue" },
        }),
    );
    let (report, _) = deploy_with(&world.clients, &named).await;
    assert_eq!((report.outcome, codes(&report)), (Outcome::Failed, vec!["D019"]), "{:?}", report.findings);

    s3(&world).delete_bucket().bucket("posters").send().await.expect("an empty bucket");
    let (report, _) = deploy_with(&world.clients, &named).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    put(&world, "posters", "precious.txt").await;
    let without = with(&named, |it| drop(it["Resources"].as_object_mut().expect("resources").remove("Posters")));
    let (_, events) = deploy_with(&world.clients, &without).await;
    assert!(warned(&events).contains(&"D020"), "{:?}", warned(&events));
}
