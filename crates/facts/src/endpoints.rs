//! What is known about the services that VPC endpoints lead to.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// The kind of a VPC endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointKind {
    /// Network interfaces in the subnets, paid by the hour.
    Interface,
    /// An entry of the route table, free.
    Gateway,
}

/// A service that an endpoint leads to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EndpointService {
    /// The kind of its endpoint.
    pub kind: EndpointKind,
    /// IAM actions, with wildcards, that are called through it.
    pub actions: Vec<String>,
    /// Those an endpoint lets through when the spec's grants say nothing of the service.
    #[serde(default)]
    pub unless_granted: Vec<String>,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Endpoints {
    #[expect(dead_code, reason = "for people who read the table")]
    about: String,
    #[expect(dead_code, reason = "for people who read the table")]
    source: String,
    #[expect(dead_code, reason = "for people who read the table")]
    as_of: Day,
    zones: NetworkZones,
    services: BTreeMap<String, EndpointService>,
}

/// The zones to choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NetworkZones {
    #[expect(dead_code, reason = "for people who read the table")]
    about: String,
    #[expect(dead_code, reason = "for people who read the table")]
    source: String,
    #[expect(dead_code, reason = "for people who read the table")]
    as_of: Day,
    regions: BTreeMap<String, [String; 3]>,
}

/// The services by the last part of their names, such as `bedrock-runtime`.
pub fn endpoints() -> &'static BTreeMap<String, EndpointService> {
    &table().services
}

/// Regions in which not every zone has what a network needs, each with the ids of three zones that have it.
pub fn network_zones() -> &'static BTreeMap<String, [String; 3]> {
    &table().zones.regions
}

fn table() -> &'static Endpoints {
    static ENDPOINTS: LazyLock<Endpoints> =
        LazyLock::new(|| super::embedded("endpoints.json", include_str!("../../../schemas/endpoints.json")));
    &ENDPOINTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table: Endpoints = serde_json::from_str(include_str!("../../../schemas/endpoints.json")).expect("a table");
        for (name, service) in &table.services {
            assert!(!service.actions.is_empty(), "{name}");
            for action in service.actions.iter().chain(&service.unless_granted) {
                let (prefix, rest) = action.split_once(':').expect("an action");
                assert!(!prefix.contains('*') && !rest.is_empty(), "{name}: {action}");
            }
        }
        for gateway in ["dynamodb", "s3"] {
            assert_eq!(table.services[gateway].kind, EndpointKind::Gateway);
        }
    }
}
