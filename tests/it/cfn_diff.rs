//! What an update changes, replaces and passes on.

use std::collections::BTreeMap;

use bedplate::cfn::diff::{
    Action, ChangeSource, Evaluation, PolicyAction, Recreation, Replacement, ResourceChange, Scoped, Side, diff,
    outputs_differ,
};
use bedplate::cfn::intrinsics::{Environment, Placeholders, Scope, UNKNOWN};
use bedplate::cfn::{Problem, Template};
use serde_json::{Value, json};

type Values = BTreeMap<String, String>;

/// Compares two templates, each with values for its parameters, and with tags of the stack.
fn compare(
    old: Option<(Value, &[(&str, &str)])>,
    new: (Value, &[(&str, &str)]),
    tags: [Values; 2],
) -> Result<Vec<ResourceChange>, Problem> {
    let environment = Environment::new("123456789012", "us-west-2", "stack");
    let values = |given: &[(&str, &str)]| -> Values {
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let made = |value: Value| Template::from_value(value).unwrap_or_else(|findings| panic!("{findings:?}"));
    let (new_template, new_values) = (made(new.0), values(new.1));
    let (old_template, old_values) = match old {
        Some((template, given)) => (Some(made(template)), values(given)),
        None => (None, Values::new()),
    };
    let known = Placeholders::new(old_template.as_ref().unwrap_or(&new_template));
    let old_scope = old_template.as_ref().map(|template| Scope::new(template, &old_values, &environment, &known));
    let old_scope = old_scope.transpose()?;
    let new_scope = Scope::new(&new_template, &new_values, &environment, &known)?;
    let [old_tags, new_tags] = &tags;
    diff(old_scope.as_ref().map(|scope| Side { scope, tags: old_tags }), Side { scope: &new_scope, tags: new_tags })
}

fn changes(old: Value, new: Value) -> Vec<ResourceChange> {
    compare(Some((old, &[])), (new, &[]), [Values::new(), Values::new()]).expect("changes")
}

fn bucket(properties: Value) -> Value {
    json!({"Type": "AWS::S3::Bucket", "Properties": properties})
}

#[test]
fn a_first_deploy_adds_everything_that_exists() {
    let template = json!({
        "Conditions": {"No": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "A": bucket(json!({})),
            "B": {"Type": "AWS::S3::Bucket", "Condition": "No"}
        }
    });
    let found = compare(None, (template, &[]), [Values::new(), Values::new()]).expect("changes");
    let found: Vec<(&str, Action)> = found.iter().map(|change| (change.logical_id.as_str(), change.action)).collect();
    assert_eq!(found, [("A", Action::Add)]);
}

#[test]
fn nothing_changed_is_no_change_also_when_it_is_written_otherwise() {
    let old =
        json!({"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5, "FifoQueue": false}}}});
    let new = json!({"Resources": {"Q": {"Properties": {"FifoQueue": "false", "DelaySeconds": "5"}, "Type": "AWS::SQS::Queue"}}});
    assert_eq!(changes(old, new), vec![]);
}

#[test]
fn a_property_that_can_change_in_place_does() {
    let found = changes(
        json!({"Resources": {"A": bucket(json!({"VersioningConfiguration": {"Status": "Enabled"}}))}}),
        json!({"Resources": {"A": bucket(json!({"VersioningConfiguration": {"Status": "Suspended"}, "Tags": [{"Key": "a", "Value": "b"}]}))}}),
    );
    let [change] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((change.action, change.replacement), (Action::Modify, Some(Replacement::False)));
    assert_eq!(change.scope, [Scoped::Properties, Scoped::Tags]);
    let detail = change.details.first().expect("a detail");
    assert_eq!(detail.path, "/Properties/VersioningConfiguration/Status");
    assert_eq!((detail.before.clone(), detail.after.clone()), (Some(json!("Enabled")), Some(json!("Suspended"))));
    assert_eq!(detail.requires_recreation, Recreation::Never);
    assert_eq!(detail.change_source, ChangeSource::DirectModification);
}

#[test]
fn a_create_only_property_replaces_and_those_that_refer_to_it_follow() {
    let template = |name: &str| {
        json!({"Resources": {
            "A": {"Type": "AWS::S3::Bucket", "UpdateReplacePolicy": "Retain", "Properties": {"BucketName": name}},
            "P": {"Type": "AWS::S3::BucketPolicy", "Properties": {
                "Bucket": {"Ref": "A"},
                "PolicyDocument": {"Statement": [{"Resource": {"Fn::Sub": "${A.Arn}/*"}}]}
            }},
            "Other": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}}
        }})
    };
    let found = changes(template("one"), template("two"));
    let [a, p] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((a.logical_id.as_str(), a.replacement), ("A", Some(Replacement::True)));
    assert_eq!(a.policy_action, Some(PolicyAction::ReplaceAndRetain));
    assert_eq!((p.logical_id.as_str(), p.replacement), ("P", Some(Replacement::Conditional)));
    let causes: Vec<(&str, ChangeSource, Option<&str>, Evaluation)> = p
        .details
        .iter()
        .map(|detail| (detail.path.as_str(), detail.change_source, detail.causing_entity.as_deref(), detail.evaluation))
        .collect();
    assert_eq!(
        causes,
        [
            ("/Properties/Bucket", ChangeSource::ResourceReference, Some("A"), Evaluation::Dynamic),
            (
                "/Properties/PolicyDocument/Statement/0/Resource",
                ChangeSource::ResourceAttribute,
                Some("A.Arn"),
                Evaluation::Dynamic
            )
        ]
    );
    assert_eq!(p.details.first().and_then(|detail| detail.after.clone()), Some(json!(UNKNOWN)));
}

#[test]
fn a_create_only_property_deep_inside_replaces_only_when_it_changes() {
    let endpoint = |preference: &str, extra: &str| {
        json!({"Resources": {"E": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {
            "VpcId": "vpc-1", "ServiceName": "s", "DnsOptions": {"PrivateDnsPreference": preference, "DnsRecordIpType": extra}
        }}}})
    };
    let replacement = |old: Value, new: Value| changes(old, new).first().and_then(|change| change.replacement);
    assert_eq!(replacement(endpoint("a", "x"), endpoint("a", "y")), Some(Replacement::False));
    assert_eq!(replacement(endpoint("a", "x"), endpoint("b", "x")), Some(Replacement::True));
    let mut without = endpoint("a", "x");
    without["Resources"]["E"]["Properties"]["DnsOptions"].take();
    without["Resources"]["E"]["Properties"].as_object_mut().expect("properties").remove("DnsOptions");
    assert_eq!(replacement(endpoint("a", "x"), without), Some(Replacement::True));
}

