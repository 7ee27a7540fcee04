//! REST and private APIs: paths, methods, validation, deployment and stage.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::base::{ApiContext, throttle};
use super::{authorizers, cors, extras};
use crate::finding::{Finding, code};
use crate::render::assemble::{Assembly, digest};
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::network_endpoint_id;
use crate::render::names::{pascal, path_words};
use crate::render::words::did_you_mean;
use crate::spec::{ApiKind, EndpointType, RouteBody, escape};

/// The methods a route may have.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"];

/// A route, its line of the spec taken apart.
pub(super) struct RestRoute<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a RouteBody,
    pub(super) pointer: String,
}

/// What all routes of one API need to know.
pub(super) struct Context<'a> {
    pub(super) base: &'a ApiContext<'a>,
    /// Path → logical id of its last segment.
    pub(super) resources: BTreeMap<String, String>,
}

/// What a route must have of a request, and so which validator it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Validated {
    Parameters,
    Body,
    Both,
}

impl Validated {
    fn of(body: &RouteBody) -> Option<Self> {
        let parameters = !body.require.query.is_empty() || !body.require.headers.is_empty();
        match (parameters, body.require.body.is_some()) {
            (true, true) => Some(Validated::Both),
            (true, false) => Some(Validated::Parameters),
            (false, true) => Some(Validated::Body),
            (false, false) => None,
        }
    }

    /// Logical id after the API's, and the validator's name.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Validated::Parameters => ("RequestValidator", "parameters"),
            Validated::Body => ("BodyValidator", "body"),
            Validated::Both => ("RequestAndBodyValidator", "parameters and body"),
        }
    }
}

/// The logical id of a route's validator, when it has one.
pub(super) fn validator_id(api_id: &str, body: &RouteBody) -> Option<String> {
    Validated::of(body).map(|validated| format!("{api_id}{}", validated.words().0))
}

/// The logical id of a model of request bodies.
pub(super) fn model_id(api_id: &str, schema: &str) -> String {
    format!("{api_id}{}Model", pascal(schema))
}

pub(super) fn add(assembly: &mut Assembly<'_>, base: &ApiContext<'_>) {
    let Some(endpoints) = vpc_endpoints(assembly, base) else { return };
    let routes = routes(assembly, base);
    let parameters = routes.iter().any(|route| Validated::of(route.body) == Some(Validated::Parameters));
    let type_ = match (base.api.kind, base.api.endpoint) {
        (ApiKind::Private, _) => "PRIVATE",
        (_, Some(EndpointType::Edge)) => "EDGE",
        _ => "REGIONAL",
    };
    let type_key = if base.api.kind == ApiKind::Private { "kind" } else { "endpoint" };
    let data = PartialData::new(&base.pointer)
        .made("id", &base.id)
        .said("name", "name", base.own_name.value())
        .said("description", "description", &base.api.description)
        .said("endpoint_type", type_key, type_)
        .said("vpc_endpoints", "vpc-endpoints", endpoints)
        .made("validator_id", parameters.then(|| format!("{}{}", base.id, Validated::Parameters.words().0)));
    // Everything whose change must reach callers; the deployment is named after it.
    let mut content: Map<String, Value> = assembly.add_known("rest-api", data);
    content.extend(body_validation(assembly, base, &routes));
    content.extend(authorizers::add(assembly, base));
    let mut context = Context { base, resources: BTreeMap::new() };
    for route in &routes {
        content.extend(context.add_segments(assembly, route));
    }
    let mut methods = Vec::new();
    for route in &routes {
        let Some((method_id, resources)) = context.add_route(assembly, route) else { continue };
        content.extend(resources);
        methods.push(method_id);
    }
    if let Some(cors) = &base.api.cors {
        let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for route in &routes {
            paths.entry(route.path.to_owned()).or_default().push(route.method.to_owned());
        }
        let (ids, resources) = cors::add_rest(assembly, base, cors, &paths, &context.resources);
        content.extend(resources);
        methods.extend(ids);
    }
    methods.sort();
    let logs = extras::logs(assembly, base);
    let stage_id = format!("{}Stage", base.id);
    let data = PartialData::new(&base.pointer)
        .made("deployment_id", format!("{}Deployment{}", base.id, digest(&content)))
        .made("stage_id", &stage_id)
        .made("api_id", &base.id)
        .made("methods", methods)
        .said("stage", "stage", &base.stage)
        .said("after", "access-logs", logs.after)
        .said("log_arn", "access-logs", logs.arn)
        .said("log_format", "access-logs", logs.format)
        .parts("throttles", "", throttles(base, &routes))
        .made("output_id", format!("{}Url", base.id))
        .made("url", base.url().value());
    assembly.add("rest-stage", data);
    extras::usage_plans(assembly, base, &stage_id);
    extras::domain(assembly, base, &stage_id);
}

