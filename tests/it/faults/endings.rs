//! The program's own ending: in JSON one line of kind `finished`, the last, with the exit code the process has; after an error of the
//! spec, without a target, after one interrupt and after two; and what is said when smoke tests or documents break off.

use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Fault, Proxy, When};
use crate::support::{Project, Run, Served};

const TINY: &str =
    "bedplate: 1\nname: tiny\nregion: us-west-2\nbuckets: { b: {} }\noutputs: { name: \"${buckets.b}\" }\n";

fn tiny() -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/tiny/usecase.yaml", TINY);
    project
}

/// The last line of a stream of events, which must be the only one of its kind and agree with the process.
fn finished(run: &Run) -> Value {
    let lines: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}\n{}", run.session())))
        .collect();
    let ends = lines.iter().filter(|line| line["kind"] == "finished").count();
    assert_eq!(ends, 1, "{}", run.session());
    let last = lines.last().expect("a line").clone();
    assert_eq!(last["kind"], "finished", "{}", run.session());
    assert_eq!(last["exit_code"], run.code, "{}", run.session());
    for list in ["findings", "done", "unknown", "stacks"] {
        assert!(last[list].is_array(), "{list}: {last}");
    }
    last
}

fn codes(last: &Value) -> Vec<&str> {
    last["findings"].as_array().expect("findings").iter().filter_map(|finding| finding["code"].as_str()).collect()
}

/// Runs the program and sends it signals when a request comes, which nobody answers then.
fn interrupted(project: &Project, proxy: &Proxy, when: When, args: &[&str], signals: &'static [Signal]) -> Run {
    let child: Arc<OnceLock<Pid>> = Arc::default();
    let pid = Arc::clone(&child);
    let hook = move || {
        for signal in signals {
            kill_process(*pid.wait(), *signal).expect("it runs");
        }
    };
    proxy.rule(when, Fault::stall_after(hook));
    let args: Vec<&str> = args.iter().copied().chain(["--endpoint-url", &proxy.url]).collect();
    let mut command: Command = project.command(&args);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let id = i32::try_from(running.id()).ok().and_then(Pid::from_raw).expect("a process id");
    child.set(id).expect("set once");
    let output = running.wait_with_output().expect("it ends");
    proxy.clear();
    Run::of(project, &output)
}

fn proxied(project: &Project) -> (Served, Proxy) {
    let served = project.serve(&[]);
    let proxy = Proxy::before(&served.url);
    (served, proxy)
}

const VERBS: [&[&str]; 5] = [
    &["deploy", "tiny", "--yes", "--format", "json"],
    &["smoke", "tiny", "--format", "json"],
    &["bootstrap", "--format", "json"],
    &["bootstrap", "--remove", "--yes", "--format", "json"],
    &["destroy", "tiny", "--yes", "--format", "json"],
];

#[test]
fn every_verb_that_tells_events_ends_with_finished_when_all_is_well() {
    let project = tiny();
    project.write("stacks/tiny/usecase.yaml", format!("{TINY}functions: {{ f: {{ code: f/, handler: a.h, runtime: python3.13 }} }}\nsmoke: [ {{ invoke: functions.f }} ]\n"));
    project.write("stacks/tiny/f/a.py", "def h(event, context):\n    return 1\n");
    let outcomes = ["deployed", "tested", "no-change", "failed", "destroyed"];
    for (args, outcome) in VERBS.into_iter().zip(outcomes) {
        let run = project.run(args);
        let last = finished(&run);
        assert_eq!(last["outcome"], outcome, "{args:?}: {}", run.session());
        assert_eq!(last["stacks"].as_array().map(Vec::len), Some(1), "{last}");
        let ends = run.stdout.lines().filter(|line| line.contains("\"kind\":\"stack-finished\"")).count();
        assert_eq!(ends, 1, "{}", run.session());
    }
}

#[test]
fn an_error_of_the_spec_and_a_target_that_is_not_there_end_with_finished() {
    let project = tiny();
    for args in VERBS {
        let nowhere: Vec<&str> = args.iter().copied().chain(["--endpoint-url", "http://127.0.0.1:1"]).collect();
        // A use case without tests asks nobody.
        if args[0] != "smoke" {
            let run = project.run(&nowhere);
            let last = finished(&run);
            assert_eq!((run.code, codes(&last)), (1, vec!["C006"]), "{args:?}: {}", run.session());
            assert_eq!(last["outcome"], "failed");
        }
    }
    project.write("stacks/tiny/usecase.yaml", "bedplate: 1\nname: tiny\nregion: us-west-2\nbuckts: {}\n");
    for args in [VERBS[0], VERBS[1]] {
        let last = finished(&project.run(args)).clone();
        assert_eq!((last["exit_code"].as_i64(), codes(&last)), (Some(1), vec!["S010"]), "{args:?}");
    }
    project.write("bedplate.yaml", "stages: 3\n");
    for args in VERBS {
        let last = finished(&project.run(args));
        assert_eq!(last["exit_code"], 1, "{args:?}: {last}");
        assert!(!codes(&last).is_empty(), "{args:?}: {last}");
    }
}

