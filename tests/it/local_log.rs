//! The log of requests: a line for each, with nothing in it that a caller may want to keep to themselves.

use crate::support::{Project, administrator};

const REGION: &str = "us-west-2";

#[test]
fn every_request_is_a_line_of_the_log_without_what_it_carried() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let log = project.path().join("requests.log");
    std::fs::write(&log, "an earlier line\n").expect("a file");
    let served = project.serve(&["--log-file", &log.display().to_string()]);

    served.act(REGION, "cloudformation", "Action=ListStacks&Version=2010-05-15&Unknown=hush-form");
    let signature = administrator(REGION, "secretsmanager");
    let headers = [("authorization", signature.as_str()), ("x-amz-target", "secretsmanager.CreateSecret")];
    let (status, ..) = served.send("POST /", &headers, br#"{"SecretString":"hush-body"}"#);
    assert_eq!(status, 501, "it is not simulated");
    let signature = administrator(REGION, "s3");
    let headers = [("authorization", signature.as_str()), ("x-amz-security-token", "hush-token")];
    let (status, ..) = served.send("GET /nowhere/a%0Ab?hush-query=1", &headers, b"");
    assert_eq!(status, 404);
    // A name from a caller cannot begin a line of its own.
    let signature = administrator(REGION, "iam");
    let headers = [("authorization", signature.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let (status, ..) = served.send("POST /", &headers, b"Action=Get%0AINFO+forged&Version=2010-05-08");
    assert_eq!(status, 501);
    // The token in this address is the right to answer for a custom resource.
    let (status, ..) = served.send("PUT /_aws/cloudformation-custom-resource-response/hush-path", &[], b"{}");
    assert!(status >= 400, "{status}");

    let text = std::fs::read_to_string(&log).expect("a log");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.first(), Some(&"an earlier line"), "{text}");
    let has = |words: &[&str]| lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(has(&[r#"service="cloudformation""#, r#"operation="ListStacks""#, "status=200", "ms="]), "{text}");
    assert!(has(&[r#"service="secretsmanager""#, r#"operation="CreateSecret""#, "status=501"]), "{text}");
    assert!(has(&[r#"service="s3""#, r#"operation="GET /nowhere/a%0Ab""#, "status=404"]), "{text}");
    assert!(has(&[r"Get\nINFO forged", "status=501"]), "{text}");
    assert_eq!(lines.len(), 6, "a line a request: {text}");
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn a_log_that_cannot_be_opened_keeps_the_endpoint_from_starting() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let run = project.run(&["local", "serve", "--port", "0", "--log-file", "no/such/folder/log"]);
    assert!(
        run.code == 1 && run.stderr.contains("error[P021]") && run.stderr.contains("--log-file"),
        "{}",
        run.session()
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn a_log_is_written_through_no_link_of_the_project() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let outside = tempfile::NamedTempFile::new().expect("a file");
    std::os::unix::fs::symlink(outside.path(), project.path().join("requests.log")).expect("a link");
    let run = project.run(&["local", "serve", "--port", "0", "--log-file", "requests.log"]);
    assert!(run.code == 1 && run.stderr.contains("error["), "{}", run.session());
    assert_eq!(std::fs::read_to_string(outside.path()).expect("a file"), "");
}
