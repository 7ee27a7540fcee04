//! What no rendered policy may hold, in any use case.

use bedplate::facts::iam_exceptions;
use bedplate::iam::{Effect, Policy, Principal, Statement};
use serde_json::Value;

use crate::rendered::{rendered, use_cases};

/// A statement of a policy document in a use case's template.
struct Found {
    place: String,
    trust: bool,
    statement: Statement,
}

/// Every statement of every policy document in every use case, found by the document's form wherever it stands.
fn statements() -> Vec<Found> {
    let mut found = Vec::new();
    for loaded in use_cases() {
        for resource in rendered(&loaded).template.resources() {
            let Some(properties) = resource.properties() else { continue };
            let place = format!("{}: {} {}", loaded.spec.name, resource.type_, resource.logical_id);
            collect(&Value::Object(properties.clone()), &place, false, &mut found);
        }
    }
    found
}

fn collect(value: &Value, place: &str, trust: bool, found: &mut Vec<Found>) {
    match value {
        Value::Object(map) => {
            if map.contains_key("Statement")
                && let Ok(policy) = Policy::from_value(value)
            {
                found.extend(policy.statements.into_iter().map(|statement| Found {
                    place: place.to_owned(),
                    trust,
                    statement,
                }));
            } else {
                for (key, item) in map {
                    collect(item, &format!("{place}/{key}"), trust || key == "AssumeRolePolicyDocument", found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, place, trust, found)),
        _ => {}
    }
}

fn allowed() -> impl Iterator<Item = Found> {
    let found = statements();
    assert!(found.iter().any(|it| it.trust) && found.iter().any(|it| !it.trust), "there are policies to look at");
    found.into_iter().filter(|it| it.statement.effect == Effect::Allow)
}

#[test]
fn no_policy_allows_every_action_or_all_but_some() {
    for Found { place, statement, .. } in allowed() {
        assert_eq!(statement.not_actions.len(), 0, "{place}: {statement:?}");
        let wide: Vec<&String> =
            statement.actions.iter().filter(|action| *action == "*" || action.ends_with(":*")).collect();
        assert!(wide.is_empty(), "{place} allows {wide:?}");
    }
}

#[test]
fn every_resource_is_named_unless_the_service_offers_nothing_narrower() {
    let exceptions = iam_exceptions();
    for Found { place, trust, statement } in allowed() {
        if trust {
            continue;
        }
        assert_eq!(statement.not_resources, [] as [Value; 0], "{place}");
        // An endpoint's policy grants nothing: it bounds what the account's own principals, whose policies do name
        // resources, can do through the endpoint.
        let bounds = place.contains("AWS::EC2::VPCEndpoint")
            && statement.conditions.get("StringEquals").is_some_and(|keys| keys.contains_key("aws:PrincipalAccount"));
        if !bounds && statement.resources.iter().any(|resource| resource == "*") {
            let narrowable: Vec<&String> =
                statement.actions.iter().filter(|action| !exceptions.takes_no_resource(action)).collect();
            assert!(narrowable.is_empty(), "{place} allows {narrowable:?} on `*`; see schemas/iam-exceptions.json");
        }
    }
}

#[test]
fn every_service_is_trusted_on_behalf_of_this_account_only() {
    let exceptions = iam_exceptions();
    for Found { place, trust, statement } in allowed() {
        if !trust {
            continue;
        }
        let sourced = statement
            .conditions
            .values()
            .flat_map(|keys| keys.keys())
            .any(|key| ["aws:sourceaccount", "aws:sourcearn"].contains(&key.to_lowercase().as_str()));
        for principal in &statement.principals {
            let Principal::Of(kind, identity) = principal else { panic!("{place}: anyone may take the role") };
            let service: String = serde_json::from_str(identity).unwrap_or_else(|_| identity.clone());
            if kind == "Service" {
                let known = exceptions.sends_no_source(&service);
                assert!(sourced || known, "{place} trusts {service} without aws:SourceAccount or aws:SourceArn");
            }
        }
    }
}

#[test]
fn no_role_has_a_managed_policy_that_grants_a_whole_service() {
    for loaded in use_cases() {
        for resource in rendered(&loaded).template.resources() {
            let policies = resource.properties().and_then(|it| it.get("ManagedPolicyArns")).map(Value::to_string);
            let policies = policies.unwrap_or_default();
            for wide in ["FullAccess", "AdministratorAccess", "PowerUserAccess"] {
                assert!(!policies.contains(wide), "{}: {} has {policies}", loaded.spec.name, resource.logical_id);
            }
        }
    }
}

#[test]
fn every_service_that_may_call_a_function_is_bound_to_a_source() {
    for loaded in use_cases() {
        for resource in rendered(&loaded).template.resources() {
            let Some(properties) = resource.properties().filter(|_| resource.type_ == "AWS::Lambda::Permission") else {
                continue;
            };
            let service = properties["Principal"].as_str().is_some_and(|it| it.ends_with(".amazonaws.com"));
            let sourced = properties.contains_key("SourceArn") || properties.contains_key("SourceAccount");
            assert!(sourced || !service, "{}: {}", loaded.spec.name, resource.logical_id);
        }
    }
}
