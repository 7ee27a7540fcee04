//! Following an operation: an end that no event tells of is found by asking the stack, and nobody is asked more than once a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bedplate::aws::{Clients, Target};
use bedplate::engine::{EventKind, Outcome};

use super::{Fault, When};
use crate::engine::deploys::World;

/// An answer with only the events that are to be kept.
fn only(answer: &str, keep: impl Fn(&str) -> bool) -> String {
    let mut parts = answer.split("<member>");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (member, rest) = part.split_once("</member>").unwrap_or((part, ""));
        if keep(member) {
            out.push_str(&format!("<member>{member}</member>"));
        }
        out.push_str(rest);
    }
    out
}

/// Whether an event is the stack's own, with a status.
fn is_of_the_stack(member: &str, status: &str) -> bool {
    member.contains("<ResourceType>AWS::CloudFormation::Stack</ResourceType>")
        && member.contains(&format!("<ResourceStatus>{status}</ResourceStatus>"))
}

/// The events without the stack's own last one.
fn without_the_end(answer: &str) -> String {
    only(answer, |member| !is_of_the_stack(member, "CREATE_COMPLETE"))
}

#[tokio::test]
async fn an_end_whose_event_is_missing_is_found_by_asking_the_stack() {
    let (world, proxy) = World::behind_a_proxy().await;
    proxy.rule(When::operation("DescribeStackEvents"), Fault::rewrite(without_the_end));
    let (report, events) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(report.results.status.as_deref(), Some("CREATE_COMPLETE"));
    let told = |event: &bedplate::engine::Event| matches!(&event.what, EventKind::Stack { status, .. } if status == "CREATE_COMPLETE");
    assert!(!events.iter().any(told), "the event really was missing");
}

/// The events without those of resources and without the stack's end: as they are before anything has happened.
fn before_anything_happened(answer: &str) -> String {
    only(answer, |member| is_of_the_stack(member, "CREATE_IN_PROGRESS"))
}

#[tokio::test]
async fn a_cause_that_is_written_just_before_the_stack_is_asked_is_told() {
    let failing = |options: &mut bedplate::local::LocalOptions| {
        options.fail = vec!["Wait=no room left".parse().expect("a failure")];
    };
    let (world, proxy) = World::with(failing).await.through_a_proxy().await;
    // Until the stack itself has said that it is at rest, no event tells of it.
    let at_rest = Arc::new(AtomicBool::new(false));
    let seen = at_rest.clone();
    proxy.rule(
        When::operation("DescribeStacks").after("ExecuteChangeSet"),
        Fault::rewrite(move |answer| {
            seen.fetch_or(answer.contains(">ROLLBACK_COMPLETE<"), Ordering::SeqCst);
            answer.to_owned()
        }),
    );
    let asked = at_rest.clone();
    proxy.rule(
        When::operation("DescribeStackEvents").after("ExecuteChangeSet"),
        Fault::rewrite(
            move |answer| {
                if asked.load(Ordering::SeqCst) { answer.to_owned() } else { before_anything_happened(answer) }
            },
        ),
    );
    let (report, _) = world.deploy(&world.poster()).await;
    assert!(at_rest.load(Ordering::SeqCst), "the stack itself was asked");
    assert_eq!(report.outcome, Outcome::RolledBack, "{:?}", report.findings);
    assert_eq!(report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["D006"]);
    assert!(report.findings[0].message.contains("no room left"), "{}", report.findings[0]);
}

#[tokio::test]
async fn events_are_asked_for_once_a_second_on_aws_and_on_another_machine() {
    let pace = async |target: Target| {
        let target = Target { region: Some("us-west-2".into()), ..target };
        Clients::connect(&target).await.expect("a region is set").pace().interval()
    };
    assert_eq!(pace(Target::local("http://192.0.2.7:4566", "us-west-2")).await, Duration::from_secs(1));
    assert_eq!(pace(Target::aws()).await, Duration::from_secs(1));
    assert_eq!(pace(Target::local("http://127.0.0.1:4566", "us-west-2")).await, Duration::from_millis(20));
}

#[tokio::test]
async fn following_takes_its_turns() {
    let (world, proxy) =
        World::with(|options| options.delay = Duration::from_millis(400)).await.through_a_proxy().await;
    let start = std::time::Instant::now();
    let (report, _) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let turns = start.elapsed().as_millis() / 20 + 2;
    let asked = proxy.count("DescribeStackEvents") as u128;
    assert!(asked > 3 && asked <= turns, "{asked} requests for events, {turns} turns");
}
