//! Plans read from change sets in the form `DescribeChangeSet` gives them.

use std::collections::BTreeMap;

use bedplate::cfn::Template;
use bedplate::cfn::change_set::ChangeSet;
use bedplate::finding::Place;
use bedplate::plan::{Action, Current, DesiredStack, Plan, PlanKind, between, for_new_stack, from_change_set};
use serde_json::{Value, json};

fn template(value: Value) -> Template {
    Template::from_value(value).expect("a template")
}

fn set(changes: Value) -> ChangeSet {
    let whole = json!({
        "ChangeSetId": "arn:aws:cloudformation:us-west-2:123456789012:changeSet/c/1",
        "ChangeSetName": "bedplate-1",
        "StackId": "arn:aws:cloudformation:us-west-2:123456789012:stack/poster-dev/1",
        "StackName": "poster-dev",
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "IncludeNestedStacks": false,
        "Changes": changes,
    });
    serde_json::from_value(whole).expect("the service's form")
}

fn modify(logical_id: &str, kind: &str, extra: Value, details: Value) -> Value {
    let mut change = json!({
        "Action": "Modify", "LogicalResourceId": logical_id, "PhysicalResourceId": format!("poster-dev-{logical_id}"),
        "ResourceType": kind, "Replacement": "False", "Scope": ["Properties"], "Details": details,
    });
    for (key, value) in extra.as_object().expect("an object") {
        change[key] = value.clone();
    }
    json!({ "Type": "Resource", "ResourceChange": change })
}

fn plan(changes: Value) -> Plan {
    let template = template(json!({ "Resources": { "Design": { "Type": "AWS::Lambda::Function" } } }));
    let place = Place { file: "usecase.yaml".into(), line: 12, column: 3 };
    let wanted = DesiredStack {
        stack: "poster-dev",
        account: Some("123456789012"),
        region: "us-west-2",
        template: Some(&template),
        places: [("/Resources/Design".to_owned(), place)].into_iter().collect(),
        ..DesiredStack::default()
    };
    let current = Current { status: Some("CREATE_COMPLETE"), template: Some(&template), ..Current::default() };
    from_change_set(&wanted, &current, &set(changes), PlanKind::Update)
}

