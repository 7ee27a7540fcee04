//! The rules a well-shaped spec must keep: one file a subject, all of them run, every finding at its place.

mod accept;
mod agents;
mod alarms;
mod api_routes;
mod apis;
mod authorizers;
mod bounds;
mod code;
mod context;
mod counts;
mod cycles;
mod documents;
mod flows;
mod functions;
mod grants;
mod guardrails;
mod knowledge;
mod layers;
mod limits;
mod models;
mod names;
mod names_of;
mod needs;
mod network;
mod parameters;
mod prompts;
mod references;
mod roles;
mod routes;
mod secrets;
mod seeds;
mod smoke;
mod stored_secrets;
mod tables;
mod user_pools;

pub use code::handler_files;
pub(super) use context::Rules;
pub use names::logical_name;
pub(super) use secrets::{hide, secrets};

/// Runs every rule, unless there is so much that AWS would not take it anyway.
pub(super) fn run(rules: &mut Rules<'_>) {
    if !counts::check(rules) {
        return;
    }
    accept::check(rules);
    names::check(rules);
    limits::check(rules);
    bounds::check(rules);
    parameters::check(rules);
    models::check(rules);
    layers::check(rules);
    functions::check(rules);
    roles::check(rules);
    network::check(rules);
    alarms::check(rules);
    needs::check(rules);
    names_of::check(rules);
    references::check(rules);
    grants::check(rules);
    cycles::check(rules);
    routes::check(rules);
    knowledge::check(rules);
    guardrails::check(rules);
    prompts::check(rules);
    flows::check(rules);
    apis::check(rules);
    api_routes::check(rules);
    authorizers::check(rules);
    user_pools::check(rules);
    smoke::check(rules);
    tables::check(rules);
    agents::check(rules);
    stored_secrets::check(rules);
    code::check(rules);
    documents::check(rules);
    seeds::check(rules);
}
