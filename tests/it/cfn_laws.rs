//! Laws of the CloudFormation crate that hold for every input.

use std::collections::BTreeMap;

use bedplate::cfn::diff::{Side, diff};
use bedplate::cfn::intrinsics::{Environment, NothingYet, Placeholders, Scope, expand};
use bedplate::cfn::{ResourceGraph, Template, resolve, validate};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Keys and texts that mean something in a template, so that what is made up is often nearly right.
const WORDS: [&str; 46] = [
    "Ref",
    "Fn::GetAtt",
    "Fn::Sub",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::If",
    "Fn::FindInMap",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::GetAZs",
    "Fn::ImportValue",
    "Fn::Equals",
    "Fn::And",
    "Fn::Or",
    "Fn::Not",
    "Fn::Length",
    "Fn::ToJsonString",
    "Fn::ForEach::L",
    "Fn::Transform",
    "Condition",
    "A",
    "B",
    "A.Arn",
    "${A}",
    "${A.Arn}-${!B}",
    "${",
    "AWS::NoValue",
    "AWS::Region",
    "DefaultValue",
    "10.0.0.0/8",
    "0",
    "-1",
    "é{{resolve:ssm:x}}",
    "P",
    "C",
    "M",
    "Type",
    "Properties",
    "BucketName",
    "Tags",
    "Key",
    "LifecycleConfiguration",
    "Rules",
    "",
    "99999999999999999999",
];

fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(WORDS.as_slice()).prop_map(str::to_owned);
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Numbers a template could mean: the last digit of others is lost in reading them.
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        word.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 48, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            (word.clone(), inner.clone()).prop_map(|(key, value)| Value::Object(Map::from_iter([(key, value)]))),
            prop::collection::vec((word.clone(), inner), 0..4).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

/// A template with anything in it where a template may hold anything.
fn template_of(properties: Value, other: Value, output: Value, condition: Value) -> Option<Template> {
    Template::from_value(json!({
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {"P": {"Type": "String", "Default": "p"}},
        "Mappings": {"M": {"A": {"B": "c"}}},
        "Conditions": {"C": condition},
        "Resources": {
            "A": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": properties, "LifecycleConfiguration": other}},
            "B": {"Type": "AWS::WAFv2::WebACL", "Properties": {"Rules": other, "Scope": properties}}
        },
        "Outputs": {"O": {"Value": output}}
    }))
    .ok()
}

proptest! {
    #[test]
    fn resolving_anything_gives_a_value_or_a_problem(value in anything()) {
        let template = template_of(Value::from(1), Value::from(1), Value::from(1), json!({"Fn::Equals": [1, 1]})).expect("a template");
        let environment = Environment::new("123456789012", "us-west-2", "stack");
        let scope = Scope::new(&template, &BTreeMap::new(), &environment, &NothingYet).expect("a scope");
        if let Err(problem) = resolve(&value, &scope) {
            prop_assert!(!problem.message.is_empty());
        }
    }

    #[test]
    fn no_template_makes_a_check_an_expansion_or_a_comparison_panic(
        properties in anything(), other in anything(), output in anything(), condition in anything(), whole in anything()
    ) {
        if let Err(findings) = Template::from_value(whole) {
            prop_assert!(!findings.is_empty());
        }
        let Some(template) = template_of(properties, other, output, condition) else { return Ok(()) };
        validate(&template, Some("us-west-2"));
        let environment = Environment::new("123456789012", "us-west-2", "stack");
        let Ok(template) = expand(&template, &BTreeMap::new(), &environment) else { return Ok(()) };
        let known = Placeholders::new(&template);
        let Ok(scope) = Scope::new(&template, &BTreeMap::new(), &environment, &known) else { return Ok(()) };
        let tags = BTreeMap::new();
        let side = Side { scope: &scope, tags: &tags };
        if let Ok(changes) = diff(Some(side), side) {
            prop_assert_eq!(changes, vec![], "a template differs from itself");
        }
    }

    #[test]
    fn a_template_comes_back_from_its_yaml_and_its_json(properties in anything(), other in anything(), output in anything()) {
        let Some(template) = template_of(properties, other, output, json!({"Fn::Equals": [1, 1]})) else { return Ok(()) };
        prop_assert_eq!(Template::parse(&template.to_json()).expect("JSON"), template.clone());
        let read = Template::parse(&template.to_yaml());
        prop_assert_eq!(read.expect("YAML").digest(), template.digest());
    }

    #[test]
    fn the_order_of_a_graph_puts_everything_after_what_it_needs(edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..30)) {
        let mut resources = Map::new();
        for node in 0..12 {
            let needs: Vec<Value> =
                edges.iter().filter(|(from, _)| *from == node).map(|(_, to)| Value::from(format!("R{to}"))).collect();
            resources.insert(format!("R{node}"), json!({"Type": "X", "DependsOn": needs}));
        }
        let template = Template::from_value(json!({"Resources": resources})).expect("a template");
        let graph = ResourceGraph::from_template(&template);
        match graph.order() {
            Ok(order) => {
                prop_assert_eq!(order.len(), 12);
                prop_assert!(graph.cycles().is_empty());
                for (from, to) in &edges {
                    let place = |node: &usize| order.iter().position(|name| *name == format!("R{node}"));
                    prop_assert!(place(to) < place(from), "R{} before R{}", from, to);
                }
            }
            Err(problem) => {
                prop_assert!(problem.message.starts_with("Circular dependency"));
                for cycle in graph.cycles() {
                    let mut next = cycle.iter().cycle().skip(1);
                    for name in &cycle {
                        let following = next.next().expect("a next one");
                        prop_assert!(graph.dependencies(name).any(|needed| needed == *following));
                    }
                }
            }
        }
    }
}
