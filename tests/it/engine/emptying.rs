//! Buckets that cannot be emptied, and what is still there after a stack was destroyed.

use bedplate::engine::{Event, EventKind, Finisher, Outcome};
use serde_json::json;

use super::deploys::{World, desired};
use crate::faults::{Fault, Proxy, When};

const OWNER: &str = "123456789012";

/// One object in a list of versions, whatever the bucket holds.
const ONE_VERSION: &str = "<ListVersionsResult><IsTruncated>false</IsTruncated><Version><Key>poster-dev/late.txt</Key>\
                           <VersionId>1</VersionId><IsLatest>true</IsLatest><Size>1</Size></Version></ListVersionsResult>";

/// One object that was not deleted.
const REFUSED: &str = "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>\
                       </DeleteResult>";

/// A stack whose bucket holds an object.
async fn filled() -> (World, Proxy, String) {
    let (world, proxy) = World::behind_a_proxy().await;
    let (report, _) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let bucket = world.bucket().await;
    world.clients.upload_bytes(&bucket, "a", vec![1], OWNER).await.expect("an upload");
    (world, proxy, bucket)
}

#[tokio::test]
async fn an_object_that_stays_and_a_bucket_that_fills_up_again_are_told() {
    for (operation, answer, code) in [("DeleteObjects", REFUSED, "D008"), ("ListObjectVersions", ONE_VERSION, "D009")] {
        let (world, proxy, bucket) = filled().await;
        proxy.rule(When::operation(operation).with(&bucket), Fault::rewrite(move |_| answer.to_owned()));
        let (report, _) = world.destroy("poster-dev").await;
        assert_ne!(report.outcome, Outcome::Destroyed);
        let found = report.findings.iter().find(|finding| finding.code == code);
        let found = found.unwrap_or_else(|| panic!("{code}: {:?}", report.findings));
        assert!(found.message.contains(&bucket) && found.help.is_some(), "{found}");
        assert!(world.state("poster-dev").await.is_some(), "the stack stays");
    }
}

#[tokio::test]
async fn what_is_still_there_after_the_stack_was_destroyed_is_told() {
    let (world, proxy, _) = filled().await;
    proxy.rule(
        // Listed for what goes, for what is gone, and once more at the end.
        When::operation("ListObjectVersions").with("bedplate-artifacts").after("DeleteStack").from(4),
        Fault::rewrite(|_| ONE_VERSION.to_owned()),
    );
    let (report, _) = world.destroy("poster-dev").await;
    assert_eq!(report.outcome, Outcome::Leftovers, "{:?}", report.findings);
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["D022"], "{:?}", report.findings);
    assert!(report.findings[0].message.contains("artifacts of this stack are still there"), "{}", report.findings[0]);
}

#[tokio::test]
async fn documents_in_a_bucket_of_many_other_objects_are_not_looked_for() {
    let (world, proxy) = World::behind_a_proxy().await;
    let folder = world.dir.path().join("documents");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("a.md"), "# a").expect("a file");
    let mut desired = desired("poster-dev", json!({ "Docs": { "Type": "AWS::S3::Bucket" } }));
    desired.finishers = vec![Finisher::Upload {
        component: "buckets.docs".into(),
        bucket: "Docs".into(),
        folder,
        shown: "documents/".into(),
        prefix: String::new(),
        place: None,
    }];
    let strangers: String = (0..1_001)
        .map(|number| {
            format!(
                "<Contents><Key>{number}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>x</ETag>\
                 <Size>1</Size></Contents>"
            )
        })
        .collect();
    let many = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{strangers}</ListBucketResult>");
    proxy.rule(When::operation("ListObjectsV2"), Fault::rewrite(move |_| many.clone()));
    let (report, events) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let told = |event: &Event| matches!(&event.what, EventKind::Warning { finding } if finding.code == "D042");
    assert!(events.iter().any(told));
}
