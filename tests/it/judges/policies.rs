//! parliament, cloudsplaining and policy_sentry on every policy document of every template that is rendered.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::{answers, passes, tool};
use crate::rendered::{TemplateFile, all, manifest};
use crate::support::{judges, repository};

fn judge(python: &std::path::Path, templates: &[TemplateFile], folder: &std::path::Path) -> Vec<Value> {
    let list = folder.join("manifest.json");
    std::fs::write(&list, manifest(templates).to_string()).expect("a file");
    let mut run: Command = tool(python, "python");
    run.arg(repository().join("tests/judges/policies.py"))
        .arg(&list)
        .arg(repository().join("schemas/iam-exceptions.json"));
    let said = passes(run);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn text(finding: &Value, key: &str) -> String {
    finding[key].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_is_found_in_policies_is_answered() {
    let python = judges();
    let dir = tempfile::tempdir().expect("a folder");
    let templates = all(dir.path());
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for finding in judge(&python, &templates, dir.path()) {
        let [origin, place, message] = ["template", "place", "message"].map(|key| text(&finding, key));
        let seen = format!("{origin} {place}: {message}");
        found.entry((text(&finding, "finding"), text(&finding, "subject"))).or_default().push(seen);
    }
    answers::hold("docs/iam.md", ["finding", "subject", "answer"], &found);
}

#[test]
fn the_judges_of_policies_see_what_is_wrong() {
    let python = judges();
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("wrong.yaml");
    std::fs::write(
        &path,
        r#"
Resources:
  Docs: { Type: AWS::S3::Bucket }
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { AWS: "*" }, Action: sts:AssumeRole }]
      Policies:
        - PolicyName: wrong
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - { Effect: Allow, Action: s3:GetObject, Resource: !GetAtt Docs.Arn }
              - { Effect: Allow, Action: bedrock:InvokeModle, Resource: "arn:aws:bedrock:us-west-2::foundation-model/x" }
              - { Effect: Allow, Action: "iam:*", Resource: "*" }
              - { Effect: Allow, Action: "secretsmanager:GetSecretValue", Resource: "*" }
"#
        .replace("!GetAtt Docs.Arn", "{ Fn::GetAtt: [Docs, Arn] }"),
    )
    .expect("a file");
    let templates =
        [TemplateFile { path, origin: "wrong".to_owned(), region: "us-west-2".to_owned(), made_elsewhere: false }];
    let found: Vec<(String, String)> = judge(&python, &templates, dir.path())
        .iter()
        .map(|finding| (text(finding, "finding"), text(finding, "subject")))
        .collect();
    for (finding, subject) in [
        ("parliament RESOURCE_MISMATCH", "s3:GetObject"),
        ("policy_sentry NO_RESOURCE", "s3:GetObject"),
        ("policy_sentry UNKNOWN_ACTION", "bedrock:InvokeModle"),
        ("policy_sentry WILDCARD", "iam:*"),
        ("policy_sentry STAR", "secretsmanager:GetSecretValue"),
        ("cloudsplaining AssumableByAnyPrincipal", "*"),
        ("cloudsplaining ServiceWildcard", "iam"),
        ("cloudsplaining DataExfiltration", "secretsmanager:GetSecretValue"),
        ("cloudsplaining PrivilegeEscalation", "CreateAccessKey"),
    ] {
        assert!(found.contains(&(finding.to_owned(), subject.to_owned())), "{finding} {subject}: {found:#?}");
    }
}
