//! The network: a VPC without internet, and endpoints for the AWS services reached from inside.

use serde_json::{Value, json};

use crate::facts::{self, EndpointKind, EndpointService};
use crate::finding::{Finding, code};
use crate::iam::{Policy, Principal, Statement, matches};
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::{NETWORK_SECURITY_GROUP, NETWORK_VPC, network_endpoint_id, network_subnet_ids};
use crate::render::names::pascal;
use crate::render::references::{Kind, References, no_grant};
use crate::render::words::did_you_mean;
use crate::render::{grants, tree};
use crate::spec::{Endpoint, Network, escape};

/// The addresses of a network that does not say.
const DEFAULT_CIDR: &str = "10.0.0.0/16";

/// Bits by which a subnet's prefix is longer than the VPC's: four blocks, one a zone and one to spare.
const SUBNET_BITS: u32 = 2;

const ROUTE_TABLE: &str = "NetworkRouteTable";

/// The condition that the zones are chosen by their ids.
const ZONES_CHOSEN: &str = "NetworkZonesChosen";

/// The network.
pub(super) const KIND: Kind = Kind {
    section: "network",
    add: |assembly, references| {
        if let Some(network) = &references.spec().network {
            add(assembly, references, network);
        }
    },
    attribute: |references, part, attribute| {
        let network = references.spec().network.as_ref()?;
        match (part, attribute) {
            ("vpc", "") => Some(Expression::reference(NETWORK_VPC)),
            ("security-group", "") => Some(Expression::attribute(NETWORK_SECURITY_GROUP, "GroupId")),
            ("subnets", "") => Some(subnet_list(network)),
            _ => None,
        }
    },
    grant: no_grant,
};

fn subnet_list(network: &Network) -> Expression {
    network_subnet_ids(network).iter().enumerate().fold(Expression::default(), |list, (index, id)| {
        let list = if index == 0 { list } else { list.text(",") };
        list.then(Expression::reference(id))
    })
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, network: &Network) {
    let ids = network_subnet_ids(network);
    let cidr = network.cidr.as_deref().unwrap_or(DEFAULT_CIDR);
    let prefix = cidr.rsplit_once('/').and_then(|(_, prefix)| prefix.parse::<u32>().ok()).unwrap_or(16);
    let bits = 32_u32.saturating_sub(prefix + SUBNET_BITS);
    let subnets = ids.iter().enumerate().map(|(index, id)| {
        PartialData::new("/network/zones")
            .made("association_id", format!("{id}RouteTable"))
            .made("index", index)
            .made("zone_id", zone_id(index))
            .made("zones", ids.len())
            .said("bits", "/network/cidr", bits)
            .made("id", id)
    });
    let in_regions: Vec<String> = facts::network_zones().keys().map(|region| in_region(region)).collect();
    let regions = facts::network_zones().keys().map(|region| json!({ "id": in_region(region), "region": region }));
    let regions: Vec<Value> = regions.collect();
    let gateway = |name: &String| facts::endpoints().get(name).is_some_and(|it| it.kind == EndpointKind::Gateway);
    let outputs = json!({ "vpc": NETWORK_VPC, "subnets": "NetworkSubnets", "security_group": NETWORK_SECURITY_GROUP });
    let data = PartialData::new("/network")
        .made("vpc_id", NETWORK_VPC)
        .made("route_table_id", ROUTE_TABLE)
        .made("security_group_id", NETWORK_SECURITY_GROUP)
        .said("cidr", "cidr", cidr)
        .parts("subnets", "zones", subnets)
        .made("chosen_id", ZONES_CHOSEN)
        .made("chosen", json!({ "Fn::Or": in_regions.iter().map(|id| json!({ "Condition": id })).collect::<Vec<_>>() }))
        .made("regions", regions)
        .said("anywhere", "endpoints", network.endpoints.keys().any(gateway))
        .made("outputs", outputs)
        .made("subnet_list", subnet_list(network).value());
    assembly.add("network", data);
    for (name, endpoint) in &network.endpoints {
        let pointer = format!("/network/endpoints/{}", escape(name));
        let Some(service) = facts::endpoints().get(name) else {
            let known: Vec<String> = facts::endpoints().keys().cloned().collect();
            assembly.report(
                Finding::error(code::R141, format!("no endpoint leads to `{name}`"))
                    .at(references.loaded.key_place(&pointer))
                    .help(did_you_mean(name, known.iter())),
            );
            continue;
        };
        let Some(policy) = assembly.keep(policy(references, name, service, endpoint, &pointer)) else { continue };
        let id = network_endpoint_id(name);
        let service_name =
            Expression::literal("com.amazonaws.").then(Expression::reference("AWS::Region")).text(format!(".{name}"));
        let mut data = PartialData::new(&pointer)
            .made("vpc_id", NETWORK_VPC)
            .made("service_name", service_name.value())
            .made("gateway", service.kind == EndpointKind::Gateway)
            .made("route_table_id", ROUTE_TABLE)
            .made("security_group_id", NETWORK_SECURITY_GROUP)
            .made("subnets", &ids)
            .said("policy", "policy", policy)
            .made("output_id", &id)
            .made("id", &id);
        for index in 0..endpoint.policy.as_ref().map_or(0, Vec::len) {
            data = data.at(&format!("/policy/Statement/{index}"), &format!("policy/{index}"));
        }
        assembly.add("network-endpoint", data);
    }
}

