//! The OpenAPI schema of an agent's action group, as far as Bedrock refuses it when the group is made.
//!
//! Sources: the Bedrock user guide, "Define OpenAPI schemas for your agent's action groups", read 2026-11; refusals in public
//! reports, which list faults such as `attribute paths.'/a'(post).responses is missing`, seen 2026-11. Descriptions that OpenAPI
//! does not ask for and Bedrock's guide does are not refused as far as is known: [`advice`] has them.

use serde_json::Value;

use crate::yaml;

/// The methods of an OpenAPI path.
const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];

/// The most faults that are told.
const MOST: usize = 20;

/// What is wrong with a schema, in the words of Bedrock's refusals where they are known; empty for a good one.
pub fn faults(text: &str) -> Vec<String> {
    let document = match yaml::parse(text) {
        Ok(document) => document.value,
        Err(error) => return vec![format!("it is neither JSON nor YAML: {error}")],
    };
    let Some(root) = document.as_object() else { return vec!["it is not an OpenAPI description".to_owned()] };
    let mut found = Vec::new();
    match root.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.0") || version.starts_with("3.1") => {}
        Some(version) => found.push(format!("attribute openapi is {version}, and has to be 3.0 or 3.1")),
        None => found.push("attribute openapi is missing".to_owned()),
    }
    match root.get("paths").and_then(Value::as_object) {
        None => found.push("attribute paths is missing".to_owned()),
        Some(paths) if paths.is_empty() => found.push("attribute paths has no path".to_owned()),
        Some(_) => {}
    }
    for (place, operation) in operations(&document) {
        if !operation.is_object() {
            found.push(format!("attribute {place} is not of type `object`"));
            continue;
        }
        if operation.get("responses").is_none() {
            found.push(format!("attribute {place}.responses is missing"));
        }
        for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            if parameter.get("$ref").is_some() {
                continue;
            }
            let name = parameter.get("name").and_then(Value::as_str);
            for key in ["name", "in"] {
                if parameter.get(key).is_none() {
                    let name = name.unwrap_or_default();
                    found.push(format!("attribute {place}.parameters.[{name}].{key} is missing"));
                }
            }
        }
        if found.len() >= MOST {
            break;
        }
    }
    found.truncate(MOST);
    found
}

/// What Bedrock's guide asks for and does not refuse without: a name and a description of each operation.
pub fn advice(text: &str) -> Vec<String> {
    let Ok(document) = yaml::parse(text) else { return Vec::new() };
    let mut found = Vec::new();
    for (place, operation) in operations(&document.value) {
        for key in ["operationId", "description"] {
            if operation.is_object() && operation.get(key).is_none() && found.len() < MOST {
                found.push(format!("{place} has no {key}"));
            }
        }
    }
    found
}

/// The operations with their places, such as `paths.'/a'(post)`.
fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten().filter(|(key, _)| METHODS.contains(&key.as_str()));
        methods.map(move |(method, operation)| (format!("paths.'{path}'({method})"), operation))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_as_bedrock_tells_them() {
        let good = "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths: {/a: {get: {operationId: a, description: d, \
                    parameters: [{name: x, in: query, schema: {type: string}}], responses: {'200': {description: ok}}}}}";
        assert_eq!((faults(good), advice(good)), (vec![], vec![]));
        assert_eq!(faults("{\"swagger\": \"2.0\", \"paths\": {\"/a\": {}}}"), ["attribute openapi is missing"]);
        assert_eq!(faults("openapi: 3.0.1"), ["attribute paths is missing"]);
        assert_eq!(
            faults("openapi: 3.0.1\npaths: {/a: {post: {parameters: [{name: x}]}}}"),
            [
                "attribute paths.'/a'(post).responses is missing",
                "attribute paths.'/a'(post).parameters.[x].in is missing"
            ]
        );
        assert_eq!(advice("openapi: 3.0.1\npaths: {/a: {get: {}}}").len(), 2);
        assert_eq!(faults("openapi: [").len(), 1);
        assert_eq!(faults("- a"), ["it is not an OpenAPI description"]);
    }
}
