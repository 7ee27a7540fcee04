//! Answers that are lost: of a request that was carried out, and of one that was not.

use bedplate::aws::StackState;
use bedplate::engine::{DeclineAll, DeployOptions, DeployReport, Effect, Outcome, Recorder, Report, Run, deploy};
use bedplate::local::Clock;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::oracle::{State, untrue};
use super::{Fault, Proxy, ServiceError, When};
use crate::engine::deploys::{World, with};

/// Deploys with rules in the way.
async fn deployed(rules: &[(When, Fault)]) -> (World, Proxy, DeployReport) {
    let (world, proxy) = World::behind_a_proxy().await;
    for (when, fault) in rules {
        proxy.rule(when.clone(), fault.clone());
    }
    let (report, _) = world.deploy(&world.poster()).await;
    (world, proxy, report)
}

fn codes<R>(report: &Report<R>) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[tokio::test]
async fn an_execution_whose_answer_is_lost_is_found_and_followed() {
    for when in [When::operation("ExecuteChangeSet").nth(1), When::operation("ExecuteChangeSet")] {
        let tries = format!("{when:?}");
        let (world, _, report) = deployed(&[(when, Fault::LoseAnswer)]).await;
        assert_eq!(report.outcome, Outcome::Deployed, "{tries}: {:?}", report.findings);
        assert_eq!(codes(&report), [""; 0], "{:?}", report.findings);
        assert!(report.account_of_changes.unknown.is_empty(), "{:?}", report.account_of_changes);
        assert_eq!(world.state("poster-dev").await, Some(StackState::Good));
    }
}

#[tokio::test]
async fn a_second_try_that_is_refused_because_the_first_went_through_is_not_somebody_elses_change() {
    let rules = [
        (When::operation("ExecuteChangeSet").nth(1), Fault::LoseAnswer),
        (When::operation("ExecuteChangeSet").nth(2), Fault::rewrite(stale)),
    ];
    let (_, _, report) = deployed(&rules).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert!(!codes(&report).contains(&"D028"), "{:?}", report.findings);
}

/// CloudFormation's refusal of a change set that runs already, in place of any answer.
fn stale(_: &str) -> String {
    "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidChangeSetStatus</Code><Message>ChangeSet is in \
     EXECUTE_IN_PROGRESS</Message></Error></ErrorResponse>"
        .to_owned()
}

#[tokio::test]
async fn an_execution_that_never_arrived_is_asked_for_again() {
    let lost = When::operation("ExecuteChangeSet");
    let (_, proxy, report) =
        deployed(&[(lost.clone().nth(1), Fault::LoseRequest), (lost.nth(2), Fault::LoseRequest)]).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert_eq!(proxy.count("ExecuteChangeSet"), 3);
}

#[tokio::test]
async fn an_execution_nobody_can_be_asked_about_is_unknown_and_left_alone() {
    let rules = [
        (When::operation("ExecuteChangeSet").nth(1), Fault::LoseAnswer),
        (When::any().after("ExecuteChangeSet"), Fault::Refuse(ServiceError::Expired)),
    ];
    let (world, proxy, report) = deployed(&rules).await;
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Unknown, 1), "{:?}", report.findings);
    assert_eq!(proxy.count("DeleteChangeSet"), 0);
    let unknown = &report.account_of_changes.unknown;
    assert!(matches!(unknown[0].effect, Effect::Execution { .. }) && unknown.len() == 1, "{unknown:?}");
    assert_eq!(unknown[0].settle.as_deref(), Some("bedplate status poster"));
    assert!(codes(&report).contains(&"D090") && codes(&report).contains(&"C003"), "{:?}", report.findings);
    proxy.clear();
    let (report, _) = world.deploy(&world.poster()).await;
    assert!(matches!(report.outcome, Outcome::NoChange | Outcome::Deployed), "{:?}", report.findings);
}

