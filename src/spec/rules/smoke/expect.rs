//! What must come back of a smoke test: patterns that compile, paths that can be followed, bounds that can be met.

use crate::finding::code;
use std::collections::BTreeMap;

use serde_json_path::JsonPath;

use crate::spec::rules::context::Rules;
use crate::spec::rules::parameters::regular_expression;
use crate::spec::types::{Agent, Engine, Expect, ExpectText, ExpectTurn, ExpectedValue};
use crate::spec::values::Seconds;
use crate::spec::words::{cut, escape, suggest};

pub(super) fn check(rules: &mut Rules<'_>, base: &str, expect: &Expect) {
    if let Some(status) = expect.status.filter(|status| !(100..=599).contains(status)) {
        let message = format!("{status} is not an HTTP status");
        rules.error(code::S036, &format!("{base}/status"), message, "write one between 100 and 599");
    }
    if let Some(passages) = expect.passages.filter(|passages| !(1..=100).contains(passages)) {
        let message = format!("{passages} passages are never found");
        rules.error(code::S036, &format!("{base}/passages"), message, "write a number between 1 and 100");
    }
    within(rules, base, expect.within);
    for (name, wanted) in &expect.headers {
        let pointer = format!("{base}/headers/{}", escape(name));
        if !super::call::is_header_name(name) {
            let message = format!("`{}` is not the name of a header", cut(name));
            rules.error_at_key(code::S052, &pointer, message, "use letters, digits and `-`");
        }
        if let ExpectedValue::Value(value) = wanted
            && !value.is_string()
        {
            let message = format!("the value of the header `{}` is a text", cut(name));
            rules.error(code::S036, &pointer, message, "put it in quotes, or write `{ contains: … }`");
        }
        wanted_text(rules, &pointer, wanted);
    }
    json(rules, base, &expect.json);
    for (key, expected) in [("body", &expect.body), ("text", &expect.text)] {
        if let Some(expected) = expected {
            text(rules, &format!("{base}/{key}"), expected);
        }
    }
    sources(rules, base, &expect.sources);
}

pub(super) fn turn(rules: &mut Rules<'_>, base: &str, expect: &ExpectTurn) {
    within(rules, base, expect.within);
    if let Some(expected) = &expect.text {
        text(rules, &format!("{base}/text"), expected);
    }
    json(rules, base, &expect.json);
    sources(rules, base, &expect.sources);
}

/// What an agent can be expected to answer.
pub(super) fn of_agent(rules: &mut Rules<'_>, base: &str, expect: &ExpectTurn, agent: Option<&Agent>) {
    if !expect.json.is_empty() {
        let message = "an agent answers in words".to_owned();
        let help = "say what must be found in them: `text: { contains: … }`";
        rules.error_at_key(code::S050, &format!("{base}/json"), message, help);
    }
    // One that did not decode has its own finding.
    let Some(agent) = agent else { return };
    if agent.engine == Engine::Agentcore && !expect.sources.is_empty() {
        let message = "the answers of a harness cite nothing".to_owned();
        let help =
            "try the knowledge base with `retrieve: knowledge-bases.NAME`, or expect words of the document in `text`";
        rules.error_at_key(code::S050, &format!("{base}/sources"), message, help);
    }
    for (index, tool) in expect.tools.iter().enumerate() {
        if !agent.tools.contains_key(tool) {
            let message = format!("the agent has no tool `{}`", cut(tool));
            let help = suggest(tool, agent.tools.keys().map(String::as_str), "its tools are");
            rules.error(code::S036, &format!("{base}/tools/{index}"), message, help);
        }
    }
}

/// What a message of a WebSocket API can be expected to be.
pub(super) fn of_socket(rules: &mut Rules<'_>, base: &str, expect: &ExpectTurn) {
    for (key, said) in [("sources", !expect.sources.is_empty()), ("tools", !expect.tools.is_empty())] {
        if said {
            let message = format!("a message of a WebSocket API tells no `{key}`");
            let help = suggest("", ["text", "json", "within"], "of a message one can expect");
            rules.error_at_key(code::S050, &format!("{base}/{key}"), message, help);
        }
    }
}

