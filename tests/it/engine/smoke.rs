//! What a deploy tries a second time, and what it does not.

use std::time::Duration;

use bedplate::engine::{
    ApproveAll, DeployOptions, DeployReport, Desired, EventKind, Outcome, Packaging, Recorder, Run, deploy,
};
use bedplate::render::{Partials, render};
use bedplate::spec;
use tokio_util::sync::CancellationToken;

use super::deploys::World;
use crate::render::DEV;

/// A deploy of a function that fails at its first call with this message and at no later one; its notes go along.
async fn deployed(message: &str, patience: Duration) -> (DeployReport, Vec<String>) {
    let text = "bedplate: 1
name: late
functions:
  late: { code: function/, handler: app.handler, runtime: python3.13 }
smoke:
  - invoke: functions.late
    expect: { body: { contains: call 2 } }
";
    let code = format!(
        "calls = []


def handler(event, context):
    calls.append(event)
    if len(calls) == 1:
        raise Exception('call 1: {message}')
    return 'call ' + str(len(calls))
"
    );
    let world = World::start().await;
    let function = world.dir.path().join("function");
    std::fs::create_dir_all(&function).expect("a folder");
    std::fs::write(function.join("app.py"), code).expect("a file");
    let loaded = spec::load_text(text, world.dir.path(), "usecase.yaml").expect("a spec without findings");
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let packaging = Packaging::new(world.dir.path(), world.dir.path());
    let desired =
        Desired::from_rendered(&loaded, &rendered, "late-dev", Default::default(), &packaging).expect("no rows");
    let recorder = Recorder::default();
    let run = Run::new(&world.clients, &recorder, CancellationToken::new());
    let options = DeployOptions { smoke_retry_for: patience, ..DeployOptions::default() };
    let report = deploy(&run, &desired, &options, &ApproveAll).await;
    let notes = recorder.events().into_iter().filter_map(|event| match event.what {
        EventKind::Note { message } => Some(message),
        _ => None,
    });
    (report, notes.collect())
}

const DENIED: &str = "AccessDenied, not authorized to perform s3:PutObject";

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_told() {
    let (report, notes) = deployed(DENIED, Duration::from_secs(30)).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let told: Vec<&String> = notes.iter().filter(|note| note.contains("tried again for up to 30 seconds")).collect();
    assert!(told.len() == 1 && told[0].contains("call 1"), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_for_good_and_a_run_without_patience_fail_at_the_first_call() {
    for (message, patience) in [("division by zero", Duration::from_secs(30)), (DENIED, Duration::ZERO)] {
        let (report, notes) = deployed(message, patience).await;
        assert_eq!(report.outcome, Outcome::SmokeFailed);
        assert!(report.findings[0].message.contains("call 1"), "{:?}", report.findings);
        assert!(!notes.iter().any(|note| note.contains("tried again")), "{notes:?}");
    }
}
