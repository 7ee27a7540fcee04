//! What answers a route, and what may stand beside it: what one kind of API takes another refuses.

use super::apis::{bounds, of_kind};
use super::context::Rules;
use super::limits::literals;
use super::routes::{METHODS, path_parameters, split_key, takes_body};
use crate::finding::code;
use crate::spec::text::Text;
use crate::spec::types::{Api, ApiKind, JSON_SERVICES, RouteBody};
use crate::spec::words::{cut, escape, suggest};

/// Seconds for which REST and WebSocket APIs wait at most, by API Gateway's quotas.
const LONGEST: u32 = 29;

/// Seconds for which HTTP APIs wait at most.
const LONGEST_HTTP: u32 = 30;

/// One route, with where it stands.
struct RouteSite<'a> {
    base: String,
    key: &'a str,
    kind: ApiKind,
    api: &'a Api,
    body: &'a RouteBody,
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, api) in &spec.apis {
        for (index, route) in api.routes.iter().enumerate() {
            for (key, body) in &route.0 {
                let base = format!("/apis/{}/routes/{index}/{}", escape(name), escape(key));
                check_route(rules, &RouteSite { base, key, kind: api.kind, api, body });
            }
        }
    }
}

fn check_route(rules: &mut Rules<'_>, site: &RouteSite<'_>) {
    let answer = check_integration(rules, site);
    beside(rules, site, answer);
    if let Some(http) = &site.body.http {
        url(rules, site, "http/url", &http.url);
        if let Some(method) = http.method.as_ref().filter(|method| !METHODS.contains(&method.as_str())) {
            let message = format!("`{}` is not a method", cut(method));
            rules.error(
                code::S114,
                &format!("{}/http/method", site.base),
                message,
                suggest(method, METHODS, "the methods are"),
            );
        }
    }
    vpc_link(rules, site);
    aws(rules, site);
    if let Some(status) = site.body.mock.as_ref().and_then(|mock| mock.status).filter(|it| !(200..=599).contains(it)) {
        let message = format!("{status} is not the status of an answer");
        rules.error(code::S102, &format!("{}/mock/status", site.base), message, "write one between 200 and 599");
    }
    if let Some(throttle) = &site.body.throttle {
        bounds(rules, &format!("{}/throttle", site.base), throttle);
        let any = split_key(site.key).is_some_and(|(method, _)| method == "ANY");
        if any && matches!(site.kind, ApiKind::Rest | ApiKind::Private) {
            let message = "a REST API limits single methods, and `ANY` is not one".to_owned();
            let help = "write a route for each method that is limited, or a `throttle` for the whole API";
            rules.error_at_key(code::S110, &format!("{}/throttle", site.base), message, help);
        }
    }
    let most = if site.kind == ApiKind::Http { LONGEST_HTTP } else { LONGEST };
    if let Some(timeout) = site.body.timeout.filter(|timeout| !(1..=most).contains(&timeout.0)) {
        let message = format!("{} cannot wait {timeout} for an answer", of_kind(site.kind));
        rules.error(code::S109, &format!("{}/timeout", site.base), message, format!("write 1s to {most}s"));
    }
}

/// The one thing that answers.
fn check_integration(rules: &mut Rules<'_>, site: &RouteSite<'_>) -> Option<&'static str> {
    let body = site.body;
    let all = [
        ("function", body.function.is_some()),
        ("http", body.http.is_some()),
        ("mock", body.mock.is_some()),
        ("aws", body.aws.is_some()),
        ("vpc-link", body.vpc_link.is_some()),
    ];
    let given: Vec<&'static str> = all.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect();
    let allowed: &[&str] = match site.kind {
        ApiKind::Rest | ApiKind::Private => &["function", "http", "mock", "aws", "vpc-link"],
        ApiKind::Http => &["function", "http", "vpc-link"],
        ApiKind::Websocket => &["function"],
    };
    let [key] = given.as_slice() else {
        // What did not decode may have been the answer.
        if rules.intact(&site.base) {
            let message = match given.as_slice() {
                [] => format!("nothing answers `{}`", cut(site.key)),
                several => format!(
                    "`{}` is answered by {}, and one thing answers a route",
                    cut(site.key),
                    several.join(" and ")
                ),
            };
            let list = allowed.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            rules.error_at_key(code::S101, &site.base, message, format!("write exactly one of {list}"));
        }
        return None;
    };
    if !allowed.contains(key) {
        let message = format!("a route of {} is not answered by `{key}`", of_kind(site.kind));
        let help = match site.kind {
            ApiKind::Websocket => "let a `function` answer".to_owned(),
            _ => "let a `function` answer, or make the API `kind: rest`".to_owned(),
        };
        rules.error_at_key(code::S102, &format!("{}/{key}", site.base), message, help);
    }
    Some(key)
}

