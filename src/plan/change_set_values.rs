//! What a change set tells of values that the templates do not: what a dynamic reference or a parameter of Parameter Store
//! came out as, before and after.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::resolved::{ResolvedTemplate, is_unknown};
use super::values::{HIDDEN, Secrets};
use crate::cfn::change_set::{ChangeDetail, ResourceChangeSummary};

/// What a value that is not reported yet begins with in a change set, and what a dynamic reference begins with.
const UNRESOLVED: [&str; 2] = ["{{changeSet:", "{{resolve:"];
/// Resources whose attributes are whatever code or people put there. Those of others are names that the service makes.
const CHOSEN: [&str; 3] = ["AWS::CloudFormation::CustomResource", "AWS::CloudFormation::Stack", "AWS::SSM::Parameter"];

/// A value that changes and of which nobody says what it will be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnknownValue {
    pub(super) logical_id: String,
    /// The path within the properties; the first is the top-level property.
    pub(super) path: Vec<String>,
}

/// Puts what the change set tells into both templates where they are silent, and gives what it does not tell either.
pub(super) fn apply_change_set_values(
    changes: &[&ResourceChangeSummary],
    secrets: &Secrets,
    old: &mut ResolvedTemplate,
    new: &mut ResolvedTemplate,
) -> BTreeSet<UnknownValue> {
    let types: BTreeMap<String, String> =
        new.resources.iter().map(|(id, resource)| (id.clone(), resource.type_.clone())).collect();
    let mut unknown = BTreeSet::new();
    for change in changes {
        let id = &change.logical_resource_id;
        for (template, context) in [(&mut *old, &change.before_context), (&mut *new, &change.after_context)] {
            let context = context.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let Some(context) = context.as_ref().and_then(|context| context.get("Properties")) else { continue };
            let Some(resource) = template.resources.get_mut(id) else { continue };
            for (name, value) in &mut resource.properties {
                if let Some(reported) = context.get(name) {
                    fill(value, reported, secrets);
                }
            }
        }
        let (Some(had), Some(has)) = (old.resources.get_mut(id), new.resources.get_mut(id)) else { continue };
        let mut by_path: BTreeMap<Vec<String>, Vec<&ChangeDetail>> = BTreeMap::new();
        for detail in &change.details {
            if let Some(path) = path_of(detail) {
                by_path.entry(path).or_default().push(detail);
            }
        }
        for (path, details) in by_path {
            let (was, is) = (at(&had.properties, &path), at(&has.properties, &path));
            if was != is && !is.is_some_and(is_unknown) {
                // The templates say it.
                continue;
            }
            let target = |pick: fn(&ChangeDetail) -> Option<String>| details.iter().find_map(|detail| pick(detail));
            let before = target(|detail| detail.target.as_ref()?.before_value.clone());
            let after = target(|detail| detail.target.as_ref()?.after_value.clone());
            let is_of = |kind: &str| {
                let kind_of = |detail: &&ChangeDetail| detail.target.as_ref()?.attribute_change_type.clone();
                details.iter().filter_map(kind_of).any(|it| it == kind)
            };
            let reported = after.as_deref().filter(|text| is_reported(text, secrets));
            if reported.is_some() || is_of("Remove") {
                let set = put(&mut has.properties, &path, reported.map(read));
                let earlier = before.as_deref().filter(|text| is_reported(text, secrets));
                if earlier.is_some() || is_of("Add") {
                    put(&mut had.properties, &path, earlier.map(read));
                }
                if set {
                    continue;
                }
            }
            // The name of a resource that is made anew is no other value than before.
            let by_service = details.iter().any(|detail| {
                let cause = detail.causing_entity.as_deref().and_then(|cause| cause.split('.').next());
                let kind = cause.and_then(|cause| types.get(cause));
                kind.is_some_and(|kind| !kind.starts_with("Custom::") && !CHOSEN.contains(&kind.as_str()))
            });
            if !by_service {
                unknown.insert(UnknownValue { logical_id: id.clone(), path });
            }
        }
    }
    unknown
}

fn is_reported(text: &str, secrets: &Secrets) -> bool {
    !text.contains(HIDDEN) && !UNRESOLVED.iter().any(|it| text.contains(it)) && secrets.redact(text) == text
}

