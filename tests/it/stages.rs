//! What differs from stage to stage.

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::finding::{Finding, Severity};
use bedplate::render::{Partials, RenderOptions, Rendered, render};
use bedplate::spec;
use serde_json::Value;

fn in_stage(text: &str, stage: &str) -> (Rendered, Vec<Finding>) {
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec without findings");
    let options = RenderOptions { stage, region: Some("us-east-1") };
    let rendered = render(&loaded, &options, Partials::embedded()).expect("a template");
    let today = Day::parse("2026-11-30").expect("a day");
    let findings = check(&loaded, &rendered, &CheckOptions { today, region: Some("us-east-1") });
    (rendered, findings)
}

fn collisions(text: &str, stage: &str) -> Vec<usize> {
    let (_, findings) = in_stage(text, stage);
    let found = findings.into_iter().filter(|it| it.code == "R105");
    found
        .map(|it| {
            assert_eq!(it.severity, Severity::Warning);
            it.place.map_or(0, |place| place.line)
        })
        .collect()
}

const SUFFIXED: &str = "bedplate: 1
name: names
tables:
  t: { name: \"customers${stage-suffix}\", partition-key: { name: id } }
agents:
  a:
    name: clerk${stage-suffix}
    engine: classic
    model: m
    instruction: You are a patient clerk who answers everything that is asked in one sentence.
models: { m: { id: \"amazon.nova-lite-v1:0\" } }
";

#[test]
fn a_suffix_is_nothing_in_dev_and_the_stage_elsewhere() {
    let names = |stage: &str| {
        let (rendered, _) = in_stage(SUFFIXED, stage);
        let of = |type_: &str, key: &str| {
            let resource = rendered.template.resources().find(|it| it.type_ == type_).expect("a resource");
            resource.properties().and_then(|it| it.get(key)).and_then(Value::as_str).expect("a name").to_owned()
        };
        (of("AWS::DynamoDB::Table", "TableName"), of("AWS::Bedrock::Agent", "AgentName"))
    };
    assert_eq!(names("dev"), ("customers".to_owned(), "clerk".to_owned()));
    assert_eq!(names("prod"), ("customers-prod".to_owned(), "clerk-prod".to_owned()));
    assert_eq!(collisions(SUFFIXED, "prod"), [0_usize; 0]);
}

#[test]
fn a_name_that_is_the_same_in_every_stage_is_told_outside_dev() {
    let spec = "bedplate: 1
name: names
buckets: { b: { name: mine } }
tables:
  t: { name: customers, partition-key: { name: id } }
  u: { name: \"orders-${parameters.suffix}\", partition-key: { name: id } }
  v: { name: \"bills-${region}\", partition-key: { name: id } }
parameters: { suffix: { default: one } }
roles: { r: { name: reader, assumed-by: [{ account: this }] } }
resources:
  Jobs: { Type: \"AWS::SQS::Queue\", Properties: { QueueName: jobs } }
  Mine: { Type: \"AWS::SSM::Parameter\", Properties: { Name: a, Type: String, Value: b } }
  Group: { Type: \"AWS::Logs::LogGroup\", Properties: { LogGroupName: jobs, RetentionInDays: 1 } }
  More: { Type: \"AWS::Logs::LogGroup\", Properties: { LogGroupName: \"more-${stage}\", RetentionInDays: 1 } }
";
    assert_eq!(collisions(spec, "dev"), [0_usize; 0], "the stage that names are for");
    assert_eq!(collisions(spec, "prod"), [3, 5, 7, 9, 11, 12, 13], "{:?}", in_stage(spec, "prod").1);
}
