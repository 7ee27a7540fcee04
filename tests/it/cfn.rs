//! CloudFormation as data: templates, intrinsic functions, the graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bedplate::cfn::graph::EdgeKind;
use bedplate::cfn::intrinsics::{Environment, NothingYet, Resources, Scope, UNKNOWN, expand, settle_policies};
use bedplate::cfn::schema::{Match, matches};
use bedplate::cfn::{Answer, Problem, ResourceGraph, Schemas, Template, resolve, validate};
use serde_json::{Value, json};

fn template(value: Value) -> Template {
    Template::from_value(value).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// Resources that exist: the id is `<logical id>-1`, an attribute `<logical id>/<attribute>`.
struct Existing;

impl Resources for Existing {
    fn id(&self, logical_id: &str) -> Result<Answer, Problem> {
        Ok(format!("{logical_id}-1").into())
    }
    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem> {
        Ok(format!("{logical_id}/{attribute}").into())
    }
}

fn evaluate(value: &Value) -> Result<Value, Problem> {
    let template = template(json!({
        "Parameters": {
            "Name": {"Type": "String", "Default": "poster"},
            "Zones": {"Type": "CommaDelimitedList", "Default": "a, b ,c"},
            "Count": {"Type": "Number", "Default": 3}
        },
        "Mappings": {"Sizes": {"us-west-2": {"small": "1", "list": ["x", "y"]}}},
        "Conditions": {
            "West": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-west-2"]},
            "East": {"Fn::Not": [{"Condition": "West"}]},
            "Three": {"Fn::And": [{"Condition": "West"}, {"Fn::Equals": [{"Ref": "Count"}, 3]}]}
        },
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Gone": {"Type": "AWS::S3::Bucket", "Condition": "East"}
        }
    }));
    let environment = Environment::new("123456789012", "us-west-2", "stack");
    let scope = Scope::new(&template, &BTreeMap::new(), &environment, &Existing)?;
    resolve(value, &scope)
}

#[test]
fn intrinsic_functions_come_to_what_cloudformation_makes_of_them() {
    for (given, expected) in [
        (json!({"Ref": "Name"}), json!("poster")),
        (json!({"Ref": "Zones"}), json!(["a", "b", "c"])),
        (json!({"Ref": "AWS::Partition"}), json!("aws")),
        (json!({"Ref": "Bucket"}), json!("Bucket-1")),
        (json!({"Fn::GetAtt": ["Bucket", "Arn"]}), json!("Bucket/Arn")),
        (json!({"Fn::GetAtt": "Bucket.Endpoint.Address"}), json!("Bucket/Endpoint.Address")),
        (
            json!({"Fn::Sub": "${Name}-${Bucket.Arn}-${AWS::AccountId}-${!Left}-$"}),
            json!("poster-Bucket/Arn-123456789012-${Left}-$"),
        ),
        (json!({"Fn::Sub": ["${a}${Name}", {"a": {"Ref": "Count"}}]}), json!("3poster")),
        (json!({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 1, true]]}), json!("a-poster-1-true")),
        (json!({"Fn::Join": ["", {"Ref": "Zones"}]}), json!("abc")),
        (json!({"Fn::Select": ["1", {"Ref": "Zones"}]}), json!("b")),
        (json!({"Fn::Split": [",", "a,b,,c"]}), json!(["a", "b", "", "c"])),
        (json!({"Fn::If": ["West", 1, 2]}), json!(1)),
        (json!({"a": {"Fn::If": ["East", 1, {"Ref": "AWS::NoValue"}]}, "b": 1}), json!({"b": 1})),
        (json!([1, {"Ref": "AWS::NoValue"}, 2]), json!([1, 2])),
        (json!({"Fn::If": ["Three", "yes", "no"]}), json!("yes")),
        (json!({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "small"]}), json!("1")),
        (json!({"Fn::FindInMap": ["Sizes", "nowhere", "small", {"DefaultValue": "2"}]}), json!("2")),
        (json!({"Fn::Base64": "hello"}), json!("aGVsbG8=")),
        (json!({"Fn::Cidr": ["10.0.0.0/16", 3, 8]}), json!(["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"])),
        (json!({"Fn::Select": [1, {"Fn::Cidr": ["fd00::/56", 2, 64]}]}), json!("fd00:0:0:1::/64")),
        (json!({"Fn::Length": {"Ref": "Zones"}}), json!(3)),
        (json!({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}), json!("{\"a\":\"poster\"}")),
        (json!({"Fn::GetAZs": ""}), json!(UNKNOWN)),
        (json!("{{resolve:ssm:/a/b:1}}"), json!("{{resolve:ssm:/a/b:1}}")),
        (json!({"Condition": {"StringEquals": {"Ref": "Name"}}}), json!({"Condition": {"StringEquals": "poster"}})),
    ] {
        assert_eq!(evaluate(&given), Ok(expected), "{given}");
    }
}