/// The most regular expressions of a spec's smoke tests: each is compiled to see whether it is one.
const MOST_PATTERNS: usize = 500;

/// The longest JSONPath, and how deep its brackets nest: whoever reads one goes down with them.
const LONGEST_PATH: usize = 1_024;
const DEEPEST_PATH: usize = 16;

/// How many brackets are open at once, at most; those in quotes counted too.
fn deepest(path: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for c in path.chars() {
        match c {
            '(' | '[' => {
                open += 1;
                most = most.max(open);
            }
            ')' | ']' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

fn json(rules: &mut Rules<'_>, base: &str, json: &BTreeMap<String, ExpectedValue>) {
    for (path, wanted) in json {
        let pointer = format!("{base}/json/{}", escape(path));
        let problem = match () {
            () if path.len() > LONGEST_PATH => Some(format!("it has more than {LONGEST_PATH} bytes")),
            () if deepest(path) > DEEPEST_PATH => Some(format!("brackets nest more than {DEEPEST_PATH} deep in it")),
            () => JsonPath::parse(path).err().map(|error| cut(&error.to_string())),
        };
        if let Some(problem) = problem {
            let message = format!("`{}` is not a valid JSONPath: {problem}", cut(path));
            let help = "write it as RFC 9535 has it, such as `$.answer`, `$.citations[*].source` or `$['a key']`";
            rules.error_at_key(code::S051, &pointer, message, help);
        }
        wanted_text(rules, &pointer, wanted);
    }
}

fn sources(rules: &mut Rules<'_>, base: &str, sources: &[String]) {
    for (index, source) in sources.iter().enumerate() {
        if source.trim().is_empty() {
            let message = "a document has a name".to_owned();
            rules.error(code::S036, &format!("{base}/sources/{index}"), message, "write the name of its file");
        }
    }
}

fn within(rules: &mut Rules<'_>, base: &str, within: Option<Seconds>) {
    if within.is_some_and(|within| within.0 == 0) {
        let message = "nothing answers within no time".to_owned();
        rules.error(code::S036, &format!("{base}/within"), message, "write `1s` or more");
    }
}

fn wanted_text(rules: &mut Rules<'_>, pointer: &str, wanted: &ExpectedValue) {
    if let ExpectedValue::Like(expected) = wanted {
        text(rules, pointer, expected);
    }
}

fn text(rules: &mut Rules<'_>, base: &str, expected: &ExpectText) {
    if *expected == ExpectText::default() {
        let message = "nothing is expected here".to_owned();
        return rules.error(code::S036, base, message, "add `contains`, `matches` or `not-contains`");
    }
    let document = rules.document;
    // One text stands under the key itself, those of a list under their numbers.
    let each = |key: &str, index: usize| {
        let at = format!("{base}/{key}");
        if document.pointer(&at).is_some_and(serde_json::Value::is_array) { format!("{at}/{index}") } else { at }
    };
    for (index, pattern) in expected.matches.0.iter().enumerate() {
        rules.patterns += 1;
        if rules.patterns > MOST_PATTERNS || rules.is_full() {
            if rules.patterns == MOST_PATTERNS + 1 {
                let message = format!("the smoke tests have more than {MOST_PATTERNS} regular expressions");
                rules.error(
                    code::S234,
                    &each("matches", index),
                    message,
                    "expect a text with `contains` where that will do",
                );
            }
            return;
        }
        if let Err((message, help)) = regular_expression(pattern) {
            rules.error(code::S037, &each("matches", index), message, help);
        }
    }
    for (key, texts) in [("contains", &expected.contains), ("not-contains", &expected.not_contains)] {
        for (index, _) in texts.0.iter().enumerate().filter(|(_, text)| text.is_empty()) {
            let message = "no text at all is in every text".to_owned();
            rules.error(code::S036, &each(key, index), message, "write the text that is meant");
        }
    }
}
