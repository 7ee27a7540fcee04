//! A stack that failed to be made is made anew; one that may have worked never is, and what the first holds is told of.

use aws_sdk_cloudformation::types::{OnFailure, Tag};
use bedplate::aws::StackState;
use bedplate::engine::{ApproveAll, DeployOptions, DeployReport, Desired, Outcome, Recorder, Run, deploy};
use bedplate::local::LocalOptions;
use bedplate::plan::{Action, PlanKind};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::deploys::{World, desired};
use super::proxy::{Asked, Proxy, Reaction, cloudformation, keys, make_again, put};

pub(super) fn use_case() -> Desired {
    desired(
        "poster-dev",
        json!({
            "Posters": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "posters" } },
            "Wait": { "Type": "AWS::SQS::Queue", "DependsOn": "Posters" },
        }),
    )
}

fn failing(options: &mut LocalOptions) {
    options.fail = vec!["Wait=the queue is closed".parse().expect("a failure")];
}

/// Waits until nothing runs on the stack any more.
async fn settled(world: &World) -> StackState {
    loop {
        match world.state("poster-dev").await {
            Some(StackState::InProgress) => tokio::task::yield_now().await,
            Some(state) => return state,
            None => return StackState::Deleted,
        }
    }
}

/// A stack in `CREATE_FAILED`, with what was made of it before it failed.
pub(super) async fn half_made() -> World {
    let world = World::with(failing).await;
    let tag = Tag::builder().key("bedplate:use-case").value("poster").build();
    let made = cloudformation(&world).create_stack().stack_name("poster-dev").on_failure(OnFailure::DoNothing);
    made.template_body(use_case().template.value().to_string()).tags(tag).send().await.expect("a stack");
    assert_eq!(settled(&world).await, StackState::FailedCreate);
    put(&world, "posters", "a").await;
    world.again(|_| {}).await
}

#[tokio::test]
async fn what_a_failed_creation_holds_is_told_as_data_loss_before_it_is_made_anew() {
    let world = half_made().await;
    let plan = world.plan(&use_case()).await.results.plan.expect("a plan");
    assert_eq!(plan.kind, PlanKind::Recreate);
    let losses: Vec<(&str, Option<&str>, Action, &str)> = plan
        .data_loss
        .iter()
        .map(|it| (it.logical_id.as_str(), it.physical_id.as_deref(), it.action, it.what.as_str()))
        .collect();
    assert_eq!(losses, [("Posters", Some("posters"), Action::Remove, "the objects of the bucket: 1")]);
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["a"]);

    let (report, _) = world.deploy(&use_case()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(keys(&world, "posters").await.expect("a new bucket").len(), 0);
}

#[tokio::test]
async fn a_foreign_bucket_in_a_failed_creation_is_not_emptied() {
    let world = half_made().await;
    let emptied = super::proxy::s3(&world).delete_object().bucket("posters").key("a").send().await;
    emptied.expect("a deletion");
    make_again(&world, "posters", Some("precious.txt")).await;
    let plan = world.plan(&use_case()).await.results.plan.expect("a plan");
    assert!(plan.data_loss.is_empty(), "{:?}", plan.data_loss);
    let (report, _) = world.deploy(&use_case()).await;
    assert_ne!(report.outcome, Outcome::Deployed, "the name is taken");
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);
}

/// A stack in `DELETE_FAILED` with an object that keeps it.
async fn half_deleted(world: &World) {
    put(world, "posters", "precious.txt").await;
    cloudformation(world).delete_stack().stack_name("poster-dev").send().await.expect("a deletion");
    assert_eq!(settled(world).await, StackState::FailedDelete);
}

async fn deploy_through(proxy: &Proxy) -> DeployReport {
    let clients = proxy.clients().await;
    let recorder = Recorder::default();
    let run = Run::new(&clients, &recorder, CancellationToken::new());
    deploy(&run, &use_case(), &DeployOptions::default(), &ApproveAll).await
}

/// The events before the last deletion are gone, as they are after ninety days.
fn forgets(asked: &Asked) -> Reaction {
    match asked.body.contains("Action=DescribeStackEvents") {
        true => Reaction::Change(|body| {
            let old = |member: &&str| !member.contains("<ResourceStatus>CREATE_") && !member.contains(">REVIEW_");
            let mut pieces = body.split("<member>");
            let head = pieces.next().unwrap_or_default();
            let tail = body.rsplit_once("</member>").map_or("", |(_, tail)| tail);
            let kept: Vec<String> = pieces
                .filter(old)
                .filter_map(|piece| Some(format!("<member>{}</member>", piece.split_once("</member>")?.0)))
                .collect();
            format!("{head}{}{tail}", kept.concat())
        }),
        false => Reaction::Pass,
    }
}

#[tokio::test]
async fn a_stack_that_worked_is_not_made_anew_however_much_of_its_history_is_gone() {
    let world = World::start().await;
    // Without outputs, which would tell by themselves.
    let quiet = super::deploys::with(&use_case(), |it| {
        it.as_object_mut().expect("a template").remove("Outputs");
    });
    world.deploy(&quiet).await;
    half_deleted(&world).await;
    for proxy in [Proxy::before(&world, |_| Reaction::Pass).await, Proxy::before(&world, forgets).await] {
        let report = deploy_through(&proxy).await;
        assert_eq!(
            (report.outcome, report.findings[0].code.as_str()),
            (Outcome::Failed, "D013"),
            "{:?}",
            report.findings
        );
        assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);
    }
}

#[tokio::test]
async fn a_stack_that_cannot_be_shown_never_to_have_worked_is_not_made_anew() {
    let world = half_made().await;
    half_deleted(&world).await;
    let forgetful = Proxy::before(&world, forgets).await;
    let report = deploy_through(&forgetful).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D013"), "{:?}", report.findings);
    assert_eq!(keys(&world, "posters").await.expect("a bucket").len(), 2);
    // Its whole history shows that it never did.
    let (report, _) = world.deploy(&use_case()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
}
