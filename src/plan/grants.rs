//! What something may do after a deployment that it may not do now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::types::Broadening;

/// Where policies sit: the resource type, the property that holds a policy document (or a list of them), and the key of
/// the document in each entry of the list.
const DOCUMENTS: &[(&str, &str, Option<&str>)] = &[
    ("AWS::IAM::Role", "AssumeRolePolicyDocument", None),
    ("AWS::IAM::Role", "Policies", Some("PolicyDocument")),
    ("AWS::IAM::User", "Policies", Some("PolicyDocument")),
    ("AWS::IAM::Group", "Policies", Some("PolicyDocument")),
    ("AWS::IAM::Policy", "PolicyDocument", None),
    ("AWS::IAM::RolePolicy", "PolicyDocument", None),
    ("AWS::IAM::ManagedPolicy", "PolicyDocument", None),
    ("AWS::S3::BucketPolicy", "PolicyDocument", None),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", None),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", None),
    ("AWS::KMS::Key", "KeyPolicy", None),
    ("AWS::ApiGateway::RestApi", "Policy", None),
];
/// Roles and users that get policies by their ARN.
const ATTACHED: &str = "ManagedPolicyArns";

/// Permissions of the new template that the old one does not give, by resource. With no old template, all of them.
///
/// A statement counts as new unless the old template has one for the same resource that is the same but for a wider or
/// equal set of actions and resources; whether two differently written statements allow the same is not decided here.
pub fn broadening(old: Option<&Value>, new: &Value) -> Vec<Broadening> {
    let before = old.map(grants_of).unwrap_or_default();
    let mut found = BTreeSet::new();
    for (logical_id, grants) in grants_of(new) {
        let had = before.get(&logical_id);
        for grant in grants {
            if let Some(rest) = beyond(grant, had.map(Vec::as_slice).unwrap_or_default()) {
                found.insert(rest);
            }
        }
    }
    found.into_iter().collect()
}

/// What a grant gives beyond those there are: the actions none of them covers, or nothing.
fn beyond(mut grant: Broadening, had: &[Broadening]) -> Option<Broadening> {
    for other in had {
        let same_terms = other.principal == grant.principal && other.condition == grant.condition;
        let covers_resources = grant.resources.iter().all(|resource| other.resources.contains(resource));
        if same_terms && covers_resources {
            grant.actions.retain(|action| !other.actions.contains(action));
        }
    }
    (!grant.actions.is_empty()).then_some(grant)
}

fn grants_of(template: &Value) -> BTreeMap<String, Vec<Broadening>> {
    let mut grants: BTreeMap<String, Vec<Broadening>> = BTreeMap::new();
    let resources = template.get("Resources").and_then(Value::as_object);
    for (logical_id, resource) in resources.into_iter().flatten() {
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        let Some(properties) = resource.get("Properties").and_then(Value::as_object) else { continue };
        let mut of_this = Vec::new();
        for (_, property, inner) in DOCUMENTS.iter().filter(|(of, _, _)| *of == kind) {
            let Some(value) = properties.get(*property) else { continue };
            match inner {
                None => statements(logical_id, value, &mut of_this),
                Some(key) => {
                    for entry in value.as_array().into_iter().flatten() {
                        statements(logical_id, entry.get(key).unwrap_or(&Value::Null), &mut of_this);
                    }
                }
            }
        }
        for policy in properties.get(ATTACHED).and_then(Value::as_array).into_iter().flatten() {
            of_this.push(Broadening {
                logical_id: logical_id.clone(),
                principal: None,
                actions: vec![format!("everything in {}", words(policy))],
                resources: vec!["whatever that policy names".to_owned()],
                condition: None,
            });
        }
        if kind == "AWS::Lambda::Permission" {
            of_this.push(permission(logical_id, properties));
        }
        if !of_this.is_empty() {
            grants.insert(logical_id.clone(), of_this);
        }
    }
    grants
}