#[test]
fn a_changed_parameter_is_named_as_the_cause_and_a_secret_is_not_shown() {
    let template = json!({
        "Parameters": {"Delay": {"Type": "Number"}, "Secret": {"Type": "String", "NoEcho": true}},
        "Conditions": {"Slow": {"Fn::Equals": [{"Ref": "Delay"}, "9"]}},
        "Resources": {
            "Q": {"Type": "AWS::SQS::Queue", "Properties": {
                "DelaySeconds": {"Ref": "Delay"}, "FifoQueue": {"Fn::If": ["Slow", true, {"Ref": "AWS::NoValue"}]}
            }},
            "S": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": {"Fn::Sub": "x${Secret}"}}}
        }
    });
    let found = compare(
        Some((template.clone(), &[("Delay", "1"), ("Secret", "hunter2")])),
        (template, &[("Delay", "9"), ("Secret", "hunter3")]),
        [Values::new(), Values::new()],
    )
    .expect("changes");
    let [queue, secret] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(queue.replacement, Some(Replacement::True));
    for detail in &queue.details {
        assert_eq!(detail.change_source, ChangeSource::ParameterReference, "{detail:?}");
        assert_eq!(detail.causing_entity.as_deref(), Some("Delay"));
    }
    assert_eq!(secret.details.first().and_then(|detail| detail.after.clone()), Some(json!("****")));
    assert!(!serde_json::to_string(&found).expect("JSON").contains("hunter"));
}

#[test]
fn what_a_condition_or_an_edit_takes_away_leaves_by_its_policy() {
    let found = changes(
        json!({"Resources": {"A": bucket(json!({})), "B": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}, "C": bucket(json!({}))}}),
        json!({"Resources": {"C": bucket(json!({}))}}),
    );
    let found: Vec<(&str, Action, Option<PolicyAction>)> =
        found.iter().map(|change| (change.logical_id.as_str(), change.action, change.policy_action)).collect();
    assert_eq!(
        found,
        [("A", Action::Remove, Some(PolicyAction::Delete)), ("B", Action::Remove, Some(PolicyAction::Retain))]
    );
}

