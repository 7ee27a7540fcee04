//! Specs from the language's own JSON Schema: whatever keys the types have, some spec here has them.
//!
//! Values are an example of the schema where it has one, and otherwise anything that fits. What only rules over several
//! values refuse is taken out again, component by component, by whoever loads the spec.

use std::collections::BTreeMap;
use std::path::Path;

use bedplate::spec::{self, GRANTS};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

/// Models that are there in every spec: the facts know each to fit its use.
const MODELS: [(&str, &str); 3] = [
    ("embedding", "amazon.titan-embed-text-v2:0"),
    ("image", "stability.stable-image-core-v1:1"),
    ("text", "amazon.nova-lite-v1:0"),
];

/// Sections that are no sections of components with names of one's own, and those that need another file or stack.
const NOT_GENERATED: [&str; 10] =
    ["bedplate", "name", "region", "models", "parameters", "template", "needs", "resources", "accept", "outputs"];

/// Stores of a knowledge base that have keys of their own.
const STORES: [&str; 6] =
    ["aurora", "mongodb-atlas", "neptune-analytics", "opensearch-cluster", "opensearch-serverless", "pinecone"];

/// The files that examples in the types name.
pub fn write_files(dir: &Path) {
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("function/app.py", "def handler(event, context):\n    return event\n");
    write("function/index.py", "def handler(event, context):\n    return event\n");
    write("documents/one.md", "# One\n");
    write("data/accounts.yaml", "- AccountID: \"1\"\n");
    write(
        "openapi/account-status.yaml",
        "openapi: 3.0.3\ninfo: { title: Accounts, version: '1' }\npaths:\n  /accounts/{id}:\n    get:\n      operationId: getAccount\n      description: Gives one account\n      parameters:\n        - { name: id, in: path, required: true, description: The number, schema: { type: string } }\n      responses:\n        '200': { description: The account }\n",
    );
}

