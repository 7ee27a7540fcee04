//! Smoke tests: each calls something the spec has, and expects something that can be checked.

use super::Rules;
use super::parameters::regular_expression;
use super::routes::{METHODS, split_key};
use crate::spec::smoke::{SmokeCall, fits};
use crate::spec::types::{Api, ApiKind, SmokeTest};
use crate::spec::words::{cut, suggest};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (index, test) in spec.smoke.iter().enumerate() {
        let base = format!("/smoke/{index}");
        if rules.intact(&base) {
            one(rules, &base, test);
        }
    }
}

fn one(rules: &mut Rules<'_>, base: &str, test: &SmokeTest) {
    match (&test.call, &test.invoke) {
        (Some(text), None) => call(rules, &format!("{base}/call"), text, test.expect.status),
        (None, Some(target)) => invoke(rules, &format!("{base}/invoke"), target),
        (Some(_), Some(_)) => {
            let message = "a smoke test has both `call` and `invoke`".to_owned();
            rules.error("S036", base, message, "make two tests of it");
        }
        (None, None) => {
            let message = "a smoke test has neither `call` nor `invoke`".to_owned();
            let help = "add `call: GET apis.NAME /path` or `invoke: functions.NAME`";
            rules.error("S036", base, message, help);
        }
    }
    if let Some(status) = test.expect.status.filter(|status| !(100..=599).contains(status)) {
        let message = format!("{status} is not an HTTP status");
        rules.error("S036", &format!("{base}/expect/status"), message, "write one between 100 and 599");
    }
    if test.expect.within.is_some_and(|within| within.0 == 0) {
        let message = "nothing answers within no time".to_owned();
        rules.error("S036", &format!("{base}/expect/within"), message, "write `1s` or more");
    }
    if let Some(pattern) = test.expect.body.as_ref().and_then(|body| body.matches.as_ref())
        && let Err((message, help)) = regular_expression(pattern)
    {
        rules.error("S037", &format!("{base}/expect/body/matches"), message, help);
    }
}

fn invoke(rules: &mut Rules<'_>, pointer: &str, target: &str) {
    let Some(name) = target.strip_prefix("functions.") else {
        let message = format!("`{}` cannot be invoked", cut(target));
        let help = match rules.has("functions", target) {
            true => format!("write `functions.{target}`"),
            false => "write `functions.NAME`".to_owned(),
        };
        return rules.error("S036", pointer, message, help);
    };
    if !rules.has("functions", name) {
        let help = rules.suggest_name("functions", name);
        rules.error("S036", pointer, format!("there is no function `{}`", cut(name)), help);
    }
}

fn call(rules: &mut Rules<'_>, pointer: &str, text: &str, status: Option<u16>) {
    let Some(call) = SmokeCall::parse(text) else {
        let message = format!("`{}` is not a call", cut(text));
        let help = "write `METHOD apis.NAME /path?query`, such as `GET apis.posters /posters?prompt=a dog`";
        return rules.error("S036", pointer, message, help);
    };
    if !METHODS.contains(&call.method.as_str()) || call.method == "ANY" {
        let help = suggest(&call.method, METHODS.into_iter().filter(|method| *method != "ANY"), "the methods are");
        return rules.error("S036", pointer, format!("`{}` is not a method to call with", cut(&call.method)), help);
    }
    if !rules.has("apis", &call.api) {
        let help = rules.suggest_name("apis", &call.api);
        return rules.error("S036", pointer, format!("there is no API `{}`", cut(&call.api)), help);
    }
    // One that did not decode has its own finding; what is expected to be refused needs no route.
    let spec = rules.spec;
    let Some(api) = spec.apis.get(&call.api) else { return };
    if api.kind == ApiKind::Websocket {
        let message =
            format!("`apis.{}` is a WebSocket API, and a call is one request with one answer", cut(&call.api));
        return rules.error("S036", pointer, message, "try what answers it with `invoke: functions.NAME`");
    }
    if matches!(status, Some(401 | 403 | 404)) {
        return;
    }
    route(rules, pointer, &call, api);
}

fn route(rules: &mut Rules<'_>, pointer: &str, call: &SmokeCall, api: &Api) {
    let keys: Vec<(&str, &str)> =
        api.routes.iter().flat_map(|route| route.0.keys()).filter_map(|key| split_key(key)).collect();
    // A route that is wrong has its own finding, and may be the one meant.
    let all = api.routes.iter().map(|route| route.0.len()).sum::<usize>();
    if all == 0 || keys.len() < all || keys.iter().any(|(method, _)| !METHODS.contains(method)) {
        return;
    }
    let on_path: Vec<&str> =
        keys.iter().filter(|(_, path)| fits(path, &call.path)).map(|(method, _)| *method).collect();
    if on_path.is_empty() {
        let message = format!("`apis.{}` has no route `{}`", call.api, cut(&call.path));
        let help = suggest(&call.path, keys.iter().map(|(_, path)| *path), "its paths are");
        rules.error("S036", pointer, message, help);
    } else if !on_path.iter().any(|method| *method == call.method || *method == "ANY") {
        let message = format!("`{}` of `apis.{}` takes no {}", cut(&call.path), call.api, call.method);
        let help = suggest(&call.method, on_path, "it takes");
        rules.error("S036", pointer, message, help);
    }
}