/// The condition that the stack is in a region of which the zones are chosen.
fn in_region(region: &str) -> String {
    format!("NetworkIn{}", pascal(region))
}

/// The id of the zone of a subnet, in the regions where the zone must be chosen; nothing in the others.
fn zone_id(index: usize) -> Value {
    facts::network_zones().iter().rev().fold(json!({ "Ref": "AWS::NoValue" }), |otherwise, (region, zones)| match zones
        .get(index)
    {
        Some(zone) => json!({ "Fn::If": [in_region(region), zone, otherwise] }),
        None => otherwise,
    })
}

/// What may be done through an endpoint: what the spec says, or else what the functions inside are granted on the service,
/// or else the service's usual calls; in the last two by this account's own principals only.
fn policy(
    references: &References<'_>,
    name: &str,
    service: &EndpointService,
    endpoint: &Endpoint,
    pointer: &str,
) -> Result<Value, Finding> {
    if let Some(given) = &endpoint.policy {
        let statements: Result<Vec<Value>, Finding> = given
            .iter()
            .enumerate()
            .map(|(index, statement)| tree::value(references, &statement.0, &format!("{pointer}/policy/{index}")))
            .collect();
        return Ok(json!({ "Version": "2012-10-17", "Statement": statements? }));
    }
    if name == "execute-api" {
        return Ok(call_apis().to_value());
    }
    let mut statements = granted(references, service);
    if statements.is_empty() {
        let actions = if service.unless_granted.is_empty() { &service.actions } else { &service.unless_granted };
        statements.push(Statement::allow(actions.iter().map(String::as_str), [json!("*")]));
    }
    let account = json!({ "Ref": "AWS::AccountId" });
    let ours = |statement: Statement| {
        statement.to(Principal::Any).when("StringEquals", "aws:PrincipalAccount", account.clone())
    };
    Ok(Policy::of(statements.into_iter().map(ours)).to_value())
}

/// Calls of the account's own APIs from this network. A caller of an API need not sign the call and so need not be
/// anyone: the API says who may.
fn call_apis() -> Policy {
    let apis = Expression::arn("execute-api", Expression::literal("*")).value();
    Policy::of([Statement::allow(["execute-api:Invoke"], [apis]).to(Principal::Any).when(
        "StringEquals",
        "aws:SourceVpc",
        json!({ "Ref": NETWORK_VPC }),
    )])
}

/// The statements of the functions inside that are about the service. What is wrong with a grant is told where the
/// function is rendered.
fn granted(references: &References<'_>, service: &EndpointService) -> Vec<Statement> {
    let mut found = Vec::new();
    for (name, function) in references.spec().functions.iter().filter(|(_, function)| function.in_network) {
        for (index, grant) in function.uses.iter().enumerate() {
            let pointer = format!("/functions/{}/uses/{index}", escape(name));
            for mut statement in grants::statements(references, grant, &pointer).unwrap_or_default() {
                statement.actions.retain(|action| service.actions.iter().any(|known| matches(known, action)));
                if !statement.actions.is_empty() {
                    found.push(statement);
                }
            }
        }
    }
    found
}