#[test]
fn what_can_not_be_resolved_says_why_and_where() {
    for (given, code, path, part) in [
        (json!({"a": [{"Ref": "Nobody"}]}), "T101", "a/0/Ref", "Unresolved resource dependencies [Nobody]"),
        (json!({"Ref": "Gone"}), "T101", "Ref", "Unresolved resource dependencies [Gone]"),
        (json!({"Fn::GetAtt": ["Nobody", "Arn"]}), "T101", "Fn::GetAtt", "references undefined resource Nobody"),
        (json!({"Fn::GetAtt": "Bucket"}), "T100", "Fn::GetAtt", "two non-empty parameters"),
        (json!({"Fn::Sub": "${a-b}"}), "T100", "Fn::Sub", "alphanumeric"),
        (json!({"Fn::Sub": "${Zones}"}), "T100", "Fn::Sub", "`Zones` in Fn::Sub is a list"),
        (json!({"Fn::Join": [",", "text"]}), "T100", "Fn::Join", "two parameters"),
        (json!({"Fn::Select": [9, ["a"]]}), "T108", "Fn::Select", "nonexistent value at index 9"),
        (json!({"Fn::If": ["Nope", 1, 2]}), "T103", "Fn::If", "Nope"),
        (json!({"Fn::FindInMap": ["Sizes", "x", "y"]}), "T104", "Fn::FindInMap", "Sizes::x::y"),
        (json!({"Fn::FindInMap": ["Nope", "x", "y"]}), "T104", "Fn::FindInMap", "'Nope' is not present"),
        (json!({"Fn::Nope": 1}), "T105", "Fn::Nope", "not an intrinsic function"),
        (json!({"Fn::Transform": {"Name": "M"}}), "T106", "Fn::Transform", "macro"),
        (json!({"Fn::ImportValue": "x"}), "T107", "Fn::ImportValue", "No export named x found"),
        (json!({"Fn::Cidr": ["10.0.0.0/24", 9, 8]}), "T109", "Fn::Cidr", "can't cut 9 blocks"),
    ] {
        let problem = evaluate(&given).expect_err("a problem");
        assert_eq!((problem.code.as_str(), problem.path.as_str()), (code, path), "{given}");
        assert!(problem.message.contains(part), "{problem}");
    }
}

#[test]
fn attributes_of_resources_to_come_are_unknown_also_within_a_text() {
    let template = template(json!({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}));
    let environment = Environment::new("123456789012", "us-west-2", "stack");
    let scope = Scope::new(&template, &BTreeMap::new(), &environment, &NothingYet).expect("a scope");
    let value = json!({"Fn::Sub": "arn:${Bucket}:x"});
    assert_eq!(resolve(&value, &scope), Ok(json!(format!("arn:{UNKNOWN}:x"))));
}

#[test]
fn texts_that_double_themselves_are_stopped() {
    let mut value = json!("0123456789");
    for _ in 0..60 {
        value = json!({"Fn::Sub": ["${a}${a}", {"a": value}]});
    }
    assert_eq!(evaluate(&value).expect_err("a problem").code, "L008");
}

