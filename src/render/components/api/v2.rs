//! HTTP and WebSocket APIs. Their stages deploy each change by themselves.

use serde_json::{Map, Value, json};

use super::base::{Base, function_uri, rate, throttle};
use super::{authorizers, cors, extras, rest};
use crate::finding::Finding;
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::names::{method_word, pascal, path_words};
use crate::render::references::function_target;
use crate::spec::{ApiKind, RouteBody, escape};

/// Where a WebSocket message says which route it is for, unless the spec does.
const ROUTE_SELECTION: &str = "$request.body.action";

/// A route of either kind.
struct Route<'a> {
    /// Its key in API Gateway, such as `GET /items` or `$connect`.
    key: String,
    /// Method and path; none for a key that is neither.
    http: Option<(&'a str, &'a str)>,
    body: &'a RouteBody,
    pointer: String,
    /// Logical id of the route.
    id: String,
}

pub(super) fn add(assembly: &mut Assembly<'_>, base: &Base<'_>) {
    let routes = routes(assembly, base);
    let websocket = base.api.kind == ApiKind::Websocket;
    let description = &base.api.description;
    if websocket {
        let selection = base.api.route_selection.as_deref().unwrap_or(ROUTE_SELECTION);
        let data = json!({ "id": base.id, "name": base.own_name.value(), "description": description, "route_selection": selection });
        assembly.add("websocket-api", &data, &base.pointer);
    } else {
        let methods = routes.iter().map(|route| route.http.map_or("ANY", |(method, _)| method));
        let cors = base.api.cors.as_ref().map(|it| {
            json!({
                "origins": it.origins,
                "methods": cors::methods(it, methods),
                "headers": cors::headers(base, it),
                "max_age": it.max_age.map(|age| age.0),
            })
        });
        let data = json!({ "id": base.id, "name": base.own_name.value(), "description": description, "cors": cors });
        assembly.add("http-api", &data, &base.pointer);
    }
    authorizers::add(assembly, base);
    for route in &routes {
        add_route(assembly, base, route);
    }
    let logs = extras::logs(assembly, base);
    let stage_id = format!("{}Stage", base.id);
    let own: Map<String, Value> = routes
        .iter()
        .filter_map(|route| {
            let limits = route.body.throttle.as_ref()?;
            let burst = limits.burst;
            let settings = json!({ "ThrottlingBurstLimit": burst, "ThrottlingRateLimit": rate(limits.rate) });
            Some((route.key.clone(), settings))
        })
        .collect();
    let mut after: Vec<&str> = routes.iter().map(|route| route.id.as_str()).collect();
    after.extend(logs.after);
    after.sort_unstable();
    let data = json!({
        "id": stage_id,
        "api_id": base.id,
        "stage": base.stage,
        "after": after,
        "throttle": base.api.throttle.as_ref().map(throttle),
        "route_settings": own,
        "log_arn": logs.arn,
        "log_format": logs.format,
        "output_id": format!("{}Url", base.id),
        "url": base.url().value(),
    });
    assembly.add("v2-stage", &data, &base.pointer);
    extras::domain(assembly, base, &stage_id);
}

/// The routes that are well formed; the others are reported.
fn routes<'a>(assembly: &mut Assembly<'_>, base: &Base<'a>) -> Vec<Route<'a>> {
    let mut routes: Vec<Route<'a>> = Vec::new();
    for (index, route) in base.api.routes.iter().enumerate() {
        for (line, body) in &route.0 {
            let pointer = format!("{}/routes/{index}/{}", base.pointer, escape(line));
            let plain = base.api.kind == ApiKind::Websocket || line == "$default";
            let (key, http, words) = match if plain { None } else { Some(rest::well_formed(line)) } {
                None => (line.clone(), None, pascal(line)),
                Some(Ok((method, path))) => {
                    let words = path_words(path) + &method_word(method);
                    (format!("{method} {path}"), Some((method, path)), words)
                }
                Some(Err((message, help))) => {
                    let place = base.references.loaded.key_place(&pointer);
                    assembly.report(Finding::error("R024", message).at(place).help(help));
                    continue;
                }
            };
            routes.push(Route { key, http, body, pointer, id: format!("{}{words}Route", base.id) });
        }
    }
    routes
}

