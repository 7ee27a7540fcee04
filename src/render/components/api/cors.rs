//! Web pages of other origins: what a browser asks an API before and after.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::authorizers;
use super::base::ApiContext;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::names::path_words;
use crate::spec::Cors;

/// What `ANY` stands for.
const ALL_METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The headers pages may send: those said, or what the API needs.
pub(super) fn headers(base: &ApiContext<'_>, cors: &Cors) -> Vec<String> {
    if !cors.headers.is_empty() {
        return cors.headers.clone();
    }
    let mut headers = vec!["content-type".to_owned()];
    if authorizers::any(base) {
        headers.push("authorization".to_owned());
        let named = base.api.authorizers.values().filter_map(|authorizer| authorizer.header.as_ref());
        headers.extend(named.map(|header| header.to_lowercase()).filter(|header| header != "authorization"));
        let routes = base.api.routes.iter().flat_map(|route| route.0.values());
        if routes.map(|body| body.auth.as_deref()).chain([base.api.auth.as_deref()]).any(|auth| auth == Some("iam")) {
            headers.extend(["x-amz-date".to_owned(), "x-amz-security-token".to_owned()]);
        }
    }
    if base.api.api_key || base.api.routes.iter().flat_map(|it| it.0.values()).any(|it| it.api_key == Some(true)) {
        headers.push("x-api-key".to_owned());
    }
    headers
}

/// The methods pages may use: those said, or those of the routes.
pub(super) fn methods<'a>(cors: &Cors, routes: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    if !cors.methods.is_empty() {
        return cors.methods.clone();
    }
    let mut methods: BTreeSet<&str> = BTreeSet::new();
    for method in routes {
        match method {
            "ANY" => methods.extend(ALL_METHODS),
            one => {
                methods.insert(one);
            }
        }
    }
    methods.into_iter().map(str::to_owned).collect()
}

/// Where the methods are said; nowhere when they are those of the routes.
pub(super) fn methods_key(cors: &Cors) -> &'static str {
    if cors.methods.is_empty() { "" } else { "methods" }
}

/// Where the headers are said; nowhere when they are what the API needs.
pub(super) fn headers_key(cors: &Cors) -> &'static str {
    if cors.headers.is_empty() { "" } else { "headers" }
}

/// The one origin of a REST API, as API Gateway wants a fixed text: in single quotes.
pub(super) fn rest_origin(cors: Option<&Cors>) -> Value {
    cors.and_then(|cors| cors.origins.first()).map_or(Value::Null, |origin| json!(format!("'{origin}'")))
}

/// Adds to each path of a REST API the answer to a browser's question before a request, and the headers of API Gateway's
/// own errors. Given back are the ids of what must be there before the deployment, and what is deployed.
pub(super) fn add_rest(
    assembly: &mut Assembly<'_>,
    base: &ApiContext<'_>,
    cors: &Cors,
    paths: &BTreeMap<String, Vec<String>>,
    resources: &BTreeMap<String, String>,
) -> (Vec<String>, Map<String, Value>) {
    let pointer = format!("{}/cors", base.pointer);
    let (mut ids, mut content) = (Vec::new(), Map::new());
    let headers = headers(base, cors).join(",");
    let origin = rest_origin(Some(cors));
    for (path, own) in paths {
        // A route of the spec's own answers the question itself.
        if own.iter().any(|method| method == "OPTIONS") {
            continue;
        }
        let id = format!("{}{}Options", base.id, path_words(path));
        let methods = methods(cors, own.iter().map(String::as_str)).join(",");
        let data = PartialData::new(&pointer)
            .made("id", &id)
            .made("api_id", &base.id)
            .made("resource_id", resources.get(path))
            .said("allow_origin", "origins/0", &origin)
            .said("allow_methods", methods_key(cors), format!("'{methods}'"))
            .said("allow_headers", headers_key(cors), format!("'{headers}'"))
            .said("max_age", "max-age", cors.max_age.map(|age| format!("'{}'", age.0)));
        content.extend(assembly.add_known("rest-cors", data));
        ids.push(id);
    }
    for (word, type_) in [("ClientErrors", "DEFAULT_4XX"), ("ServerErrors", "DEFAULT_5XX")] {
        let id = format!("{}{word}", base.id);
        let data = PartialData::new(&pointer).made("id", &id).made("api_id", &base.id).made("type", type_).said(
            "allow_origin",
            "origins/0",
            &origin,
        );
        content.extend(assembly.add_known("rest-cors-errors", data));
        ids.push(id);
    }
    (ids, content)
}
