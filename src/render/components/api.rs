//! REST APIs: paths, methods, validation, error statuses, deployment and stage.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Kind, no_grant};
use crate::finding::Finding;
use crate::render::assemble::{Assembly, digest};
use crate::render::expression::Expression;
use crate::render::names::{method_word, path_words};
use crate::render::references::{References, api_id, api_url, function_target};
use crate::render::{did_you_mean, escape, request};
use crate::spec::{Api, RouteBody};

/// APIs.
pub(super) const KIND: Kind = Kind {
    section: "apis",
    add: |assembly, references| {
        for (name, api) in &references.spec().apis {
            add(assembly, references, name, api);
        }
    },
    attribute: |references, name, attribute| match attribute {
        "" | "url" => Some(api_url(name, &references.stage_of(name).ok()?)),
        "id" => Some(Expression::reference(api_id(name))),
        _ => None,
    },
    grant: no_grant,
};

/// The statuses a function chooses by starting its error's message with `[404]` and the like.
const ERROR_STATUSES: [u16; 6] = [400, 403, 404, 409, 422, 429];

/// What Lambda says of a function that ran out of time. A message that starts with `[` is the function's own.
const TIMED_OUT: &str = r"[^\[][\s\S]*Task timed out after[\s\S]*";

/// Every other error. API Gateway holds the whole message against each pattern, and which of two that fit it takes is
/// written nowhere: so no two of ours fit the same message.
const OTHER_ERRORS: &str = r"(?!\[(?:400|403|404|409|422|429)\])(?![^\[][\s\S]*Task timed out after)[\s\S]+";

/// The methods a route may have.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"];

/// A route, its line of the spec taken apart.
struct Route<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a RouteBody,
    pointer: String,
}

/// What all parts of one API need to know.
struct Context<'a> {
    references: &'a References<'a>,
    id: String,
    stage: String,
    validator_id: Option<String>,
    /// Path → logical id of its last segment.
    resources: BTreeMap<String, String>,
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, api: &Api) {
    let pointer = format!("/apis/{}", escape(name));
    let Some(stage) = assembly.keep(references.stage_of(name)) else { return };
    let own_name = match &api.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))),
        None => Some(Expression::literal(format!("{}-{}-{name}", references.spec().name, references.options.stage))),
    };
    let Some(own_name) = own_name else { return };
    let routes = routes(assembly, references, api, &pointer);
    let id = api_id(name);
    let validated =
        routes.iter().any(|route| !route.body.require.query.is_empty() || !route.body.require.headers.is_empty());
    let validator_id = validated.then(|| format!("{id}RequestValidator"));

    // Everything whose change must reach callers; the deployment is named after it.
    let mut content: Map<String, Value> = Map::new();
    let data = json!({
        "id": id, "name": own_name.value(), "description": api.description, "validator_id": validator_id,
    });
    content.extend(assembly.add("rest-api", &data, &pointer));
    let mut context = Context { references, id, stage, validator_id, resources: BTreeMap::new() };
    for route in &routes {
        content.extend(context.add_segments(assembly, route));
    }
    let mut methods = Vec::new();
    for route in &routes {
        let Some((method_id, resources)) = context.add_route(assembly, route) else { continue };
        content.extend(resources);
        methods.push(method_id);
    }
    methods.sort();
    let data = json!({
        "deployment_id": format!("{}Deployment{}", context.id, digest(&content)),
        "stage_id": format!("{}Stage", context.id),
        "api_id": context.id,
        "methods": methods,
        "stage": context.stage,
        "output_id": format!("{}Url", context.id),
        "url": api_url(name, &context.stage).value(),
    });
    assembly.add("rest-stage", &data, &pointer);
}

