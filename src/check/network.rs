//! What a network costs while nobody uses it, and the ways it lacks.

use crate::facts::{self, EndpointKind, HOURS_OF_A_MONTH};
use crate::finding::{Finding, code};
use crate::spec::{Grant, LoadedSpec, escape};

/// The endpoint that a verb's calls on a section go through.
const WAYS: &[(&str, &[&str], &str)] = &[
    ("models", &["invoke", "stream"], "bedrock-runtime"),
    ("guardrails", &["apply"], "bedrock-runtime"),
    ("knowledge-bases", &["retrieve", "ask"], "bedrock-agent-runtime"),
    ("flows", &["invoke"], "bedrock-agent-runtime"),
    ("functions", &["invoke"], "lambda"),
    ("buckets", &["read", "write", "read-write", "delete", "list"], "s3"),
    ("tables", &["read", "write", "read-write", "delete", "get", "query"], "dynamodb"),
    ("secrets", &["read"], "secretsmanager"),
];

pub(super) fn check(loaded: &LoadedSpec, findings: &mut Vec<Finding>) {
    let Some(network) = &loaded.spec.network else { return };
    let kind = |name: &String| facts::endpoints().get(name).map(|service| service.kind);
    let paid = network.endpoints.keys().filter(|name| kind(name) == Some(EndpointKind::Interface)).count();
    let zones = network.zones.unwrap_or(2);
    if let Some(price) = facts::prices().get("interface-endpoint").filter(|_| paid > 0) {
        let month = price.usd * HOURS_OF_A_MONTH * paid as f64 * f64::from(zones);
        let these = if paid == 1 { "one interface endpoint".to_owned() } else { format!("{paid} interface endpoints") };
        let where_ = if zones == 1 { "one zone".to_owned() } else { format!("{zones} zones") };
        let fewer = if zones == 1 { "" } else { ", or write `zones: 1`" };
        findings.push(
            Finding::note(code::L141, format!("{these} in {where_}: about {month:.0} US dollars a month, used or not"))
                .at(loaded.key_place("/network/endpoints"))
                .help(format!(
                    "destroy the stack when it is not needed{fewer}; the price of {} is {} US dollars for each \
                 {}, other regions differ",
                    price.as_of, price.usd, price.per
                )),
        );
    }
    for (name, function) in loaded.spec.functions.iter().filter(|(_, function)| function.in_network) {
        for (index, grant) in function.uses.iter().enumerate() {
            let Some(way) = way(grant).filter(|way| !network.endpoints.contains_key(*way)) else { continue };
            let target = grant.target().unwrap_or_default();
            findings.push(
                Finding::warning(
                    code::L142,
                    format!("`{name}` has no way from the network to what it uses, `{target}`"),
                )
                .at(loaded.place(&format!("/functions/{}/uses/{index}", escape(name))))
                .help(format!(
                    "add `{way}: {{}}` under `endpoints` of `network`, or the call hangs until it times out"
                )),
            );
        }
    }
}

fn way(grant: &Grant) -> Option<&'static str> {
    let verb = grant.verb()?;
    let (section, _) = grant.target()?.split_once('.')?;
    WAYS.iter().find(|(of, verbs, _)| *of == section && verbs.contains(&verb)).map(|(_, _, way)| *way)
}
