//! CloudFormation's limits on whole templates and on how deep their values lie.

use std::collections::BTreeMap;

use bedplate::cfn::intrinsics::{Environment, NothingYet, Scope};
use bedplate::cfn::{Template, resolve, validate};
use serde_json::{Map, Value, json};

fn codes(template: Value) -> Vec<&'static str> {
    let template = Template::from_value(template).expect("a template");
    let mut codes: Vec<&'static str> = validate(&template, None).iter().map(|finding| finding.code.as_str()).collect();
    codes.dedup();
    codes
}

fn bucket() -> Value {
    json!({ "Bucket": { "Type": "AWS::S3::Bucket" } })
}

#[test]
fn what_is_neither_json_nor_yaml_is_no_template() {
    let findings = Template::parse("Resources: { Bucket: { Type: AWS::S3::Bucket }").expect_err("no template");
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["T001"]);
    assert!(findings[0].message.contains(" at line "), "{}", findings[0]);
}

#[test]
fn a_template_has_a_size_and_its_description_and_names_have_lengths() {
    let long = |length: usize| "a".repeat(length);
    assert_eq!(codes(json!({ "Resources": bucket() })), [] as [&str; 0]);
    assert_eq!(codes(json!({ "Description": long(1_024), "Resources": bucket() })), [] as [&str; 0]);
    assert_eq!(codes(json!({ "Description": long(1_025), "Resources": bucket() })), ["L006"]);
    assert_eq!(codes(json!({ "Metadata": { "Notes": long(1_100_000) }, "Resources": bucket() })), ["L005"]);
    let named = |name: String| json!({ "Resources": { name: { "Type": "AWS::S3::Bucket" } } });
    assert_eq!(codes(named(long(255))), [] as [&str; 0]);
    assert_eq!(codes(named(long(256))), ["L007"]);
}

#[test]
fn a_thousand_faults_are_told_and_no_more() {
    let wrong: Map<String, Value> = (0..490)
        .map(|number| {
            let properties = json!({ "Colour": 1, "Taste": 2, "Smell": 3 });
            (format!("Bucket{number}"), json!({ "Type": "AWS::S3::Bucket", "Properties": properties }))
        })
        .collect();
    let template = Template::from_value(json!({ "Resources": wrong })).expect("a template");
    let findings = validate(&template, None);
    assert_eq!(findings.len(), 1_001);
    assert_eq!(findings.last().map(|finding| finding.code.as_str()), Some("T230"));
}

#[test]
fn values_nest_only_so_deep() {
    let template = Template::from_value(json!({ "Resources": bucket() })).expect("a template");
    let environment = Environment::new("123456789012", "us-west-2", "stack");
    let scope = Scope::new(&template, &BTreeMap::new(), &environment, &NothingYet).expect("a scope");
    let nested = |levels: usize| (0..levels).fold(json!("x"), |inner, _| json!([inner]));
    assert_eq!(resolve(&nested(250), &scope), Ok(nested(250)));
    assert_eq!(resolve(&nested(300), &scope).expect_err("too deep").code, "L009");
}
