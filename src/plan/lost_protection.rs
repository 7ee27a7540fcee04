//! Data that a changed setting replaces, or no longer guards.

use std::collections::BTreeMap;

use serde_json::Value;

use super::resolved::{Policy, ResolvedResource, ResolvedTemplate};
use super::types::PlannedChange;
use crate::facts::{self, Protection};

/// The two policies of a resource, in the order of [`ResolvedResource::policies`], and when they speak.
const POLICIES: [(&str, &str); 2] =
    [("DeletionPolicy", "it leaves the stack"), ("UpdateReplacePolicy", "it is replaced")];

/// Resources whose data is replaced or less guarded than now, with what happens. What only the change set knows to change
/// counts too.
pub(super) fn lost_protection(
    old: &ResolvedTemplate,
    new: &ResolvedTemplate,
    changes: &[PlannedChange],
) -> Vec<(String, String)> {
    let table = facts::protections();
    let by_id: BTreeMap<&str, &PlannedChange> = changes.iter().map(|it| (it.logical_id.as_str(), it)).collect();
    let mut found = Vec::new();
    for (logical_id, has) in &new.resources {
        let Some(had) = old.resources.get(logical_id).filter(|had| had.type_ == has.type_) else { continue };
        let mut add = |reason: String| found.push((logical_id.clone(), reason));
        for facts::ReplacedValue { property, means, .. } in table.replaced.iter().filter(|it| it.type_ == has.type_) {
            let path = format!("Properties.{property}");
            let is_at =
                |reason: &str| reason.strip_prefix(&path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            let reported = by_id.get(logical_id.as_str()).is_some_and(|it| it.reasons.iter().any(|it| is_at(&it.path)));
            if reported || had.properties.get(property) != has.properties.get(property) {
                add(means.clone());
            }
        }
        for guard in table.protections.iter().filter(|it| it.type_.as_ref().is_none_or(|of| *of == has.type_)) {
            if guards(guard, has) < guards(guard, had) {
                add(guard.means.clone());
            }
        }
        let windows = table.windows.iter().filter(|it| it.type_ == has.type_);
        for facts::DeletionWindow { property, absent, unit, .. } in windows {
            let (was, is) = (had.properties.get(property), has.properties.get(property));
            let time = |value: Option<&Value>| value.map_or(Some(*absent), number);
            match (time(was), time(is)) {
                (Some(was), Some(is)) if is >= was => {}
                (_, Some(days)) if was != is => {
                    add(format!("once its deletion is asked for, {days} {unit} are left to take that back"));
                }
                (_, None) if was != is => {
                    add("once its deletion is asked for, less time may be left to take that back".to_owned());
                }
                _ => {}
            }
        }
        for ((name, when), (was, is)) in POLICIES.into_iter().zip(had.policies.iter().zip(&has.policies)) {
            let (Some(was), false) = (was, was == is) else { continue };
            // What can't be worked out may have kept it, and may not keep it any more.
            let kept = !matches!(was, Policy::Known(was) if was == "Delete");
            let keeps = matches!(is, Some(Policy::Known(is)) if is != "Delete");
            if kept && !keeps {
                let was = match was {
                    Policy::Known(was) => format!("`{was}`"),
                    Policy::Unknown(_) => "what it was".to_owned(),
                };
                let will = if matches!(is, Some(Policy::Unknown(_))) { "may be" } else { "is" };
                add(format!("`{name}` is no longer {was}: when {when}, it {will} deleted"));
            }
        }
    }
    found
}

/// How many values of a resource guard it.
fn guards(guard: &Protection, resource: &ResolvedResource) -> usize {
    let mut path = guard.at.split('.');
    let top = path.next().and_then(|top| resource.properties.get(top));
    let mut values: Vec<&Value> = top.into_iter().collect();
    for part in path {
        values = values
            .into_iter()
            .flat_map(|value| match (part, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                _ => value.get(part).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    if values.is_empty() {
        return usize::from(guard.by_default);
    }
    let is_on = |value: &&Value| match value {
        Value::Bool(on) => on.to_string() == guard.on,
        Value::String(text) => text.eq_ignore_ascii_case(&guard.on),
        _ => false,
    };
    values.into_iter().filter(is_on).count()
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::resolved::{DeploymentScope, resolve_template};
    use super::*;
    use crate::cfn::Template;

    fn settled(resource: Value) -> ResolvedTemplate {
        let template = Template::from_value(json!({ "Resources": { "R": resource } })).expect("a template");
        resolve_template(
            &template,
            &BTreeMap::new(),
            DeploymentScope { account: None, region: "us-west-2", stack: "s" },
        )
    }

    fn reported(old: Value, new: Value) -> usize {
        lost_protection(&settled(old), &settled(new), &[]).len()
    }

    #[test]
    fn data_that_is_replaced_or_less_guarded_is_told_and_the_other_way_is_not() {
        let recovery = |on: bool| json!({ "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": on } });
        for (kind, safe, not) in [
            ("AWS::DynamoDB::Table", recovery(true), recovery(false)),
            ("AWS::DynamoDB::Table", recovery(true), json!({})),
            (
                "AWS::DynamoDB::GlobalTable",
                json!({ "Replicas": [recovery(true)] }),
                json!({ "Replicas": [recovery(false)] }),
            ),
            (
                "AWS::S3::Bucket",
                json!({ "VersioningConfiguration": { "Status": "Enabled" } }),
                json!({ "VersioningConfiguration": { "Status": "Suspended" } }),
            ),
            ("AWS::KMS::Key", json!({}), json!({ "Enabled": false })),
            ("AWS::KMS::Key", json!({ "PendingWindowInDays": 30 }), json!({ "PendingWindowInDays": 7 })),
            ("AWS::RDS::DBInstance", json!({ "DeletionProtection": true }), json!({})),
        ] {
            let of = |properties: &Value| json!({ "Type": kind, "Properties": properties });
            assert_eq!(reported(of(&safe), of(&not)), 1, "{kind} {not}");
            assert_eq!(reported(of(&not), of(&safe)), 0, "{kind} {not}, the other way");
            assert_eq!(reported(of(&safe), of(&safe)), 0, "{kind}");
        }
        for (kind, property, old, new) in [
            (
                "AWS::SecretsManager::Secret",
                "GenerateSecretString",
                json!({ "PasswordLength": 20 }),
                json!({ "PasswordLength": 30 }),
            ),
            ("AWS::SecretsManager::Secret", "SecretString", json!("a"), json!("b")),
            ("AWS::SSM::Parameter", "Value", json!("a"), json!("b")),
        ] {
            let of = |value: &Value| json!({ "Type": kind, "Properties": { property: value } });
            assert_eq!(reported(of(&old), of(&new)), 1, "{kind}");
            assert_eq!(reported(of(&old), of(&old)), 0, "{kind}");
        }
    }

    #[test]
    fn a_policy_that_no_longer_keeps_is_told() {
        let bucket = |policies: Value| {
            let mut resource = json!({ "Type": "AWS::S3::Bucket" });
            for (key, value) in policies.as_object().into_iter().flatten() {
                resource[key] = value.clone();
            }
            resource
        };
        let kept = || bucket(json!({ "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Snapshot" }));
        assert_eq!(reported(kept(), bucket(json!({ "DeletionPolicy": "Delete" }))), 2);
        assert_eq!(reported(kept(), bucket(json!({}))), 2);
        assert_eq!(reported(bucket(json!({})), kept()), 0);
    }
}