/// The VPC endpoints that lead to a private API: those named, and that of the spec's own network.
fn vpc_endpoints(assembly: &mut Assembly<'_>, base: &ApiContext<'_>) -> Option<Vec<Value>> {
    if base.api.kind != ApiKind::Private {
        return Some(Vec::new());
    }
    let named: Option<Vec<Value>> = base
        .api
        .vpc_endpoints
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let pointer = format!("{}/vpc-endpoints/{index}", base.pointer);
            assembly.keep(base.references.text(text, &pointer)).map(|it| it.value())
        })
        .collect();
    let mut all = named?;
    let network = base.references.spec().network.as_ref();
    if network.is_some_and(|network| network.endpoints.contains_key("execute-api")) {
        all.push(Expression::reference(network_endpoint_id("execute-api")).value());
    }
    if all.is_empty() {
        assembly.report(
            Finding::error(code::R111, format!("no VPC endpoint leads to the private API `{}`", base.name))
                .at(base.references.loaded.key_place(&base.pointer))
                .help("add `execute-api: {}` to the `endpoints` of the spec's `network`, or name one under `vpc-endpoints`"),
        );
        return None;
    }
    Some(all)
}

/// Adds the models of request bodies, and the validators that look at bodies.
fn body_validation(assembly: &mut Assembly<'_>, base: &ApiContext<'_>, routes: &[RestRoute<'_>]) -> Map<String, Value> {
    let mut content = Map::new();
    for (name, schema) in &base.api.schemas {
        let pointer = format!("{}/schemas/{}", base.pointer, escape(name));
        let mut schema = schema.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.entry("$schema").or_insert_with(|| json!("http://json-schema.org/draft-04/schema#"));
        }
        let data = PartialData::new(pointer)
            .made("id", model_id(&base.id, name))
            .made("api_id", &base.id)
            .said("schema", "", schema);
        content.extend(assembly.add_known("rest-model", data));
    }
    for validated in [Validated::Body, Validated::Both] {
        if routes.iter().any(|route| Validated::of(route.body) == Some(validated)) {
            let (id, name) = validated.words();
            let data = PartialData::new(&base.pointer)
                .made("id", format!("{}{id}", base.id))
                .made("api_id", &base.id)
                .made("name", name)
                .made("parameters", validated == Validated::Both);
            content.extend(assembly.add_known("rest-validator", data));
        }
    }
    content
}

/// What the stage lets through: of every method, and of single ones.
fn throttles(base: &ApiContext<'_>, routes: &[RestRoute<'_>]) -> Vec<PartialData> {
    let one = |at: &str, path: &str, method: &str, limits: &crate::spec::Throttle| {
        throttle(&format!("{at}/throttle"), limits).made("path", path).made("method", method)
    };
    let all = base.api.throttle.as_ref().map(|limits| one(&base.pointer, "/*", "*", limits));
    // A path is one segment of a key of the stage's settings, so its slashes are escaped; the root is a bare one.
    let setting = |path: &str| if path == "/" { path.to_owned() } else { format!("/{}", path.replace('/', "~1")) };
    let own = routes.iter().filter_map(|route| {
        let limits = route.body.throttle.as_ref()?;
        Some(one(&route.pointer, &setting(route.path), route.method, limits))
    });
    all.into_iter().chain(own).collect()
}

/// The routes that are well formed; the others are reported.
fn routes<'a>(assembly: &mut Assembly<'_>, base: &ApiContext<'a>) -> Vec<RestRoute<'a>> {
    let mut routes: Vec<RestRoute<'a>> = Vec::new();
    for (index, route) in base.api.routes.iter().enumerate() {
        for (line, body) in &route.0 {
            let pointer = format!("{}/routes/{index}/{}", base.pointer, escape(line));
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
                Ok((method, path)) => routes.push(RestRoute { method, path, body, pointer }),
                Err((message, help)) => assembly.report(
                    Finding::error(code::R024, message).at(base.references.loaded.key_place(&pointer)).help(help),
                ),
            }
        }
    }
    routes
}

/// The method and path of a route's line, or what is wrong and what to do.
pub(super) fn well_formed(line: &str) -> Result<(&str, &str), (String, String)> {
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
    fn add_segments(&mut self, assembly: &mut Assembly<'_>, route: &RestRoute<'_>) -> Map<String, Value> {
        let mut content = Map::new();
        let mut path = String::new();
        let mut parent: Option<String> = None;
        for segment in route.path.split('/').filter(|segment| !segment.is_empty()) {
            path.push('/');
            path.push_str(segment);
            let id = match self.resources.get(&path) {
                Some(id) => id.clone(),
                None => {
                    let id = format!("{}{}Resource", self.base.id, path_words(&path));
                    let data = PartialData::new(&route.pointer)
                        .made("id", &id)
                        .made("api_id", &self.base.id)
                        .made("parent_id", parent)
                        .made("part", segment);
                    content.extend(assembly.add_known("rest-resource", data));
                    self.resources.insert(path.clone(), id.clone());
                    id
                }
            };
            parent = Some(id);
        }
        content
    }
}
