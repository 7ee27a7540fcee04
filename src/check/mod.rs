//! Findings over a spec and the template it renders to: what AWS would refuse, what would work and not as meant, and what
//! is worth knowing. Offline and pure: whoever calls says what day it is.
//!
//! | file | its subject |
//! | --- | --- |
//! | `template` | the provider schemas' findings, brought back to the line of the spec they come from |
//! | `models` | Bedrock models: unknown, gone, elsewhere, of the wrong kind |
//! | `apis` | what APIs need of the account, keys and authorizers nobody asks for |
//! | `functions` | runtimes and timeouts |
//! | `network` | what a network costs, and the ways it lacks |
//! | `knowledge` | knowledge bases: embedding models, regions, limits, what stores cost while they wait |
//! | `inference` | models that do not do what is asked of them |
//! | `agents` | engines that close, tools of which to be wary, what an engine leaves out |
//! | `names` | names that two stages cannot both have |
//! | `policies` | IAM documents that grant more than they should |
//! | `services` | what services refuse of resources that the provider schemas take, each of them in a file |
//! | `accepted` | findings that the spec accepts, with its reasons |
//! | `wiring` | components nobody uses, names that stand in the way of a replacement, no smoke tests |

mod accepted;
mod agents;
mod apis;
mod functions;
mod inference;
mod knowledge;
mod models;
mod names;
mod network;
mod policies;
mod services;
mod template;
mod wiring;

use crate::facts::Day;
use crate::finding::{Code, Finding, Severity};
use crate::render::Rendered;
use crate::spec::LoadedSpec;

/// What a check must be told.
#[derive(Debug, Clone, Copy)]
pub struct CheckOptions<'a> {
    /// The day on which models and runtimes must still be there.
    pub today: Day,
    /// The region deployed to, when it is known; else the spec's own.
    pub region: Option<&'a str>,
}

/// Everything there is to say about a spec and what it renders to: errors first, then in the order of the file.
pub fn check(loaded: &LoadedSpec, rendered: &Rendered, options: &CheckOptions<'_>) -> Vec<Finding> {
    let region = options.region.or(loaded.spec.region.as_deref());
    let mut findings = Vec::new();
    template::check(loaded, rendered, region, &mut findings);
    models::check(loaded, options.today, region, &mut findings);
    apis::check(loaded, &mut findings);
    functions::check(loaded, options.today, &mut findings);
    services::check(loaded, rendered, options.today, &mut findings);
    network::check(loaded, &mut findings);
    knowledge::check(loaded, region, &mut findings);
    inference::check(loaded, &mut findings);
    agents::check(loaded, options.today, &mut findings);
    names::check(loaded, rendered, &mut findings);
    policies::check(loaded, rendered, &mut findings);
    wiring::check(loaded, rendered, &mut findings);
    accepted::apply(loaded, &mut findings);
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings.dedup();
    findings
}

fn order(finding: &Finding) -> (Severity, usize, usize, Code, &str) {
    let (line, column) = finding.place.as_ref().map_or((usize::MAX, 0), |place| (place.line, place.column));
    (finding.severity, line, column, finding.code, &finding.message)
}
