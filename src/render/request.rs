//! The mapping template that makes a function's event from a request: Velocity text that gives JSON, whatever a caller
//! sends and whatever the spec's texts hold.
//!
//! A value of the request goes through `$util.escapeJavaScript`, which gives the inside of a JSON string but for one thing:
//! it writes `'` as `\'`, which JSON does not know. Every `\'` it writes is one quote's own escape (a backslash of the
//! value is written `\\`, and never left alone before a quote), so turning each `\'` back into `'` is exact.
//!
//! A literal of the spec is written with `\u` escapes for everything but plain characters: `$` and `#` start Velocity's
//! references and directives, `.`, `[` and `(` would run on from a reference before them, and a backslash before `$`
//! would escape it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::expression::Expression;
use super::references::References;
use crate::finding::{Finding, code};
use crate::spec::{Piece, Reference, Text, escape};

/// Where a value of a request comes from.
const PLACES: [&str; 3] = ["query", "header", "path"];

/// The mapping template of a route's `request`; `pointer` is its place.
///
/// # Errors
/// `R021` for a reference that cannot stand there, `R023` for a name that API Gateway cannot look up or that two places of
/// the request share: `$input.params(name)` looks in the path, then the query, then the headers.
pub(super) fn template(
    references: &References<'_>,
    fields: &BTreeMap<String, Text>,
    pointer: &str,
) -> Result<Expression, Finding> {
    let mut places: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut whole = Expression::literal("{");
    for (index, (field, text)) in fields.iter().enumerate() {
        let pointer = format!("{pointer}/{}", escape(field));
        whole = whole.text(if index == 0 { "\n" } else { ",\n" }).text(format!("  \"{}\": ", inside_json(field)));
        whole = whole.then(self::text(references, text, &pointer, &mut places)?);
    }
    Ok(whole.text(if fields.is_empty() { "}" } else { "\n}" }))
}

/// The mapping template of a tree of values, such as what an AWS service is asked; `pointer` is its place.
///
/// # Errors
/// Those of [`template`].
pub(super) fn tree(references: &References<'_>, tree: &Value, pointer: &str) -> Result<Expression, Finding> {
    branch(references, tree, pointer, &mut BTreeMap::new())
}

/// One value of a tree.
fn branch(
    references: &References<'_>,
    value: &Value,
    pointer: &str,
    places: &mut BTreeMap<String, &'static str>,
) -> Result<Expression, Finding> {
    match value {
        Value::String(text) => self::text(references, &Text::new(text), pointer, places),
        Value::Array(items) => {
            let mut whole = Expression::literal("[");
            for (index, item) in items.iter().enumerate() {
                whole = whole.text(if index == 0 { "" } else { ", " });
                whole = whole.then(branch(references, item, &format!("{pointer}/{index}"), places)?);
            }
            Ok(whole.text("]"))
        }
        Value::Object(members) => {
            let mut whole = Expression::literal("{");
            for (index, (key, member)) in members.iter().enumerate() {
                whole = whole.text(format!("{}\"{}\": ", if index == 0 { "" } else { ", " }, inside_json(key)));
                let pointer = format!("{pointer}/{}", escape(key));
                whole = whole.then(branch(references, member, &pointer, places)?);
            }
            Ok(whole.text("}"))
        }
        plain => Ok(Expression::literal(literal(plain))),
    }
}

/// A value that holds no references as JSON that Velocity passes through.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", inside_json(text)),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("\"{}\": {}", inside_json(key), literal(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        // Numbers, `true`, `false` and `null` hold neither `$` nor `#`.
        plain => plain.to_string(),
    }
}

/// One text as JSON: a string, or the request's body as the value it is.
fn text(
    references: &References<'_>,
    text: &Text,
    pointer: &str,
    places: &mut BTreeMap<String, &'static str>,
) -> Result<Expression, Finding> {
    let pieces = references.pieces(text, pointer)?;
    if let [Piece::Reference(Reference::Body)] = pieces.as_slice() {
        return Ok(Expression::literal("$input.json('$')"));
    }
    let mut whole = Expression::literal("\"");
    for piece in pieces {
        whole = match piece {
            Piece::Literal(literal) => whole.text(inside_json(&literal)),
            Piece::Reference(reference) => whole.then(value_of(references, &reference, places, pointer)?),
        };
    }
    Ok(whole.text("\""))
}

fn value_of(
    references: &References<'_>,
    reference: &Reference,
    places: &mut BTreeMap<String, &'static str>,
    pointer: &str,
) -> Result<Expression, Finding> {
    let (place, name) = match reference {
        Reference::Query(name) => (PLACES[0], name),
        Reference::Header(name) => (PLACES[1], name),
        Reference::Path(name) => (PLACES[2], name),
        Reference::Body => return Ok(escaped("$input.body")),
        Reference::Parameter(_) => {
            return Err(Finding::error(
                code::R021,
                "a parameter's value is not known to be safe inside a request's JSON",
            )
            .at(references.loaded.place(pointer))
            .help("give it to the function through its `environment` instead"));
        }
        // Names, ARNs, URLs and ids that AWS makes hold nothing that JSON or Velocity could take for syntax.
        other => {
            let expression = references.reference(other, pointer)?;
            return Ok(match expression.as_literal() {
                Some(text) => Expression::literal(inside_json(text)),
                None => expression,
            });
        }
    };
    check_name(references, place, name, pointer)?;
    if let Some(other) = places.insert(name.clone(), place).filter(|other| *other != place) {
        return Err(Finding::error(code::R023, format!("`{name}` is taken from the {place} and from the {other}"))
            .at(references.loaded.place(pointer))
            .help(
                "API Gateway looks a name up in the path, then the query, then the headers: give them different names",
            ));
    }
    Ok(escaped(&format!("$input.params('{name}')")))
}

