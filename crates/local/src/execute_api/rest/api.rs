//! A REST API as its deployment has it, and which resource a path is for.

use std::collections::HashMap;

use serde_json::Value;

use crate::execute_api::call::decoded;
use crate::ground::scalar::text;

/// A deployed REST API.
#[derive(Debug)]
pub(in crate::execute_api) struct RestApi {
    /// Its properties when it was deployed.
    pub properties: Value,
    root: String,
    resources: HashMap<String, ApiPath>,
    /// Request validators by id.
    pub validators: HashMap<String, Value>,
    /// Models by name.
    pub models: HashMap<String, Value>,
    /// Authorizers by id.
    pub authorizers: HashMap<String, Value>,
    /// Gateway responses by type.
    pub gateway_responses: HashMap<String, Value>,
}

#[derive(Debug, Default)]
struct ApiPath {
    part: String,
    children: Vec<String>,
    methods: HashMap<String, Value>,
}

/// The method that answers a request.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    /// The id of the resource.
    pub resource_id: String,
    /// The resource's path, such as `/items/{id}`.
    pub resource_path: String,
    /// The method's properties.
    pub method: &'a Value,
    /// What the path's variables stand for.
    pub parameters: Vec<(String, String)>,
}

impl RestApi {
    /// The API a deployment's snapshot holds.
    pub fn of(snapshot: &Value) -> Self {
        let of = |pointer: &str| snapshot.pointer(pointer).cloned().unwrap_or(Value::Null);
        let things = |name: &str| -> Vec<(String, Value)> {
            let list = snapshot.get(name).and_then(Value::as_array).into_iter().flatten();
            list.map(|thing| {
                let properties = thing.get("Properties").cloned().unwrap_or(Value::Null);
                (text(thing, "Id").unwrap_or_default(), properties)
            })
            .collect()
        };
        let root = of("/RestApi/Attributes/RootResourceId").as_str().unwrap_or_default().to_owned();
        let mut resources: HashMap<String, ApiPath> = HashMap::from([(root.clone(), ApiPath::default())]);
        let parts = things("Resources");
        for (id, properties) in &parts {
            let part = text(properties, "PathPart").unwrap_or_default();
            resources.insert(id.clone(), ApiPath { part, ..ApiPath::default() });
        }
        for (id, properties) in parts {
            let parent = text(&properties, "ParentId").unwrap_or_default();
            if let Some(parent) = resources.get_mut(&parent) {
                parent.children.push(id);
            }
        }
        for (_, properties) in things("Methods") {
            let resource = text(&properties, "ResourceId").unwrap_or_default();
            let verb = text(&properties, "HttpMethod").unwrap_or_default();
            if let Some(resource) = resources.get_mut(&resource) {
                resource.methods.insert(verb, properties);
            }
        }
        let named = |name: &str, key: &str| -> HashMap<String, Value> {
            things(name)
                .into_iter()
                .map(|(id, properties)| (text(&properties, key).unwrap_or(id), properties))
                .collect()
        };
        Self {
            properties: of("/RestApi/Properties"),
            root,
            resources,
            validators: things("RequestValidators").into_iter().collect(),
            models: named("Models", "Name"),
            authorizers: things("Authorizers").into_iter().collect(),
            gateway_responses: named("GatewayResponses", "ResponseType"),
        }
    }

    /// The method that answers, by API Gateway's order: a resource of that very name, then a variable, then a greedy one.
    pub(super) fn route(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        let trimmed = path.strip_prefix('/').unwrap_or(path);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        let segments: Vec<&str> = if trimmed.is_empty() { Vec::new() } else { trimmed.split('/').collect() };
        let mut trail = Vec::new();
        let id = self.descend(&self.root, &segments, &mut trail)?;
        let resource = self.resources.get(id)?;
        let method = resource.methods.get(method).or_else(|| resource.methods.get("ANY"))?;
        let mut path = String::new();
        let mut parameters = Vec::new();
        for (part, value) in trail {
            path.push('/');
            path.push_str(part);
            if let Some(name) = variable(part) {
                parameters.push((name.trim_end_matches('+').to_owned(), decoded(&value)));
            }
        }
        if path.is_empty() {
            path.push('/');
        }
        Some(Matched { resource_id: id.to_owned(), resource_path: path, method, parameters })
    }

    /// The resource that segments lead to; a resource without methods only leads on.
    fn descend<'a>(&'a self, id: &'a str, segments: &[&str], trail: &mut Vec<(&'a str, String)>) -> Option<&'a str> {
        let resource = self.resources.get(id)?;
        let Some((first, rest)) = segments.split_first() else {
            return (!resource.methods.is_empty()).then_some(id);
        };
        let children =
            || resource.children.iter().filter_map(|child| Some((child.as_str(), &*self.resources.get(child)?.part)));
        let exact = children().filter(|(_, part)| variable(part).is_none() && *part == decoded(first));
        let variables = children().filter(|(_, part)| variable(part).is_some_and(|name| !name.ends_with('+')));
        for (child, part) in exact.chain(variables) {
            trail.push((part, (*first).to_owned()));
            if let Some(found) = self.descend(child, rest, trail) {
                return Some(found);
            }
            trail.pop();
        }
        let (child, part) = children().find(|(_, part)| variable(part).is_some_and(|name| name.ends_with('+')))?;
        trail.push((part, segments.join("/")));
        let found = self.descend(child, &[], trail);
        if found.is_none() {
            trail.pop();
        }
        found
    }
}

/// The name inside braces.
fn variable(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn api() -> RestApi {
        let resource = |id: &str, parent: &str, part: &str| json!({ "Id": id, "Properties": { "ParentId": parent, "PathPart": part } });
        let method = |resource: &str, verb: &str| json!({ "Id": "m", "Properties": { "ResourceId": resource, "HttpMethod": verb } });
        RestApi::of(&json!({
            "RestApi": { "Properties": {}, "Attributes": { "RootResourceId": "root" } },
            "Resources": [
                resource("items", "root", "items"), resource("item", "items", "{id}"), resource("new", "items", "new"),
                resource("deep", "new", "deep"), resource("all", "root", "{proxy+}"),
            ],
            "Methods": [
                method("root", "GET"), method("items", "GET"), method("item", "GET"), method("deep", "POST"),
                method("all", "ANY"), method("item", "DELETE"),
            ],
        }))
    }

    #[test]
    fn the_most_particular_resource_answers() {
        let api = api();
        let to = |method: &str, path: &str| {
            api.route(method, path).map(|found| format!("{} {:?}", found.resource_path, found.parameters))
        };
        for (method, path, found) in [
            ("GET", "/", Some("/ []")),
            ("GET", "/items", Some("/items []")),
            ("GET", "/items/", Some("/items []")),
            ("GET", "/items/7", Some(r#"/items/{id} [("id", "7")]"#)),
            ("GET", "/items/a%20b", Some(r#"/items/{id} [("id", "a b")]"#)),
            ("GET", "/items/new", Some(r#"/items/{id} [("id", "new")]"#)),
            ("POST", "/items/new/deep", Some("/items/new/deep []")),
            ("PUT", "/x/y/z", Some(r#"/{proxy+} [("proxy", "x/y/z")]"#)),
            ("GET", "/items/7/8", Some(r#"/{proxy+} [("proxy", "items/7/8")]"#)),
            ("POST", "/items", None),
            ("GET", "/items/new/deep", None),
        ] {
            assert_eq!(to(method, path).as_deref(), found, "{method} {path}");
        }
    }
}