/// What stands beside the answer and is not for every kind.
fn beside(rules: &mut Rules<'_>, site: &RouteSite<'_>, answer: Option<&str>) {
    let rest = matches!(site.kind, ApiKind::Rest | ApiKind::Private);
    let require = &site.body.require;
    let some = !require.query.is_empty() || !require.headers.is_empty() || require.body.is_some();
    if some && !rest {
        let message = format!("{} looks at no parameters and bodies", of_kind(site.kind));
        let help = "let the function look at them, or make the API `kind: rest`";
        rules.error_at_key(code::S104, &format!("{}/require", site.base), message, help);
    }
    if site.body.request.is_some() && !rest {
        let message = format!("{} gives a function the whole request", of_kind(site.kind));
        let help = "take what is needed from the event in the function, or make the API `kind: rest`";
        rules.error_at_key(code::S104, &format!("{}/request", site.base), message, help);
    } else if let (Some(_), Some(other)) = (&site.body.request, answer.filter(|answer| *answer != "function")) {
        let message = format!("`request` makes the event of a function, and `{other}` answers here");
        let help = match other {
            "aws" => "write it as `request` below `aws`",
            _ => "leave `request` out",
        };
        rules.error_at_key(code::S104, &format!("{}/request", site.base), message, help);
    }
    if site.body.api_key == Some(true) && !rest {
        let message = format!("{} asks for no API keys", of_kind(site.kind));
        rules.error_at_key(code::S100, &format!("{}/api-key", site.base), message, "ask for a token with `auth`");
    }
    let Some(schema) = require.body.as_ref().filter(|_| rest) else { return };
    let pointer = format!("{}/require/body", site.base);
    if !site.api.schemas.contains_key(schema) {
        let help = match site.api.schemas.is_empty() {
            true => format!("the API has no `schemas`; add `{}` under them", cut(schema)),
            false => suggest(schema, site.api.schemas.keys().map(String::as_str), "`schemas` has"),
        };
        rules.error(code::S104, &pointer, format!("there is no schema `{}`", cut(schema)), help);
    }
    if let Some((method, _)) = split_key(site.key).filter(|(method, _)| !takes_body(method)) {
        let message = format!("a {method} request has no body to look at");
        rules.error(code::S104, &pointer, message, "use POST, PUT or PATCH, or leave it out");
    }
}

/// An address, whose `{name}`s are the route's own variables.
fn url(rules: &mut Rules<'_>, site: &RouteSite<'_>, key: &str, url: &Text) {
    let pointer = format!("{}/{key}", site.base);
    let source = url.source();
    if !source.starts_with("${") && !source.starts_with("https://") && !source.starts_with("http://") {
        let message = format!("`{}` is not the address of a web server", cut(source));
        return rules.error(code::S114, &pointer, message, "write one such as `https://example.com/items/{id}`");
    }
    let known = path_parameters(site.key);
    for literal in literals(url) {
        for part in literal.split('{').skip(1) {
            let name = part.split('}').next().unwrap_or_default();
            if !known.contains(&name) {
                let message = format!("`{{{}}}` is not a variable of the route's path", cut(name));
                let help = suggest(name, known.iter().copied(), "the path has");
                rules.error(code::S114, &pointer, message, help);
            }
        }
    }
}

fn vpc_link(rules: &mut Rules<'_>, site: &RouteSite<'_>) {
    let Some(link) = &site.body.vpc_link else { return };
    if site.kind != ApiKind::Http {
        return url(rules, site, "vpc-link/target", &link.target);
    }
    let source = link.target.source();
    if !source.starts_with("${") && !source.starts_with("arn:") {
        let message = format!("`{}` is not an ARN", cut(source));
        let help = "an HTTP API reaches a VPC by the ARN of a load balancer's listener or of a Cloud Map service";
        rules.error(code::S114, &format!("{}/vpc-link/target", site.base), message, help);
    }
}

fn aws(rules: &mut Rules<'_>, site: &RouteSite<'_>) {
    let Some(aws) = &site.body.aws else { return };
    let base = format!("{}/aws", site.base);
    let known = JSON_SERVICES.map(|(service, _)| service);
    if !known.contains(&aws.service.as_str()) {
        let message = format!("`{}` is not a service that takes JSON from API Gateway", cut(&aws.service));
        let help = suggest(&aws.service, known, "those that do are");
        let help = format!("{help}; a `function` can call every service");
        rules.error(code::S115, &format!("{base}/service"), message, help);
    }
    let fits = aws.action.starts_with(|c: char| c.is_ascii_uppercase())
        && aws.action.bytes().all(|b| b.is_ascii_alphanumeric());
    if !fits {
        let message = format!("`{}` is not an action", cut(&aws.action));
        rules.error(code::S115, &format!("{base}/action"), message, "write it as AWS does, such as `GetItem`");
    }
    if aws.uses.is_empty() {
        let message = format!("API Gateway may not call `{}` of {}", cut(&aws.action), cut(&aws.service));
        rules.error(code::S115, &base, message, "say what it may do under `uses`, such as `- get: tables.NAME`");
    }
}
