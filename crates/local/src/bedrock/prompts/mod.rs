//! Managed prompts: texts with variables that stacks made, called by their ARN; `describe` is how the API shows them.

mod describe;

use std::cell::Cell;

use rusqlite::Connection;
use serde_json::Value;

use super::answer::{invalid, missing};
use super::text::{Turn, TurnRole};
use crate::ground::ApiError;
use crate::ground::resource_table;

pub(super) use describe::{get, list};

/// A prompt's default variant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prompt {
    /// The model it names.
    pub model: String,
    /// The ARN without a version, as IAM knows it.
    pub arn: String,
    variant: Value,
}

/// The prompt of an ARN; without a version it is the draft.
///
/// # Errors
///
/// When there is none, or it names no model.
pub(super) fn find(db: &Connection, region: &str, arn: &str) -> Result<Prompt, ApiError> {
    let none = || missing("Could not find the prompt. Check that the prompt identifier and its version are correct.");
    let tail = arn.rsplit_once(":prompt/").map(|(_, tail)| tail).unwrap_or_default();
    let (id, version) = match tail.split_once(':') {
        Some((id, version)) => (id, Some(version)),
        None => (tail, None),
    };
    let base =
        arn.strip_suffix(version.map(|version| format!(":{version}")).unwrap_or_default().as_str()).unwrap_or(arn);
    let draft = || resource_table::find(db, "AWS::Bedrock::Prompt", region, base);
    let properties = match version {
        Some(version) if version != "DRAFT" => {
            let thing = resource_table::find(db, "AWS::Bedrock::PromptVersion", region, arn)?.ok_or_else(none)?;
            match thing.state {
                Value::Object(_) => thing.state,
                _ => draft()?.ok_or_else(none)?.properties,
            }
        }
        _ => draft()?.ok_or_else(none)?.properties,
    };
    let variants = properties.get("Variants").and_then(Value::as_array);
    let wanted = properties.get("DefaultVariant").and_then(Value::as_str);
    let named = |variant: &&Value| wanted.is_none() || variant.get("Name").and_then(Value::as_str) == wanted;
    let variant = variants
        .into_iter()
        .flatten()
        .find(named)
        .cloned()
        .ok_or_else(|| invalid(format!("The prompt {id} has no variant to call")))?;
    let Some(model) = variant.get("ModelId").and_then(Value::as_str).map(str::to_owned) else {
        return Err(invalid(format!("The prompt {id} names no model")));
    };
    Ok(Prompt { model, arn: base.to_owned(), variant })
}

/// The model that a prompt names; nothing when there is no such prompt.
pub(crate) fn prompt_model(db: &Connection, region: &str, arn: &str) -> Option<String> {
    find(db, region, arn).ok().map(|prompt| prompt.model)
}

impl Prompt {
    /// A prompt that is written where it is used.
    ///
    /// # Errors
    ///
    /// When it names no model.
    pub fn inline(variant: Value) -> Result<Self, ApiError> {
        let model = variant.get("ModelId").and_then(Value::as_str).map(str::to_owned);
        let model = model.ok_or_else(|| invalid("The prompt names no model"))?;
        Ok(Self { model, arn: String::new(), variant })
    }

    fn is_chat(&self) -> bool {
        self.variant.get("TemplateType").and_then(Value::as_str) == Some("CHAT")
    }

    fn template(&self) -> &Value {
        let kind = if self.is_chat() { "/TemplateConfiguration/Chat" } else { "/TemplateConfiguration/Text" };
        self.variant.pointer(kind).unwrap_or(&Value::Null)
    }

    /// The names of its variables.
    pub fn variables(&self) -> Vec<&str> {
        let declared = self.template().get("InputVariables").and_then(Value::as_array);
        declared.into_iter().flatten().filter_map(|one| one.get("Name")?.as_str()).collect()
    }

