//! Whose a stack is: use case, stage and owner, and of a stack under review its change sets.

use aws_sdk_cloudformation::types::{ChangeSetType, Tag};
use bedplate::aws::StackState;
use bedplate::engine::{
    ApproveAll, Claim, DeclineAll, DeployOptions, DeployReport, Desired, DestroyReport, Event, EventKind, MadeHere,
    Outcome, Recorder, Report, Run, deploy, destroy_claimed,
};
use bedplate::plan::PlanKind;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::deploys::{World, desired};
use super::proxy::cloudformation;

fn queue() -> Desired {
    let mut queue = desired("poster-dev", json!({ "Wait": { "Type": "AWS::SQS::Queue" } }));
    queue.tags.insert("bedplate:stage".into(), "dev".into());
    queue
}

fn of(owner: &str) -> Desired {
    Desired { owner: Some(owner.into()), ..queue() }
}

fn claim(owner: Option<&str>) -> Claim {
    Claim { use_case: Some("poster".into()), owner: owner.map(str::to_owned), ..Claim::default() }
}

async fn deploy_with(world: &World, desired: &Desired, take_over: bool) -> (DeployReport, Vec<Event>) {
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    let options = DeployOptions { take_over, ..DeployOptions::default() };
    let report = deploy(&run, desired, &options, &ApproveAll).await;
    (report, recorder.events())
}

async fn destroy_with(world: &World, claim: &Claim) -> DestroyReport {
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    destroy_claimed(&run, "poster-dev", claim, &ApproveAll).await
}

async fn tags(world: &World) -> Value {
    let stack = world.clients.stack("poster-dev").await.expect("an answer").expect("a stack");
    json!(stack.tags)
}

fn refused<R>(report: &Report<R>, code: &str) {
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, code), "{:?}", report.findings);
    assert!(report.findings[0].help.is_some(), "{}", report.findings[0]);
}

#[tokio::test]
async fn a_stack_carries_whoever_deployed_it_and_stays_unchanged_for_them() {
    let world = World::start().await;
    world.deploy(&queue()).await;
    let wanted = json!({ "bedplate:owner": "user/local", "bedplate:stage": "dev", "bedplate:use-case": "poster" });
    assert_eq!(tags(&world).await, wanted);
    let (report, _) = world.deploy(&queue()).await;
    assert_eq!(report.outcome, Outcome::NoChange, "{:?}", report.findings);
}

#[tokio::test]
async fn a_stack_of_another_owner_is_neither_changed_nor_destroyed_until_it_is_taken_over() {
    let world = World::start().await;
    let mut marked = of("team-a");
    marked.tags.insert("cost-centre".into(), "training".into());
    world.deploy(&marked).await;
    let (deployed, _) = world.deploy(&of("team-b")).await;
    refused(&deployed, "D071");
    let destroyed = destroy_with(&world, &claim(Some("team-b"))).await;
    refused(&destroyed, "D071");
    for finding in [&deployed.findings[0], &destroyed.findings[0]] {
        let said = format!("{finding} {}", finding.help.as_deref().unwrap_or_default());
        for part in ["`team-a`", "`team-b`", "--take-over"] {
            assert!(said.contains(part), "`{part}` is missing in {said}");
        }
    }
    // Nor without an owner of one's own.
    refused(&destroy_with(&world, &claim(None)).await, "D071");
    assert_eq!(tags(&world).await["bedplate:owner"], "team-a");

    let (report, _) = deploy_with(&world, &of("team-b"), true).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let wanted = json!({
        "bedplate:owner": "team-b", "bedplate:stage": "dev", "bedplate:use-case": "poster", "cost-centre": "training",
    });
    assert_eq!(tags(&world).await, wanted);
    refused(&destroy_with(&world, &claim(Some("team-a"))).await, "D071");
    let taking = Claim { take_over: true, ..claim(Some("team-a")) };
    assert_eq!(destroy_with(&world, &taking).await.outcome, Outcome::Destroyed);
    assert_eq!(world.state("poster-dev").await, None);
}

#[tokio::test]
async fn a_plan_for_another_owners_stack_warns_and_plans_no_other_owner() {
    let world = World::start().await;
    world.deploy(&of("team-a")).await;
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    let report = bedplate::engine::plan(&run, &of("team-b")).await;
    assert_eq!(report.outcome, Outcome::NoChange, "{:?}", report.findings);
    let warned = |event: &Event| matches!(&event.what, EventKind::Warning { finding } if finding.code == "D072");
    assert_eq!(recorder.events().iter().filter(|event| warned(event)).count(), 1);
}