#[tokio::test]
async fn each_request_of_a_deploy_is_told_of_truly_when_its_answer_or_it_itself_is_lost() {
    for operation in ["CreateChangeSet", "CreateStack", "PutObject", "ExecuteChangeSet", "DescribeChangeSet"] {
        for fault in [
            Fault::LoseAnswer,
            Fault::LoseRequest,
            Fault::CutAnswer(250),
            Fault::RefuseAfter(ServiceError::Internal),
            Fault::Refuse(ServiceError::Unavailable),
        ] {
            // The SDK tries twice on this machine: once, and for ever.
            for tries in [1, usize::MAX] {
                let when = When::operation(operation);
                let when = if tries == 1 { when.nth(1) } else { when };
                let (world, proxy, report) = deployed(&[(when, fault.clone())]).await;
                proxy.clear();
                let now = State::of(&world, None).await;
                let wrong = untrue(&report, &State::default(), &now);
                assert!(wrong.is_empty(), "{operation} {fault:?} {tries}: {wrong:?}\n{:#?}", report.findings);
                if tries == 1 {
                    assert_eq!(report.outcome, Outcome::Deployed, "{operation} {fault:?}: {:?}", report.findings);
                }
                // Whatever it was: the next one goes through.
                let (report, _) = world.deploy(&world.poster()).await;
                assert!(
                    matches!(report.outcome, Outcome::NoChange | Outcome::Deployed),
                    "{operation} {fault:?} {tries}: {:?}",
                    report.findings
                );
            }
        }
    }
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_found_and_followed() {
    for fault in [Fault::LoseAnswer, Fault::LoseRequest] {
        for tries in [1, 2] {
            let (world, proxy, _) = deployed(&[]).await;
            for n in 1..=tries {
                proxy.rule(When::operation("DeleteStack").nth(n), fault.clone());
            }
            let (report, _) = world.destroy("poster-dev").await;
            assert_eq!(report.outcome, Outcome::Destroyed, "{fault:?} {tries}: {:?}", report.findings);
            assert!(report.account_of_changes.unknown.is_empty(), "{:?}", report.account_of_changes);
        }
    }
}

#[tokio::test]
async fn a_change_set_that_cannot_be_removed_is_told_with_the_command_that_does() {
    let (world, proxy) = World::behind_a_proxy().await;
    proxy.rule(When::operation("DeleteStack"), Fault::Refuse(ServiceError::Denied));
    let (report, _) = world.deploy_asking(&world.poster(), &DeclineAll).await;
    assert_eq!(report.outcome, Outcome::Declined, "{:?}", report.findings);
    assert_eq!(codes(&report), ["D092", "D092"], "the change set and its stack: {:?}", report.findings);
    assert!(!report.account_of_changes.aftermath().contains("nothing"), "{:?}", report.account_of_changes);
    let help: Vec<&str> = report.findings.iter().filter_map(|finding| finding.help.as_deref()).collect();
    assert!(help.iter().any(|help| help.contains("delete-change-set --stack-name poster-dev")), "{help:?}");
    assert!(help.iter().any(|help| help.contains("delete-stack --stack-name poster-dev")), "{help:?}");
    assert_eq!(world.state("poster-dev").await, Some(StackState::Review));

    proxy.clear().rule(When::operation("DeleteChangeSet"), Fault::LoseAnswer);
    let (report, _) = world.deploy_asking(&world.poster(), &DeclineAll).await;
    assert!(codes(&report).contains(&"D090"), "{:?}", report.findings);

    proxy.clear();
    let (report, _) = world.deploy(&world.poster()).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    assert!(State::of(&world, None).await.change_sets.is_empty(), "execution takes the others along");
}

#[tokio::test]
async fn the_ledger_of_a_whole_life_names_what_was_sent() {
    let (world, proxy, report) = deployed(&[]).await;
    let effects: Vec<String> = report.account_of_changes.done.iter().map(|told| told.text.clone()).collect();
    assert_eq!(
        effects,
        [
            "the artifact bucket `bedplate-artifacts-123456789012-us-west-2` was made, by the stack `bedplate-artifacts`",
            "1 file uploaded to `bedplate-artifacts-123456789012-us-west-2`",
            "`poster-dev` was changed, and ended in `CREATE_COMPLETE`",
        ]
    );
    assert!(proxy.count("CreateChangeSet") == 1 && report.account_of_changes.unknown.is_empty());
    let bucket = world.bucket().await;
    world.clients.upload_bytes(&bucket, "a", vec![1], "123456789012").await.expect("an upload");
    let (report, _) = world.destroy("poster-dev").await;
    let effects: Vec<String> = report.account_of_changes.done.iter().map(|told| told.text.clone()).collect();
    assert_eq!(
        effects,
        [
            format!("1 object version of `{bucket}` deleted"),
            "the stack `poster-dev` was deleted".to_owned(),
            "1 object version of `bedplate-artifacts-123456789012-us-west-2` deleted".to_owned(),
        ]
    );
}

#[tokio::test]
async fn what_an_earlier_run_left_behind_is_removed_and_nobody_elses() {
    let an_hour = std::time::Duration::from_secs(3700);
    let now = std::time::SystemTime::now() - an_hour;
    let then = jiff::Timestamp::try_from(now).expect("a time");
    let world = World::with(|options| options.clock = Clock::from_fn(move || then)).await;
    let (world, proxy) = world.through_a_proxy().await;
    world.deploy(&world.poster()).await;
    let longer = with(&world.poster(), |it| it["Resources"]["Wait"]["Properties"]["VisibilityTimeout"] = json!(40));
    let left = async |name: Option<&str>| {
        proxy.clear().rule(When::operation("DeleteChangeSet"), Fault::Refuse(ServiceError::Denied));
        let options = DeployOptions { change_set_name: name.map(str::to_owned), ..DeployOptions::default() };
        let recorder = Recorder::default();
        let run = Run::new(&world.clients, &recorder, CancellationToken::new());
        let report = deploy(&run, &longer, &options, &DeclineAll).await;
        assert_eq!(codes(&report), ["D092"], "{:?}", report.findings);
        proxy.clear();
    };
    left(None).await;
    left(Some("somebody-looks-at-this")).await;
    assert_eq!(State::of(&world, None).await.change_sets.len(), 2);
    let report = world.plan(&longer).await;
    assert_eq!(report.outcome, Outcome::Planned, "{:?}", report.findings);
    let state = State::of(&world, None).await;
    let names: Vec<&str> = state.change_sets.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["somebody-looks-at-this"], "only what carries this program's kind of name, and is old");
}

#[tokio::test]
async fn a_change_set_of_a_moment_ago_is_left_alone() {
    let (world, proxy, _) = deployed(&[]).await;
    let longer = with(&world.poster(), |it| it["Resources"]["Wait"]["Properties"]["VisibilityTimeout"] = json!(40));
    proxy.rule(When::operation("DeleteChangeSet"), Fault::Refuse(ServiceError::Denied));
    let (report, _) = world.deploy_asking(&longer, &DeclineAll).await;
    assert_eq!(codes(&report), ["D092"], "{:?}", report.findings);
    proxy.clear();
    // It may be that of a run that waits for an answer.
    assert_eq!(world.plan(&longer).await.outcome, Outcome::Planned);
    assert_eq!(State::of(&world, None).await.change_sets.len(), 1);
}
