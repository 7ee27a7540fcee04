//! Secrets in Secrets Manager: where a value comes from, and the object it is put into.

use super::context::Rules;
use crate::finding::code;
use crate::spec::text::{Piece, Text};
use crate::spec::types::{ParameterType, Secret};
use crate::spec::words::{cut, escape};

/// The shortest and the longest value that Secrets Manager makes.
const LENGTHS: std::ops::RangeInclusive<u32> = 8..=4096;

/// The longest name it takes, the six characters and the hyphen that it puts behind it left out.
const LONGEST_NAME: usize = 505;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, secret) in &spec.secrets {
        let base = format!("/secrets/{}", escape(name));
        if let Some(text) = &secret.name {
            secret_name(rules, &format!("{base}/name"), text);
        }
        if let Some(description) = secret.description.as_ref().filter(|text| text.chars().count() > 2048) {
            let message = format!("the description has {} characters and AWS takes 2048", description.chars().count());
            rules.error(code::S032, &format!("{base}/description"), message, "shorten it");
        }
        if let Some(length) = secret.generate.filter(|length| !LENGTHS.contains(length)) {
            let message = format!("a value of {length} characters is out of bounds");
            rules.error(code::S176, &format!("{base}/generate"), message, "Secrets Manager makes 8 to 4096");
        }
        value(rules, &base, secret);
        object(rules, &base, secret);
    }
}

fn secret_name(rules: &mut Rules<'_>, pointer: &str, text: &Text) {
    let pieces = text.pieces().unwrap_or_default();
    let known: String = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Literal(literal) => Some(literal.as_str()),
            Piece::Reference(_) => None,
        })
        .collect();
    let fits = known.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b));
    if text.source().is_empty() || !fits || known.len() > LONGEST_NAME {
        let message = format!("`{}` cannot be the name of a secret", cut(text.source()));
        rules.error(code::S175, pointer, message, "use letters, digits and any of `/_+=.@-`, at most 505");
    }
    // An ARN ends in a hyphen and six characters: such a name would be taken for one that has them already.
    let bytes = known.as_bytes();
    let tail = bytes.iter().rev().take_while(|b| b.is_ascii_alphanumeric()).count();
    if tail == 6 && bytes.len() > 7 && bytes.iter().rev().nth(6) == Some(&b'-') {
        let message = format!("`{}` ends as the ARNs of secrets do", cut(text.source()));
        let help = "do not end it with a hyphen and six letters or digits: looked up by a part of its ARN, it would not be found";
        rules.warning(code::S178, pointer, message, help);
    }
}

fn value(rules: &mut Rules<'_>, base: &str, secret: &Secret) {
    let Some(name) = &secret.value else { return };
    let pointer = format!("{base}/value");
    if secret.generate.is_some() {
        let message = "a value is either made at random or taken from a parameter".to_owned();
        rules.error(code::S176, &format!("{base}/generate"), message, "keep one of `generate` and `value`");
    }
    let spec = rules.spec;
    // One that is not there has a finding of its own.
    let Some(parameter) = spec.parameters.get(name) else { return };
    if !parameter.secret {
        let message = format!("the parameter `{}` is not kept secret", cut(name));
        rules.error(code::S177, &pointer, message, format!("add `secret: true` to `parameters.{}`", cut(name)));
    }
    if parameter.r#type != ParameterType::String {
        let message = format!("the parameter `{}` is not text", cut(name));
        rules.error(code::S177, &pointer, message, "leave its `type` out: a secret is text");
    }
}

fn object(rules: &mut Rules<'_>, base: &str, secret: &Secret) {
    let Some(key) = &secret.key else {
        if !secret.with.is_empty() {
            let message = "what is under `with` needs an object, and the value needs a key in it".to_owned();
            rules.error_at_key(code::S176, &format!("{base}/with"), message, "add `key`, such as `key: password`");
        }
        return;
    };
    if key.is_empty() {
        let message = "a key has at least one character".to_owned();
        rules.error(code::S176, &format!("{base}/key"), message, "write one, or leave `key` out");
    }
    if secret.with.contains_key(key) {
        let message = format!("`{}` is the key of the secret value itself", cut(key));
        rules.error_at_key(code::S176, &format!("{base}/with/{}", escape(key)), message, "remove it");
    }
}