#[tokio::test]
async fn a_stack_from_before_there_was_an_owner_gets_one_with_the_next_deploy() {
    let world = World::start().await;
    let old = queue();
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let made = cloudformation(&world)
        .create_stack()
        .stack_name("poster-dev")
        .template_body(old.template.value().to_string())
        .tags(tag("bedplate:use-case", "poster"))
        .tags(tag("cost-centre", "training"));
    made.send().await.expect("a stack");
    let mut new = of("team-a");
    new.tags.insert("cost-centre".into(), "training".into());
    let (report, _) = world.deploy(&new).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let tags = tags(&world).await;
    assert_eq!((&tags["bedplate:owner"], &tags["cost-centre"]), (&json!("team-a"), &json!("training")));
    assert_eq!(world.deploy(&new).await.0.outcome, Outcome::NoChange);
}

#[tokio::test]
async fn a_stack_of_another_stage_or_that_another_run_made_is_left_alone() {
    let world = World::start().await;
    world.deploy(&queue()).await;
    let mut prod = queue();
    prod.tags.insert("bedplate:stage".into(), "prod".into());
    refused(&world.deploy(&prod).await.0, "D012");
    refused(&destroy_with(&world, &Claim { stage: Some("prod".into()), ..claim(None) }).await, "D012");
    // What `--rm` takes away is what the same run has made.
    for stack_id in [None, Some("arn:aws:cloudformation:us-west-2:123456789012:stack/poster-dev/other".to_owned())] {
        let made_here = Some(MadeHere { stack_id });
        refused(&destroy_with(&world, &Claim { made_here, ..claim(None) }).await, "D077");
    }
    assert_eq!(world.state("poster-dev").await, Some(StackState::Good));
    let stack = world.clients.stack("poster-dev").await.expect("an answer").expect("a stack");
    let made_here = Some(MadeHere { stack_id: Some(stack.id) });
    assert_eq!(destroy_with(&world, &Claim { made_here, ..claim(None) }).await.outcome, Outcome::Destroyed);
}

/// Makes a stack under review with a change set, as another tool would.
async fn review(world: &World, name: &str, tags: &[(&str, &str)]) {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect();
    cloudformation(world)
        .create_change_set()
        .stack_name("poster-dev")
        .change_set_name(name)
        .change_set_type(ChangeSetType::Create)
        .template_body(queue().template.value().to_string())
        .set_tags(Some(tags))
        .send()
        .await
        .expect("a change set");
}

async fn change_sets(world: &World) -> Vec<String> {
    world.clients.change_set_names("poster-dev").await.unwrap_or_default()
}

#[tokio::test]
async fn a_stack_under_review_that_somebody_else_made_is_left_alone() {
    for tags in [
        &[][..],
        &[("bedplate:use-case", "other")],
        &[("bedplate:use-case", "poster"), ("bedplate:owner", "team-b")],
        &[("bedplate:use-case", "poster"), ("bedplate:stage", "prod")],
    ] {
        let world = World::start().await;
        review(&world, "theirs", tags).await;
        let code = if tags.iter().any(|(key, _)| *key == "bedplate:owner") { "D071" } else { "D073" };
        let destroyed = destroy_with(&world, &Claim { stage: Some("dev".into()), ..claim(None) }).await;
        refused(&destroyed, code);
        refused(&world.deploy(&queue()).await.0, code);
        refused(&world.plan(&queue()).await, code);
        assert_eq!(change_sets(&world).await, ["theirs"], "{tags:?}");
        assert_eq!(world.state("poster-dev").await, Some(StackState::Review));
    }
}

#[tokio::test]
async fn a_stack_under_review_with_nothing_in_it_is_taken_over_only_when_that_is_said() {
    let world = World::start().await;
    review(&world, "theirs", &[("bedplate:use-case", "poster")]).await;
    let theirs = cloudformation(&world).delete_change_set().stack_name("poster-dev").change_set_name("theirs");
    theirs.send().await.expect("a deletion");
    refused(&destroy_with(&world, &claim(None)).await, "D073");
    refused(&world.deploy(&queue()).await.0, "D073");
    assert_eq!(world.state("poster-dev").await, Some(StackState::Review));
    let (report, _) = deploy_with(&world, &queue(), true).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
}

#[tokio::test]
async fn a_stack_under_review_that_an_earlier_run_left_is_used_and_can_be_destroyed() {
    let own = [("bedplate:use-case", "poster"), ("bedplate:stage", "dev"), ("bedplate:owner", "user/local")];
    let world = World::start().await;
    review(&world, "bedplate-0123", &own).await;
    assert_eq!(destroy_with(&world, &claim(None)).await.outcome, Outcome::Destroyed);
    assert_eq!(world.state("poster-dev").await, None);

    review(&world, "bedplate-0123", &own).await;
    let (report, _) = world.deploy_asking(&queue(), &DeclineAll).await;
    assert_eq!(report.outcome, Outcome::Declined, "{:?}", report.findings);
    assert_eq!(change_sets(&world).await, ["bedplate-0123"], "only what this run made is removed");
    let (report, _) = world.deploy(&queue()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(report.results.plan.map(|plan| plan.kind), Some(PlanKind::Create));
}