#[test]
fn a_changed_property_is_told_with_both_values_and_its_place() {
    let plan = plan(json!([modify(
        "Design",
        "AWS::Lambda::Function",
        json!({}),
        json!([
            { "Target": { "Attribute": "Properties", "Name": "Timeout", "RequiresRecreation": "Never",
                "Path": "/Properties/Timeout", "BeforeValue": "3", "AfterValue": "29", "AttributeChangeType": "Modify" },
              "Evaluation": "Static", "ChangeSource": "DirectModification" },
            { "Target": { "Attribute": "Properties", "Name": "Code", "RequiresRecreation": "Never",
                "Path": "/Properties/Code/S3Key", "BeforeValue": "a.zip", "AfterValue": "b.zip", "AttributeChangeType": "Modify" },
              "Evaluation": "Dynamic", "ChangeSource": "DirectModification" },
            { "Target": { "Attribute": "Properties", "Name": "Code", "RequiresRecreation": "Never",
                "Path": "/Properties/Code/S3Key", "BeforeValue": "a.zip", "AfterValue": "b.zip", "AttributeChangeType": "Modify" },
              "Evaluation": "Static", "ChangeSource": "ParameterReference", "CausingEntity": "DesignCodeKey" },
        ]),
    )]));
    insta::assert_json_snapshot!(plan.changes, @r#"
    [
      {
        "action": "modify",
        "logical_id": "Design",
        "type": "AWS::Lambda::Function",
        "physical_id": "poster-dev-Design",
        "reasons": [
          {
            "path": "Properties.Code.S3Key",
            "before": "a.zip",
            "after": "b.zip",
            "recreation": "never",
            "caused_by": "DesignCodeKey"
          },
          {
            "path": "Properties.Timeout",
            "before": "3",
            "after": "29",
            "recreation": "never"
          }
        ],
        "place": {
          "file": "usecase.yaml",
          "line": 12,
          "column": 3
        }
      }
    ]
    "#);
    assert_eq!(plan.changes[0].place.as_ref().map(ToString::to_string).as_deref(), Some("usecase.yaml:12:3"));
    assert!(plan.data_loss.is_empty());
}

#[test]
fn a_changed_property_has_the_place_of_the_key_that_says_it() {
    let spec = "bedplate: 1\nname: x\nfunctions:\n  f:\n    code: function/\n    handler: app.handler\n    \
                runtime: python3.13\n    environment:\n      LEVEL: info\n    timeout: 29s\n";
    let loaded = bedplate::spec::load_str(spec, "usecase.yaml").expect("a spec");
    let rendered = bedplate::render::render(&loaded, &crate::render::DEV, bedplate::render::Partials::embedded())
        .expect("a template");
    let wanted = DesiredStack {
        stack: "x-dev",
        template: Some(&rendered.template),
        places: rendered.places(&loaded),
        ..DesiredStack::default()
    };
    let change = |path: &str| {
        json!({ "Target": { "Attribute": "Properties", "Path": path, "RequiresRecreation": "Never",
            "BeforeValue": "3", "AfterValue": "29", "AttributeChangeType": "Modify" }, "Evaluation": "Static" })
    };
    let paths = ["/Properties/Timeout", "/Properties/Environment/Variables/LEVEL", "/Properties/Role"];
    let changes = json!([modify("FFunction", "AWS::Lambda::Function", json!({}), paths.map(change).into())]);
    let current = Current { status: Some("CREATE_COMPLETE"), template: Some(&rendered.template), ..Current::default() };
    let plan = from_change_set(&wanted, &current, &set(changes), PlanKind::Update);
    let lines: Vec<(&str, Option<usize>)> = plan.changes[0]
        .reasons
        .iter()
        .map(|reason| (reason.path.as_str(), reason.place.as_ref().map(|place| place.line)))
        .collect();
    let expected = [
        ("Properties.Environment.Variables.LEVEL", Some(9)),
        ("Properties.Role", None),
        ("Properties.Timeout", Some(10)),
    ];
    assert_eq!(lines, expected);
    assert_eq!(plan.changes[0].place.as_ref().map(|place| place.line), Some(4));
}

#[test]
fn replacement_and_what_becomes_of_the_old_one_are_both_read() {
    let name = |recreation: &str| {
        json!([{ "Target": { "Attribute": "Properties", "Name": "BucketName", "RequiresRecreation": recreation,
            "Path": "/Properties/BucketName", "BeforeValue": "a", "AfterValue": "b" }, "Evaluation": "Static" }])
    };
    let plan = plan(json!([
        modify("Kept", "AWS::S3::Bucket", json!({ "Replacement": "True", "PolicyAction": "ReplaceAndRetain" }), name("Always")),
        modify("Gone", "AWS::S3::Bucket", json!({ "Replacement": "True", "PolicyAction": "ReplaceAndDelete" }), name("Always")),
        modify("Perhaps", "AWS::DynamoDB::Table",
            json!({ "Replacement": "Conditional", "PolicyAction": "ReplaceAndDelete" }), name("Conditionally")),
        modify("Layer", "AWS::Lambda::LayerVersion", json!({ "Replacement": null, "PolicyAction": "ReplaceAndDelete" }), json!([])),
        { "Type": "Resource", "ResourceChange": { "Action": "Remove", "PolicyAction": "Delete",
            "LogicalResourceId": "Logs", "PhysicalResourceId": "/aws/lambda/x", "ResourceType": "AWS::Logs::LogGroup" } },
        { "Type": "Resource", "ResourceChange": { "Action": "Remove", "PolicyAction": "Retain",
            "LogicalResourceId": "Old", "PhysicalResourceId": "old", "ResourceType": "AWS::S3::Bucket" } },
        { "Type": "Resource", "ResourceChange": { "Action": "Add", "LogicalResourceId": "New", "ResourceType": "AWS::S3::Bucket" } },
    ]));
    let told: Vec<(Action, &str)> = plan.changes.iter().map(|it| (it.action, it.logical_id.as_str())).collect();
    assert_eq!(
        told,
        [
            (Action::Remove, "Logs"),
            (Action::Remove, "Old"),
            (Action::Replace, "Gone"),
            (Action::Replace, "Kept"),
            (Action::Replace, "Layer"),
            (Action::MaybeReplace, "Perhaps"),
            (Action::Add, "New"),
        ]
    );
    let lost: Vec<&str> = plan.data_loss.iter().map(|loss| loss.logical_id.as_str()).collect();
    assert_eq!(lost, ["Gone", "Logs", "Perhaps"], "what is kept is not lost, and a layer holds no data");
}

#[test]
fn values_are_found_in_the_contexts_when_the_details_have_none() {
    let plan = plan(json!([modify(
        "Queue",
        "AWS::SQS::Queue",
        json!({
            "BeforeContext": r#"{"Properties":{"VisibilityTimeout":"30","Tags":[{"Key":"a"}]}}"#,
            "AfterContext": r#"{"Properties":{"VisibilityTimeout":"40","KmsMasterKeyId":"{{changeSet:KNOWN_AFTER_APPLY}}"}}"#,
        }),
        json!([
            { "Target": { "Attribute": "Properties", "Name": "VisibilityTimeout", "RequiresRecreation": "Never" } },
            { "Target": { "Attribute": "Properties", "Name": "KmsMasterKeyId", "RequiresRecreation": "Never" },
              "Evaluation": "Dynamic", "ChangeSource": "ResourceAttribute", "CausingEntity": "Key.Arn" },
        ]),
    )]));
    let [key, timeout] = plan.changes[0].reasons.as_slice() else { panic!("two reasons: {:?}", plan.changes) };
    assert_eq!((timeout.before.as_deref(), timeout.after.as_deref()), (Some("30"), Some("40")));
    assert!(key.known_after_apply);
    assert_eq!((key.after.as_deref(), key.caused_by.as_deref()), (None, Some("Key.Arn")));
}

#[test]
fn a_secret_is_shown_nowhere_and_its_change_only_when_the_change_set_tells() {
    let template = template(json!({
        "Parameters": { "Token": { "Type": "String", "NoEcho": true } },
        "Resources": { "Design": { "Type": "AWS::Lambda::Function" } },
    }));
    let wanted = DesiredStack {
        stack: "poster-dev",
        region: "us-west-2",
        template: Some(&template),
        parameters: BTreeMap::from([("Token".into(), "open-sesame".into())]),
        ..DesiredStack::default()
    };
    let current = Current {
        status: Some("CREATE_COMPLETE"),
        template: Some(&template),
        parameters: BTreeMap::from([("Token".into(), "****".into())]),
    };
    let details = |cause: Option<&str>| {
        json!([{ "Target": { "Attribute": "Properties", "Name": "Environment", "RequiresRecreation": "Never",
            "Path": "/Properties/Environment/Variables/TOKEN", "BeforeValue": "****", "AfterValue": "open-sesame" },
            "CausingEntity": cause }])
    };
    let of = |cause| {
        let changes = json!([modify("Design", "AWS::Lambda::Function", json!({}), details(cause))]);
        from_change_set(&wanted, &current, &set(changes), PlanKind::Update)
    };
    let (changed, same) = (of(Some("Token")), of(None));
    for plan in [&changed, &same] {
        let text = serde_json::to_string(plan).expect("a plan");
        assert!(!text.contains("sesame"), "{text}");
    }
    assert_eq!(changed.parameters.len(), 1);
    assert!(same.parameters.is_empty());
}

#[test]
fn a_new_stack_needs_no_change_set_to_be_planned() {
    let template = template(json!({ "Resources": {
        "Queue": { "Type": "AWS::SQS::Queue" },
        "Bucket": { "Type": "AWS::S3::Bucket" },
        "Role": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": { "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" } }] } } },
    } }));
    let wanted =
        DesiredStack { stack: "poster-dev", region: "us-west-2", template: Some(&template), ..DesiredStack::default() };
    let plan = for_new_stack(&wanted, PlanKind::Create);
    insta::assert_json_snapshot!(plan, @r#"
    {
      "stack": "poster-dev",
      "account": null,
      "region": "us-west-2",
      "kind": "create",
      "change_set": null,
      "changes": [
        {
          "action": "add",
          "logical_id": "Bucket",
          "type": "AWS::S3::Bucket"
        },
        {
          "action": "add",
          "logical_id": "Queue",
          "type": "AWS::SQS::Queue"
        },
        {
          "action": "add",
          "logical_id": "Role",
          "type": "AWS::IAM::Role"
        }
      ],
      "iam_broadening": [
        {
          "logical_id": "Role",
          "property": "AssumeRolePolicyDocument",
          "gain": "action",
          "action": "sts:AssumeRole",
          "resource": "this role"
        },
        {
          "logical_id": "Role",
          "property": "AssumeRolePolicyDocument",
          "gain": "principal",
          "principal": "lambda.amazonaws.com"
        }
      ],
      "data_loss": [],
      "parameters": [],
      "artifacts": []
    }
    "#);
}

#[test]
fn a_plan_can_be_read_back() {
    let plan = plan(json!([modify("Design", "AWS::Lambda::Function", json!({ "Replacement": "True" }), json!([]))]));
    let text = serde_json::to_string(&plan).expect("a plan");
    let mut back: Plan = serde_json::from_str(&text).expect("the same form");
    back.changes[0].place = plan.changes[0].place.clone();
    assert_eq!(back, plan);
}

/// The actions an offline plan between two sets of resources takes, with the paths that cause them.
fn offline(old: Value, new: Value) -> (PlanKind, Vec<(Action, String, Vec<String>)>) {
    let parameters = json!({ "CodeKey": { "Type": "String" } });
    let of = |resources: Value| template(json!({ "Parameters": parameters, "Resources": resources }));
    let (old, new) = (of(old), of(new));
    let wanted =
        DesiredStack { stack: "poster-dev", region: "us-west-2", template: Some(&new), ..DesiredStack::default() };
    let plan = between(&wanted, &old).expect("two templates that can be compared");
    let told = plan.changes.into_iter().map(|change| {
        let paths = change.reasons.into_iter().map(|reason| reason.path).collect();
        (change.action, change.logical_id, paths)
    });
    (plan.kind, told.collect())
}

#[test]
fn templates_are_compared_without_an_account() {
    let queue = |seconds: u32| json!({ "Type": "AWS::SQS::Queue", "Properties": { "VisibilityTimeout": seconds } });
    let named = |name: &str| json!({ "Type": "AWS::SQS::Queue", "Properties": { "QueueName": name } });
    let (kind, told) = offline(
        json!({ "Wait": queue(30), "Named": named("a"), "Gone": queue(1) }),
        json!({ "Wait": queue(40), "Named": named("b"), "New": queue(1) }),
    );
    assert_eq!(kind, PlanKind::Update);
    assert_eq!(
        told,
        [
            (Action::Remove, "Gone".to_owned(), vec![]),
            (Action::Replace, "Named".to_owned(), vec!["Properties.QueueName".to_owned()]),
            (Action::Modify, "Wait".to_owned(), vec!["Properties.VisibilityTimeout".to_owned()]),
            (Action::Add, "New".to_owned(), vec![]),
        ]
    );
    assert_eq!(offline(json!({ "Wait": queue(30) }), json!({ "Wait": queue(30) })), (PlanKind::NoChange, vec![]));
}