#[test]
fn new_tags_of_the_stack_touch_what_takes_tags() {
    let template = json!({"Resources": {
        "A": bucket(json!({})),
        "P": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "b", "PolicyDocument": {}}}
    }});
    let tags = Values::from([("stage".to_owned(), "dev".to_owned())]);
    let found = compare(Some((template.clone(), &[])), (template, &[]), [Values::new(), tags]).expect("changes");
    let [change] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((change.logical_id.as_str(), change.scope.as_slice()), ("A", &[Scoped::Tags][..]));
}

#[test]
fn another_type_under_the_same_name_is_refused() {
    let problem = compare(
        Some((json!({"Resources": {"A": bucket(json!({}))}}), &[])),
        (json!({"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}), &[]),
        [Values::new(), Values::new()],
    )
    .expect_err("a problem");
    assert_eq!(problem.code, "T151");
    assert!(problem.message.starts_with("Update of resource type is not permitted."), "{problem}");
}

#[test]
fn changed_outputs_are_seen() {
    let environment = Environment::new("123456789012", "us-west-2", "stack");
    let template = |value: Value| {
        Template::from_value(json!({"Resources": {"A": bucket(json!({}))}, "Outputs": {"O": {"Value": value}}}))
            .expect("a template")
    };
    let (one, same, other) = (template(json!({"Ref": "A"})), template(json!({"Ref": "A"})), template(json!("x")));
    let known = Placeholders::new(&one);
    let scope = |template| Scope::new(template, &Values::new(), &environment, &known).expect("a scope");
    assert!(!outputs_differ(&scope(&one), &scope(&same)));
    assert!(outputs_differ(&scope(&one), &scope(&other)));
}

#[test]
fn stack_tags_join_a_resources_own_and_its_own_win() {
    let template = json!({"Resources": {"A": bucket(json!({"Tags": [{"Key": "stage", "Value": "own"}]}))}});
    let tags = Values::from([("stage".to_owned(), "dev".to_owned()), ("team".to_owned(), "x".to_owned())]);
    let found = compare(Some((template.clone(), &[])), (template, &[]), [Values::new(), tags]).expect("changes");
    let [change] = found.as_slice() else { panic!("{found:?}") };
    let [detail] = change.details.as_slice() else { panic!("{change:?}") };
    assert_eq!((detail.path.as_str(), detail.change_source), ("/Properties/Tags/1", ChangeSource::DirectModification));
    assert_eq!((&detail.before, &detail.after), (&None, &Some(json!({"Key": "team", "Value": "x"}))));
}

#[test]
fn outputs_of_a_nested_stack_that_changes_may_change_whatever_their_name() {
    let template = |url: &str, policy: &str| {
        json!({"Resources": {
            "Inner": {"Type": "AWS::CloudFormation::Stack", "DeletionPolicy": policy, "Properties": {"TemplateURL": url}},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["Inner", "Outputs.BucketName"]}}}
        }})
    };
    let found = changes(template("https://a", "Delete"), template("https://b", "Delete"));
    let [_, topic] = found.as_slice() else { panic!("{found:?}") };
    let detail = topic.details.first().expect("a detail");
    assert_eq!((detail.change_source, detail.evaluation), (ChangeSource::ResourceAttribute, Evaluation::Dynamic));
    assert_eq!(detail.causing_entity.as_deref(), Some("Inner.Outputs.BucketName"));
    // What changes in the stack's books alone is no change to others.
    let found = changes(template("https://a", "Delete"), template("https://a", "Retain"));
    let ids: Vec<&str> = found.iter().map(|change| change.logical_id.as_str()).collect();
    assert_eq!(ids, ["Inner"]);
    assert_eq!(found.first().map(|change| change.scope.as_slice()), Some(&[Scoped::DeletionPolicy][..]));
}

#[test]
fn the_branch_that_is_not_taken_causes_nothing() {
    let template = json!({
        "Parameters": {"Used": {"Type": "String"}, "Idle": {"Type": "String"}},
        "Conditions": {"Yes": {"Fn::Equals": ["a", "a"]}},
        "Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {
            "DisplayName": {"Fn::If": ["Yes", {"Ref": "Used"}, {"Ref": "Idle"}]}
        }}}
    });
    let old: &[(&str, &str)] = &[("Used", "1"), ("Idle", "1")];
    let found = compare(
        Some((template.clone(), old)),
        (template, &[("Used", "2"), ("Idle", "2")]),
        [Values::new(), Values::new()],
    )
    .expect("changes");
    let causes: Vec<Option<&str>> =
        found.iter().flat_map(|change| &change.details).map(|detail| detail.causing_entity.as_deref()).collect();
    assert_eq!(causes, [Some("Used")]);
}