#[test]
fn conditions_in_a_circle_are_refused() {
    let template = template(json!({
        "Conditions": {"A": {"Fn::Not": [{"Condition": "B"}]}, "B": {"Fn::Not": [{"Condition": "A"}]}},
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}
    }));
    let environment = Environment::new("123456789012", "us-west-2", "stack");
    let problem = Scope::new(&template, &BTreeMap::new(), &environment, &NothingYet).err().expect("a problem");
    assert_eq!(problem.message, "Circular dependency between conditions: [A, B, A]");
}

#[test]
fn a_template_without_what_makes_it_one_is_refused() {
    for (given, code) in [
        (json!([]), "T002"),
        (json!({}), "T004"),
        (json!({"Resources": {}}), "T004"),
        (json!({"Resources": {"A": []}}), "T006"),
        (json!({"Resources": {"A": {}}}), "T006"),
        (json!({"Resources": {"A": {"Type": 1}}}), "T006"),
        (json!({"Resources": {"A": {"Type": "X", "Properties": []}}}), "T008"),
        (json!({"Resources": {"A": {"Type": "X"}}, "Parameters": []}), "T002"),
        (json!({"Resources": {"A": {"Type": "X"}}, "Outputs": {"O": "x"}}), "T002"),
    ] {
        let findings = Template::from_value(given.clone()).expect_err("findings");
        assert_eq!(findings.first().map(|finding| finding.code.as_str()), Some(code), "{given}");
    }
}

#[test]
fn the_grammar_of_sections_names_and_attributes_is_checked() {
    let found = |value: Value| -> Vec<(&'static str, Option<String>)> {
        template(value).structure().into_iter().map(|finding| (finding.code.as_str(), finding.template_path)).collect()
    };
    let bucket = json!({"Type": "AWS::S3::Bucket"});
    assert_eq!(found(json!({"Resources": {"A": bucket}})), vec![]);
    for (given, code, path) in [
        (json!({"Resources": {"A": bucket}, "Ressources": {}}), "T003", "Ressources"),
        (json!({"Resources": {"A-b": bucket}}), "T005", "Resources/A-b"),
        (json!({"Resources": {"A": {"Type": "X", "Foo": 1}}}), "T007", "Resources/A/Foo"),
        (json!({"Resources": {"A": {"Type": "X", "DeletionPolicy": "Keep"}}}), "T008", "Resources/A/DeletionPolicy"),
        (json!({"Resources": {"A": {"Type": "X", "DependsOn": [1]}}}), "T008", "Resources/A/DependsOn"),
        (json!({"Resources": {"A": {"Type": "X", "Properties": {"B": [null]}}}}), "T009", "Resources/A/Properties/B/0"),
    ] {
        assert_eq!(found(given.clone()), vec![(code, Some(path.to_owned()))], "{given}");
    }
    let many: serde_json::Map<String, Value> = (0..501).map(|n| (format!("R{n}"), bucket.clone())).collect();
    assert_eq!(found(json!({"Resources": many})), vec![("L001", Some("Resources".to_owned()))]);
}

#[test]
fn the_digest_is_of_what_a_template_says_and_not_of_its_order() {
    let one = template(json!({"Resources": {"A": {"Type": "X", "Properties": {"b": 1, "a": 2}}}}));
    let same = template(json!({"Resources": {"A": {"Properties": {"a": 2, "b": 1}, "Type": "X"}}}));
    let other = template(json!({"Resources": {"A": {"Properties": {"a": 2, "b": 3}, "Type": "X"}}}));
    assert_eq!(one.digest(), same.digest());
    assert_ne!(one.digest(), other.digest());
    assert_eq!(Template::parse(&one.to_json()), Ok(one));
}

fn graph_of(resources: Value) -> ResourceGraph {
    ResourceGraph::from_template(&template(json!({"Resources": resources})))
}