    /// Its system text and messages, with the variables put in.
    ///
    /// # Errors
    ///
    /// When a variable has no value, or a value no variable; when what comes of it is too large.
    pub fn fill(&self, values: &Value) -> Result<(String, Vec<Turn>), ApiError> {
        let variables = self.variables();
        let given = values.as_object();
        for name in given.into_iter().flatten().map(|(name, _)| name) {
            if !variables.contains(&name.as_str()) {
                return Err(invalid(format!(
                    "Input provided for prompt variable {name}, which the prompt does not have"
                )));
            }
        }
        for name in &variables {
            if !given.is_some_and(|given| given.contains_key(*name)) {
                return Err(invalid(format!("Missing the value of the prompt variable {name}")));
            }
        }
        let left = Cell::new(LARGEST);
        let filled = |text: &str| put_in(text, values, &left);
        let texts = |content: Option<&Value>| -> String {
            let blocks = content.and_then(Value::as_array).into_iter().flatten();
            let texts = blocks.filter_map(|block| block.get("Text")?.as_str()).map(filled);
            texts.collect::<Vec<_>>().join("\n")
        };
        let template = self.template();
        let fits = || match left.get() {
            0 => Err(invalid(format!("The prompt with its variables is larger than {LARGEST} bytes"))),
            _ => Ok(()),
        };
        if !self.is_chat() {
            let text = filled(template.get("Text").and_then(Value::as_str).unwrap_or_default());
            fits()?;
            return Ok((String::new(), vec![Turn::text(TurnRole::User, text)]));
        }
        let system = texts(template.get("System"));
        let messages = template.get("Messages").and_then(Value::as_array).into_iter().flatten();
        let turns = messages.map(|message| {
            let assistant = message.get("Role").and_then(Value::as_str) == Some("assistant");
            Turn::text(if assistant { TurnRole::Assistant } else { TurnRole::User }, texts(message.get("Content")))
        });
        let turns = turns.collect();
        fits()?;
        Ok((system, turns))
    }

    /// A number of its inference configuration.
    pub fn inference(&self, name: &str) -> Option<f64> {
        let found = self.variant.pointer(&format!("/InferenceConfiguration/Text/{name}"))?;
        found.as_f64().or_else(|| found.as_str()?.parse().ok())
    }
}

/// The largest prompt with its variables put in, in bytes: as large as a request may be.
const LARGEST: usize = 25_000_000;

/// A text with `{{name}}` replaced by its value. What it has more than is left is left out, and nothing is left then.
fn put_in(text: &str, values: &Value, left: &Cell<usize>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        if out.len() >= left.get() {
            break;
        }
        let Some((name, behind)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        match values.pointer(&format!("/{}/text", name.trim())).and_then(Value::as_str) {
            Some(value) => out.push_str(value),
            None => {
                out.push_str("{{");
                out.push_str(name);
                out.push_str("}}");
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    left.set(left.get().saturating_sub(out.len()));
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_are_put_in_once_and_values_are_not_read_again() {
        let values = json!({"message": {"text": "{{other}}"}, "other": {"text": "x"}});
        assert_eq!(
            put_in("Say: {{ message }} and {{other}} {{none}} {{", &values, &Cell::new(LARGEST)),
            "Say: {{other}} and x {{none}} {{"
        );
    }

    #[test]
    fn values_and_variables_must_agree() {
        let variant = json!({"TemplateType": "CHAT", "TemplateConfiguration": {"Chat": {
            "System": [{"Text": "Be kind."}], "InputVariables": [{"Name": "message"}],
            "Messages": [{"Role": "user", "Content": [{"Text": "{{message}}"}]}]}}});
        let prompt = Prompt { model: "m".to_owned(), arn: String::new(), variant };
        let (system, turns) = prompt.fill(&json!({"message": {"text": "Hi"}})).expect("filled");
        assert_eq!((system.as_str(), turns.len(), turns[0].text.as_str()), ("Be kind.", 1, "Hi"));
        assert!(prompt.fill(&json!({})).is_err());
        assert!(prompt.fill(&json!({"message": {"text": "Hi"}, "more": {"text": ""}})).is_err());
    }
}
