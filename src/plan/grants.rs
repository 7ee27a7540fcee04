//! What something may do after a deployment that it may not do now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::types::{Broadening, Gain};
use super::values::text_of;
use crate::cfn::Template;
use crate::iam::{self, Policy, Principal};

/// Where policies sit: the resource type, the property that holds a policy document (or a list of them), and the key of
/// the document in each entry of the list.
const DOCUMENTS: &[(&str, &str, Option<&str>)] = &[
    ("AWS::ApiGateway::RestApi", "Policy", None),
    ("AWS::IAM::Group", "Policies", Some("PolicyDocument")),
    ("AWS::IAM::GroupPolicy", "PolicyDocument", None),
    ("AWS::IAM::ManagedPolicy", "PolicyDocument", None),
    ("AWS::IAM::Policy", "PolicyDocument", None),
    ("AWS::IAM::Role", "AssumeRolePolicyDocument", None),
    ("AWS::IAM::Role", "Policies", Some("PolicyDocument")),
    ("AWS::IAM::RolePolicy", "PolicyDocument", None),
    ("AWS::IAM::User", "Policies", Some("PolicyDocument")),
    ("AWS::IAM::UserPolicy", "PolicyDocument", None),
    ("AWS::KMS::Key", "KeyPolicy", None),
    ("AWS::S3::BucketPolicy", "PolicyDocument", None),
    ("AWS::S3Vectors::VectorBucketPolicy", "Policy", None),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", None),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", None),
    ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", None),
];
/// The property of roles, users and groups that lists policies made elsewhere.
const ATTACHED: &str = "ManagedPolicyArns";
/// The resource that lets somebody call a function: a statement in other words.
const PERMISSION: &str = "AWS::Lambda::Permission";

/// Permissions of the new template that the old one does not give, by resource and property. With no old template, all.
/// It errs towards saying too much: what a person need not look at is what the old template grants already.
pub fn broadening(old: Option<&Template>, new: &Template) -> Vec<Broadening> {
    let before = old.map(documents_of).unwrap_or_default();
    let mut found = Vec::new();
    for (at, documents) in documents_of(new) {
        let had = before.get(&at).map(Vec::as_slice).unwrap_or_default();
        let gains = match (read(had), read(&documents)) {
            (Some(had), Some(has)) => {
                let mut gains: Vec<Gain> = iam::broadens(&had, &has).into_iter().map(gain).collect();
                gains.extend(newcomers(&had, &has));
                gains
            }
            // A document this program cannot read, such as one made by a macro: any change of it is worth a look.
            _ if had != documents => vec![Gain::Unreadable],
            _ => Vec::new(),
        };
        let (logical_id, property) = at;
        found.extend(gains.into_iter().map(|gain| Broadening {
            logical_id: logical_id.clone(),
            property: property.clone(),
            gain,
        }));
    }
    found.extend(attachments(old, new));
    found.sort();
    found.dedup();
    found
}

fn gain(broadening: iam::Broadening) -> Gain {
    match broadening {
        iam::Broadening::Grant { action, resource } => Gain::Action { action, resource },
        iam::Broadening::Principal(principal) => Gain::Principal { principal },
        iam::Broadening::DenyGone { actions, resources } => Gain::DenyGone { actions, resources },
    }
}

/// Who the new document names and the old one does not: of a trust policy that is what matters.
fn newcomers(old: &Policy, new: &Policy) -> Vec<Gain> {
    let of = |policy: &Policy| -> BTreeSet<Principal> {
        let allow = policy.statements.iter().filter(|statement| statement.effect == iam::Effect::Allow);
        allow.flat_map(|statement| statement.principals.iter().cloned()).collect()
    };
    let known = of(old);
    if known.contains(&Principal::Any) {
        return Vec::new();
    }
    let name = |principal: &Principal| match principal {
        Principal::Any => "*".to_owned(),
        Principal::Of(_, identity) => {
            serde_json::from_str(identity).map_or_else(|_| identity.clone(), |it| text_of(&it))
        }
    };
    of(new).difference(&known).map(|principal| Gain::Principal { principal: name(principal) }).collect()
}

/// Several documents in one property grant what all of them grant.
fn read(documents: &[Value]) -> Option<Policy> {
    let policies: Result<Vec<Policy>, _> = documents.iter().map(Policy::from_value).collect();
    Some(Policy::of(policies.ok()?.into_iter().flat_map(|policy| policy.statements)))
}

