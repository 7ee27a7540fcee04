//! Texts, numbers and truth values against a shape. CloudFormation turns them into each other, so `"30"` is a number.

use crate::finding::{Code, code};
use serde_json::Value;

use crate::intrinsics::plain;
use crate::schema::{Match, Shape, Types, matches};
use crate::template::kind;

/// What is wrong with a scalar: a code and a sentence that starts with the value.
pub(super) type Wrong = (Code, String);

/// The first thing that is wrong with a scalar.
pub(super) fn check(value: &Value, shape: &Shape) -> Option<Wrong> {
    let text = plain(value)?;
    type_of(value, &text, shape.types).or_else(|| {
        if text.contains("{{resolve:") {
            return None;
        }
        choices(&text, shape).or_else(|| number(&text, shape)).or_else(|| characters(&text, shape))
    })
}

fn type_of(value: &Value, text: &str, types: Types) -> Option<Wrong> {
    if types.is_any() || types.has(Types::STRING) {
        return None;
    }
    let resolved_later = text.contains("{{resolve:");
    let number = || text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let fits = (types.has(Types::INTEGER)
        && !value.is_boolean()
        && (resolved_later || number().is_some_and(|number| number.fract() == 0.0)))
        || (types.has(Types::NUMBER) && !value.is_boolean() && (resolved_later || number().is_some()))
        || (types.has(Types::BOOLEAN)
            && (resolved_later || text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")));
    if fits {
        return None;
    }
    let given = match value {
        Value::String(text) => format!("the text `{}`", short(text)),
        other => format!("{} (`{}`)", kind(other), short(text)),
    };
    Some((code::T204, format!("must be {types}, not {given}")))
}

fn choices(text: &str, shape: &Shape) -> Option<Wrong> {
    if let Some(constant) = &shape.constant
        && plain(constant).is_none_or(|constant| constant != text)
    {
        return Some((code::T205, format!("must be `{}`, not `{}`", plain(constant).unwrap_or_default(), short(text))));
    }
    let named = |names: Vec<String>| {
        let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
        let more =
            if names.len() > shown.len() { format!(" and {} more", names.len() - shown.len()) } else { String::new() };
        Some((code::T205, format!("must be one of {}{more}, not `{}`", shown.join(", "), short(text))))
    };
    if !shape.choices.is_empty() {
        let names: Vec<String> = shape.choices.iter().filter_map(plain).collect();
        if !names.iter().any(|name| name == text) {
            return named(names);
        }
    }
    let folded = &shape.enum_case_insensitive;
    if !folded.is_empty() && !folded.iter().any(|name| name.eq_ignore_ascii_case(text)) {
        return named(folded.iter().map(ToString::to_string).collect());
    }
    None
}

fn number(text: &str, shape: &Shape) -> Option<Wrong> {
    if !(shape.types.is_any() || shape.types.has(Types::INTEGER) || shape.types.has(Types::NUMBER)) {
        return None;
    }
    let number = text.trim().parse::<f64>().ok()?;
    let wrong = |words: String| Some((code::T208, format!("must be {words}, not {text}")));
    match () {
        () if shape.minimum.is_some_and(|least| number < least) => {
            wrong(format!("{} or more", shape.minimum.unwrap_or_default()))
        }
        () if shape.maximum.is_some_and(|most| number > most) => {
            wrong(format!("{} or less", shape.maximum.unwrap_or_default()))
        }
        () if shape.exclusive_minimum.is_some_and(|least| number <= least) => {
            wrong(format!("more than {}", shape.exclusive_minimum.unwrap_or_default()))
        }
        () if shape.exclusive_maximum.is_some_and(|most| number >= most) => {
            wrong(format!("less than {}", shape.exclusive_maximum.unwrap_or_default()))
        }
        () => {
            let step = shape.multiple_of.filter(|step| *step > 0.0)?;
            let times = number / step;
            if (times - times.round()).abs() > 1e-6 { wrong(format!("a multiple of {step}")) } else { None }
        }
    }
}

fn characters(text: &str, shape: &Shape) -> Option<Wrong> {
    if !(shape.types.is_any() || shape.types.has(Types::STRING)) {
        return None;
    }
    let length = text.chars().count() as u64;
    if let Some(least) = shape.min_length.filter(|least| length < *least) {
        return Some((code::T207, format!("must have {least} characters or more, and `{}` has {length}", short(text))));
    }
    if let Some(most) = shape.max_length.filter(|most| length > *most) {
        return Some((code::T207, format!("must have {most} characters or fewer, and `{}` has {length}", short(text))));
    }
    if shape.format.as_deref() == Some("ipv4-network") && !is_ipv4_network(text) {
        return Some((
            code::T206,
            format!("must be a CIDR block such as `10.0.0.0/16`, and `{}` is not one", short(text)),
        ));
    }
    let pattern = shape.pattern.as_deref()?;
    (matches(pattern, text) == Match::No)
        .then(|| (code::T206, format!("must match the pattern `{pattern}`, and `{}` does not", short(text))))
}

fn is_ipv4_network(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, prefix)| {
        address.parse::<std::net::Ipv4Addr>().is_ok() && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= 32)
    })
}

/// A value cut to what a message can bear.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST).collect();
    format!("{start}…")
}
