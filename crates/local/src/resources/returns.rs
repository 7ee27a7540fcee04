//! What AWS documents of the values that `Ref` and `Fn::GetAtt` give, where the provider schemas don't say it:
//! `schemas/local/returns.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

const DATA: &str = include_str!("../../../../schemas/local/returns.json");

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Returns {
    /// By type: the property or attribute that `Ref` gives, where that is not the whole primary identifier.
    refs: BTreeMap<String, String>,
    /// By type and attribute: the value of a property that the template leaves out.
    defaults: BTreeMap<String, BTreeMap<String, Value>>,
    /// The service of ARNs, where it is not the second part of the type's name.
    arn_services: BTreeMap<String, String>,
}

static ALL: LazyLock<Returns> = LazyLock::new(|| serde_json::from_str(DATA).unwrap_or_default());

/// The property or attribute that `Ref` gives, where that is not the primary identifier.
pub fn reference(resource_type: &str) -> Option<&'static str> {
    ALL.refs.get(resource_type).map(String::as_str)
}

/// What an attribute is that is a property the template leaves out.
pub fn default(resource_type: &str, attribute: &str) -> Option<&'static Value> {
    ALL.defaults.get(resource_type)?.get(attribute)
}

/// The service that ARNs of a service's types name.
pub fn arn_service(service: &str) -> Option<&'static str> {
    ALL.arn_services.get(service).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use bedplate_cfn::Schemas;

    use super::*;
    use crate::resources::{Formats, provider};

    #[test]
    fn the_data_names_what_the_schemas_have() {
        assert!(ALL.refs.len() > 30 && ALL.defaults.len() > 5);
        let schemas = Schemas::embedded();
        for (resource_type, name) in &ALL.refs {
            let schema = schemas.get(resource_type).unwrap_or_else(|| panic!("{resource_type} is no type"));
            let own = schema.property(name).is_some() || schema.has_attribute(name);
            assert!(own, "{resource_type} has no {name}");
            assert!(Formats::of(resource_type).is_none(), "{resource_type} has a format, which says it already");
        }
        for (resource_type, attributes) in &ALL.defaults {
            for name in attributes.keys() {
                assert!(provider::settable(resource_type, name), "{resource_type}.{name}");
                assert!(schemas.get(resource_type).is_some_and(|schema| schema.has_attribute(name)), "{name}");
            }
        }
    }
}