#[test]
fn an_interrupt_before_anything_is_known_ends_with_finished_and_says_that_it_changed_nothing() {
    let project = tiny();
    let (_served, proxy) = proxied(&project);
    for args in VERBS.into_iter().filter(|args| args[0] != "smoke") {
        let run = interrupted(&project, &proxy, When::operation("GetCallerIdentity"), args, &[Signal::INT]);
        let last = finished(&run);
        assert_eq!((run.code, codes(&last)), (130, vec!["D001"]), "{args:?}: {}", run.session());
        assert_eq!(last["outcome"], "interrupted", "{last}");
    }
}

#[test]
fn a_second_signal_ends_at_once_and_says_what_may_be_left() {
    let project = tiny();
    let (_served, proxy) = proxied(&project);
    let both: &'static [Signal] = &[Signal::INT, Signal::TERM];
    let run = interrupted(&project, &proxy, When::operation("ExecuteChangeSet"), VERBS[0], both);
    let last = finished(&run);
    assert_eq!(run.code, 130, "{}", run.session());
    assert!(codes(&last).contains(&"D090"), "{}", run.session());
    assert_eq!(last["unknown"][0]["effect"], "execution", "{last}");
    // The request never got through, so the change set is still there; the next run takes its place.
    let text = ["deploy", "tiny", "--yes"];
    let run = interrupted(&project, &proxy, When::operation("ExecuteChangeSet"), &text, both);
    assert!(run.stderr.contains("interrupted at once: ") && run.stderr.contains("D090"), "{}", run.session());
    assert!(!run.stderr.contains("nothing was changed"), "{}", run.session());
    let _ = project.run(&text).ok();
}

#[test]
fn a_run_over_several_stacks_has_one_last_line() {
    let project = tiny();
    project.write("stacks/more/usecase.yaml", "bedplate: 1\nname: more\nregion: us-west-2\nbuckets: { b: {} }\n");
    let run = project.run(&["deploy", "--yes", "--rm", "--format", "json"]);
    let last = finished(&run);
    assert_eq!(run.code, 0, "{}", run.session());
    let stacks: Vec<&str> =
        last["stacks"].as_array().expect("stacks").iter().filter_map(|stack| stack["stack"].as_str()).collect();
    assert_eq!(stacks, ["more-dev", "tiny-dev", "tiny-dev", "more-dev"], "{last}");
}

#[test]
fn a_smoke_test_that_nobody_could_answer_is_no_verdict() {
    let project = tiny();
    project.write(
        "stacks/tiny/usecase.yaml",
        format!(
            "{TINY}functions: {{ f: {{ code: f/, handler: a.h, runtime: python3.13 }} }}\nsmoke:\n  - invoke: functions.f\n  - invoke: \
             functions.f\n    payload: {{ again: true }}\n"
        ),
    );
    project.write("stacks/tiny/f/a.py", "def h(event, context):\n    return 1\n");
    let (_served, proxy) = proxied(&project);
    let json = |verb: &[&str]| {
        let args: Vec<&str> =
            verb.iter().copied().chain(["--yes", "--format", "json", "--endpoint-url", &proxy.url]).collect();
        project.run(&args)
    };
    // From the second test on the endpoint is gone.
    proxy.rule(When::operation("Invoke").from(2), Fault::LoseRequest);
    let second = When::operation("DescribeStacks").after("Invoke");
    proxy.rule(second, Fault::LoseRequest);
    let run = json(&["deploy", "tiny"]);
    let last = finished(&run);
    assert_eq!((run.code, last["outcome"].as_str()), (1, Some("untested")), "{}", run.session());
    assert!(codes(&last).contains(&"D095"), "{last}");
    assert!(run.stderr.contains("bedplate smoke tiny"), "{}", run.session());

    proxy.clear().forget();
    proxy.rule(When::operation("Invoke"), Fault::LoseRequest);
    proxy.rule(When::operation("DescribeStacks").after("Invoke"), Fault::LoseRequest);
    let run = json(&["smoke", "tiny"]);
    assert_eq!((run.code, finished(&run)["outcome"].as_str()), (1, Some("untested")), "{}", run.session());

    // The target answers and the function does not: that is the stack's own failure.
    proxy.clear().rule(When::operation("Invoke"), Fault::LoseRequest);
    let run = json(&["smoke", "tiny"]);
    assert_eq!((run.code, finished(&run)["outcome"].as_str()), (13, Some("smoke-failed")), "{}", run.session());
}

#[test]
fn documents_that_could_not_be_brought_are_told_as_missing_and_the_stack_as_deployed() {
    let project = tiny();
    project.write(
        "stacks/tiny/usecase.yaml",
        "bedplate: 1\nname: tiny\nregion: us-west-2\nbuckets: { b: { documents: docs/ } }\n",
    );
    project.write("stacks/tiny/docs/a.md", "hello");
    let (_served, proxy) = proxied(&project);
    proxy.rule(When::operation("PutObject").with("a.md"), Fault::LoseRequest);
    let args = ["deploy", "tiny", "--yes", "--format", "json", "--endpoint-url", &proxy.url];
    let run = project.run(&args);
    let last = finished(&run);
    assert_eq!((run.code, last["outcome"].as_str()), (1, Some("unfinished")), "{}", run.session());
    assert!(codes(&last).contains(&"D040") && codes(&last).contains(&"D090"), "{last}");
    proxy.clear();
    let run = project.run(&args).ok();
    assert_eq!(finished(&run)["outcome"], "deployed");
}
