//! The mapping templates that are rendered, carried out as API Gateway carries them out.

use bedplate::local::velocity;
use bedplate::render::{Partials, RenderOptions, render};
use bedplate::spec;
use proptest::prelude::*;

use super::*;

/// The request template of the only method of a spec.
fn template(request: &str) -> String {
    let text = format!(
        "bedplate: 1\nname: x\nfunctions:\n  f: {{ code: f/, handler: app.handler, runtime: python3.13 }}\napis:\n  a:\n    kind: rest\n    routes:\n      - POST /x/{{id}}:\n          function: f\n          request: {request}\n"
    );
    let loaded = spec::load_str(&text, "usecase.yaml").expect("a spec");
    let options = RenderOptions { stage: "dev", region: None };
    let rendered = render(&loaded, &options, Partials::embedded()).expect("a template");
    let value: Value = serde_json::from_str(&rendered.template.to_json()).expect("JSON");
    let resources = value["Resources"].as_object().expect("resources").clone();
    let method =
        resources.values().find(|it| it["Type"] == json!("AWS::ApiGateway::Method")).expect("a method").clone();
    method["Properties"]["Integration"]["RequestTemplates"]["application/json"].as_str().expect("a text").to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_rendered_template_gives_json_whatever_a_caller_sends(
        prompt in any::<String>(),
        nasty in "['\"\\\\/$#{}\\[\\]().\n\r\t a\u{1f600}\u{0}\u{7f}]{0,30}",
        body in prop_oneof![Just(json!({ "a": ["'\"\\"] })), any::<String>().prop_map(|text| json!(text))],
    ) {
        static TEMPLATE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let template = TEMPLATE.get_or_init(|| template(
            "{ prompt: '${query.prompt}', mixed: 'it''s $100 #1 ${header.x-h}/${path.id}', body: '${body}', raw: 'got ${body}' }",
        ));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let input = velocity::Input {
            body: body.to_string(),
            path: vec![pair("id", &nasty)],
            querystring: vec![pair("prompt", &prompt)],
            header: vec![pair("x-h", &nasty)],
            ..velocity::Input::default()
        };
        let text = velocity::render(template, &input).expect("a rendering").text;
        let event: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        prop_assert_eq!(event, json!({
            "prompt": prompt, "mixed": format!("it's $100 #1 {nasty}/{nasty}"), "body": body, "raw": format!("got {body}"),
        }));
    }
}