/// Refuses a name that API Gateway does not take for a request parameter.
pub(super) fn check_name(references: &References<'_>, place: &str, name: &str, pointer: &str) -> Result<(), Finding> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'$')) {
        return Ok(());
    }
    Err(Finding::error(code::R023, format!("`{name}` cannot name a {place} parameter"))
        .at(references.loaded.place(pointer))
        .help("use letters, digits, `_`, `-` and `$`"))
}

fn escaped(value: &str) -> Expression {
    Expression::literal(format!(r#"$util.escapeJavaScript({value}).replaceAll("\\'", "'")"#))
}

/// A text as the inside of a JSON string that Velocity passes through.
fn inside_json(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '/' | ':' | ',') {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::render::RenderOptions;
    use crate::render::components::KINDS;
    use crate::spec;

    const SPEC: &str = "bedplate: 1\nname: x\nbuckets: { b: {} }\n";

    fn written(fields: &[(&str, &str)]) -> Result<String, Finding> {
        let loaded = spec::load_str(SPEC, "usecase.yaml").expect("a spec");
        let references =
            References { loaded: &loaded, options: &RenderOptions { stage: "dev", region: None }, kinds: KINDS };
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), Text::new(*text))).collect();
        template(&references, &fields, "/x").map(|it| it.as_literal().expect("no reference is left").to_owned())
    }

    /// What Velocity and API Gateway make of a template: the two expressions ours are made of are replaced by their
    /// values, and anything else that Velocity would act on fails the test.
    fn evaluate(template: &str, parameters: &BTreeMap<&str, &str>, body: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['$', '#']) {
            let (text, from) = rest.split_at(at);
            assert!(!text.ends_with('\\'), "a backslash would escape the reference");
            out.push_str(text);
            if let Some(after) = from.strip_prefix("$input.json('$')") {
                out.push_str(body);
                rest = after;
                continue;
            }
            let inside = from.strip_prefix("$util.escapeJavaScript(").expect("no other expression");
            let (value, after) = inside.split_once(r#").replaceAll("\\'", "'")"#).expect("undone quotes");
            let value = match value.strip_prefix("$input.params('").and_then(|it| it.strip_suffix("')")) {
                Some(name) => parameters.get(name).copied().unwrap_or_default(),
                None if value == "$input.body" => body,
                None => panic!("{value}"),
            };
            out.push_str(&escape_java_script(value).replace("\\'", "'"));
            assert!(!after.starts_with(['.', '[', '(', '{']), "Velocity would read on");
            rest = after;
        }
        out + rest
    }

    /// Apache Commons' `escapeJavaScript` (the 2.x rules, which also escape `/`), over UTF-16 units as Java has them.
    fn escape_java_script(text: &str) -> String {
        let mut out = String::new();
        for unit in text.encode_utf16() {
            match (unit, u8::try_from(unit).map(char::from)) {
                (_, Ok('\u{8}')) => out.push_str("\\b"),
                (_, Ok('\n')) => out.push_str("\\n"),
                (_, Ok('\t')) => out.push_str("\\t"),
                (_, Ok('\u{c}')) => out.push_str("\\f"),
                (_, Ok('\r')) => out.push_str("\\r"),
                (_, Ok(c @ ('\'' | '"' | '\\' | '/'))) => {
                    out.push('\\');
                    out.push(c);
                }
                (0x20..=0x7f, Ok(c)) => out.push(c),
                _ => {
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
        }
        out
    }

    #[test]
    fn a_field_is_one_escaped_expression() {
        assert_eq!(
            written(&[("prompt", "${query.prompt}")]).expect("a template"),
            "{\n  \"prompt\": \"$util.escapeJavaScript($input.params('prompt')).replaceAll(\"\\\\'\", \"'\")\"\n}"
        );
        assert_eq!(written(&[]).expect("a template"), "{}");
    }

    #[test]
    fn a_body_keeps_its_shape() {
        let template = written(&[("body", "${body}"), ("raw", "got ${body}")]).expect("a template");
        let event: Value =
            serde_json::from_str(&evaluate(&template, &BTreeMap::new(), r#"{"a": ["'\"\\"]}"#)).expect("JSON");
        assert_eq!(event, json!({ "body": { "a": ["'\"\\"] }, "raw": "got {\"a\": [\"'\\\"\\\\\"]}" }));
    }

    #[test]
    fn what_cannot_stand_there_is_refused() {
        for (text, code) in [
            ("${query.a'b}", "R023"),
            ("${query.x} ${header.x}", "R023"),
            ("${buckets.c}", "R020"),
            ("${parameters.p}", "R021"),
        ] {
            assert_eq!(written(&[("f", text)]).expect_err(text).code, code, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_request_and_any_literal_arrive_as_they_are(
            value in any::<String>(),
            nasty in "['\"\\\\/$#{}\\[\\]().\n\r\t a\u{1f600}]{0,20}",
            before in any::<String>(),
            after in "[.\\[({$#\\\\'\"a!]{0,8}",
            field in any::<String>(),
        ) {
            let literal = |text: &str| text.replace("${", "$${");
            // A literal that ends in `$` would run into the reference in the spec's own syntax.
            prop_assume!(!before.ends_with('$') && field != "n");
            let text = format!("{}${{query.q}}{}", literal(&before), literal(&after));
            let template = written(&[(&field, &text), ("n", "${header.h}")]).expect("a template");
            let event: Value = serde_json::from_str(&evaluate(&template, &BTreeMap::from([("q", &*value), ("h", &*nasty)]), ""))
                .expect("JSON");
            prop_assert_eq!(event, json!({ field: format!("{before}{value}{after}"), "n": nasty }));
        }
    }
}
