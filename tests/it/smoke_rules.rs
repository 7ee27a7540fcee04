//! What the language refuses of smoke tests, as a user could see it.

use bedplate::finding::Finding;
use bedplate::spec;

/// A spec with one of each that can be tried, and the smoke tests given, which begin on line 30.
fn findings(smoke: &str) -> Vec<Finding> {
    let text = format!(
        "bedplate: 1
name: x
models:
  words: {{ id: \"amazon.nova-lite-v1:0\" }}
  vectors: {{ id: \"amazon.titan-embed-text-v2:0\", output: embedding, dimensions: 1024 }}
buckets:
  texts: {{}}
secrets:
  token: {{}}
parameters:
  key: {{ secret: true }}
functions:
  f: {{ code: f/, handler: app.handler, runtime: python3.13 }}
resources:
  Queue: {{ Type: \"AWS::SQS::Queue\" }}
apis:
  web:
    kind: rest
    cors: {{ origins: [\"*\"] }}
    usage-plans: {{ all: {{ keys: [first] }} }}
    routes: [{{ GET /a: {{ function: f, api-key: true }} }}]
  talk: {{ kind: websocket, routes: [{{ $default: {{ function: f }} }}] }}
knowledge-bases:
  base: {{ embedding: vectors, description: All that is known, sources: {{ texts: {{ bucket: texts }} }} }}
agents:
  core: {{ model: words, instruction: {INSTRUCTION}, tools: {{ look: {{ function: f, operations: {{ one: {{ description: Gives one }} }} }} }} }}
  old: {{ model: words, engine: classic, instruction: {INSTRUCTION} }}

smoke:
{smoke}
"
    );
    match spec::load_str(&text, "usecase.yaml") {
        Ok(loaded) => loaded.warnings,
        Err(findings) => findings,
    }
}

const INSTRUCTION: &str = "You are a friendly assistant who looks things up for people";

/// Code and line of each finding, and all that is said.
fn codes(smoke: &str) -> (Vec<(&'static str, usize)>, String) {
    let findings = findings(smoke);
    let said = findings.iter().map(|it| format!("{it} {}\n", it.help.as_deref().unwrap_or_default())).collect();
    (findings.iter().map(|it| (it.code.as_str(), it.place.as_ref().map_or(0, |place| place.line))).collect(), said)
}

#[test]
fn every_kind_with_every_expectation_is_taken() {
    let (codes, said) = codes(
        r#"  - call: "GET apis.web /a?one=two\nlines"
    headers: { authorization: "Bearer ${secrets.token}", x-plain: yes }
    api-key: first
    expect:
      status: 200
      headers: { content-type: application/json, x-b: { matches: ["a", "b"] } }
      body: { contains: [a, b], not-contains: c, matches: "^a" }
      json: { $.a: 1, "$['c'][?@.d > 1]": [1, 2], $.e: { contains: x } }
      image: png
      within: 3s
  - call: OPTIONS apis.web /a
  - invoke: functions.f
    payload: { a: 1 }
    expect: { status: 200, json: { $.a: true }, image: webp }
  - retrieve: knowledge-bases.base
    query: What is known?
    expect: { passages: 2, text: { contains: all }, sources: [a.md], within: 5s }
  - chat: agents.core
    turns: [{ say: Hi, expect: { text: { contains: Hello }, tools: [look], within: 5s } }, { say: Bye }]
  - chat: agents.old
    turns: [{ say: Hi, expect: { sources: [a.md] } }]
  - chat: apis.talk
    headers: { authorization: "Bearer ${secrets.token}", sec-websocket-protocol: chat }
    turns: [{ say: Hi, expect: { text: { contains: Hi }, json: { $.echo: { matches: "^H" } }, within: 5s } }]
  - chat: apis.talk
    expect: { status: 401 }"#,
    );
    assert!(codes.is_empty(), "{said}");
}

#[test]
fn what_is_tried_must_be_there_and_be_one_thing() {
    let (codes, said) = codes(
        "  - { invoke: functions.f, chat: agents.core, turns: [{ say: Hi }] }
  - { payload: {} }
  - { retrieve: knowledge-bases.bas, query: What? }
  - { retrieve: knowledge-bases.base }
  - { chat: agents.cor, turns: [{ say: Hi }] }
  - { chat: agents.core, turns: [] }
  - { chat: core, turns: [{ say: Hi }] }
  - { invoke: resources.Queue }
  - { invoke: resources.Nothing }
  - { chat: agents.core, turns: [{ say: ' ' }] }
  - { chat: agents.core, turns: [{ say: Hi, expect: { tools: [loook] } }] }",
    );
    let lines: Vec<(&str, usize)> = (30..=40).map(|line| ("S036", line)).collect();
    assert_eq!(codes, lines, "{said}");
    for help in ["`base`", "`agents.core`", "did you mean `core`?", "did you mean `look`?", "AWS::SQS::Queue"] {
        assert!(said.contains(help), "{help}: {said}");
    }
}

#[test]
fn what_does_not_go_with_what_is_tried_is_refused_at_its_key() {
    let (codes, said) = codes(
        "  - { invoke: functions.f, headers: { a: b } }
  - { invoke: functions.f, expect: { sources: [a.md] } }
  - { call: GET apis.web /a, expect: { passages: 1 } }
  - { retrieve: knowledge-bases.base, query: a, expect: { status: 200 } }
  - { chat: agents.core, turns: [{ say: Hi }], expect: { within: 3s } }
  - { chat: agents.core, turns: [{ say: Hi, expect: { sources: [a.md] } }] }",
    );
    let lines: Vec<(&str, usize)> = (30..=35).map(|line| ("S050", line)).collect();
    assert_eq!(codes, lines, "{said}");
    assert!(said.contains("say what must come back in each turn") && said.contains("a harness cite nothing"), "{said}");
}

#[test]
fn patterns_paths_and_texts_must_be_some() {
    let (codes, said) = codes(
        "  - { invoke: functions.f, expect: { json: { $.: 1 } } }
  - { invoke: functions.f, expect: { json: { answer: 1 } } }
  - { invoke: functions.f, expect: { json: { $.a: { matches: '(' } } } }
  - { invoke: functions.f, expect: { body: { matches: [a, '['] } } }
  - { invoke: functions.f, expect: { body: {} } }
  - { invoke: functions.f, expect: { body: { contains: '' } } }
  - { retrieve: knowledge-bases.base, query: a, expect: { sources: [''], passages: 0 } }
  - { call: GET apis.web /a, expect: { headers: { x-a: 1 } } }",
    );
    let wanted = [("S051", 30), ("S051", 31), ("S037", 32), ("S037", 33), ("S036", 34), ("S036", 35), ("S036", 36)];
    assert_eq!(codes.iter().filter(|it| **it != ("S036", 37)).copied().collect::<Vec<_>>()[..6], wanted[..6], "{said}");
    assert_eq!(codes.iter().filter(|it| it.1 == 36).count(), 2, "{said}");
    assert!(codes.contains(&("S036", 37)) && said.contains("RFC 9535"), "{said}");
}

#[test]
fn what_cannot_be_sent_is_refused_and_no_secret_parameter_goes_along() {
    let (codes, said) = codes(
        r#"  - { call: GET apis.web /a, headers: { host: example.com } }
  - { call: GET apis.web /a, headers: { "a b": c } }
  - { call: GET apis.web /a, headers: { a: "${parameters.key}" } }
  - { call: GET apis.web /a, headers: { a: "${secrets.token.arn}" } }
  - { call: GET apis.web /a, headers: { a: "one\ntwo" } }
  - { call: GET apis.web /a, api-key: frist }"#,
    );
    let lines: Vec<(&str, usize)> = (30..=35).map(|line| ("S052", line)).collect();
    assert_eq!(codes, lines, "{said}");
    assert!(said.contains("did you mean `first`?"), "{said}");
}

#[test]
fn a_value_of_another_kind_is_told_with_what_may_stand_there() {
    let (codes, said) = codes(
        "  - { invoke: functions.f, expect: { body: { contains: 7 } } }
  - { invoke: functions.f, expect: { json: { $.a: { equals: 7 } } } }
  - { invoke: functions.f, expect: { image: bmp } }",
    );
    let lines: Vec<usize> = codes.iter().map(|(_, line)| *line).collect();
    assert_eq!(lines, [30, 31, 32], "{said}");
    assert!(said.contains("takes text or a list") && said.contains("`equals` is not a key"), "{said}");
}

#[test]
fn a_chat_over_an_api_needs_a_websocket_and_expects_what_a_message_can_be() {
    let (codes, said) = codes(
        "  - { chat: apis.web, turns: [{ say: Hi }] }
  - { chat: apis.talks, turns: [{ say: Hi }] }
  - { chat: apis.talk }
  - { chat: apis.talk, turns: [{ say: Hi, expect: { sources: [a.md] } }] }
  - { chat: apis.talk, turns: [{ say: Hi, expect: { tools: [look] } }] }
  - { chat: apis.talk, payload: { a: 1 }, turns: [{ say: Hi }] }
  - { chat: apis.talk, expect: { body: { contains: a } } }
  - { chat: apis.talk, expect: { status: 200 } }
  - { chat: apis.talk, expect: { status: 401 }, turns: [{ say: Hi }] }
  - { chat: apis.talk, headers: { upgrade: x }, turns: [{ say: Hi }] }
  - { chat: apis.talk, turns: [{ say: Hi, expect: { json: { echo: 1 } } }] }
  - { chat: agents.core, turns: [{ say: Hi, expect: { json: { $.echo: 1 } } }] }
  - { chat: agents.core, headers: { a: b }, turns: [{ say: Hi }] }
  - { call: GET apis.talk / }",
    );
    let wanted = [
        "S036", "S036", "S036", "S050", "S050", "S050", "S050", "S036", "S036", "S052", "S051", "S050", "S050", "S036",
    ];
    let wanted: Vec<(&str, usize)> = wanted.into_iter().zip(30..).collect();
    assert_eq!(codes, wanted, "{said}");
    for help in ["call: GET apis.web /path", "did you mean `talk`?", "chat: apis.talk", "an agent answers in words"] {
        assert!(said.contains(help), "{help}: {said}");
    }
}