fn statements(logical_id: &str, document: &Value, grants: &mut Vec<Broadening>) {
    for statement in one_or_many(document.get("Statement")) {
        if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
            continue;
        }
        let not = |key: &str, negated: &str| match statement.get(negated) {
            Some(value) => sorted(one_or_many(Some(value)).into_iter().map(|v| format!("all but {}", words(v)))),
            None => sorted(one_or_many(statement.get(key)).into_iter().map(words)),
        };
        grants.push(Broadening {
            logical_id: logical_id.to_owned(),
            principal: statement.get("Principal").map(principal),
            actions: not("Action", "NotAction"),
            resources: not("Resource", "NotResource"),
            condition: statement.get("Condition").map(Value::to_string),
        });
    }
}

fn permission(logical_id: &str, properties: &Map<String, Value>) -> Broadening {
    let text = |key: &str| properties.get(key).map(words);
    Broadening {
        logical_id: logical_id.to_owned(),
        principal: text("Principal"),
        actions: text("Action").into_iter().collect(),
        resources: text("FunctionName").into_iter().collect(),
        condition: text("SourceArn").map(|arn| format!("source {arn}")),
    }
}

fn principal(value: &Value) -> String {
    match value {
        Value::Object(kinds) => {
            let kinds = kinds.iter().flat_map(|(kind, who)| {
                one_or_many(Some(who)).into_iter().map(move |who| format!("{kind} {}", words(who)))
            });
            sorted(kinds).join(", ")
        }
        other => words(other),
    }
}

/// A value in words: text as it is, `Ref`, `Fn::GetAtt` and `Fn::Sub` in short, anything else as JSON.
fn words(value: &Value) -> String {
    let Some((key, inside)) = value.as_object().and_then(|map| map.iter().next()) else {
        return super::values::text_of(value);
    };
    match (key.as_str(), inside) {
        ("Ref", Value::String(name)) => format!("${{{name}}}"),
        ("Fn::GetAtt", Value::Array(path)) => {
            let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
            format!("${{{}}}", path.join("."))
        }
        ("Fn::GetAtt", Value::String(path)) => format!("${{{path}}}"),
        ("Fn::Sub", Value::String(text)) => text.clone(),
        _ => value.to_string(),
    }
}

fn one_or_many(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(one) => vec![one],
    }
}

fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let set: BTreeSet<String> = words.collect();
    set.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(actions: &[&str], resource: Value) -> Value {
        json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role", "Properties": { "Policies": [{
            "PolicyName": "p",
            "PolicyDocument": { "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resource }] },
        }] } } } })
    }

    #[test]
    fn one_more_action_is_named_and_the_others_are_not() {
        let old = role(&["s3:GetObject"], json!({ "Fn::Sub": "${Posters.Arn}/*" }));
        let new = role(&["s3:GetObject", "s3:PutObject"], json!({ "Fn::Sub": "${Posters.Arn}/*" }));
        let found = broadening(Some(&old), &new);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].actions, ["s3:PutObject"]);
        assert_eq!(found[0].resources, ["${Posters.Arn}/*"]);
        assert!(broadening(Some(&new), &old).is_empty(), "narrowing is no broadening");
        assert!(broadening(Some(&new), &new).is_empty());
    }

    #[test]
    fn a_wider_resource_is_named() {
        let found = broadening(Some(&role(&["s3:GetObject"], json!("a"))), &role(&["s3:GetObject"], json!(["a", "*"])));
        assert_eq!(found[0].resources, ["*", "a"]);
    }

    #[test]
    fn a_dropped_condition_is_a_broadening() {
        let with = json!({ "Resources": { "P": { "Type": "AWS::Lambda::Permission", "Properties": {
            "Action": "lambda:InvokeFunction", "FunctionName": "f", "Principal": "s3.amazonaws.com", "SourceArn": "arn" } } } });
        let mut without = with.clone();
        without["Resources"]["P"]["Properties"].as_object_mut().expect("object").remove("SourceArn");
        assert_eq!(broadening(Some(&with), &without).len(), 1);
    }
}