#[test]
fn the_graph_follows_references_of_every_kind() {
    let graph = graph_of(json!({
        "Url": {"Type": "X", "Properties": {"a": {"Fn::Sub": "${Api.Arn}/${AWS::Region}/${!Lit}"}}},
        "Api": {"Type": "X", "Properties": {"b": {"Fn::GetAtt": ["Role", "Arn"]}}, "DependsOn": ["Bucket"]},
        "Role": {"Type": "X", "Properties": {"c": [{"Ref": "Bucket"}]}},
        "Bucket": {"Type": "X"},
        "Alone": {"Type": "X", "Properties": {"d": {"Ref": "Nobody"}}}
    }));
    assert_eq!(graph.layers(), Ok(vec![vec!["Bucket", "Alone"], vec!["Role"], vec!["Api"], vec!["Url"]]));
    assert_eq!(graph.dependencies("Api").collect::<Vec<_>>(), ["Role", "Bucket"]);
    assert_eq!(graph.dependents("Bucket").collect::<Vec<_>>(), ["Api", "Role"]);
    let kinds: Vec<&EdgeKind> = graph.edges().iter().map(|edge| &edge.kind).collect();
    assert_eq!(
        kinds,
        [
            &EdgeKind::Attribute("Arn".to_owned()),
            &EdgeKind::DependsOn,
            &EdgeKind::Attribute("Arn".to_owned()),
            &EdgeKind::Ref
        ]
    );
    assert_eq!(graph.unresolved().first().map(|edge| edge.path.as_str()), Some("Resources/Alone/Properties/d/Ref"));
}

#[test]
fn circles_are_reported_with_the_way_round() {
    let graph = graph_of(json!({
        "A": {"Type": "X", "DependsOn": "B"},
        "B": {"Type": "X", "DependsOn": "C"},
        "C": {"Type": "X", "DependsOn": "A"},
        "D": {"Type": "X", "DependsOn": "A"},
        "S": {"Type": "X", "DependsOn": "S"}
    }));
    assert_eq!(graph.cycles(), vec![vec!["A", "B", "C"], vec!["S"]]);
    assert_eq!(graph.layers().expect_err("a circle").message, "Circular dependency between resources: [A, B, C, S]");
}

#[test]
fn with_conditions_known_only_what_exists_counts() {
    let template = template(json!({"Resources": {
        "A": {"Type": "X", "Properties": {"p": {"Fn::If": ["Yes", {"Ref": "B"}, {"Ref": "C"}]}}, "DependsOn": "C"},
        "B": {"Type": "X"},
        "C": {"Type": "X", "Condition": "No"}
    }}));
    let graph = ResourceGraph::with(&template, &|name| Some(name == "Yes"));
    assert_eq!(graph.order(), Ok(vec!["B", "A"]));
    assert!(graph.unresolved().is_empty());
}

#[test]
fn every_packed_schema_can_be_read_and_holds_together() {
    let schemas = Schemas::embedded();
    assert_eq!(schemas.types().count(), schemas.source().types);
    for name in schemas.types() {
        let schema = schemas.get(name).unwrap_or_else(|| panic!("{name} can't be read"));
        for required in schema.required() {
            assert!(schema.property(required).is_some(), "{name} requires {required}");
        }
    }
}

/// Every pattern in the schemas, once.
fn patterns() -> BTreeSet<String> {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, item) in map {
                    match (key.as_str(), item) {
                        ("pattern", Value::String(pattern)) => drop(found.insert(pattern.clone())),
                        ("patternProperties", Value::Object(patterns)) => found.extend(patterns.keys().cloned()),
                        _ => {}
                    }
                    collect(item, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/cloudformation");
    for entry in std::fs::read_dir(folder).expect("the schemas") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
        collect(&serde_json::from_str(&text).expect("JSON"), &mut found);
    }
    found
}