/// The routes that are well formed; the others are reported.
fn routes<'a>(assembly: &mut Assembly<'_>, references: &References<'a>, api: &'a Api, pointer: &str) -> Vec<Route<'a>> {
    let mut routes: Vec<Route<'a>> = Vec::new();
    for (index, route) in api.routes.iter().enumerate() {
        for (line, body) in &route.0 {
            let pointer = format!("{pointer}/routes/{index}/{}", escape(line));
            let checked = well_formed(line).and_then(|(method, path)| {
                let twin = routes.iter().find(|other| other.method == method && same_path(other.path, path));
                match twin {
                    None => Ok((method, path)),
                    Some(twin) => Err((
                        format!("`{line}` is here twice: `{} {}` answers the same requests", twin.method, twin.path),
                        "keep one of the two".to_owned(),
                    )),
                }
            });
            match checked {
                Ok((method, path)) => routes.push(Route { method, path, body, pointer }),
                Err((message, help)) => assembly
                    .report(Finding::error("R024", message).at(references.loaded.key_place(&pointer)).help(help)),
            }
        }
    }
    routes
}

/// The method and path of a route's line, or what is wrong and what to do.
fn well_formed(line: &str) -> Result<(&str, &str), (String, String)> {
    let example = || "write it as `GET /path`, or with a path parameter as `GET /path/{id}`".to_owned();
    let Some((method, path)) = line.split_once(' ') else {
        return Err((format!("`{line}` is not a method and a path"), example()));
    };
    if !METHODS.contains(&method) {
        let methods: Vec<String> = METHODS.iter().map(|method| (*method).to_owned()).collect();
        return Err((
            format!("`{method}` is not a method"),
            did_you_mean(&method.to_ascii_uppercase(), methods.iter()),
        ));
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err((format!("the path `{path}` does not start with `/`"), example()));
    };
    // A slash at the end changes nothing for API Gateway.
    let (path, rest) = match rest.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => (path.strip_suffix('/').unwrap_or(path), rest),
        _ => (path, rest),
    };
    if rest.is_empty() {
        return Ok((method, path));
    }
    let segments: Vec<&str> = rest.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let plain = |text: &str, more: &[u8]| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let good = match parameter {
            Some(name) => match name.strip_suffix('+') {
                Some(greedy) => plain(greedy, b"_-$") && index + 1 == segments.len(),
                None => plain(name, b"_-$"),
            },
            None => plain(segment, b"._-:$,"),
        };
        if !good {
            return Err((
                format!("`{segment}` cannot be a segment of a path"),
                "use letters, digits and `._-:$,`, or a parameter such as `{id}`, or as the last segment `{proxy+}`"
                    .to_owned(),
            ));
        }
    }
    Ok((method, path))
}

/// Whether two paths answer the same requests: parameters differ in name only.
fn same_path(one: &str, other: &str) -> bool {
    let shape = |path: &str| -> Vec<String> {
        path.split('/')
            .map(|segment| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() })
            .collect()
    };
    shape(one) == shape(other)
}

