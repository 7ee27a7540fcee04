//! The specs that are shipped, read by PyYAML: whatever else reads them reads the same.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::rendered::examples;
use crate::support::{judges, repository};

/// Reads documents as PyYAML does; dates and times are told as such, since JSON has none.
const SCRIPT: &str = "import json, sys, yaml
def told(value):
    if isinstance(value, dict):
        return {k if isinstance(k, str) else 'not text: %r' % (k,): told(v) for k, v in value.items()}
    if isinstance(value, list):
        return [told(v) for v in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else 'not JSON: %r' % (value,)
def read(text):
    try:
        return told(yaml.safe_load(text))
    except yaml.YAMLError as error:
        return 'not YAML: %s' % error
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
";

/// Every spec that is shipped: its name and its text.
fn specs() -> Vec<(String, String)> {
    let text = |path: &str| std::fs::read_to_string(repository().join(path)).expect("a spec");
    let mut paths = vec!["src/cli/new/starter/usecase.yaml".to_owned()];
    for entry in std::fs::read_dir(repository().join("stacks")).expect("the use cases") {
        paths.push(format!("stacks/{}/usecase.yaml", entry.expect("an entry").file_name().to_string_lossy()));
    }
    for entry in std::fs::read_dir(repository().join("tests/fixtures")).expect("the fixtures") {
        let path = format!("tests/fixtures/{}/usecase.yaml", entry.expect("an entry").file_name().to_string_lossy());
        if repository().join(&path).exists() {
            paths.push(path);
        }
    }
    paths.sort();
    let mut specs: Vec<_> = paths.into_iter().map(|path| (path.clone(), text(&path))).collect();
    specs.extend(examples().into_iter().map(|example| (format!("{}:{}", example.page, example.line), example.text)));
    specs
}

#[test]
fn pyyaml_reads_every_spec_that_is_shipped_as_this_program_does() {
    let python = judges();
    let specs = specs();
    assert!(specs.len() >= 30, "{}", specs.len());
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("Python runs");
    let texts = json!(specs.iter().map(|(_, text)| text).collect::<Vec<_>>()).to_string();
    child.stdin.take().expect("a pipe").write_all(texts.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let read: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut wrong = Vec::new();
    for ((name, text), theirs) in specs.iter().zip(&read) {
        let ours = bedplate::yaml::parse(text).unwrap_or_else(|error| panic!("{name}: {error}")).value;
        if ours != *theirs {
            wrong.push(format!("{name}: {}", difference(&ours, theirs, String::new())));
        }
    }
    assert!(wrong.is_empty(), "read otherwise by PyYAML:\n{}", wrong.join("\n"));
}

/// The first place where two documents differ.
fn difference(ours: &Value, theirs: &Value, at: String) -> String {
    match (ours, theirs) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            let differs = one.iter().find(|(key, value)| other.get(*key) != Some(value));
            differs.map_or(at.clone(), |(key, value)| difference(value, &other[key], format!("{at}/{key}")))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let differs = one.iter().zip(other).enumerate().find(|(_, (one, other))| one != other);
            differs.map_or(at.clone(), |(index, (one, other))| difference(one, other, format!("{at}/{index}")))
        }
        _ => format!("{at} is {ours} here and {theirs} there"),
    }
}
