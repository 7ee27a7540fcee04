//! The artifact bucket: a bucket of its name that is not it is named, never used and never emptied; another name will do.

use aws_sdk_cloudformation::types::Tag;
use bedplate::engine::{
    ApproveAll, DeployOptions, Outcome, Recorder, Report, Run, StackArtifact, artifact_bucket_name, bootstrap,
    bootstrap_named, deploy, remove_bootstrap,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::deploys::World;
use super::proxy::{ACCOUNT, Asked, Proxy, Reaction, cloudformation, keys, make_again, make_bucket, put, s3_error};

fn usual() -> String {
    artifact_bucket_name(ACCOUNT, "us-west-2")
}

fn named<R>(report: &Report<R>, code: &str, part: &str) {
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, code), "{:?}", report.findings);
    assert!(report.findings[0].message.contains(part), "{}", report.findings[0]);
    assert!(report.findings[0].help.is_some(), "{}", report.findings[0]);
}

#[tokio::test]
async fn a_squatted_bucket_is_named_and_never_used_and_another_name_will_do() {
    let world = World::start().await;
    make_bucket(&world, &usual()).await;
    put(&world, &usual(), "poster-dev/precious.txt").await;
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    named(&bootstrap(&run).await, "D074", &usual());
    named(&world.plan(&world.poster()).await, "D074", &usual());
    named(&world.deploy(&world.poster()).await.0, "D074", &usual());
    assert!(world.clients.stacks().await.expect("an answer").is_empty());

    assert_eq!(bootstrap_named(&run, Some("our-artifacts")).await.outcome, Outcome::Ready);
    assert_eq!(bootstrap_named(&run, Some("our-artifacts")).await.outcome, Outcome::NoChange);
    assert_eq!(bootstrap(&run).await.outcome, Outcome::NoChange, "the stack says what it is called");
    named(&bootstrap_named(&run, Some("yet-another")).await, "D076", "our-artifacts");
    let (report, _) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let key = format!("poster-dev/{}.zip", "ab".repeat(32));
    assert_eq!(keys(&world, "our-artifacts").await.expect("a bucket"), [key]);
    let stack = world.clients.stack("poster-dev").await.expect("an answer").expect("a stack");
    assert_eq!(stack.parameters["ArtifactBucket"], "our-artifacts");
    assert_eq!(world.deploy(&world.poster()).await.0.outcome, Outcome::NoChange);

    let (report, _) = world.destroy("poster-dev").await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    assert_eq!(keys(&world, "our-artifacts").await.expect("a bucket").len(), 0);
    assert_eq!(remove_bootstrap(&run, &ApproveAll).await.outcome, Outcome::Destroyed);
    assert_eq!(keys(&world, "our-artifacts").await, None);
    assert_eq!(keys(&world, &usual()).await.expect("a bucket"), ["poster-dev/precious.txt"]);
}

#[tokio::test]
async fn a_bucket_of_another_account_is_named_and_nothing_is_sent_to_it() {
    let world = World::start().await;
    let denies = |asked: &Asked| match asked.target.starts_with("/bedplate-artifacts-") {
        true => s3_error(403, "AccessDenied"),
        false => Reaction::Pass,
    };
    let proxy = Proxy::before(&world, denies).await;
    let clients = proxy.clients().await;
    let recorder = Recorder::default();
    let run = Run::new(&clients, &recorder, CancellationToken::new());
    named(&bootstrap(&run).await, "D074", &usual());
    let report = deploy(&run, &world.poster(), &DeployOptions::default(), &ApproveAll).await;
    named(&report, "D074", &usual());
    let sent: Vec<String> = proxy.asked().iter().filter(|asked| asked.is_s3()).map(Asked::line).collect();
    assert!(sent.iter().all(|line| line.starts_with("HEAD ") || line.starts_with("GET ")), "{sent:?}");
}

#[tokio::test]
async fn an_artifact_bucket_made_again_by_hand_is_neither_used_nor_emptied() {
    let world = World::start().await;
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    world.deploy(&world.poster()).await;
    let key = format!("poster-dev/{}.zip", "ab".repeat(32));
    super::proxy::s3(&world).delete_object().bucket(usual()).key(&key).send().await.expect("a deletion");
    make_again(&world, &usual(), Some("poster-dev/precious.txt")).await;
    // Other code: it would have to be uploaded.
    let mut other = world.poster();
    other.artifacts = vec![StackArtifact { sha256: "cd".repeat(32), ..other.artifacts[0].clone() }];
    named(&world.deploy(&other).await.0, "D074", &usual());

    let (report, _) = world.destroy("poster-dev").await;
    assert_eq!(report.outcome, Outcome::Leftovers, "{:?}", report.findings);
    let left: Vec<&str> = report.results.left.iter().map(|it| it.physical_id.as_str()).collect();
    assert_eq!(left, [format!("{}/poster-dev/", usual())], "what may be in it is told of");
    let report = remove_bootstrap(&run, &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::Leftovers, "{:?}", report.findings);
    assert_eq!(report.results.left.iter().map(|it| it.physical_id.clone()).collect::<Vec<_>>(), [usual()]);
    assert_eq!(keys(&world, &usual()).await.expect("a bucket"), ["poster-dev/precious.txt"]);
}

#[tokio::test]
async fn a_stack_that_only_has_the_name_of_the_artifact_buckets_is_left_alone() {
    let world = World::start().await;
    let template = json!({ "Resources": { "Mine": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "mine" } } },
        "Outputs": { "BucketName": { "Value": "mine" } } });
    let tag = Tag::builder().key("team").value("other").build();
    let made = cloudformation(&world).create_stack().stack_name("bedplate-artifacts").tags(tag);
    made.template_body(template.to_string()).send().await.expect("a stack");
    while keys(&world, "mine").await.is_none() {
        tokio::task::yield_now().await;
    }
    put(&world, "mine", "precious.txt").await;
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    named(&bootstrap(&run).await, "D075", "bedplate-artifacts");
    named(&remove_bootstrap(&run, &ApproveAll).await, "D075", "bedplate-artifacts");
    named(&world.deploy(&world.poster()).await.0, "D075", "bedplate-artifacts");
    assert_eq!(keys(&world, "mine").await.expect("a bucket"), ["precious.txt"]);
}
