//! Smoke tests that nobody answers, whose stack goes away meanwhile, or that are interrupted; and a knowledge base whose reading
//! fails.

use std::process::Stdio;
use std::sync::{Arc, OnceLock};

use rustix::process::{Pid, Signal, kill_process};

use super::{Fault, Proxy, ServiceError, When};
use crate::local_bedrock::SPEC as LEARNING;
use crate::support::{Project, Run};

const SPEC: &str = "bedplate: 1\nname: tiny\nregion: us-west-2\n\
                    functions: { f: { code: f/, handler: a.h, runtime: python3.13 } }\nsmoke: [{ invoke: functions.f }]\n";

/// A use case that is deployed, and the way to it.
fn deployed() -> (Project, crate::support::Served, Proxy) {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/tiny/usecase.yaml", SPEC);
    project.write("stacks/tiny/f/a.py", "def h(event, context):\n    return 1\n");
    let served = project.serve(&[]);
    let proxy = Proxy::before(&served.url);
    let _ = project.run(&["deploy", "tiny", "--yes", "--no-smoke", "--endpoint-url", &proxy.url]).ok();
    proxy.forget();
    (project, served, proxy)
}

fn said(run: &Run, code: &str) {
    assert!(run.stderr.contains(&format!("[{code}]: ")), "{code}: {}", run.session());
}

#[test]
fn a_test_of_what_is_not_deployed_fails_and_one_whose_stack_is_gone_is_no_verdict() {
    let (project, _served, proxy) = deployed();
    let smoke = ["smoke", "tiny", "--endpoint-url", &proxy.url];
    project.write("stacks/tiny/usecase.yaml", SPEC.replace("{ f: {", "{ g: {").replace("functions.f", "functions.g"));
    let run = project.run(&smoke);
    said(&run, "D061");
    assert_eq!(run.code, 13, "{}", run.session());
    project.write("stacks/tiny/usecase.yaml", SPEC);
    proxy.rule(When::operation("Invoke"), Fault::Refuse(ServiceError::Denied));
    proxy.rule(
        When::operation("DescribeStacks").after("Invoke"),
        Fault::rewrite(|answer| answer.replace(">CREATE_COMPLETE<", ">DELETE_COMPLETE<")),
    );
    let run = project.run(&smoke);
    said(&run, "D062");
    assert_eq!(run.code, 1, "{}", run.session());
}

#[test]
fn an_interrupt_during_the_smoke_tests_leaves_the_stack() {
    let (project, _served, proxy) = deployed();
    let child: Arc<OnceLock<Pid>> = Arc::default();
    let pid = Arc::clone(&child);
    let interrupt = move || kill_process(*pid.wait(), Signal::INT).expect("it runs");
    proxy.rule(When::operation("Invoke"), Fault::stall_after(interrupt));
    let mut command = project.command(&["smoke", "tiny", "--endpoint-url", &proxy.url]);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let id = i32::try_from(running.id()).ok().and_then(Pid::from_raw).expect("a process id");
    child.set(id).expect("set once");
    let run = Run::of(&project, &running.wait_with_output().expect("it ends"));
    said(&run, "D063");
    assert_eq!(run.code, 130, "{}", run.session());
}

#[test]
fn a_knowledge_base_whose_reading_fails_is_told() {
    let project = Project::empty();
    project.write("usecase.yaml", LEARNING);
    project.write("texts/rules.md", "# Rules\n\nCertificates are valid for 24 months.\n");
    let served = project.serve(&[]);
    let proxy = Proxy::before(&served.url);
    let status = regex::Regex::new(r#""status": ?"[A-Z_]+""#).expect("a pattern");
    for operation in ["StartIngestionJob", "GetIngestionJob"] {
        let status = status.clone();
        let rewrite = move |answer: &str| status.replace_all(answer, r#""status":"FAILED""#).into_owned();
        proxy.rule(When::operation(operation), Fault::rewrite(rewrite));
    }
    let run = project.run(&["deploy", "usecase.yaml", "--yes", "--endpoint-url", &proxy.url]);
    said(&run, "D044");
    assert_eq!(run.code, 1, "{}", run.session());
}

#[test]
fn documents_that_cannot_be_read_are_told_and_the_rest_is_there() {
    let project = Project::empty();
    project.write("usecase.yaml", LEARNING);
    project.write("texts/rules.md", "# Rules\n\nCertificates are valid for 24 months.\n");
    project.write("texts/broken.pdf", "no PDF");
    let run = project.run(&["deploy", "usecase.yaml", "--yes", "--format", "json"]).ok();
    assert!(run.stdout.contains("\"D043\""), "{}", run.session());
}