#[test]
fn nearly_every_pattern_of_the_schemas_can_be_checked() {
    let patterns = patterns();
    let unchecked: Vec<&String> = patterns.iter().filter(|pattern| matches(pattern, "a") == Match::Unchecked).collect();
    assert!(patterns.len() > 3000, "{}", patterns.len());
    assert!(unchecked.len() <= 56, "{} of {}: {unchecked:#?}", unchecked.len(), patterns.len());
}

#[test]
fn patterns_mean_what_their_authors_meant() {
    for (pattern, text, expected) in [
        ("^[a-z0-9-_]{3,5}$", "a-_", Match::Yes),
        ("^[a-z0-9-_]{3,5}$", "ab", Match::No),
        ("^[a-z0-9-_]{3,5}$", "abcdef", Match::No),
        ("^[\\w-.~]+$", "a-b.c~", Match::Yes),
        ("^[\\w-.~]+$", "a/b", Match::No),
        ("^(?!aws:)[a-z:]+$", "aws:x", Match::No),
        ("^(?!aws:)[a-z:]+$", "own:x", Match::Yes),
        ("^[\\p{L}\\p{N} ]*$", "Prüfung 7", Match::Yes),
        ("^[\\p{L}\\p{N} ]*$", "Test_7", Match::No),
        ("^[[a]+$", "[a[", Match::Yes),
        ("^a(?![\\s\\S])", "ab", Match::No),
        ("^\\d$", "\u{663}", Match::No),
        ("b{2,}", "abbb", Match::Yes),
        ("(?<!x)y", "y", Match::Unchecked),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
    }
}

#[test]
fn a_schema_tells_what_replaces_identifies_and_comes_out() {
    let schemas = Schemas::embedded();
    let bucket = schemas.get("AWS::S3::Bucket").expect("a bucket's schema");
    assert_eq!(bucket.primary_identifier().iter().map(ToString::to_string).collect::<Vec<_>>(), ["BucketName"]);
    assert!(bucket.create_only().iter().any(|pointer| pointer.is_at(&["BucketName"])));
    assert!(bucket.has_attribute("Arn") && !bucket.has_attribute("arn"));
    assert_eq!(bucket.tags().map(ToString::to_string).as_deref(), Some("Tags"));
    assert_eq!(bucket.in_region("us-west-2"), Some(true));
    assert_eq!(bucket.in_region("moon-1"), None);
    assert_eq!(bucket.suggest("BucketNam"), Some("BucketName"));
    assert!(schemas.get("AWS::RDS::DBInstance").expect("a schema").has_attribute("Endpoint.Address"));
    assert!(schemas.get("AWS::CloudFormation::Stack").expect("a schema").has_attribute("Outputs.Anything"));
    let custom = schemas.get("Custom::Seed").expect("a schema");
    assert!(custom.has_attribute("Whatever") && custom.required().eq(["ServiceToken"]));
    assert_eq!(schemas.suggest("AWS::S3::Buckets"), Some("AWS::S3::Bucket"));
    assert!(schemas.get("AWS::CodeWhisperer::Profile").is_none());
    let region = schemas.get("AWS::DeviceFarm::Project").expect("a schema");
    assert_eq!(region.regions().collect::<Vec<_>>(), ["us-west-2"]);
}

/// The realistic templates under `tests/fixtures/templates`, by file name.
fn fixtures() -> BTreeMap<String, Template> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/templates");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let template = Template::parse(&std::fs::read_to_string(&path).expect("text"));
        found.insert(name.clone(), template.unwrap_or_else(|findings| panic!("{name}: {findings:?}")));
    }
    found
}

