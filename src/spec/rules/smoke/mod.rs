//! Smoke tests: each tries something the spec has, and expects something that can be checked.
//!
//! | file | holds |
//! | --- | --- |
//! | `call` | `call`: API, route and method; what is sent with it |
//! | `chat` | `chat`: an agent or a WebSocket API; what is said |
//! | `expect` | what must come back |
//! | `targets` | the component that is tried, and what is said to it |

mod call;
mod chat;
mod expect;
mod targets;

use crate::finding::code;
use serde_json::Value;

use self::targets::{check_text_length, component};
use crate::spec::rules::context::Rules;
use crate::spec::types::SmokeTest;
use crate::spec::words::{cut, suggest};

/// What a test may try, with the other keys that go with it and the expectations.
const KINDS: [TestKind; 5] = [
    TestKind {
        key: "call",
        keys: &["headers", "api-key", "payload", "expect"],
        expectations: &["status", "headers", "body", "json", "image", "within"],
    },
    TestKind {
        key: "invoke",
        keys: &["payload", "expect"],
        expectations: &["status", "body", "json", "image", "within"],
    },
    TestKind { key: "retrieve", keys: &["query", "expect"], expectations: &["text", "sources", "passages", "within"] },
    TestKind { key: "chat", keys: &["turns"], expectations: &[] },
    // Over a WebSocket API.
    TestKind { key: "chat", keys: &["headers", "turns", "expect"], expectations: &["status"] },
];

struct TestKind {
    key: &'static str,
    keys: &'static [&'static str],
    expectations: &'static [&'static str],
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let (spec, document) = (rules.spec, rules.document);
    for (index, test) in spec.smoke.iter().enumerate() {
        let base = format!("/smoke/{index}");
        if rules.is_full() {
            return;
        }
        if rules.intact(&base)
            && let Some(written) = document.pointer(&base)
        {
            check_test(rules, &base, test, written);
        }
    }
}

fn check_test(rules: &mut Rules<'_>, base: &str, test: &SmokeTest, written: &Value) {
    let socket = written.get("chat").and_then(Value::as_str).is_some_and(|target| target.starts_with("apis."));
    let fits = |kind: &&TestKind| kind.key != "chat" || kind.keys.contains(&"headers") == socket;
    let kinds: Vec<&TestKind> = KINDS.iter().filter(|kind| written.get(kind.key).is_some()).filter(fits).collect();
    let [kind] = kinds.as_slice() else { return not_one(rules, base, &kinds) };
    if !goes_together(rules, base, kind, written) {
        return;
    }
    let at = format!("{base}/{}", kind.key);
    if let Some(text) = &test.call {
        call::call(rules, &at, text, test.expect.status);
        call::sent(rules, base, test);
    } else if let Some(target) = &test.invoke {
        invoke(rules, &at, target);
    } else if let Some(target) = &test.retrieve {
        component(rules, &at, "knowledge-bases", target);
        match &test.query {
            None => {
                let message = "a `retrieve` without a `query` searches for nothing".to_owned();
                rules.error(code::S036, base, message, "add `query: …`, the question to search for");
            }
            Some(query) => check_text_length(rules, &format!("{base}/query"), query, 20_000),
        }
    } else if let Some(target) = &test.chat {
        chat::chat(rules, base, target, test);
    }
    expect::check(rules, &format!("{base}/expect"), &test.expect);
}

fn not_one(rules: &mut Rules<'_>, base: &str, kinds: &[&TestKind]) {
    if let [first, second, ..] = kinds {
        let message = format!("a smoke test has both `{}` and `{}`", first.key, second.key);
        return rules.error(code::S036, base, message, "make two tests of it");
    }
    let message = "a smoke test has none of `call`, `invoke`, `retrieve` and `chat`".to_owned();
    let help = "add `call: GET apis.NAME /path`, `invoke: functions.NAME`, `retrieve: knowledge-bases.NAME`, \
                `chat: agents.NAME` or `chat: apis.NAME`";
    rules.error(code::S036, base, message, help);
}

/// Whether every key goes with what is tried; what does not is told.
fn goes_together(rules: &mut Rules<'_>, base: &str, kind: &TestKind, written: &Value) -> bool {
    let own = |value: Option<&Value>| -> Vec<String> {
        value.and_then(Value::as_object).map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let mut wrong = Vec::new();
    for key in own(Some(written)).iter().filter(|key| *key != kind.key && !kind.keys.contains(&key.as_str())) {
        let help = match (kind.key, key.as_str()) {
            ("chat", "expect") => "say what must come back in each turn: `{ say: …, expect: { text: … } }`".to_owned(),
            _ => suggest("", kind.keys.iter().copied(), &format!("with `{}` go", kind.key)),
        };
        wrong.push((format!("{base}/{key}"), format!("`{key}` does not go with `{}`", kind.key), help));
    }
    if kind.keys.contains(&"expect") {
        for key in own(written.get("expect")).iter().filter(|key| !kind.expectations.contains(&key.as_str())) {
            let help = suggest("", kind.expectations.iter().copied(), &format!("of `{}` one can expect", kind.key));
            wrong.push((format!("{base}/expect/{key}"), format!("a `{}` gives no `{key}`", kind.key), help));
        }
    }
    let fits = wrong.is_empty();
    for (pointer, message, help) in wrong {
        rules.error_at_key(code::S050, &pointer, message, help);
    }
    fits
}

fn invoke(rules: &mut Rules<'_>, pointer: &str, target: &str) {
    if let Some(id) = target.strip_prefix("resources.") {
        // What a template made elsewhere holds is known when it has been read.
        if rules.document.get("template").is_some() {
            return;
        }
        let resource = rules.spec.resources.get(id);
        if !rules.has("resources", id) {
            let help = rules.suggest_name("resources", id);
            rules.error(code::S036, pointer, format!("there is no resource `{}`", cut(id)), help);
        } else if let Some(resource) = resource.filter(|resource| resource.type_ != "AWS::Lambda::Function") {
            let message = format!("`{}` is of type `{}` and cannot be invoked", cut(id), cut(&resource.type_));
            rules.error(code::S036, pointer, message, "name one of type `AWS::Lambda::Function`");
        }
        return;
    }
    component(rules, pointer, "functions", target);
}
