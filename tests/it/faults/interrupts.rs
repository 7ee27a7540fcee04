//! An interrupt in the middle of something: which code the ending has, by what was done until then.

use bedplate::engine::{ApproveAll, DeployOptions, Outcome, Recorder, Run, deploy, destroy};
use tokio_util::sync::CancellationToken;

use super::{Fault, When};
use crate::engine::deploys::World;

const OWNER: &str = "123456789012";

#[tokio::test]
async fn an_interrupt_after_something_was_changed_lists_what_was_done() {
    let (world, proxy) = World::behind_a_proxy().await;
    let recorder = Recorder::default();
    let cancel = CancellationToken::new();
    let (run, hook) = (Run::new(&world.clients, &recorder, cancel.clone()), move || cancel.cancel());
    proxy.rule(When::operation("PutObject"), Fault::passed(hook));
    let report = deploy(&run, &world.poster(), &DeployOptions::default(), &ApproveAll).await;
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(report.outcome, Outcome::Interrupted, "{:?}", report.findings);
    assert!(codes.contains(&"D091"), "{:?}", report.findings);
    assert!(!report.account_of_changes.done.is_empty());
}

#[tokio::test]
async fn an_interrupt_while_destroying_says_what_is_gone() {
    let (world, proxy) = World::behind_a_proxy().await;
    world.deploy(&world.poster()).await;
    let bucket = world.bucket().await;
    world.clients.upload_bytes(&bucket, "a", vec![1], OWNER).await.expect("an upload");
    let recorder = Recorder::default();
    let cancel = CancellationToken::new();
    let (run, hook) = (Run::new(&world.clients, &recorder, cancel.clone()), move || cancel.cancel());
    proxy.rule(When::operation("DeleteObjects"), Fault::passed(hook));
    let report = destroy(&run, "poster-dev", Some("poster"), &ApproveAll).await;
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(report.outcome, Outcome::Interrupted, "{:?}", report.findings);
    assert!(codes.contains(&"D024"), "{:?}", report.findings);
}