fn add_route(assembly: &mut Assembly<'_>, base: &Base<'_>, route: &Route<'_>) -> Option<()> {
    let websocket = base.api.kind == ApiKind::Websocket;
    // Who may open a connection is asked once, when it is opened.
    let asked = !websocket || route.key == "$connect";
    let own = if asked { route.body.auth.as_deref() } else { Some("none") };
    let auth = assembly.keep(authorizers::of_route(base, own, &route.pointer))?;
    let stem = route.id.strip_suffix("Route").unwrap_or(&route.id);
    let mut data = json!({
        "id": route.id,
        "integration_id": format!("{stem}Integration"),
        "permission_id": format!("{stem}Permission"),
        "api_id": base.id,
        "route_key": route.key,
        "auth": auth.type_,
        "authorizer_id": auth.authorizer_id,
        "scopes": auth.scopes,
        "timeout_ms": route.body.timeout.map(|timeout| u64::from(timeout.0) * 1000),
        "function_arn": null,
        "function_uri": null,
        "source_arn": null,
        "uri": null,
        "integration_method": null,
        "link": null,
    });
    let mut more = integration(assembly, base, route)?;
    if let (Some(data), Some((method, path))) = (data.as_object_mut(), route.http) {
        more.insert("output_id".to_owned(), json!(format!("{stem}Url")));
        more.insert("output_description".to_owned(), json!(format!("URL of {method} {path}")));
        more.insert("url".to_owned(), base.url().text(path.trim_end_matches('/')).value());
        data.extend(more);
    } else if let Some(data) = data.as_object_mut() {
        more.insert("output_id".to_owned(), Value::Null);
        data.extend(more);
    }
    assembly.add(if websocket { "websocket-route" } else { "http-route" }, &data, &route.pointer);
    Some(())
}

/// What answers a route.
fn integration(assembly: &mut Assembly<'_>, base: &Base<'_>, route: &Route<'_>) -> Option<Map<String, Value>> {
    let mut more = Map::new();
    let body = route.body;
    if let Some(function) = &body.function {
        if !base.knows_function(assembly, function, &format!("{}/function", route.pointer)) {
            return None;
        }
        let target = function_target(base.references, function);
        let source = match route.http {
            Some((method, path)) => base.route_calls(method, path),
            None => base.calls(&route.key),
        };
        more.insert("function_arn".to_owned(), target.value());
        more.insert("function_uri".to_owned(), function_uri(target).value());
        more.insert("source_arn".to_owned(), source.value());
        return Some(more);
    }
    let address = match (&body.http, &body.vpc_link, route.http) {
        (Some(http), _, http_route) => {
            let own = http_route.map_or("ANY", |(method, _)| method);
            Some((&http.url, "http/url", http.method.as_deref().unwrap_or(own), None))
        }
        (None, Some(link), Some((method, _))) => Some((&link.target, "vpc-link/target", method, Some(&link.link))),
        (None, Some(link), None) => Some((&link.target, "vpc-link/target", "ANY", Some(&link.link))),
        (None, None, _) => None,
    };
    let Some((url, key, method, link)) = address.filter(|_| base.api.kind == ApiKind::Http) else {
        let finding = Finding::error("R112", format!("nothing answers `{}`", route.key));
        let place = base.references.loaded.key_place(&route.pointer);
        assembly.report(finding.at(place).help("name a `function`; an HTTP API also has `http` and `vpc-link`"));
        return None;
    };
    let uri: Expression = assembly.keep(base.references.text(url, &format!("{}/{key}", route.pointer)))?;
    more.insert("uri".to_owned(), uri.value());
    more.insert("integration_method".to_owned(), json!(method));
    if let Some(link) = link {
        let link = assembly.keep(base.references.text(link, &format!("{}/vpc-link/link", route.pointer)))?;
        more.insert("link".to_owned(), link.value());
    }
    Some(more)
}
