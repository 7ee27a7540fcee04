//! CloudFormation's short forms: `!Sub x` stands for `{"Fn::Sub": x}`.

use saphyr_parser::Tag;
use serde_json::{Map, Value};

use super::error::{YamlError, YamlErrorKind};
use bedplate_text::suggestion::nearest_within;

/// Intrinsic and rule functions that have a short form.
const SHORT_FORMS: [&str; 26] = [
    "And",
    "Base64",
    "Cidr",
    "Condition",
    "Contains",
    "EachMemberEquals",
    "EachMemberIn",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "GetStackOutput",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Ref",
    "RefAll",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
    "ValueOf",
];

/// Refuses a tag that is no short form.
pub(super) fn known(tag: &Tag, place: (usize, usize)) -> Result<(), YamlError> {
    if tag.handle == "!" && SHORT_FORMS.contains(&tag.suffix.as_str()) {
        return Ok(());
    }
    let error =
        YamlError::new(YamlErrorKind::Unsupported, place, format!("`{tag}` is not a CloudFormation short form"));
    Err(match nearest_within(&tag.suffix, SHORT_FORMS, 2) {
        Some(name) => error.help(format!("did you mean `!{name}`?")),
        None => error.help("write the function in its long form, such as `Fn::Sub:`"),
    })
}

/// The key of a short form's long form: `!Ref` is `Ref`, `!Sub` is `Fn::Sub`.
pub(super) fn long_key(name: &str) -> String {
    match name {
        "Ref" | "Condition" => name.to_owned(),
        _ => format!("Fn::{name}"),
    }
}

/// The long form of a short form.
pub(super) fn long_form(tag: &str, value: Value) -> Value {
    let name = tag.trim_start_matches('!');
    let key = long_key(name);
    let value = match (name, value) {
        ("GetAtt", Value::String(path)) => {
            // A logical id holds no dot; an attribute may (`Endpoint.Address`).
            let parts = match path.split_once('.') {
                Some((resource, attribute)) => vec![Value::from(resource), Value::from(attribute)],
                None => vec![Value::from(path)],
            };
            Value::Array(parts)
        }
        ("GetAZs", Value::Null) => Value::from(""),
        (_, value) => value,
    };
    Value::Object(Map::from_iter([(key, value)]))
}