/// Logical id and property → the documents there.
fn documents_of(template: &Template) -> BTreeMap<(String, String), Vec<Value>> {
    let mut found = BTreeMap::new();
    for resource in template.resources() {
        let Some(properties) = resource.properties() else { continue };
        for (_, property, inner) in DOCUMENTS.iter().filter(|(kind, _, _)| *kind == resource.type_) {
            let Some(value) = properties.get(*property) else { continue };
            let documents = match (inner, value) {
                (Some(key), Value::Array(entries)) => {
                    entries.iter().map(|entry| entry.get(*key).cloned().unwrap_or_default()).collect()
                }
                _ => vec![value.clone()],
            };
            found.insert((resource.logical_id.to_owned(), (*property).to_owned()), documents);
        }
        if resource.type_ == PERMISSION {
            let part = |key: &str| properties.get(key).cloned().unwrap_or_default();
            let mut statement = json!({
                "Effect": "Allow",
                "Principal": { "AWS": part("Principal") },
                "Action": part("Action"),
                "Resource": part("FunctionName"),
            });
            if let Some(source) = properties.get("SourceArn") {
                statement["Condition"] = json!({ "ArnLike": { "aws:SourceArn": source } });
            }
            let at = (resource.logical_id.to_owned(), "Permission".to_owned());
            found.insert(at, vec![json!({ "Statement": [statement] })]);
        }
    }
    found
}

/// Policies made elsewhere that are attached and were not.
fn attachments(old: Option<&Template>, new: &Template) -> Vec<Broadening> {
    let of = |template: &Template, logical_id: &str| -> Vec<Value> {
        let resource = template.resource(logical_id);
        let attached = resource.and_then(|resource| resource.properties()?.get(ATTACHED).cloned());
        attached.and_then(|list| list.as_array().cloned()).unwrap_or_default()
    };
    let mut found = Vec::new();
    for resource in new.resources() {
        let had = old.map(|old| of(old, resource.logical_id)).unwrap_or_default();
        for policy in of(new, resource.logical_id).into_iter().filter(|policy| !had.contains(policy)) {
            found.push(Broadening {
                logical_id: resource.logical_id.to_owned(),
                property: ATTACHED.to_owned(),
                gain: Gain::Attached { policy: text_of(&policy) },
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(resources: Value) -> Template {
        Template::from_value(json!({ "Resources": resources })).expect("a template")
    }

    fn role(actions: &[&str]) -> Template {
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": { "Fn::Sub": "${Posters.Arn}/*" } });
        template(json!({ "Role": { "Type": "AWS::IAM::Role", "Properties": { "Policies": [
            { "PolicyName": "p", "PolicyDocument": { "Statement": [statement] } },
        ] } } }))
    }

    fn permission(source: Option<&str>) -> Template {
        let mut properties = json!({
            "Action": "lambda:InvokeFunction", "FunctionName": { "Ref": "F" }, "Principal": "s3.amazonaws.com",
        });
        if let Some(source) = source {
            properties["SourceArn"] = json!(source);
        }
        template(json!({ "P": { "Type": "AWS::Lambda::Permission", "Properties": properties } }))
    }

    #[test]
    fn one_more_action_is_named_and_the_others_are_not() {
        let (old, new) = (role(&["s3:GetObject"]), role(&["s3:GetObject", "s3:PutObject"]));
        let expected = Broadening {
            logical_id: "Role".into(),
            property: "Policies".into(),
            gain: Gain::Action { action: "s3:PutObject".into(), resource: "${Posters.Arn}/*".into() },
        };
        assert_eq!(broadening(Some(&old), &new), [expected]);
        assert!(broadening(Some(&new), &old).is_empty(), "narrowing is no broadening");
        assert!(broadening(Some(&new), &new).is_empty());
        assert_eq!(broadening(None, &new).len(), 2, "a new role gains all it has");
    }

    #[test]
    fn a_permission_without_its_source_is_wider() {
        let (bound, free) = (permission(Some("arn:aws:s3:::b")), permission(None));
        assert_eq!(broadening(Some(&bound), &free).len(), 1);
        assert!(broadening(Some(&free), &bound).is_empty());
    }

    #[test]
    fn an_attached_policy_and_an_unreadable_one_are_told() {
        let plain = template(json!({ "R": { "Type": "AWS::IAM::Role", "Properties": {} } }));
        let wide = template(json!({ "R": { "Type": "AWS::IAM::Role", "Properties": {
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"] } } }));
        let found = broadening(Some(&plain), &wide);
        assert_eq!(found[0].gain, Gain::Attached { policy: "arn:aws:iam::aws:policy/AdministratorAccess".into() });

        let made = |text: &str| {
            template(json!({ "R": { "Type": "AWS::IAM::Role", "Properties": {
                "AssumeRolePolicyDocument": { "Fn::Transform": text } } } }))
        };
        assert_eq!(broadening(Some(&made("a")), &made("b"))[0].gain, Gain::Unreadable);
        assert!(broadening(Some(&made("a")), &made("a")).is_empty());
    }
}
