//! Values that look like AWS credentials have no place in a spec; no finding repeats one.

use serde_json::Value;

use crate::credentials::{Credential, credentials};
use crate::finding::{Finding, Place, code};
use crate::spec::shape::MOST_FINDINGS;
use crate::spec::words::{path, push_segment};
use crate::yaml::Positions;

/// Every value or key that looks like a credential: findings, and the credentials to keep out of other findings.
pub(in crate::spec) fn secrets(document: &Value, positions: &Positions, file: &str) -> (Vec<Finding>, Vec<String>) {
    let mut found = RedactedFindings { findings: Vec::new(), secrets: Vec::new(), positions, file };
    found.walk(document, &mut String::new());
    (found.findings, found.secrets)
}

/// The finding without any of the secrets.
pub(in crate::spec) fn hide(mut finding: Finding, secrets: &[String]) -> Finding {
    for secret in secrets {
        finding.message = without(&finding.message, secret);
        finding.help = finding.help.map(|help| without(&help, secret));
    }
    finding
}

/// A text without a secret, or without the head of it where the text was cut short.
fn without(text: &str, secret: &str) -> String {
    let text = text.replace(secret, "…");
    let heads = (1..secret.len()).rev().filter_map(|length| secret.get(..length));
    heads.fold(text, |text, head| match text.contains('…') {
        true => text.replace(&format!("{head}…"), "…"),
        false => text,
    })
}

struct RedactedFindings<'a> {
    findings: Vec<Finding>,
    secrets: Vec<String>,
    positions: &'a Positions,
    file: &'a str,
}

impl RedactedFindings<'_> {
    fn walk(&mut self, value: &Value, pointer: &mut String) {
        let length = pointer.len();
        match value {
            Value::String(text) => self.text(text, pointer),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                    self.walk(item, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    push_segment(pointer, key);
                    self.text(key, pointer);
                    self.walk(item, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str, pointer: &str) {
        for (word, kind) in credentials(text) {
            let what = match kind {
                Credential::AccessKeyId => "an AWS access key id",
                Credential::SecretAccessKey => "an AWS secret access key",
            };
            if self.findings.len() >= MOST_FINDINGS {
                return;
            }
            self.secrets.push(word.to_owned());
            let at = self.positions.at(pointer);
            let place = at.map(|(line, column)| Place { file: self.file.to_owned(), line, column });
            let parent = path(pointer);
            let message = format!("`{parent}` holds what looks like {what}");
            let help = "take it out, and revoke it if it was ever shared: a function has its role and needs no keys; \
                        for other secrets use a parameter with `secret: true`";
            self.findings.push(Finding::error(code::S044, message).at(place).help(help));
        }
    }
}
