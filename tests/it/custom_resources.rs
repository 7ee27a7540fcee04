//! A use case with a custom resource of its own, as somebody writes it: from `check` to `destroy` on the local target.

use crate::support::Project;

const SPEC: &str = "bedplate: 1
name: seeded
functions:
  provider: { code: function/, handler: app.handler, runtime: python3.13 }
resources:
  Greeting:
    Type: Custom::Greeting
    Properties: { ServiceToken: \"${functions.provider.arn}\", Name: NAME }
outputs:
  words: \"${resources.Greeting.Words}\"
";

const CODE: &str = r#"
import json
import urllib.request

def handler(event, context):
    name = event["ResourceProperties"]["Name"]
    print(event["RequestType"], name)
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer["PhysicalResourceId"] = "greeting"
    if name == "Nobody":
        answer.update(Status="FAILED", Reason="nobody is not to be greeted")
    else:
        answer.update(Status="SUCCESS", Data={"Words": f"Hello, {name}"})
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, {"content-type": ""}, method="PUT"))
"#;

#[test]
fn a_use_case_has_a_custom_resource_from_check_to_destroy() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/seeded/function/app.py", CODE);
    let named = |name: &str| project.write("stacks/seeded/usecase.yaml", SPEC.replace("NAME", name));
    named("Ada");
    let _ = project.run(&["check", "seeded"]).ok();
    let made = project.run(&["deploy", "seeded", "--yes"]).ok();
    assert!(made.stdout.contains("Hello, Ada"), "{}", made.session());

    named("Nobody");
    let failed = project.run(&["deploy", "seeded", "--yes"]);
    assert_eq!(failed.code, 10, "{}", failed.session());
    assert!(failed.stderr.contains("nobody is not to be greeted"), "{}", failed.session());
    let kept = project.run(&["outputs", "seeded"]).ok();
    assert!(kept.stdout.contains("Hello, Ada"), "{}", kept.session());

    named("Grace");
    let changed = project.run(&["deploy", "seeded", "--yes"]).ok();
    assert!(changed.stdout.contains("Hello, Grace"), "{}", changed.session());
    let logs = project.run(&["logs", "seeded", "provider"]).ok();
    let asked = |line: &&str| ["Create ", "Update ", "Delete "].iter().any(|kind| line.contains(kind));
    let asked: Vec<&str> = logs.stdout.lines().filter(asked).filter_map(|line| line.split("  ").last()).collect();
    // The update that failed was put back by another one.
    assert_eq!(asked, ["Create Ada", "Update Nobody", "Update Ada", "Update Grace"], "{}", logs.session());
    let gone = project.run(&["destroy", "seeded", "--yes"]).ok();
    assert!(gone.stderr.contains("nothing of it remains"), "{}", gone.session());
}
