//! The URL of a function, and who may call it.

use serde_json::{Map, Value, json};

use crate::render::assemble::Assembly;
use crate::render::ids::{alias_id, function_id};
use crate::render::references::{References, function_target};
use crate::spec::{Cors, Function, UrlAuth};

pub(super) fn url_id(name: &str) -> String {
    function_id(name) + "Url"
}

/// With IAM, the callers' own policies say who may call within the account; a URL open to all needs the function's word
/// for the URL and, by it, for the function.
pub(super) fn add(
    assembly: &mut Assembly<'_>,
    references: &References<'_>,
    name: &str,
    function: &Function,
    pointer: &str,
) {
    let Some(url) = &function.url else { return };
    let id = url_id(name);
    let data = json!({
        "function_id": function_id(name),
        "alias_id": function.alias.as_ref().map(|_| alias_id(name)),
        "alias": function.alias,
        "target": function_target(references, name).value(),
        "auth": match url.auth { UrlAuth::Iam => "AWS_IAM", UrlAuth::None => "NONE" },
        "open": url.auth == UrlAuth::None,
        "cors": url.cors.as_ref().map(cors),
        "permission_id": format!("{id}Permission"),
        "call_permission_id": format!("{id}CallPermission"),
        "output_id": id,
        "id": id,
    });
    assembly.add("function-url", &data, &format!("{pointer}/url"));
}

fn cors(cors: &Cors) -> Value {
    let mut value = Map::new();
    let mut list = |key: &str, items: &[String]| {
        if !items.is_empty() {
            value.insert(key.to_owned(), json!(items));
        }
    };
    list("AllowOrigins", &cors.origins);
    list("AllowMethods", if cors.methods.is_empty() { &ALL } else { &cors.methods });
    list("AllowHeaders", &cors.headers);
    if let Some(age) = cors.max_age {
        value.insert("MaxAge".to_owned(), json!(age.0));
    }
    Value::Object(value)
}

/// A function's URL has no routes to take the methods from.
static ALL: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| vec!["*".to_owned()]);
