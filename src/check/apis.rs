//! What is worth knowing of APIs before they are deployed: what they need of the account, and what nobody can call.

use std::collections::BTreeSet;

use crate::finding::{Finding, code};
use crate::spec::{AccountRole, Api, ApiKind, LoadedSpec, escape};

pub(super) fn check(loaded: &LoadedSpec, findings: &mut Vec<Finding>) {
    for (name, api) in &loaded.spec.apis {
        let base = format!("/apis/{}", escape(name));
        account_role(loaded, &base, name, api, findings);
        keys(loaded, &base, name, api, findings);
        authorizers(loaded, &base, api, findings);
    }
}

/// Logs of REST and WebSocket APIs are written by one role of the whole account and region.
fn account_role(loaded: &LoadedSpec, base: &str, name: &str, api: &Api, findings: &mut Vec<Finding>) {
    let Some(logs) = api.access_logs.as_ref().filter(|_| api.kind != ApiKind::Http) else { return };
    let finding = match logs.account_role {
        AccountRole::Existing => Finding::note(
            code::L120,
            format!("the log of `{name}` is written by a role that the account must have set for API Gateway in this region"),
        )
        .help("`aws apigateway get-account` shows it as `cloudwatchRoleArn`; if it has none, write `account-role: set`"),
        AccountRole::Set => Finding::note(
            code::L121,
            format!("`{name}` sets the role by which API Gateway writes all logs of the account in this region, and it stays"),
        )
        .help("other APIs of the account may come to need it; leave `account-role` out where the account has one"),
    };
    findings.push(finding.at(loaded.key_place(&format!("{base}/access-logs"))));
}

/// Routes that ask for a key nobody has.
fn keys(loaded: &LoadedSpec, base: &str, name: &str, api: &Api, findings: &mut Vec<Finding>) {
    let mut routes = api.routes.iter().flat_map(|route| route.0.values());
    let asked = routes.any(|body| body.api_key.unwrap_or(api.api_key));
    let given = api.usage_plans.values().any(|plan| !plan.keys.is_empty());
    if asked && !given {
        findings.push(
            Finding::warning(
                code::L122,
                format!("`{name}` asks for an API key, and no usage plan of the spec has one"),
            )
            .at(loaded.key_place(base))
            .help("add a plan with `keys` under `usage-plans`: a key counts only where a plan takes it to the API"),
        );
    }
    if given && !asked {
        findings.push(
            Finding::warning(code::L123, format!("`{name}` has usage plans, and no route asks for an API key"))
                .at(loaded.key_place(&format!("{base}/usage-plans")))
                .help("write `api-key: true` at the API or at routes: without it, calls count towards no plan"),
        );
    }
}

/// Authorizers that nothing asks.
fn authorizers(loaded: &LoadedSpec, base: &str, api: &Api, findings: &mut Vec<Finding>) {
    let routes = api.routes.iter().flat_map(|route| route.0.values());
    let used: BTreeSet<&str> =
        routes.filter_map(|body| body.auth.as_deref()).chain([api.auth.as_deref()].into_iter().flatten()).collect();
    for name in api.authorizers.keys().filter(|name| !used.contains(name.as_str())) {
        findings.push(
            Finding::warning(code::L124, format!("no route asks the authorizer `{name}`"))
                .at(loaded.key_place(&format!("{base}/authorizers/{}", escape(name))))
                .help(format!("write `auth: {name}` at the API or at routes, or remove it")),
        );
    }
}
