//! Credentials that expire, denials and interrupts, at every request of a deploy and of a destroy: each ends with the truth.

use bedplate::engine::{
    ApproveAll, DeployOptions, DeployReport, DestroyReport, Effect, Outcome, Recorder, Report, Run, deploy, destroy,
};
use tokio_util::sync::CancellationToken;

use super::oracle::{State, untrue};
use super::{Fault, Proxy, ServiceError, When};
use crate::engine::deploys::World;

const OWNER: &str = "123456789012";

/// A stack with objects in its bucket and, when it is asked for, nothing in the way.
async fn stands() -> (World, Proxy, String) {
    let (world, proxy) = World::behind_a_proxy().await;
    let (report, _) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let bucket = world.bucket().await;
    for key in ["a", "b", "c"] {
        world.clients.upload_bytes(&bucket, key, vec![1], OWNER).await.expect("an upload");
    }
    proxy.forget();
    (world, proxy, bucket)
}

/// Waits for what goes on without the run; then what it said of it can be held against what became of it.
async fn at_rest(world: &World, bucket: Option<&str>) -> State {
    loop {
        let state = State::of(world, bucket).await;
        let busy = |status: &String| status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS";
        if !state.stacks.values().any(busy) {
            return state;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn deploying(world: &World, cancel: CancellationToken) -> DeployReport {
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, cancel);
    deploy(&run, &world.poster(), &DeployOptions::default(), &ApproveAll).await
}

async fn destroying(world: &World, cancel: CancellationToken) -> DestroyReport {
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, cancel);
    destroy(&run, "poster-dev", Some("poster"), &ApproveAll).await
}

fn held<R>(at: &str, report: &Report<R>, before: &State, now: &State) {
    let wrong = untrue(report, before, now);
    assert!(
        wrong.is_empty(),
        "{at}: {:?}: {wrong:?}\n{:#?}\n{:#?}",
        report.outcome,
        report.account_of_changes,
        report.findings
    );
}

/// How many requests a deploy and a destroy make when nothing is in the way, and one more.
async fn requests() -> (usize, usize) {
    let (world, proxy) = World::behind_a_proxy().await;
    let _ = deploying(&world, CancellationToken::new()).await;
    let deploy = proxy.log().len();
    let (world, proxy, _) = stands().await;
    let _ = destroying(&world, CancellationToken::new()).await;
    (deploy + 1, proxy.log().len() + 1)
}

#[tokio::test]
async fn credentials_that_expire_or_rights_that_end_at_any_request_end_truly() {
    let (deploy, destroy) = requests().await;
    for error in [ServiceError::Expired, ServiceError::Denied] {
        for n in 1..=deploy {
            let (world, proxy) = World::behind_a_proxy().await;
            proxy.rule(When::any().from(n), Fault::Refuse(error));
            let report = deploying(&world, CancellationToken::new()).await;
            let at = format!("deploy, {error:?} from request {n} ({:?})", proxy.log().get(n - 1));
            held(&at, &report, &State::default(), &at_rest(&world, None).await);
            let done = |report: &DeployReport| report.outcome == Outcome::Deployed;
            assert!(done(&report) == (proxy.log().len() < n), "{at}: {:?}", report.outcome);
        }
        for n in 1..=destroy {
            let (world, proxy, bucket) = stands().await;
            let before = State::of(&world, Some(&bucket)).await;
            proxy.rule(When::any().from(n), Fault::Refuse(error));
            let report = destroying(&world, CancellationToken::new()).await;
            let at = format!("destroy, {error:?} from request {n} ({:?})", proxy.log().get(n - 1));
            held(&at, &report, &before, &at_rest(&world, Some(&bucket)).await);
            assert!((report.outcome == Outcome::Destroyed) == (proxy.log().len() < n), "{at}: {:?}", report.outcome);
        }
    }
}

#[tokio::test]
async fn an_interrupt_at_any_request_ends_truly_and_the_next_run_goes_through() {
    let (deploy, destroy) = requests().await;
    for after in [false, true] {
        for n in 1..=deploy {
            let (world, proxy) = World::behind_a_proxy().await;
            let cancel = CancellationToken::new();
            interrupt(&proxy, n, after, &cancel);
            let report = deploying(&world, cancel).await;
            let at = format!("deploy, interrupted at request {n} ({:?}), after: {after}", proxy.log().get(n - 1));
            proxy.clear();
            held(&at, &report, &State::default(), &at_rest(&world, None).await);
            let (report, _) = world.deploy(&world.poster()).await;
            assert!(
                matches!(report.outcome, Outcome::NoChange | Outcome::Deployed),
                "{at}, again: {:?}",
                report.findings
            );
        }
        for n in 1..=destroy {
            let (world, proxy, bucket) = stands().await;
            let before = State::of(&world, Some(&bucket)).await;
            let cancel = CancellationToken::new();
            interrupt(&proxy, n, after, &cancel);
            let report = destroying(&world, cancel).await;
            let at = format!("destroy, interrupted at request {n} ({:?}), after: {after}", proxy.log().get(n - 1));
            proxy.clear();
            held(&at, &report, &before, &at_rest(&world, Some(&bucket)).await);
            let (report, _) = world.destroy("poster-dev").await;
            assert!(
                matches!(report.outcome, Outcome::Destroyed | Outcome::Absent),
                "{at}, again: {:?}",
                report.findings
            );
        }
    }
}

fn interrupt(proxy: &Proxy, n: usize, after: bool, cancel: &CancellationToken) {
    let cancel = cancel.clone();
    let hook = move || cancel.cancel();
    proxy.rule(When::any().nth(n), if after { Fault::after(hook) } else { Fault::before(hook) });
}

#[tokio::test]
async fn a_deletion_that_is_denied_after_the_buckets_are_emptied_says_what_is_gone() {
    let (world, proxy, bucket) = stands().await;
    proxy.rule(When::operation("DeleteStack"), Fault::Refuse(ServiceError::Denied));
    let report = destroying(&world, CancellationToken::new()).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Failed, 1));
    let done = &report.account_of_changes.done;
    let gone = Effect::ObjectsDeleted { bucket: bucket.clone(), count: 3 };
    assert_eq!(done.iter().map(|told| &told.effect).collect::<Vec<_>>(), [&gone], "{done:?}");
    assert!(done[0].text.contains("3 object versions") && done[0].text.contains(&bucket), "{done:?}");
    assert_ne!(report.account_of_changes.aftermath(), "nothing was changed");
    assert!(report.findings[0].message.contains("cloudformation:DeleteStack"), "{:?}", report.findings);
}