/// A spec from a seed; most load as they are.
pub fn document(seed: u64) -> Value {
    let schema = spec::json_schema();
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut rng = StdRng::seed_from_u64(seed);
    names.insert("models".to_owned(), MODELS.iter().map(|(name, _)| (*name).to_owned()).collect());
    let sections: Vec<&String> = schema["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .filter(|key| !NOT_GENERATED.contains(&key.as_str()))
        .collect();
    for section in &sections {
        let is_map = schema["properties"][section.as_str()].get("additionalProperties").is_some();
        // Functions are what most others want.
        let count = if *section == "functions" { rng.random_range(1..3) } else { rng.random_range(0..3) };
        if is_map && count > 0 {
            let all = ["alpha", "beta"].iter().take(count).map(|name| (*name).to_owned()).collect();
            names.insert((*section).clone(), all);
        }
    }
    names.insert("parameters".to_owned(), vec!["hidden".to_owned()]);
    let mut generator = Generator { schema: &schema, names, rng };
    let mut root = Map::new();
    root.insert("bedplate".to_owned(), json!(1));
    root.insert("name".to_owned(), json!("laws"));
    root.insert("region".to_owned(), json!("us-west-2"));
    let mut models = Map::new();
    for (name, id) in MODELS {
        models.insert(name.to_owned(), json!({ "id": id }));
    }
    root.insert("models".to_owned(), Value::Object(models));
    for section in sections {
        let property = &schema["properties"][section.as_str()];
        if let Some(names) = generator.names.get(section).cloned() {
            let mut components = Map::new();
            for name in names {
                components.insert(name, generator.value(&property["additionalProperties"], section, 0));
            }
            root.insert(section.clone(), Value::Object(components));
        } else if section == "network" && generator.rng.random_bool(0.5) {
            root.insert(section.clone(), generator.value(property, section, 0));
        }
    }
    let functions = generator.names.get("functions").and_then(|names| names.first()).cloned().unwrap_or_default();
    let prompts = generator.names.get("prompts").and_then(|names| names.first()).cloned();
    let bucket = generator.names.get("buckets").and_then(|names| names.first()).cloned();
    for (section, components) in &mut root {
        for (number, component) in components.as_object_mut().into_iter().flat_map(Map::values_mut).enumerate() {
            // No two have one name.
            if let Some(Value::String(name)) = component.get_mut("name").filter(|_| number > 0) {
                name.push_str("-2");
            }
            if let Some(Value::String(name)) = component.pointer_mut("/domain/name").filter(|_| number > 0) {
                name.insert_str(0, "second.");
            }
            named_rightly(section, component, &functions, prompts.as_deref(), bucket.as_deref());
        }
    }
    let mut parameters = Map::new();
    parameters.insert("hidden".to_owned(), json!({ "secret": true }));
    for name in parameters_of(&Value::Object(root.clone()).to_string()) {
        let resource = match name.as_str() {
            "domain-arn" => "es:us-west-2:123456789012:domain/knowledge",
            "cluster-arn" => "rds:us-west-2:123456789012:cluster:knowledge",
            "cluster-secret-arn" => "secretsmanager:us-west-2:123456789012:secret:knowledge-a1b2c3",
            "certificate-arn" => "acm:us-west-2:123456789012:certificate/a1b2c3",
            "key-arn" => "kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555",
            "analyst-arn" => "iam::123456789012:role/analyst",
            _ => "sns:us-west-2:123456789012:topic",
        };
        parameters.insert(name, json!({ "default": format!("arn:aws:{resource}") }));
    }
    root.insert("parameters".to_owned(), Value::Object(parameters));
    Value::Object(root)
}

/// Examples name components of their own; here those that there are take their places.
fn named_rightly(section: &str, component: &mut Value, function: &str, prompt: Option<&str>, bucket: Option<&str>) {
    match section {
        // Exactly one of two ways to give code.
        "functions" => {
            let Some(keys) = component.as_object_mut() else { return };
            if keys.contains_key("inline") && !keys.contains_key("code") {
                keys.insert("handler".to_owned(), json!("index.handler"));
            } else {
                keys.shift_remove("inline");
                keys.insert("code".to_owned(), json!("function/"));
            }
            if keys.contains_key("environment") {
                keys.insert("environment".to_owned(), json!({ "STAGE": "${stage}" }));
            }
        }
        "apis" if component["kind"] == "websocket" => {
            component["routes"] = json!([{ "$default": { "function": function } }]);
            // What only APIs that are asked by requests have.
            let only =
                ["endpoint", "vpc-endpoints", "auth", "authorizers", "api-key", "usage-plans", "cors", "schemas"];
            if let Some(keys) = component.as_object_mut() {
                keys.retain(|key, _| !only.contains(&key.as_str()));
            }
        }
        "alarms" => component["on"] = json!(format!("functions.{function}")),
        "flows" => {
            let draft = match prompt {
                Some(prompt) => json!({ "prompt": prompt, "inputs": { "message": "input" } }),
                None => json!({ "function": function, "inputs": { "message": "input" } }),
            };
            component["nodes"] = json!({ "draft": draft, "answer": { "output": "draft" } });
        }
        "knowledge-bases" => {
            let sources = component.get("sources").and_then(|sources| sources.get("docs")).cloned();
            let mut source = sources.filter(|source| !source.is_null()).unwrap_or_else(|| json!({}));
            match bucket {
                Some(bucket) => source["bucket"] = json!(bucket),
                None => source = json!({ "web": { "urls": ["https://example.com/docs/"] } }),
            }
            component["sources"] = json!({ "docs": source });
            if component.get("store").is_none_or(|store| store != "managed") {
                component["embedding"] = json!("embedding");
            }
            // What is said of a store is said of the one that is chosen.
            let described: Vec<&str> = STORES.into_iter().filter(|store| component.get(*store).is_some()).collect();
            if let Some(store) = described.get(component.to_string().len() % described.len().max(1)) {
                component["store"] = json!(store);
                component["embedding"] = json!("embedding");
            }
            let store = component.get("store").and_then(Value::as_str).unwrap_or("s3-vectors").to_owned();
            if let Some(keys) = component.as_object_mut() {
                keys.retain(|key, _| !STORES.contains(&key.as_str()) || *key == store);
            }
            if store == "opensearch-serverless" {
                component["opensearch-serverless"] = json!({ "readers": ["Admin"] });
            }
        }
        "tables" if component.get("sort-key").is_some() => component["sort-key"]["name"] = json!("Opened"),
        // Exactly one thing answers a route.
        "apis" => {
            if component["kind"] != "rest" {
                component.as_object_mut().map(|keys| keys.shift_remove("endpoint"));
            }
            let routes = component.get_mut("routes").and_then(Value::as_array_mut);
            for body in routes.into_iter().flatten().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
                let ways = ["function", "http", "mock", "aws", "vpc-link"];
                let Some(keys) = body.as_object_mut() else { continue };
                let kept = ways.into_iter().rev().find(|way| keys.contains_key(*way)).unwrap_or("function");
                keys.retain(|key, _| key == kept || !ways.contains(&key.as_str()));
                if kept == "function" {
                    keys.insert("function".to_owned(), json!(function));
                }
            }
        }
        "agents" if component.get("knowledge-bases").is_some() => component["engine"] = json!("classic"),
        _ => {}
    }
}

/// The names of the parameters that texts refer to.
fn parameters_of(text: &str) -> Vec<String> {
    text.split("${parameters.").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect()
}

