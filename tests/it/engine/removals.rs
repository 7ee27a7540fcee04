//! Taking stacks away: what is in their buckets, what stays, what refuses to go.

use bedplate::aws::ObjectVersion;
use bedplate::engine::{ApproveAll, DeclineAll, Disposition, EventKind, Outcome, Recorder, Run, destroy};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::deploys::{World, desired, steps};

fn bucket_of(events: &[bedplate::engine::Event]) -> Vec<(String, u64)> {
    events
        .iter()
        .filter_map(|event| match &event.what {
            EventKind::Emptied { bucket, deleted } => Some((bucket.clone(), *deleted)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_bucket_with_thousands_of_versions_is_emptied_and_gone() {
    let world = World::start().await;
    let versioned = desired(
        "poster-dev",
        json!({ "Posters": { "Type": "AWS::S3::Bucket", "Properties": {
            "BucketName": "posters", "VersioningConfiguration": { "Status": "Enabled" } } } }),
    );
    let (report, _) = world.deploy(&versioned).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    // 500 versions and 2,000 delete markers: more than two full listings, more than two full batches.
    let keys: Vec<String> = (0..500).map(|number| format!("poster/{number}")).collect();
    let uploads = keys.iter().map(|key| world.clients.upload_bytes("posters", key, vec![1], "123456789012"));
    for upload in futures::future::join_all(uploads).await {
        upload.expect("an upload");
    }
    let marked: Vec<ObjectVersion> = keys.iter().map(|key| ObjectVersion { key: key.clone(), version: None }).collect();
    for _ in 0..4 {
        let refused = world.clients.delete_versions("posters", &marked).await.expect("an answer");
        assert!(refused.is_empty(), "{refused:?}");
    }

    let (report, events) = world.destroy("poster-dev").await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    let destroy_plan = report.results.destroy_plan.expect("what went");
    assert_eq!(destroy_plan.resources[0].objects.map(|it| (it.count, it.more)), Some((2500, false)));
    assert_eq!(bucket_of(&events), [("posters".to_owned(), 2500)]);
    assert!(!world.clients.bucket_exists("posters").await.expect("an answer"));
}

#[tokio::test]
async fn what_is_retained_is_named_and_left_as_it_is() {
    let world = World::start().await;
    let kept = desired(
        "poster-dev",
        json!({
            "Kept": { "Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": { "BucketName": "kept" } },
            "Gone": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "gone" } },
        }),
    );
    world.deploy(&kept).await;
    for bucket in ["kept", "gone"] {
        world.clients.upload_bytes(bucket, "a", vec![1], "123456789012").await.expect("an upload");
    }
    let (report, _) = world.destroy("poster-dev").await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Destroyed, 0), "{:?}", report.findings);
    let left: Vec<(&str, bool)> = report.results.left.iter().map(|it| (it.physical_id.as_str(), it.intended)).collect();
    assert_eq!(left, [("kept", true)]);
    let dispositions: Vec<Disposition> =
        report.results.destroy_plan.expect("what went").resources.iter().map(|it| it.disposition).collect();
    assert_eq!(dispositions, [Disposition::Deleted, Disposition::Retained], "`Gone` before `Kept`");
    let there = world.clients.object_exists("kept", "a", "123456789012").await.expect("an answer");
    assert!(there, "a retained bucket keeps its objects");
    assert!(!world.clients.bucket_exists("gone").await.expect("an answer"));
}

#[tokio::test]
async fn declining_and_protection_leave_everything() {
    let world = World::start().await;
    world.deploy(&world.poster()).await;
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    let report = destroy(&run, "poster-dev", Some("poster"), &DeclineAll).await;
    assert_eq!(report.outcome, Outcome::Declined);
    assert_eq!(steps(&recorder.events()), ["started", "destroy_plan", "finished"]);

    world.protect("poster-dev").await;
    let report = destroy(&run, "poster-dev", Some("poster"), &ApproveAll).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D025"));
    let help = report.findings[0].help.as_deref().unwrap_or_default();
    assert!(help.contains("--no-enable-termination-protection --stack-name poster-dev"), "{help}");
}

#[tokio::test]
async fn a_stack_whose_export_is_in_use_is_not_touched() {
    let world = World::start().await;
    let mut giver = desired("giver-dev", json!({ "Queue": { "Type": "AWS::SQS::Queue" } }));
    giver = super::deploys::with(&giver, |it| {
        it["Outputs"]["Stack"]["Export"] = json!({ "Name": "queue" });
    });
    world.deploy(&giver).await;
    let taker = desired(
        "taker-dev",
        json!({ "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": { "Fn::ImportValue": "queue" } } } }),
    );
    let (report, _) = world.deploy(&taker).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let (report, events) = world.destroy("giver-dev").await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D029"));
    assert_eq!(steps(&events), ["started", "finished"], "refused before anything is emptied");
    assert!(report.findings[0].message.contains("taker-dev"), "{:?}", report.findings);
}

#[tokio::test]
async fn a_replaced_bucket_with_objects_is_told_of_and_goes_with_the_stack() {
    let world = World::start().await;
    let bucket = |name: &str| {
        desired("poster-dev", json!({ "Posters": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": name } } }))
    };
    world.deploy(&bucket("old-posters")).await;
    world.clients.upload_bytes("old-posters", "a", vec![1], "123456789012").await.expect("an upload");
    let (report, _) = world.deploy(&bucket("new-posters")).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let told: Vec<(&str, bool)> =
        report.findings.iter().map(|it| (it.code.as_str(), it.message.contains("`old-posters`"))).collect();
    assert_eq!(told, [("D030", true)], "{:?}", report.findings);

    let (report, events) = world.destroy("poster-dev").await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    assert_eq!(bucket_of(&events), [("old-posters".to_owned(), 1)]);
    let orphaned: Vec<bool> =
        report.results.destroy_plan.expect("what went").resources.iter().map(|it| it.orphaned).collect();
    assert_eq!(orphaned, [false, true]);
    for name in ["old-posters", "new-posters"] {
        assert!(!world.clients.bucket_exists(name).await.expect("an answer"), "{name}");
    }
}