impl Context<'_> {
    /// Adds the segments of a route's path that are not there yet.
    fn add_segments(&mut self, assembly: &mut Assembly<'_>, route: &Route<'_>) -> Map<String, Value> {
        let mut content = Map::new();
        let mut path = String::new();
        let mut parent: Option<String> = None;
        for segment in route.path.split('/').filter(|segment| !segment.is_empty()) {
            path.push('/');
            path.push_str(segment);
            let id = match self.resources.get(&path) {
                Some(id) => id.clone(),
                None => {
                    let id = format!("{}{}Resource", self.id, path_words(&path));
                    let data = json!({ "id": id, "api_id": self.id, "parent_id": parent, "part": segment });
                    content.extend(assembly.add("rest-resource", &data, &route.pointer));
                    self.resources.insert(path.clone(), id.clone());
                    id
                }
            };
            parent = Some(id);
        }
        content
    }

    /// Adds a route's method and permission. What is given back is the method's id and what is deployed with it.
    fn add_route(&self, assembly: &mut Assembly<'_>, route: &Route<'_>) -> Option<(String, Map<String, Value>)> {
        let Some(function) = &route.body.function else { return None };
        let known = &self.references.spec().functions;
        if !known.contains_key(function) {
            assembly.report(
                Finding::error("R020", format!("there is no `{function}` under `functions`"))
                    .at(self.references.loaded.place(&format!("{}/function", route.pointer)))
                    .help(did_you_mean(function, known.keys())),
            );
            return None;
        }
        let parameters = assembly.keep(self.parameters(route))?;
        let request_template = match &route.body.request {
            Some(fields) => {
                let template = request::template(self.references, fields, &format!("{}/request", route.pointer));
                assembly.keep(template)?.value()
            }
            None => Value::Null,
        };
        let target = function_target(self.references, function);
        let id = format!("{}{}{}", self.id, path_words(route.path), method_word(route.method));
        let requires = !route.body.require.query.is_empty() || !route.body.require.headers.is_empty();
        let errors: Vec<Value> = ERROR_STATUSES
            .iter()
            .map(|status| json!({ "status": status.to_string(), "pattern": format!(r"\[{status}\][\s\S]*") }))
            .collect();
        let data = json!({
            "permission_id": format!("{id}Permission"),
            "api_id": self.id,
            "function_arn": target.value(),
            "function_uri": function_uri(target).value(),
            "resource_id": self.resources.get(route.path),
            "method": route.method,
            "parameters": parameters,
            "validator_id": self.validator_id.as_ref().filter(|_| requires),
            "request_template": request_template,
            "errors": errors,
            "timed_out": TIMED_OUT,
            "other_errors": OTHER_ERRORS,
            "source_arn": self.source_arn(route).value(),
            "output_id": format!("{id}Url"),
            "output_description": format!("URL of {} {}", route.method, route.path),
            "url": Expression::literal("https://")
                .then(Expression::reference(&self.id))
                .text(".execute-api.")
                .then(Expression::reference("AWS::Region"))
                .text(".")
                .then(Expression::reference("AWS::URLSuffix"))
                .text(format!("/{}{}", self.stage, route.path.trim_end_matches('/')))
                .value(),
            "id": id,
        });
        let mut resources = assembly.add("rest-route", &data, &route.pointer);
        // Who may call the function is no part of the API's own content.
        resources.retain(|_, resource| {
            resource.get("Type").and_then(Value::as_str).is_some_and(|type_| type_.starts_with("AWS::ApiGateway::"))
        });
        Some((id, resources))
    }

    /// What the route takes from a request, true where the request is refused without it.
    fn parameters(&self, route: &Route<'_>) -> Result<Map<String, Value>, Finding> {
        let mut parameters = Map::new();
        for segment in route.path.split('/') {
            if let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                parameters.insert(format!("method.request.path.{}", name.trim_end_matches('+')), json!(true));
            }
        }
        let required =
            [("query", "querystring", &route.body.require.query), ("headers", "header", &route.body.require.headers)];
        for (key, place, names) in required {
            for (index, name) in names.iter().enumerate() {
                let pointer = format!("{}/require/{key}/{index}", route.pointer);
                request::check_name(self.references, place, name, &pointer)?;
                parameters.insert(format!("method.request.{place}.{name}"), json!(true));
            }
        }
        parameters.sort_keys();
        Ok(parameters)
    }

    /// The ARN of this route's calls, at any stage so that the console's test button works too.
    fn source_arn(&self, route: &Route<'_>) -> Expression {
        let method = if route.method == "ANY" { "*" } else { route.method };
        let path: Vec<&str> =
            route.path.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment }).collect();
        let call = Expression::reference(&self.id).text(format!("/*/{method}{}", path.join("/")));
        Expression::arn("execute-api", call)
    }
}

/// The address under which API Gateway calls a function.
fn function_uri(target: Expression) -> Expression {
    Expression::literal("arn:")
        .then(Expression::reference("AWS::Partition"))
        .text(":apigateway:")
        .then(Expression::reference("AWS::Region"))
        .text(":lambda:path/2015-03-31/functions/")
        .then(target)
        .text("/invocations")
}
