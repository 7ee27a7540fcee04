//! APIs in API Gateway: REST and private ones in version 1 of its resource types, HTTP and WebSocket ones in version 2.
//!
//! | file | its subject |
//! | --- | --- |
//! | `rest`, `rest_routes` | REST and private APIs: paths, deployment, stage; what answers a route |
//! | `v2` | HTTP and WebSocket APIs |
//! | `base` | what all of these know of the API |
//! | `authorizers` | who may call |
//! | `cors` | web pages of other origins |
//! | `extras` | access logs, domain names, usage plans |

mod authorizers;
mod base;
mod cors;
mod extras;
mod rest;
mod rest_routes;
mod v2;

use self::base::{ApiContext, url};
use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::ids::api_id;
use crate::render::references::{Ask, Kind, References};
use crate::spec::{Api, ApiKind, escape};

/// Seconds for which REST and WebSocket APIs wait for an answer at most.
pub const REST_API_WAIT: u32 = 29;

/// Seconds for which HTTP APIs wait for an answer at most.
pub const HTTP_API_WAIT: u32 = 30;

/// APIs.
pub(super) const KIND: Kind = Kind {
    section: "apis",
    add: |assembly, references| {
        extras::account(assembly, references);
        for (name, api) in &references.spec().apis {
            add(assembly, references, name, api);
        }
    },
    attribute: |references, name, attribute| match attribute {
        "" | "url" => {
            let kind = references.spec().apis.get(name)?.kind;
            Some(url(kind, name, &references.stage_of(name).ok()?))
        }
        "id" => Some(Expression::reference(api_id(name))),
        "arn" => Some(Expression::arn("execute-api", Expression::reference(api_id(name)))),
        _ => None,
    },
    grant,
};

/// Calling routes that ask for IAM credentials, and sending messages down connections.
fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let Some(api) = references.spec().apis.get(ask.name) else { return Err(references.cannot(ask)) };
    let (action, calls) = match (ask.verb, api.kind) {
        ("invoke", ApiKind::Websocket) => ("execute-api:Invoke", "$connect"),
        ("invoke", _) => ("execute-api:Invoke", "*"),
        ("push", ApiKind::Websocket) => ("execute-api:ManageConnections", "POST/@connections/*"),
        _ => return Err(references.cannot(ask)),
    };
    let stage = references.stage_of(ask.name)?;
    let calls = Expression::reference(api_id(ask.name)).text(format!("/{stage}/{calls}"));
    Ok(vec![Statement::allow([action], [Expression::arn("execute-api", calls).value()])])
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, api: &Api) {
    let pointer = format!("/apis/{}", escape(name));
    let Some(stage) = assembly.keep(references.stage_of(name)) else { return };
    let own_name = match &api.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))),
        None => Some(Expression::literal(format!("{}-{}-{name}", references.spec().name, references.options.stage))),
    };
    let Some(own_name) = own_name else { return };
    let base = ApiContext { references, api, name, own_name, pointer, id: api_id(name), stage };
    match api.kind {
        ApiKind::Rest | ApiKind::Private => rest::add(assembly, &base),
        ApiKind::Http | ApiKind::Websocket => v2::add(assembly, &base),
    }
}