#[tokio::test]
async fn a_destroy_that_breaks_off_after_the_stack_is_gone_says_so() {
    for error in [ServiceError::Expired, ServiceError::Denied] {
        let (world, proxy, _) = stands().await;
        // The artifacts are listed a second time once the stack is gone.
        proxy.rule(
            When::operation("ListObjectVersions").with("bedplate-artifacts").after("DeleteStack"),
            Fault::Refuse(error),
        );
        let report = destroying(&world, CancellationToken::new()).await;
        assert_eq!(
            (report.outcome, report.outcome.exit_code().code()),
            (Outcome::Leftovers, 14),
            "{:?}",
            report.findings
        );
        assert!(report.findings.iter().any(|finding| finding.code == "D093"), "{:?}", report.findings);
        let told: Vec<&str> = report.account_of_changes.done.iter().map(|told| told.text.as_str()).collect();
        assert!(told.contains(&"the stack `poster-dev` was deleted"), "{told:?}");
    }
}

#[tokio::test]
async fn a_stack_that_is_complete_is_called_deployed_though_its_outputs_cannot_be_read() {
    let (world, proxy) = World::behind_a_proxy().await;
    proxy.rule(
        When::operation("DescribeStacks").with("arn").after("ExecuteChangeSet"),
        Fault::Refuse(ServiceError::Expired),
    );
    let report = deploying(&world, CancellationToken::new()).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Unfinished, 1), "{:?}", report.findings);
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["C003", "D094"], "{:?}", report.findings);
}