struct Generator<'a> {
    schema: &'a Value,
    /// Section → the components there will be.
    names: BTreeMap<String, Vec<String>>,
    rng: StdRng,
}

impl<'a> Generator<'a> {
    fn name(&mut self, section: &str, key: &str) -> Option<String> {
        if section == "models" {
            let fitting = if key.contains("embedding") { "embedding" } else { "text" };
            return Some(fitting.to_owned());
        }
        self.names.get(section)?.choose(&mut self.rng).cloned()
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
        reference.and_then(|pointer| self.schema.pointer(pointer)).unwrap_or(schema)
    }

    /// A value for a schema; `key` is the name it stands under.
    fn value(&mut self, schema: &'a Value, key: &str, depth: usize) -> Value {
        if let Some(section) = schema.get("x-names").and_then(Value::as_str) {
            return self.named(schema, section, key, depth);
        }
        let example = |schema: &Value| schema.get("examples").and_then(|list| list.get(0)).cloned();
        let own = example(schema);
        let schema = self.resolve(schema);
        if let Some(options) = schema.get("oneOf").and_then(Value::as_array) {
            return self.one_of(options, key, depth);
        }
        if let Some(example) = own.or_else(|| example(schema)) {
            return example;
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.object(schema, key, depth),
            Some("array") => {
                let items = &schema["items"];
                let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
                let most = if key == "uses" { 8 } else { 3 };
                let count = least.max(self.rng.random_range(0..most));
                Value::Array((0..count).map(|_| self.value(items, key, depth + 1)).collect())
            }
            Some("integer") => {
                let bound = |name: &str, other: u64| schema.get(name).and_then(Value::as_u64).unwrap_or(other);
                let (least, most) = (bound("minimum", 1), bound("maximum", 100));
                json!(self.rng.random_range(least..=most.max(least)))
            }
            Some("number") => json!(0.5),
            Some("boolean") => json!(self.rng.random_bool(0.5)),
            Some("string") => {
                let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
                let text = format!("Some words about {key}.");
                json!(text.repeat(1 + usize::try_from(least).unwrap_or(0) / text.len()))
            }
            _ => json!({}),
        }
    }

    fn named(&mut self, schema: &'a Value, section: &str, key: &str, depth: usize) -> Value {
        let Some(name) = self.name(section, key) else { return Value::Null };
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => json!([name]),
            Some("object") => {
                let inner = self.value(&schema["additionalProperties"], key, depth + 1);
                json!({ name: inner })
            }
            _ => json!(name),
        }
    }

    fn one_of(&mut self, options: &'a [Value], key: &str, depth: usize) -> Value {
        let words: Vec<&Value> = options.iter().filter_map(|option| option.get("const")).collect();
        if !words.is_empty() {
            return words.choose(&mut self.rng).map_or(Value::Null, |word| (*word).clone());
        }
        // A grant, or another mapping with one key.
        for _ in 0..20 {
            let Some(option) = options.choose(&mut self.rng) else { break };
            let Some((verb, schema)) = option["properties"].as_object().and_then(|all| all.iter().next()) else {
                break;
            };
            let Some((_, sections)) = GRANTS.iter().find(|(known, _)| known == verb) else {
                return json!({ verb.clone(): self.value(schema, verb, depth + 1) });
            };
            let section = sections.choose(&mut self.rng).copied().unwrap_or_default();
            if let Some(name) = self.name(section, key) {
                return json!({ verb.clone(): format!("{section}.{name}") });
            }
        }
        json!({ "invoke": "models.text" })
    }

    fn object(&mut self, schema: &'a Value, key: &str, depth: usize) -> Value {
        let mut map = Map::new();
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        // The further down, the fewer: a key that was chosen is then rarely spoilt by another one.
        let likely = [0.25, 0.3, 0.3, 0.2].get(depth).copied().unwrap_or(0.1);
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if required.contains(&name.as_str()) || self.rng.random_bool(likely) {
                let value = self.value(property, name, depth + 1);
                if !value.is_null() {
                    map.insert(name.clone(), value);
                }
            }
        }
        if let Some(rest) = schema.get("additionalProperties").filter(|rest| rest.is_object()) {
            let pattern = schema.pointer("/propertyNames/pattern").and_then(Value::as_str).unwrap_or_default();
            let name = if pattern.contains("GET") {
                let path = ["/one", "/two", "/{id}"].choose(&mut self.rng).copied().unwrap_or("/one");
                let method = ["GET", "POST", "ANY"].choose(&mut self.rng).copied().unwrap_or("GET");
                format!("{method} {path}")
            } else if key == "environment" {
                "NAME".to_owned()
            } else {
                "first".to_owned()
            };
            let value = self.value(rest, key, depth + 1);
            map.insert(name, value);
        }
        Value::Object(map)
    }
}
