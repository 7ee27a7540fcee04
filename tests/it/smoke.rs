//! Smoke tests: after a deploy and on their own, passing and failing, as text, as events and as JUnit XML.

use serde_json::Value;

use crate::support::Project;

const SPEC: &str = "bedplate: 1
name: greet
functions:
  greet:
    code: function/
    handler: app.handler
    runtime: python3.13
apis:
  web:
    kind: rest
    routes:
      - GET /greet: { function: greet, require: { query: [name] }, request: { name: \"${query.name}\" } }
      - POST /signed: { function: greet, request: { name: \"${body}\" }, auth: iam }
  plain:
    kind: http
    routes:
      - GET /hello/{name}: { function: greet }
smoke:
  - call: GET apis.web /greet?name=Ada and the \"dogs\" + 1
    expect: { status: 200, within: 60s, body: { matches: 'Hello, Ada and the .*dogs', contains: '+ 1!' } }
  - call: GET apis.web /greet
    expect: { status: 400 }
  - call: POST apis.web /signed
    payload: { any: thing }
    expect: { status: 200 }
  - call: POST apis.web /signed
    expect: { status: 403 }
  - call: GET apis.plain /hello/Ada Lovelace
    expect: { body: { contains: 'Hello, ' } }
  - invoke: functions.greet
    payload: { name: Grace }
    expect: { body: { contains: Hello } }
";

fn project(answer: &str) -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/greet/usecase.yaml", SPEC);
    project.write("stacks/greet/function/app.py", code(answer));
    project
}

fn code(answer: &str) -> String {
    format!("def handler(event, context):\n    return {answer}\n")
}

const HELLO: &str = "f\"Hello, {event.get('name')}!\"";

#[test]
fn a_deploy_tries_what_it_has_made_and_does_so_once() {
    let project = project(HELLO);
    let run = project.run(&["deploy", "greet", "--yes"]).ok();
    assert_eq!(run.stderr.matches("  ok     ").count(), 6, "{}", run.session());
    assert!(run.stderr.contains("6 of 6 smoke tests passed"), "{}", run.session());
    let again = project.run(&["deploy", "greet", "--yes"]).ok();
    assert!(again.stderr.contains("not tried again") && !again.stderr.contains("  ok     "), "{}", again.session());
    let alone = project.run(&["smoke"]).ok();
    assert_eq!(alone.stdout.lines().filter(|line| line.starts_with("ok ")).count(), 6, "{}", alone.session());
}

#[test]
fn a_smoke_test_that_fails_gives_13_its_reason_and_its_place_and_the_stack_stays() {
    let project = project("1 / 0");
    let run = project.run(&["deploy", "greet", "--yes", "--junit", "smoke.xml"]);
    assert_eq!(run.code, 13, "{}", run.session());
    let line = SPEC.lines().position(|line| line.contains("invoke: functions.greet")).expect("the test") + 1;
    for said in ["D060", "the function failed", "division by zero", "FAILED functions.greet"] {
        assert!(run.stderr.contains(said), "{said}: {}", run.session());
    }
    assert!(run.stderr.contains(&format!("--> stacks/greet/usecase.yaml:{line}:")), "{}", run.session());
    assert!(run.stdout.contains("WebApiUrl = "), "{}", run.session());
    let junit = project.read("smoke.xml");
    assert!(junit.contains("name=\"greet-dev\" tests=\"6\" failures=\"") && junit.contains("<failure message="));

    // What was right before a failure is right after it: the refusals.
    let alone = project.run(&["smoke", "greet", "--format", "json"]);
    assert_eq!(alone.code, 13, "{}", alone.session());
    let events: Vec<Value> = alone.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let results: Vec<&Value> = events.iter().filter(|event| event["kind"] == "smoke-tested").collect();
    let passed: Vec<bool> = results.iter().map(|result| result["ok"].as_bool().expect("a word")).collect();
    assert_eq!(passed, [false, true, false, true, false, false], "{}", alone.session());
    let last = events.last().expect("an end");
    assert_eq!((&last["outcome"], &last["exit_code"]), (&"smoke-failed".into(), &13.into()), "{last}");

    project.write("stacks/greet/function/app.py", code(HELLO));
    let right = project.run(&["deploy", "greet", "--yes"]).ok();
    assert!(right.stderr.contains("6 of 6 smoke tests passed"), "{}", right.session());
}

#[test]
fn no_smoke_is_no_smoke() {
    let project = project("1 / 0");
    let run = project.run(&["deploy", "greet", "--yes", "--no-smoke"]).ok();
    assert!(!run.stderr.contains("smoke") && !run.stderr.contains("FAILED"), "{}", run.session());
}

#[test]
fn nothing_deployed_and_nothing_to_try_are_told() {
    let project = project(HELLO);
    let absent = project.run(&["smoke", "greet"]);
    assert_eq!(absent.code, 1, "{}", absent.session());
    assert!(absent.stderr.contains("P028"), "{}", absent.session());
    project.write("stacks/bare/usecase.yaml", "bedplate: 1\nname: bare\nbuckets:\n  files: {}\n");
    let bare = project.run(&["smoke", "bare"]).ok();
    assert!(bare.stderr.contains("D065"), "{}", bare.session());
}

#[test]
fn a_poster_is_drawn_and_a_missing_prompt_refused_by_the_deploy_itself() {
    let project = Project::with("movie-poster");
    let run = project.run(&["deploy", "movie-poster", "--yes"]).ok();
    let tried: Vec<&str> = run.stderr.lines().filter(|line| line.contains("apis.posters")).collect();
    assert_eq!(tried.len(), 3, "{}", run.session());
    assert!(
        tried.iter().all(|line| line.contains("  ok     GET apis.posters /moviePosterDesign")),
        "{}",
        run.session()
    );
    assert!(run.stderr.contains("3 of 3 smoke tests passed"), "{}", run.session());
}
