//! The proxy itself: it passes on what no rule is about, and does to the rest what its rules say.

use bedplate::aws::{CallErrorKind, Clients, Target};
use bedplate::engine::Outcome;

use super::{Fault, ServiceError, When};
use crate::engine::deploys::World;

#[tokio::test]
async fn a_whole_life_goes_through_the_proxy_and_every_operation_is_named() {
    let (world, proxy) = World::behind_a_proxy().await;
    let (report, _) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    world.clients.upload_bytes(&world.bucket().await, "a", vec![1], "123456789012").await.expect("an upload");
    let (report, _) = world.destroy("poster-dev").await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    let operations = proxy.operations();
    for name in [
        "GetCallerIdentity",
        "CreateChangeSet",
        "DescribeChangeSet",
        "HeadBucket",
        "CreateStack",
        "PutObject",
        "ExecuteChangeSet",
        "DescribeStackEvents",
        "ListObjectVersions",
        "DeleteObjects",
        "DeleteStack",
    ] {
        assert!(operations.iter().any(|operation| operation == name), "{name} is not among {operations:?}");
    }
    assert!(proxy.log().iter().all(|logged| logged.passed_on && logged.fault.is_none()));
    assert!(operations.iter().all(|name| !name.contains(' ') && name != "unknown"), "{operations:?}");
}

#[tokio::test]
async fn each_fault_is_what_a_client_sees() {
    let (world, proxy) = World::behind_a_proxy().await;
    let kind = async |fault: Fault| {
        proxy.clear().rule(When::operation("GetCallerIdentity"), fault);
        // A client of its own: who it is is asked once.
        let clients = Clients::connect(&Target::local(&proxy.url, "us-west-2")).await.expect("a region is set");
        clients.identity().await.expect_err("a fault").code
    };
    assert_eq!(kind(Fault::Refuse(ServiceError::Expired)).await, "C003");
    assert_eq!(kind(Fault::Refuse(ServiceError::Denied)).await, "C009");
    assert_eq!(kind(Fault::Refuse(ServiceError::Throttled)).await, "C008");
    assert_eq!(kind(Fault::CutAnswer(300)).await, "C011");
    proxy.clear().rule(When::operation("HeadBucket").nth(1), Fault::LoseAnswer);
    assert!(!world.clients.bucket_exists("nobody-has-it").await.expect("the second try is answered"));
    assert_eq!(proxy.count("HeadBucket"), 2);
    proxy.rule(When::operation("HeadBucket"), Fault::LoseRequest);
    let error = world.clients.bucket_exists("nobody-has-it").await.expect_err("lost each time");
    assert_ne!(error.kind, CallErrorKind::NotFound);
    assert!(proxy.log().last().is_some_and(|logged| !logged.passed_on));
}
