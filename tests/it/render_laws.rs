//! What holds of every rendering, whatever an author writes.

use std::collections::BTreeMap;

use bedplate::cfn::intrinsics::{Answer, Problem, Resolver, resolve};
use bedplate::cfn::{Template, validate};
use bedplate::finding::has_errors;
use bedplate::render::{Partials, render};
use bedplate::spec::{self, Piece, Reference, Text};
use bedplate::yaml;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::render::{DEV, movie_poster};

/// The same value with the keys of every object in another order.
fn shuffled(value: &Value, seed: u64) -> Value {
    match value {
        Value::Object(members) => {
            let mut entries: Vec<(&String, &Value)> = members.iter().collect();
            let key =
                |text: &str| text.bytes().fold(seed, |sum, byte| sum.rotate_left(7).wrapping_mul(31) ^ u64::from(byte));
            entries.sort_by_key(|(name, _)| key(name));
            Value::Object(entries.into_iter().map(|(name, member)| (name.clone(), shuffled(member, seed))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| shuffled(item, seed)).collect()),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_keys_does_not_show(seed in any::<u64>()) {
        let original = movie_poster();
        let text = yaml::emit(&shuffled(&original.document, seed));
        let loaded = spec::load_text(&text, &original.dir, "usecase.yaml").expect("a spec");
        let (one, other) = (
            render(&original, &DEV, Partials::embedded()).expect("a template"),
            render(&loaded, &DEV, Partials::embedded()).expect("a template"),
        );
        prop_assert_eq!(one.template.to_json(), other.template.to_json());
        prop_assert_eq!(one.template.to_yaml(), other.template.to_yaml());
        prop_assert_eq!(one.tags, other.tags);
    }
}

/// Text as unkind as an author's could be.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[\\x00-\\x1f\\x7f-\\x9f\u{2028}\u{2029}\u{feff}\u{1f600}]{0,4}",
        prop::sample::select(vec![
            "\"",
            "'",
            "\n",
            "\r\n",
            "{{",
            "}}",
            "{{json x}}",
            "{{{x}}}",
            "$${",
            "$",
            "}",
            "${stage}",
            "${region}",
            "${account}",
            "${buckets.b}",
            "${buckets.b.arn}",
            "${functions.f.arn}",
            "${models.m}",
            "${apis.a}",
            ": ",
            "- ",
            "#",
            " #",
            "|",
            ">-",
            "&a",
            "*a",
            "!Ref x",
            "---",
            "%",
            "@",
            "`",
            "\\",
            "\\u0000",
            "<<",
            "null",
            "~",
            "yes",
            "0x10",
            "1e3",
            "2012-10-17",
            "{\"Ref\": \"x\"}",
            "Fn::Sub",
            "[",
            "]",
            "{",
            ",",
            "\t",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// A description is no text with references: it is what it is.
fn described() -> impl Strategy<Value = Option<String>> {
    prop::option::of(nasty())
}

prop_compose! {
    fn specs()(
        description in described(),
        bucket in prop_oneof![Just(json!({})), Just(json!({ "expire-after": "3d", "versioning": true })), Just(json!({ "name": "b-${stage}" }))],
        function_description in described(),
        layer_description in described(),
        api_description in described(),
        parameter_description in described(),
        default in prop::option::of(nasty()),
        environment in prop::collection::btree_map("[A-Z][A-Z0-9_]{1,5}", nasty(), 0..4),
        output in nasty(),
        uses in prop::collection::vec(prop::sample::select(vec![
            json!({ "invoke": "models.m" }), json!({ "read": "buckets.b" }), json!({ "write": "buckets.b/x/" }),
            json!({ "read-write": "buckets.b" }),
            json!({ "statement": { "actions": ["translate:TranslateText"], "resources": ["${buckets.b.arn}/*"], "reason": "it must" } }),
        ]), 0..4),
        field in nasty(),
        request in nasty(),
        proxy in any::<bool>(),
        parameter_name in "[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4})?",
        arm in any::<bool>(),
    ) -> Value {
        let architecture = if arm { "arm64" } else { "x86_64" };
        let mut route = json!({ "function": "f", "require": { "query": ["q"] } });
        if !proxy {
            route["request"] = json!({ field: format!("{request}${{query.q}}"), "n": "${header.h} ${path.id}" });
        }
        let mut value = json!({
            "bedplate": 1,
            "name": "x",
            "models": { "m": { "id": "us.amazon.nova-2-lite-v1:0" } },
            "parameters": { parameter_name.clone(): {} },
            "buckets": { "b": bucket },
            "layers": { "l": { "requirements": ["boto3>=1.35"], "runtimes": ["python3.13"], "architecture": architecture } },
            "functions": { "f": {
                "code": "function/", "handler": "app.handler", "runtime": "python3.13", "architecture": architecture,
                "layers": ["l"], "environment": environment, "uses": uses,
            } },
            "apis": { "a": { "kind": "rest", "routes": [{ "GET /things/{id}": route }] } },
            "outputs": { "said": output, "given": format!("${{parameters.{parameter_name}}}") },
        });
        for (pointer, key, text) in [
            ("", "description", description),
            ("/functions/f", "description", function_description),
            ("/layers/l", "description", layer_description),
            ("/apis/a", "description", api_description),
            (&*format!("/parameters/{parameter_name}"), "description", parameter_description),
            (&*format!("/parameters/{parameter_name}"), "default", default),
        ] {
            if let (Some(text), Some(Value::Object(target))) = (text, value.pointer_mut(pointer)) {
                target.insert(key.to_owned(), json!(text));
            }
        }
        value
    }
}

/// Gives every reference a text of its own.
struct Names;

impl Resolver for Names {
    fn reference(&self, name: &str) -> Result<Answer, Problem> {
        Ok(Answer::from(format!("<{name}>")))
    }
    fn attribute(&self, id: &str, attribute: &str) -> Result<Answer, Problem> {
        Ok(Answer::from(format!("<{id}.{attribute}>")))
    }
    fn import(&self, name: &str) -> Result<Answer, Problem> {
        Ok(Answer::from(name))
    }
    fn condition(&self, _: &str) -> Result<bool, Problem> {
        Ok(true)
    }
    fn mapping(&self, _: &str, _: &str, _: &str) -> Result<Option<Value>, Problem> {
        Ok(None)
    }
    fn zones(&self, region: &str) -> Result<Answer, Problem> {
        Ok(Answer::from(region))
    }
}

/// What a text of the spec must come to when every reference gives its own name.
fn expected(source: &str) -> String {
    let pieces = Text::new(source).pieces().expect("a text the spec took");
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text,
            Piece::Reference(Reference::Stage) => "dev".to_owned(),
            Piece::Reference(Reference::Region) => "<AWS::Region>".to_owned(),
            Piece::Reference(Reference::Account) => "<AWS::AccountId>".to_owned(),
            Piece::Reference(Reference::Parameter(name)) => panic!("{name} is no part of these texts"),
            Piece::Reference(Reference::Component { section, attribute, .. }) => match (section.as_str(), attribute) {
                ("buckets", None) => "<BBucket>".to_owned(),
                ("buckets", Some(_)) => "<BBucket.Arn>".to_owned(),
                ("functions", _) => "<FFunction.Arn>".to_owned(),
                ("models", _) => "us.amazon.nova-2-lite-v1:0".to_owned(),
                _ => "https://<AApi>.execute-api.<AWS::Region>.<AWS::URLSuffix>/dev".to_owned(),
            },
            Piece::Reference(other) => panic!("{other:?} is no part of these texts"),
        })
        .collect()
}

fn comes_to(template: &Template, pointer: &str) -> Option<Value> {
    template.value().pointer(pointer).map(|value| resolve(value, &Names).expect("resolves"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_loads_renders_validates_and_comes_through_intact(value in specs()) {
        // Some of these the language itself refuses, with a code and a place; those are not for rendering.
        let Ok(loaded) = spec::load_str(&yaml::emit(&value), "usecase.yaml") else { return Ok(()) };
        let rendered = match render(&loaded, &DEV, Partials::embedded()) {
            Ok(rendered) => rendered,
            Err(findings) => {
                prop_assert!(findings.iter().all(|it| it.code == "R010" || it.code == "R021"), "{:?}", findings);
                return Ok(());
            }
        };
        let findings = validate(&rendered.template, Some("us-west-2"));
        prop_assert!(!has_errors(&findings), "{:?}", findings);
        for text in [rendered.template.to_json(), rendered.template.to_yaml()] {
            prop_assert_eq!(&yaml::parse_cloudformation(&text).expect("reads back").value, rendered.template.value());
        }

        let spec = &loaded.spec;
        let at = |pointer: &str| comes_to(&rendered.template, pointer);
        for (pointer, text) in [
            ("/Description", Some(spec.description.clone().unwrap_or_else(|| "The use case x".to_owned()))),
            ("/Resources/FFunction/Properties/Description", spec.functions["f"].description.clone()),
            ("/Resources/AApi/Properties/Description", spec.apis["a"].description.clone()),
            ("/Resources/LLayer/Properties/Description", Some(spec.layers["l"].description.clone().unwrap_or_else(|| "boto3>=1.35".to_owned()))),
        ] {
            // An empty description is none.
            let text = text.filter(|text| !text.is_empty());
            prop_assert_eq!(at(pointer).filter(|it| it != ""), text.map(Value::String), "{}", pointer);
        }
        let variables: BTreeMap<String, Value> = spec.functions["f"].environment.iter()
            .map(|(name, text)| (name.clone(), Value::String(expected(text.source())))).collect();
        let given = at("/Resources/FFunction/Properties/Environment/Variables").unwrap_or_else(|| json!({}));
        prop_assert_eq!(given, json!(variables));
        prop_assert_eq!(at("/Outputs/Said/Value"), Some(Value::String(expected(spec.outputs["said"].source()))));
        let (_, parameter) = spec.parameters.first_key_value().expect("one");
        let (_, rendered_parameter) = rendered.template.section("Parameters").and_then(|it| it.iter().next_back()).expect("one");
        prop_assert_eq!(rendered_parameter.get("Default").and_then(Value::as_str), parameter.default.as_deref());
    }
}

/// The law above says nothing about specs that do not load, so most of those it is tried on must.
#[test]
fn most_specs_of_the_law_render() {
    let mut runner = TestRunner::deterministic();
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut whole = 0;
    for _ in 0..60 {
        let value = specs().new_tree(&mut runner).expect("a spec").current();
        let loaded = spec::load_str(&yaml::emit(&value), "usecase.yaml");
        match loaded.and_then(|loaded| render(&loaded, &DEV, Partials::embedded())) {
            Ok(_) => whole += 1,
            Err(findings) => findings.iter().for_each(|it| *codes.entry(it.code.as_str()).or_default() += 1),
        }
    }
    assert!(whole > 45, "{whole} of 60: {codes:?}");
}
