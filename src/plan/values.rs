//! Values as a plan shows them: short, and never a secret.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cfn::Template;

/// What stands for the value of a `NoEcho` parameter, here as in CloudFormation's own answers.
pub(super) const HIDDEN: &str = "****";
/// A value longer than this is shortened: a plan is read by people, and the whole is in the template.
const LONGEST: usize = 200;
/// A secret shorter than this is not searched for in other texts: it would turn up everywhere.
const SHORTEST_SECRET: usize = 4;

/// Values that must not be shown: those of `NoEcho` parameters.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// The values of a template's `NoEcho` parameters.
    pub fn from_parameters(template: Option<&Template>, parameters: &BTreeMap<String, String>) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in parameters {
            if is_secret(template, name) && value.chars().count() >= SHORTEST_SECRET {
                secrets.push(value.clone());
            }
        }
        // The longest first, lest one secret that is part of another leaves the rest of it standing.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// The text without any of them.
    pub fn redact(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.0 {
            if shown.contains(secret.as_str()) {
                shown = shown.replace(secret.as_str(), HIDDEN);
            }
        }
        shown
    }

    /// The text without any of them, shortened.
    pub(super) fn show(&self, text: &str) -> String {
        shorten(self.redact(text))
    }
}

/// Whether a template hides a parameter's value.
pub(super) fn is_secret(template: Option<&Template>, name: &str) -> bool {
    template.and_then(|template| template.parameter(name)).is_some_and(|parameter| parameter.no_echo())
}

/// Text for a value: a string as it is, anything else as JSON.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn shorten(text: String) -> String {
    if text.chars().count() <= LONGEST {
        return text;
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_wherever_it_turns_up() {
        let parameters =
            serde_json::json!({ "Key": { "Type": "String", "NoEcho": true }, "Name": { "Type": "String" } });
        let template = Template::from_value(
            serde_json::json!({ "Parameters": parameters, "Resources": { "Q": { "Type": "AWS::SQS::Queue" } } }),
        );
        let template = template.expect("a template");
        let parameters = BTreeMap::from([("Key".into(), "sesame".into()), ("Name".into(), "plain".into())]);
        let secrets = Secrets::from_parameters(Some(&template), &parameters);
        assert_eq!(secrets.show("open sesame, plain"), "open ****, plain");
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        assert_eq!(Secrets::default().show(&"é".repeat(500)).chars().count(), LONGEST + 1);
    }
}