#[test]
fn good_templates_have_no_finding() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 15, "{}", fixtures.len());
    let mut all = Vec::new();
    for (name, template) in fixtures {
        all.extend(validate(&template, Some("us-west-2")).into_iter().map(|finding| (name.clone(), finding)));
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn loops_come_out_as_what_they_make() {
    let template = template(json!({
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {"Names": {"Type": "CommaDelimitedList", "Default": "One,Two-x"}, "Keep": {"Type": "String", "Default": "Retain"}},
        "Mappings": {"Sizes": {"One": {"list": ["a", "b"]}}},
        "Resources": {
            "Fn::ForEach::Topics": ["Name", {"Ref": "Names"}, {
                "Topic&{Name}": {
                    "Type": "AWS::SNS::Topic",
                    "DeletionPolicy": {"Ref": "Keep"},
                    "Properties": {"TopicName": {"Fn::Sub": "${Name}-${AWS::Region}"}, "DisplayName": {"Ref": "Name"}}
                }
            }],
            "Alarm": {"Type": "X", "Properties": {
                "Fn::ForEach::P": ["P", ["A", "B"], {"Prop${P}": {"Fn::GetAtt": [{"Fn::Sub": "Topic${P}"}, "TopicArn"]}}]
            }}
        },
        "Outputs": {
            "Fn::ForEach::Outer": ["X", ["One"], {
                "Fn::ForEach::Inner": ["Y", {"Fn::FindInMap": ["Sizes", {"Ref": "X"}, "list"]}, {"O${X}${Y}": {"Value": {"Ref": {"Fn::Sub": "Topic${X}"}}}}]
            }]
        }
    }));
    let environment = Environment::new("123456789012", "us-west-2", "stack");
    let values = BTreeMap::from([("Names".to_owned(), "One,Two-x,3".to_owned())]);
    let made = expand(&template, &values, &environment).expect("a template");
    assert_eq!(
        made.resources().map(|resource| resource.logical_id).collect::<Vec<_>>(),
        ["TopicOne", "TopicTwox", "Topic3", "Alarm"]
    );
    let made = settle_policies(&made, &values, &environment).expect("policies that are known");
    let second = made.resource("TopicTwox").expect("the second topic");
    assert_eq!(second.deletion_policy(), Some("Retain"));
    assert_eq!(
        second.properties(),
        json!({"TopicName": {"Fn::Sub": "Two-x-${AWS::Region}"}, "DisplayName": "Two-x"}).as_object()
    );
    assert_eq!(
        made.resource("Alarm").and_then(|alarm| alarm.properties()),
        json!({"PropA": {"Fn::GetAtt": ["TopicA", "TopicArn"]}, "PropB": {"Fn::GetAtt": ["TopicB", "TopicArn"]}})
            .as_object()
    );
    let outputs: Vec<(&str, &Value)> = made.outputs().map(|output| (output.name, output.value())).collect();
    assert_eq!(outputs, [("OOnea", &json!({"Ref": "TopicOne"})), ("OOneb", &json!({"Ref": "TopicOne"}))]);
}

#[test]
fn loops_that_can_not_come_out_say_why() {
    let environment = Environment::new("123456789012", "us-west-2", "stack");
    let topic = json!({"Type": "AWS::SNS::Topic"});
    let mut many = json!({"T": topic});
    for level in 0..8 {
        many =
            json!({format!("Fn::ForEach::L{level}"): [format!("V{level}"), ["a", "b", "c", "d", "e", "f", "g"], many]});
    }
    for (resources, code, part) in [
        (json!({"Fn::ForEach::A": ["N", ["x", "y"], {"Same": topic}]}), "T112", "makes `Same` twice"),
        (json!({"Fn::ForEach::A": ["N", ["x"]]}), "T112", "takes a list of the name"),
        (json!({"Fn::ForEach::A": ["N", {"Ref": "None"}, {"T${N}": topic}]}), "T112", "known before the stack exists"),
        (json!({"Fn::ForEach::A": ["N", {"Ref": "List"}, {"T${N}": topic}]}), "T110", "[List] must have values"),
        (many, "T112", "makes `T` twice"),
    ] {
        let template = template(json!({
            "Transform": "AWS::LanguageExtensions",
            "Parameters": {"List": {"Type": "CommaDelimitedList"}},
            "Resources": resources
        }));
        let problem = expand(&template, &BTreeMap::new(), &environment).expect_err("a problem");
        assert_eq!(problem.code, code, "{problem}");
        assert!(problem.message.contains(part), "{problem}");
    }
}
