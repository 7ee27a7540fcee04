//! HTTP and WebSocket APIs. Their stages deploy each change by themselves.

use serde_json::Value;

use super::base::{ApiContext, function_uri, rate, throttle};
use super::{authorizers, cors, extras, rest};
use crate::finding::{Finding, code};
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::names::{method_word, pascal, path_words};
use crate::render::references::function_target;
use crate::spec::{ApiKind, RouteBody, escape};

/// Where a WebSocket message says which route it is for, unless the spec does.
const ROUTE_SELECTION: &str = "$request.body.action";

/// A route of either kind.
struct V2Route<'a> {
    /// Its key in API Gateway, such as `GET /items` or `$connect`.
    key: String,
    /// Method and path; none for a key that is neither.
    http: Option<(&'a str, &'a str)>,
    body: &'a RouteBody,
    pointer: String,
    /// Logical id of the route.
    id: String,
}

pub(super) fn add(assembly: &mut Assembly<'_>, base: &ApiContext<'_>) {
    let routes = routes(assembly, base);
    let websocket = base.api.kind == ApiKind::Websocket;
    let api = PartialData::new(&base.pointer).made("id", &base.id).said("name", "name", base.own_name.value()).said(
        "description",
        "description",
        &base.api.description,
    );
    if websocket {
        let selection = base.api.route_selection.as_deref().unwrap_or(ROUTE_SELECTION);
        assembly.add("websocket-api", api.said("route_selection", "route-selection", selection));
    } else {
        let methods = routes.iter().map(|route| route.http.map_or("ANY", |(method, _)| method));
        let cors = base.api.cors.as_ref().map(|it| {
            PartialData::new(format!("{}/cors", base.pointer))
                .said("origins", "origins", &it.origins)
                .said("methods", cors::methods_key(it), cors::methods(it, methods))
                .said("headers", cors::headers_key(it), cors::headers(base, it))
                .said("max_age", "max-age", it.max_age.map(|age| age.0))
        });
        assembly.add("http-api", api.part("cors", cors));
    }
    authorizers::add(assembly, base);
    for route in &routes {
        add_route(assembly, base, route);
    }
    let logs = extras::logs(assembly, base);
    let stage_id = format!("{}Stage", base.id);
    let limited = routes.iter().filter_map(|route| Some((route, route.body.throttle.as_ref()?)));
    let own = limited.fold(PartialData::new(&base.pointer), |all, (route, limits)| {
        let settings = PartialData::new(format!("{}/throttle", route.pointer))
            .said("ThrottlingBurstLimit", "burst", limits.burst)
            .said("ThrottlingRateLimit", "rate", rate(limits.rate));
        all.part(&route.key, Some(settings))
    });
    let limits = base.api.throttle.as_ref().map(|limits| throttle(&format!("{}/throttle", base.pointer), limits));
    let mut after: Vec<&str> = routes.iter().map(|route| route.id.as_str()).collect();
    after.extend(logs.after);
    after.sort_unstable();
    let data = PartialData::new(&base.pointer)
        .made("id", &stage_id)
        .made("api_id", &base.id)
        .said("stage", "stage", &base.stage)
        .made("after", after)
        .part("throttle", limits)
        .part("route_settings", Some(own))
        .said("log_arn", "access-logs", logs.arn)
        .said("log_format", "access-logs", logs.format)
        .made("output_id", format!("{}Url", base.id))
        .made("url", base.url().value());
    assembly.add("v2-stage", data);
    extras::domain(assembly, base, &stage_id);
}

/// The routes that are well formed; the others are reported.
fn routes<'a>(assembly: &mut Assembly<'_>, base: &ApiContext<'a>) -> Vec<V2Route<'a>> {
    let mut routes: Vec<V2Route<'a>> = Vec::new();
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
                    assembly.report(Finding::error(code::R024, message).at(place).help(help));
                    continue;
                }
            };
            routes.push(V2Route { key, http, body, pointer, id: format!("{}{words}Route", base.id) });
        }
    }
    routes
}

fn add_route(assembly: &mut Assembly<'_>, base: &ApiContext<'_>, route: &V2Route<'_>) -> Option<()> {
    let websocket = base.api.kind == ApiKind::Websocket;
    // Who may open a connection is asked once, when it is opened.
    let asked = !websocket || route.key == "$connect";
    let own = if asked { route.body.auth.as_deref() } else { Some("none") };
    let auth = assembly.keep(authorizers::of_route(base, own, &route.pointer))?;
    let stem = route.id.strip_suffix("Route").unwrap_or(&route.id);
    let data = PartialData::new(&route.pointer)
        .made("id", &route.id)
        .made("integration_id", format!("{stem}Integration"))
        .made("permission_id", format!("{stem}Permission"))
        .made("api_id", &base.id)
        .made("route_key", &route.key)
        .said("timeout_ms", "timeout", route.body.timeout.map(|timeout| u64::from(timeout.0) * 1000));
    let nothing = ["function_arn", "function_uri", "source_arn", "uri", "integration_method", "link"];
    let data = nothing.into_iter().fold(auth.tell(data), |data, name| data.made(name, Value::Null));
    let data = data.with(integration(assembly, base, route)?);
    let data = match route.http {
        Some((method, path)) => data
            .made("output_id", format!("{stem}Url"))
            .made("output_description", format!("URL of {method} {path}"))
            .made("url", base.url().text(path.trim_end_matches('/')).value()),
        None => data.made("output_id", Value::Null),
    };
    assembly.add(if websocket { "websocket-route" } else { "http-route" }, data);
    Some(())
}

/// What answers a route.
fn integration(assembly: &mut Assembly<'_>, base: &ApiContext<'_>, route: &V2Route<'_>) -> Option<PartialData> {
    let data = PartialData::new(&route.pointer);
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
        return Some(
            data.said("function_arn", "function", target.value())
                .said("function_uri", "function", function_uri(target).value())
                .made("source_arn", source.value()),
        );
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
        let finding = Finding::error(code::R112, format!("nothing answers `{}`", route.key));
        let place = base.references.loaded.key_place(&route.pointer);
        assembly.report(finding.at(place).help("name a `function`; an HTTP API also has `http` and `vpc-link`"));
        return None;
    };
    let uri: Expression = assembly.keep(base.references.text(url, &format!("{}/{key}", route.pointer)))?;
    let data = data.said("uri", key, uri.value()).said("integration_method", "http/method", method);
    let Some(link) = link else { return Some(data) };
    let link = assembly.keep(base.references.text(link, &format!("{}/vpc-link/link", route.pointer)))?;
    Some(data.said("link", "vpc-link/link", link.value()))
}
