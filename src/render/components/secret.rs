//! Secrets. A value never passes through here: it is made in Secrets Manager, or comes from a parameter with NoEcho.

use serde_json::{Value, json};

use crate::finding::{Finding, code};
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::secret_id;
use crate::render::names::pascal;
use crate::render::references::{Ask, Kind, References};
use crate::render::words::did_you_mean;
use crate::spec::{Secret, escape};

/// Characters of a random value where the spec says none: as many as Secrets Manager itself takes.
const DEFAULT_LENGTH: u32 = 32;

/// What JSON text wants escaped, in the order it must be done, and what it becomes.
const ESCAPES: [(&str, &str); 5] = [("\\", "\\\\"), ("\"", "\\\""), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")];

/// Secrets.
pub(super) const KIND: Kind = Kind {
    section: "secrets",
    add: |assembly, references| {
        for (name, secret) in &references.spec().secrets {
            add(assembly, references, name, secret);
        }
    },
    // A `Ref` gives the ARN.
    attribute: |_, name, attribute| matches!(attribute, "" | "arn").then(|| Expression::reference(secret_id(name))),
    grant,
};

fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    if ask.verb != "read" || !ask.rest.is_empty() {
        return Err(references.cannot(ask));
    }
    let arn = Expression::reference(secret_id(ask.name));
    Ok(vec![Statement::allow(["secretsmanager:GetSecretValue"], [arn.value()])])
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, secret: &Secret) {
    let pointer = format!("/secrets/{}", escape(name));
    let own_name = match &secret.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))).map(|it| it.value()),
        None => Some(Value::Null),
    };
    let value = match &secret.value {
        Some(parameter) => assembly.keep(value(references, secret, parameter, &pointer)),
        None => Some(Value::Null),
    };
    let template = match (&secret.value, &secret.key) {
        (None, Some(_)) => assembly.keep(template(references, secret, &pointer)),
        _ => Some(Value::Null),
    };
    let (Some(own_name), Some(value), Some(template)) = (own_name, value, template) else { return };
    let id = secret_id(name);
    let data = PartialData::new(pointer)
        .said("name", "name", own_name)
        .said("description", "description", &secret.description)
        .said("value", "value", value)
        .said("length", "generate", secret.generate.unwrap_or(DEFAULT_LENGTH))
        .said("template", "with", template)
        .said("key", "key", &secret.key)
        .made("output_id", format!("{id}Arn"))
        .made("id", id);
    assembly.add("secret", data);
}

/// The value of a parameter, alone or in a JSON object.
fn value(references: &References<'_>, secret: &Secret, parameter: &str, pointer: &str) -> Result<Value, Finding> {
    let known = &references.spec().parameters;
    if !known.contains_key(parameter) {
        return Err(Finding::error(code::R020, format!("there is no parameter `{parameter}`"))
            .at(references.loaded.place(&format!("{pointer}/value")))
            .help(did_you_mean(parameter, known.keys())));
    }
    let value = json!({ "Ref": pascal(parameter) });
    let Some(key) = &secret.key else { return Ok(value) };
    let mut members = with(references, secret, pointer)?;
    members.push((key.as_str(), value));
    Ok(object(&members))
}

/// The JSON object that Secrets Manager puts a random value into.
fn template(references: &References<'_>, secret: &Secret, pointer: &str) -> Result<Value, Finding> {
    Ok(object(&with(references, secret, pointer)?))
}

/// What a secret's object holds beside its value.
fn with<'a>(references: &References<'_>, secret: &'a Secret, pointer: &str) -> Result<Vec<(&'a str, Value)>, Finding> {
    let member = |(key, text): (&'a String, &'a crate::spec::Text)| {
        let value = references.text(text, &format!("{pointer}/with/{}", escape(key)))?;
        Ok((key.as_str(), value.value()))
    };
    secret.with.iter().map(member).collect()
}

/// A JSON object as text, whatever its values turn out to be: what is known is written out, the rest goes in with what
/// JSON reserves escaped, for a quote in it would end the text.
fn object(members: &[(&str, Value)]) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    let mut text = String::from("{");
    for (index, (key, value)) in members.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        text.push_str(&format!("{}: ", json!(key)));
        match value {
            Value::String(known) => text.push_str(&json!(known).to_string()),
            other => {
                parts.push(json!(std::mem::take(&mut text) + "\""));
                parts.push(escaped(other));
                text.push('"');
            }
        }
    }
    text.push('}');
    if parts.is_empty() {
        return json!(text);
    }
    parts.push(json!(text));
    json!({ "Fn::Join": ["", parts] })
}

/// A value with what JSON reserves in text escaped.
fn escaped(value: &Value) -> Value {
    ESCAPES.iter().fold(value.clone(), |value, (from, to)| json!({ "Fn::Join": [to, { "Fn::Split": [from, value] }] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_written_out_as_json() {
        assert_eq!(object(&[]), json!("{}"));
        assert_eq!(object(&[("user", json!("a\"b ${c}"))]), json!(r#"{"user": "a\"b ${c}"}"#));
    }

    #[test]
    fn what_is_not_known_goes_in_escaped() {
        let object = object(&[("user", json!("me ${x}")), ("password", json!({ "Ref": "P" }))]);
        let parts = &object["Fn::Join"][1];
        assert_eq!(parts[0], r#"{"user": "me ${x}", "password": ""#);
        assert_eq!(parts[1]["Fn::Join"][0], "\\t");
        assert_eq!(parts[1]["Fn::Join"][1]["Fn::Split"][0], "\t");
        assert_eq!(parts[2], "\"}");
    }
}
