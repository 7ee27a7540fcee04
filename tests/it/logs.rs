//! `bedplate logs`: what functions and APIs have logged, all of it or a part, and what comes.

use std::io::BufRead as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::Project;

const SPEC: &str = "bedplate: 1
name: greet
functions:
  hello: { code: function/, handler: app.hello, runtime: python3.13 }
  fail: { code: function/, handler: app.fail, runtime: python3.13 }
smoke:
  - invoke: functions.hello
    payload: { name: Ada }
  - invoke: functions.fail
";

const CODE: &str = "def hello(event, context):
    print('greeting', event.get('name'))
    return 'hello'

def fail(event, context):
    raise ValueError('two\\nlines')
";

fn project() -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/greet/usecase.yaml", SPEC);
    project.write("stacks/greet/function/app.py", CODE);
    project
}

/// A project whose functions were each called once.
fn called() -> Project {
    let project = project();
    let deployed = project.run(&["deploy", "greet", "--yes"]);
    assert_eq!(deployed.code, 13, "one of the functions fails: {}", deployed.session());
    project
}

#[test]
fn lines_have_time_function_and_message() {
    let project = called();
    let all = project.run(&["logs", "greet"]).ok();
    let line = |needle: &str| {
        let found = all.stdout.lines().find(|line| line.contains(needle));
        found.unwrap_or_else(|| panic!("no {needle}: {}", all.session())).to_owned()
    };
    assert!(line("greeting Ada").contains(" hello  greeting Ada"), "{}", all.session());
    assert!(line("[ERROR] ValueError: two").contains(" fail   [ERROR]"), "{}", all.session());
    // Each line of a message stands behind its time and function.
    assert!(line("Traceback").contains(" fail   Traceback"), "{}", all.session());
    let times: Vec<&str> = all.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(times.len() > 6 && times.is_sorted(), "{}", all.session());

    let one = project.run(&["logs", "greet", "hello", "--filter", "greeting"]).ok();
    assert_eq!(one.stdout.lines().count(), 1, "{}", one.session());
    let json = project.run(&["logs", "greet", "--filter", "greeting", "--format", "json"]).ok();
    let told: Value = serde_json::from_str(json.stdout.trim()).expect(&json.stdout);
    assert_eq!((&told["log"], told["message"].as_str().map(str::trim)), (&"hello".into(), Some("greeting Ada")));
    assert!(told["time"].is_string() && told["stream"].is_string(), "{told}");
}

#[test]
fn what_cannot_be_told_is_said() {
    let project = project();
    let absent = project.run(&["logs", "greet"]);
    assert_eq!(absent.code, 1, "{}", absent.session());
    assert!(absent.stderr.contains("P028"), "{}", absent.session());
    let usage = project.run(&["logs", "greet", "--since", "soon"]);
    assert_eq!(usage.code, 2, "{}", usage.session());
    let _ = project.run(&["deploy", "greet", "--yes", "--no-smoke"]).ok();
    let silent = project.run(&["logs", "greet"]).ok();
    assert_eq!(silent.stdout, "", "nothing was called yet: {}", silent.session());
    let unknown = project.run(&["logs", "greet", "helo"]);
    assert_eq!(unknown.code, 1, "{}", unknown.session());
    assert!(unknown.stderr.contains("D068") && unknown.stderr.contains("`fail`, `hello`"), "{}", unknown.session());
    let pattern = project.run(&["logs", "greet", "--filter", "{ $.level = 1 }"]);
    assert_eq!(pattern.code, 1, "{}", pattern.session());
    assert!(pattern.stderr.contains("D066"), "{}", pattern.session());
    project.write("stacks/bare/usecase.yaml", "bedplate: 1\nname: bare\nbuckets: { files: {} }\n");
    let _ = project.run(&["deploy", "bare", "--yes"]).ok();
    let bare = project.run(&["logs", "bare"]);
    assert!(bare.code == 1 && bare.stderr.contains("D067"), "{}", bare.session());
}

#[test]
fn follow_tells_what_comes_once_and_ends_when_interrupted() {
    let project = called();
    let mut command = project.command(&["logs", "greet", "hello", "--filter", "greeting", "--follow"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("logs starts");
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a line").expect("text");
    assert!(first.ends_with("greeting Ada"), "{first}");
    let smoke = project.run(&["smoke", "greet"]);
    assert_eq!(smoke.code, 13, "{}", smoke.session());
    let second = lines.next().expect("a line").expect("text");
    assert!(second.ends_with("greeting Ada") && second > first, "{first}\n{second}");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert_eq!(lines.count(), 0, "nothing is told twice");
}
