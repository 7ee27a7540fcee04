//! What rendering itself refuses. A spec that was loaded has been held against the rules, which say the same with codes of their
//! own; one that a caller of the library changes after loading has not.

use bedplate::finding::Finding;
use bedplate::render::{Partials, render};
use bedplate::spec::{self, LoadedSpec};
use serde_json::{Value, json};

use crate::render::DEV;

const SPEC: &str = r#"bedplate: 1
name: letters
models:
  writer: { id: "amazon.nova-lite-v1:0", output: text }
  embedding: { id: "amazon.titan-embed-text-v2:0", output: embedding }
buckets: { rules: {} }
functions:
  answer: { code: function/, handler: app.handler, runtime: python3.13, uses: [{ read: buckets.rules }] }
apis:
  web: { kind: rest, routes: [{ GET /letters: { function: answer } }] }
  fast: { kind: http, routes: [{ GET /letters: { function: answer } }] }
prompts:
  letter: { model: writer, text: "Write to {{customer}}" }
flows:
  letters: { nodes: { draft: { prompt: letter, inputs: { customer: input } }, answer: { output: draft } } }
knowledge-bases:
  rules: { store: s3-vectors, embedding: embedding, sources: { all: { bucket: rules } } }
alarms:
  broken: { on: functions.answer, metric: errors, above: 0 }
agents:
  helper:
    engine: classic
    model: writer
    instruction: You help the people of the office to write letters by the rules.
    tools: { letters: { function: answer, openapi: api.yaml } }
"#;

const OPENAPI: &str = "openapi: 3.0.3
info: { title: Letters, version: 1.0.0 }
paths:
  /letters:
    get:
      operationId: listLetters
      description: Lists the letters of a customer
      responses:
        '200': { description: The letters, content: { application/json: { schema: { type: array, items: { type: string } } } } }
";

fn loaded() -> LoadedSpec {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("function")).expect("a folder");
    std::fs::write(dir.path().join("function/app.py"), "def handler(event, context):\n    return {}\n")
        .expect("a file");
    std::fs::write(dir.path().join("api.yaml"), OPENAPI).expect("a file");
    let loaded = spec::load_text(SPEC, dir.path(), "usecase.yaml").expect("a spec without findings");
    render(&loaded, &DEV, Partials::embedded()).expect("a template");
    loaded
}

/// What rendering says of the spec once one value of it, named by its JSON pointer, is another; null takes it away.
fn refused(pointer: &str, value: Value) -> Vec<Finding> {
    let mut loaded = loaded();
    let mut document = loaded.document.clone();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = document.pointer_mut(parent).and_then(Value::as_object_mut).expect("a mapping");
    if value.is_null() {
        parent.remove(key).expect("it is there");
    } else {
        parent.insert(key.to_owned(), value);
    }
    loaded.spec = serde_json::from_value(document).expect("the shape of a spec");
    render(&loaded, &DEV, Partials::embedded()).expect_err("no template")
}

#[test]
fn a_spec_changed_after_loading_is_refused_at_its_place() {
    let route = |line: &str, body: Value| json!([{ line: body }]);
    let answered = || json!({ "function": "answer" });
    for (code, pointer, value) in [
        ("R022", "/functions/answer/uses", json!([{ "read": "buckets.nowhere" }])),
        ("R022", "/functions/answer/uses", json!([{ "read": "buckets.rules/*.md" }])),
        ("R022", "/functions/answer/uses", json!([{ "invoke": "buckets.rules" }])),
        ("R024", "/apis/web/routes", route("letters", answered())),
        ("R024", "/apis/fast/routes", route("letters", answered())),
        ("R110", "/apis/web/auth", json!("nobody")),
        ("R111", "/apis/web/kind", json!("private")),
        ("R112", "/apis/web/routes", route("GET /letters", json!({}))),
        ("R112", "/apis/fast/routes", route("GET /letters", json!({}))),
        (
            "R113",
            "/apis/web/routes",
            route("PUT /letters", json!({ "function": "answer", "require": { "body": "letter" } })),
        ),
        ("R123", "/prompts/letter/text", json!("Write to {{the customer}}")),
        ("R124", "/knowledge-bases/rules/embedding", Value::Null),
        ("R124", "/knowledge-bases/rules/sources/all", json!({ "bucket": "rules", "parsing": { "by": "model" } })),
        ("R125", "/flows/letters/nodes/draft", json!({ "inputs": { "customer": "input" } })),
        ("R142", "/alarms/broken/on", json!("models.writer")),
    ] {
        let findings = refused(pointer, value);
        let found = findings.iter().find(|finding| finding.code == code);
        let found = found.unwrap_or_else(|| panic!("{code} at {pointer}: {findings:?}"));
        assert!(found.place.is_some() && found.help.is_some(), "{found:?}");
    }
}

#[test]
fn an_openapi_description_that_was_not_loaded_is_refused() {
    let mut loaded = loaded();
    loaded.files.clear();
    let findings = render(&loaded, &DEV, Partials::embedded()).expect_err("no template");
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["R130"]);
    assert_eq!(findings[0].place.as_ref().map(|place| place.line), Some(25));
}