/// The value of a property as a change set has it: text, or JSON in text.
fn read(text: &str) -> Value {
    let parsed = || serde_json::from_str(text).ok();
    text.starts_with(['{', '[']).then(parsed).flatten().unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Takes what is reported in place of what is not known.
fn fill(value: &mut Value, reported: &Value, secrets: &Secrets) {
    let is_function = matches!(value, Value::Object(map) if map.len() == 1);
    if let Value::String(text) = reported {
        if (value.is_string() || is_function) && is_unknown(value) && is_reported(text, secrets) {
            *value = reported.clone();
        }
        return;
    }
    match (value, reported) {
        (Value::Object(map), Value::Object(reported)) => {
            for (key, value) in map {
                if let Some(reported) = reported.get(key) {
                    fill(value, reported, secrets);
                }
            }
        }
        (Value::Array(items), Value::Array(reported)) => {
            for (value, reported) in items.iter_mut().zip(reported) {
                fill(value, reported, secrets);
            }
        }
        _ => {}
    }
}

/// The path of a changed property, as names and places in lists.
fn path_of(detail: &ChangeDetail) -> Option<Vec<String>> {
    let target = detail.target.as_ref()?;
    let path = match target.path.as_deref().filter(|path| !path.is_empty()) {
        Some(path) => path.trim_start_matches('/').to_owned(),
        None => format!("{}/{}", target.attribute.as_deref()?, target.name.as_deref()?),
    };
    let parts: Vec<String> = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    match parts.split_first() {
        Some((first, rest)) if first == "Properties" && !rest.is_empty() => Some(rest.to_vec()),
        _ => None,
    }
}

fn at<'v>(properties: &'v Map<String, Value>, path: &[String]) -> Option<&'v Value> {
    let (top, rest) = path.split_first()?;
    rest.iter().try_fold(properties.get(top)?, |value, part| match value {
        Value::Object(map) => map.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Sets a value, or takes it out. Says no where there is nothing to set it in.
fn put(properties: &mut Map<String, Value>, path: &[String], value: Option<Value>) -> bool {
    let Some((last, before)) = path.split_last() else { return false };
    let in_map = |map: &mut Map<String, Value>, value: Option<Value>| {
        match value {
            Some(value) => {
                map.insert(last.clone(), value);
            }
            None => {
                map.remove(last);
            }
        }
        true
    };
    let Some((top, rest)) = before.split_first() else { return in_map(properties, value) };
    let Some(first) = properties.get_mut(top) else { return false };
    let inside = rest.iter().try_fold(first, |inside, part| match inside {
        Value::Object(map) => map.get_mut(part),
        Value::Array(items) => items.get_mut(part.parse::<usize>().ok()?),
        _ => None,
    });
    match inside {
        Some(Value::Object(map)) if !map.keys().any(|key| key == "Ref" || key.starts_with("Fn::")) => {
            in_map(map, value)
        }
        Some(Value::Array(items)) => match (last.parse::<usize>().ok().and_then(|index| items.get_mut(index)), value) {
            (Some(item), Some(value)) => {
                *item = value;
                true
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cfn::Template;
    use crate::cfn::change_set::{Change, ChangeDetail, ChangeSet, ChangeTarget, ResourceChangeSummary};
    use crate::plan::{Current, DesiredStack, Plan, PlanKind, RiskKind, from_change_set};

    /// The plan of a change of a bucket policy's principal, which the template leaves to Parameter Store.
    fn plan(before: Option<&str>, after: Option<&str>, caused_by: Option<&str>) -> Plan {
        let statement = json!({ "Effect": "Allow", "Principal": { "AWS": "{{resolve:ssm:/who}}" }, "Action": "s3:GetObject", "Resource": "*" });
        let template = Template::from_value(json!({ "Resources": {
            "C": { "Type": "Custom::Who" }, "B": { "Type": "AWS::S3::Bucket" },
            "P": { "Type": "AWS::S3::BucketPolicy", "Properties": { "PolicyDocument": { "Statement": [statement] } } },
        } }));
        let template = template.expect("a template");
        let desired =
            DesiredStack { stack: "s", region: "us-west-2", template: Some(&template), ..DesiredStack::default() };
        let current = Current { template: Some(&template), ..Current::default() };
        let detail = ChangeDetail {
            target: Some(ChangeTarget {
                path: Some("/Properties/PolicyDocument/Statement/0/Principal/AWS".to_owned()),
                before_value: before.map(str::to_owned),
                after_value: after.map(str::to_owned),
                ..ChangeTarget::default()
            }),
            causing_entity: caused_by.map(str::to_owned),
            ..ChangeDetail::default()
        };
        let change = ResourceChangeSummary {
            action: "Modify".to_owned(),
            logical_resource_id: "P".to_owned(),
            resource_type: "AWS::S3::BucketPolicy".to_owned(),
            details: vec![detail],
            ..ResourceChangeSummary::default()
        };
        let changes = vec![Change { r#type: "Resource".to_owned(), resource_change: Some(change) }];
        from_change_set(&desired, &current, &ChangeSet { changes, ..ChangeSet::default() }, PlanKind::Update)
    }

    #[test]
    fn what_the_change_set_tells_is_compared_and_what_it_does_not_tell_needs_both() {
        let both = [RiskKind::Rights, RiskKind::Public];
        assert_eq!(plan(Some("111111111111"), Some("*"), None).risk_kinds(), both);
        assert_eq!(plan(Some("111111111111"), Some("222222222222"), None).risk_kinds(), [RiskKind::Rights]);
        assert!(plan(Some("*"), Some("111111111111"), None).risk_kinds().is_empty(), "narrower");
        assert_eq!(plan(None, None, None).risk_kinds(), both);
        assert_eq!(plan(None, Some("{{changeSet:KNOWN_AFTER_APPLY}}"), Some("C.Arn")).risk_kinds(), both);
        assert_eq!(plan(Some("****"), Some("****"), None).risk_kinds(), both);
        let named = plan(None, Some("{{changeSet:KNOWN_AFTER_APPLY}}"), Some("B.Arn"));
        assert!(named.risk_kinds().is_empty(), "a name that the service makes: {:?}", named.risks);
    }
}
