//! What something may do after a deployment that it may not do now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::change_set_values::UnknownValue;
use super::policies::{documents, is_unreadable};
use super::resolved::{NESTED, ResolvedResource, ResolvedTemplate};
use super::types::{Broadening, Gain};
use super::values::text_of;
use crate::cfn::intrinsics::references;
use crate::facts;
use crate::iam::{self, Policy, Principal, resource_text};

/// Properties that list policies made elsewhere.
const ATTACHED: [&str; 3] = ["ManagedPolicies", "ManagedPolicyArns", "Policies"];
/// Properties of policies, groups and profiles that list who has them.
const HOLDERS: [&str; 6] = ["GroupName", "Groups", "RoleName", "Roles", "UserName", "Users"];
/// The most that roles, users and groups may do, whatever their policies say.
const BOUNDARY: &str = "PermissionsBoundary";
/// Ends of names of properties that hand a role to something that acts with it.
const ROLES: [&str; 5] = ["CredentialsArn", "IamInstanceProfile", "Role", "RoleARN", "RoleArn"];
/// The property of an API's integration that hands it a role, among other things.
const CREDENTIALS: &str = "Credentials";

/// Permissions of the new template that the old one does not give, by resource and property. With no old template, all.
/// It errs towards saying too much: what a person need not look at is what the old template grants already.
///
/// What is `unknown` changes, and neither template nor change set says to what.
pub(super) fn broadening(
    old: Option<&ResolvedTemplate>,
    new: &ResolvedTemplate,
    unknown: &BTreeSet<UnknownValue>,
) -> Vec<Broadening> {
    let before = old.map(documents_of).unwrap_or_default();
    let after = documents_of(new);
    let mut found = Vec::new();
    for (at, documents) in &after {
        let had = before.get(at).map(Vec::as_slice).unwrap_or_default();
        let mut gains = match (read(had), read(documents)) {
            (Some(had), Some(has)) => {
                let mut gains: Vec<Gain> = iam::broadens(&had, &has).into_iter().map(gain).collect();
                gains.extend(newcomers(&had, &has));
                gains
            }
            // A document this program cannot read, such as one made by a macro: any change of it is worth a look.
            _ if had != documents => vec![Gain::Unreadable],
            _ => Vec::new(),
        };
        if had != documents && documents.iter().any(is_unreadable) {
            gains.push(Gain::Unreadable);
        }
        found.extend(gains.into_iter().map(|gain| broadening_of(&at.0, &at.1, gain)));
    }
    if let Some(old) = old {
        for ((logical_id, property), had) in before.iter().filter(|(at, _)| !after.contains_key(*at)) {
            if is_gone_with_all_it_was_about(old, new, logical_id) {
                continue;
            }
            let denied = read(had).map(|had| iam::broadens(&had, &Policy::of([]))).unwrap_or_default();
            found.extend(denied.into_iter().map(|it| broadening_of(logical_id, property, gain(it))));
        }
        // What a macro adds is in neither template.
        let changed = old.digest != new.digest;
        found.extend(
            new.macros.iter().filter(|_| changed).map(|name| broadening_of("Transform", name, Gain::Unreadable)),
        );
    }
    for (logical_id, resource) in &new.resources {
        let had = old.and_then(|old| old.resources.get(logical_id));
        found.extend(attachments(logical_id, had, resource));
        found.extend(
            granted(had, resource).map(|what| broadening_of(logical_id, &resource.type_, Gain::Given { what })),
        );
        found.extend(roles(logical_id, old, new, resource));
        if let Some(had) = had {
            found.extend(holders(logical_id, had, resource));
            let (was, is) = (had.properties.get(BOUNDARY), resource.properties.get(BOUNDARY));
            if let Some(was) = was.filter(|_| was != is) {
                let gain = Gain::Unbounded { boundary: resource_text(was) };
                found.push(broadening_of(logical_id, BOUNDARY, gain));
            }
        }
        // The template of a nested stack is not read.
        let nested = |resource: &ResolvedResource| resource.properties.get("TemplateURL").cloned();
        if resource.type_ == NESTED && old.is_some() && had.and_then(nested) != nested(resource) {
            found.push(broadening_of(logical_id, "TemplateURL", Gain::Unreadable));
        }
    }
    for value in unknown {
        let Some((top, resource)) = value.path.first().zip(new.resources.get(&value.logical_id)) else { continue };
        if is_about_rights(resource, top, &value.path) {
            found.push(broadening_of(&value.logical_id, top, Gain::Unreadable));
        }
    }
    found.sort();
    found.dedup();
    bounded(found)
}

/// Properties that say nothing of what a resource gives.
const WORDS: [&str; 2] = ["Description", "Tags"];

/// What a resource gives by being there that the present one does not give, in words.
fn granted(had: Option<&ResolvedResource>, has: &ResolvedResource) -> Option<String> {
    let (gives, properties) = match facts::grants().of(&has.type_) {
        Some(row) => (row.gives.clone()?, row.properties.as_slice()),
        None if is_named_like_a_grant(has) => {
            (format!("what a resource of the type `{}` may give", has.type_), &[][..])
        }
        None => return None,
    };
    let Some(had) = had.filter(|had| had.type_ == has.type_) else { return Some(gives) };
    let counts = |name: &&String| {
        if properties.is_empty() { !WORDS.contains(&name.as_str()) } else { properties.contains(name) }
    };
    let mut names = had.properties.keys().chain(has.properties.keys()).filter(counts);
    names.any(|name| is_wider(had.properties.get(name), has.properties.get(name))).then_some(gives)
}

/// Whether a type that nobody knows is named like a grant, and has no policy document that says what it grants.
fn is_named_like_a_grant(resource: &ResolvedResource) -> bool {
    let said = documents(resource);
    let is_said = !said.is_empty() && said.iter().all(|(_, documents)| !documents.iter().any(is_unreadable));
    !is_said && facts::grants().is_named_like_one(&resource.type_)
}

/// Whether a property may give more than it did: of a list only what comes to it.
fn is_wider(was: Option<&Value>, is: Option<&Value>) -> bool {
    match (was, is) {
        (Some(Value::Array(was)), Some(Value::Array(is))) => {
            let known: BTreeSet<String> = was.iter().map(Value::to_string).collect();
            is.iter().any(|item| !known.contains(&item.to_string())) || is.is_empty() && !was.is_empty()
        }
        _ => was != is,
    }
}

/// Whether what somebody may do depends on a property.
fn is_about_rights(resource: &ResolvedResource, top: &str, path: &[String]) -> bool {
    if WORDS.contains(&top) {
        return false;
    }
    let row = facts::grants().of(&resource.type_);
    let is_given = row.is_some_and(|row| row.properties.is_empty() || row.properties.iter().any(|it| it == top));
    let names = ATTACHED.iter().chain(&HOLDERS).chain([&BOUNDARY, &CREDENTIALS]);
    let names: Vec<&str> = names.copied().collect();
    is_given
        || is_named_like_a_grant(resource)
        || documents(resource).iter().any(|(property, _)| property == top)
        || path.iter().any(|part| names.contains(&part.as_str()) || ROLES.iter().any(|end| part.ends_with(end)))
}

/// The most gains that a plan names; of the others it says how many a resource has.
const MOST_NAMED: usize = 300;

fn bounded(mut found: Vec<Broadening>) -> Vec<Broadening> {
    let mut more: BTreeMap<(String, String), usize> = BTreeMap::new();
    for one in found.drain(found.len().min(MOST_NAMED)..) {
        let count = if let Gain::More { count } = one.gain { count } else { 1 };
        let all = more.entry((one.logical_id, one.property)).or_default();
        *all = all.saturating_add(count);
    }
    found.extend(more.into_iter().map(|((id, property), count)| broadening_of(&id, &property, Gain::More { count })));
    found
}

fn broadening_of(logical_id: &str, property: &str, gain: Gain) -> Broadening {
    Broadening { logical_id: logical_id.to_owned(), property: property.to_owned(), gain }
}

/// Whether a resource is gone and everything with it that its policy was about: then nobody gains by that.
fn is_gone_with_all_it_was_about(old: &ResolvedTemplate, new: &ResolvedTemplate, logical_id: &str) -> bool {
    if new.resources.contains_key(logical_id) {
        return false;
    }
    let Some(resource) = old.resources.get(logical_id) else { return true };
    let about = references(&Value::Object(resource.properties.clone()), "");
    !about.iter().any(|reference| new.resources.contains_key(&reference.name))
}

fn gain(broadening: iam::Broadening) -> Gain {
    match broadening {
        iam::Broadening::Grant { action, resource } => Gain::Action { action, resource },
        iam::Broadening::Principal(principal) => Gain::Principal { principal },
        iam::Broadening::DenyGone { actions, resources } => Gain::DenyGone { actions, resources },
        iam::Broadening::More(count) => Gain::More { count },
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
    Some(Policy { statements: policies.ok()?.into_iter().flat_map(|policy| policy.statements).collect() })
}

/// Logical id and property → the documents there.
fn documents_of(template: &ResolvedTemplate) -> BTreeMap<(String, String), Vec<Value>> {
    let all = template.resources.iter().flat_map(|(logical_id, resource)| {
        documents(resource).into_iter().map(|(property, found)| ((logical_id.clone(), property), found))
    });
    all.collect()
}

/// Policies made elsewhere that are attached and were not.
fn attachments(logical_id: &str, had: Option<&ResolvedResource>, has: &ResolvedResource) -> Vec<Broadening> {
    let listed = |resource: &ResolvedResource, property: &str| -> Vec<Value> {
        let list = resource.properties.get(property).and_then(Value::as_array).cloned().unwrap_or_default();
        // The others are documents.
        let inline = |policy: &Value| {
            policy.as_object().is_some_and(|it| it.contains_key("PolicyDocument") || it.contains_key("Statement"))
        };
        list.into_iter().filter(|policy| !inline(policy)).collect()
    };
    let mut found = Vec::new();
    for property in ATTACHED {
        let before = had.map(|had| listed(had, property)).unwrap_or_default();
        for policy in listed(has, property).into_iter().filter(|policy| !before.contains(policy)) {
            found.push(broadening_of(logical_id, property, Gain::Attached { policy: resource_text(&policy) }));
        }
    }
    found
}

/// Who has an existing policy, or takes part in an existing group, and did not.
fn holders(logical_id: &str, had: &ResolvedResource, has: &ResolvedResource) -> Vec<Broadening> {
    if !has.type_.starts_with("AWS::IAM::") && !has.type_.starts_with("AWS::Cognito::IdentityPool") {
        return Vec::new();
    }
    let names = |resource: &ResolvedResource, property: &str| -> Vec<String> {
        match resource.properties.get(property) {
            Some(Value::Array(names)) => names.iter().map(resource_text).collect(),
            Some(Value::Object(map)) if !is_function(map) => map.values().map(resource_text).collect(),
            Some(name) => vec![resource_text(name)],
            None => Vec::new(),
        }
    };
    // The name of the role, user or group itself is no holder.
    let own = ["AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::User"].contains(&has.type_.as_str());
    let mut found = Vec::new();
    for property in HOLDERS.into_iter().filter(|_| !own) {
        let before = names(had, property);
        for principal in names(has, property).into_iter().filter(|name| !before.contains(name)) {
            found.push(broadening_of(logical_id, property, Gain::Principal { principal }));
        }
    }
    if own {
        // A user that joins a group has what the group has.
        let before = names(had, "Groups");
        for group in names(has, "Groups").into_iter().filter(|name| !before.contains(name)) {
            found.push(broadening_of(logical_id, "Groups", Gain::Attached { policy: group }));
        }
    }
    found
}

fn is_function(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().any(|key| key == "Ref" || key.starts_with("Fn::"))
}

/// Roles that are handed to something that did not act with them. One that is new itself is told by its own policies.
fn roles(
    logical_id: &str,
    old: Option<&ResolvedTemplate>,
    new: &ResolvedTemplate,
    resource: &ResolvedResource,
) -> Vec<Broadening> {
    if resource.type_.starts_with("AWS::IAM::") {
        return Vec::new();
    }
    let mut before = BTreeMap::new();
    if let Some(had) = old.and_then(|old| old.resources.get(logical_id)) {
        handed(&had.properties, None, &mut before);
    }
    let mut after = BTreeMap::new();
    handed(&resource.properties, None, &mut after);
    let is_new = |role: &Value| {
        let named = references(role, "");
        let known = |id: &str| old.is_some_and(|old| old.resources.contains_key(id));
        !named.is_empty() && named.iter().all(|it| new.resources.contains_key(&it.name) && !known(&it.name))
    };
    let gained = after.into_iter().filter(|(role, (_, value))| !before.contains_key(role) && !is_new(value));
    gained.map(|(role, (property, _))| broadening_of(logical_id, &property, Gain::Role { role })).collect()
}

/// The roles among properties, at any depth, by their text: the top-level property, and the value.
fn handed(map: &Map<String, Value>, top: Option<&str>, into: &mut BTreeMap<String, (String, Value)>) {
    for (key, value) in map {
        let property = top.unwrap_or(key);
        let is_role = ROLES.iter().any(|end| key.ends_with(end)) || key == CREDENTIALS;
        match value {
            Value::String(text) if is_role && !text.is_empty() => {
                into.insert(text.clone(), (property.to_owned(), value.clone()));
            }
            Value::Object(inner) if is_role && is_function(inner) => {
                into.insert(resource_text(value), (property.to_owned(), value.clone()));
            }
            Value::Object(inner) if !is_function(inner) => handed(inner, Some(property), into),
            Value::Array(items) => {
                for inner in items.iter().filter_map(Value::as_object).filter(|inner| !is_function(inner)) {
                    handed(inner, Some(property), into);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::resolved::{DeploymentScope, resolve_template};
    use super::*;
    use crate::cfn::Template;

    fn template(resources: Value) -> ResolvedTemplate {
        let template = Template::from_value(json!({ "Resources": resources })).expect("a template");
        resolve_template(
            &template,
            &BTreeMap::new(),
            DeploymentScope { account: None, region: "us-west-2", stack: "s" },
        )
    }

    fn broadening(old: Option<&ResolvedTemplate>, new: &ResolvedTemplate) -> Vec<Broadening> {
        super::broadening(old, new, &BTreeSet::new())
    }

    fn role(actions: &[&str]) -> ResolvedTemplate {
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": { "Fn::Sub": "${Posters.Arn}/*" } });
        template(json!({ "Role": { "Type": "AWS::IAM::Role", "Properties": { "Policies": [
            { "PolicyName": "p", "PolicyDocument": { "Statement": [statement] } },
        ] } } }))
    }

    fn permission(source: Option<&str>) -> ResolvedTemplate {
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
        assert_eq!(broadening(None, &new).len(), 1, "a new role gains all it has, in one line");
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

    /// What is gained between two sets of resources, in words.
    fn gained(old: Value, new: Value) -> Vec<String> {
        let found = broadening(Some(&template(old)), &template(new));
        found.iter().map(|it| format!("{}.{}: {}", it.logical_id, it.property, it.gain)).collect()
    }

    #[test]
    fn a_policy_is_seen_whatever_carries_it() {
        let statement = |principal: &str| json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "a:b", "Resource": "*" });
        for (kind, wrap) in [
            ("AWS::ECR::Repository", (|it| json!({ "RepositoryPolicyText": it })) as fn(Value) -> Value),
            ("AWS::DynamoDB::Table", |it| json!({ "ResourcePolicy": { "PolicyDocument": it } })),
            ("AWS::Logs::ResourcePolicy", |it| json!({ "PolicyDocument": it.to_string() })),
            ("AWS::Some::ThingOfTomorrow", |it| json!({ "Whatever": [{ "Deep": it }] })),
        ] {
            let of = |principal: &str| {
                let document = json!({ "Version": "2012-10-17", "Statement": [statement(principal)] });
                json!({ "R": { "Type": kind, "Properties": wrap(document) } })
            };
            let (one, two) = ("111111111111", "222222222222");
            assert!(gained(of(one), of(one)).is_empty(), "{kind}");
            assert!(gained(of(one), of(two)).iter().any(|it| it.contains("use by `222222222222`")), "{kind}");
        }
        let rules = |actions: Value| {
            let text = json!([{ "Principal": ["arn:aws:iam::1:role/r"],
                "Rules": [{ "ResourceType": "index", "Resource": ["index/c/*"], "Permission": actions }] }]);
            json!({ "R": { "Type": "AWS::OpenSearchServerless::AccessPolicy", "Properties": {
                "Policy": { "Fn::Sub": text.to_string() } } } })
        };
        let found =
            gained(rules(json!(["aoss:ReadDocument"])), rules(json!(["aoss:ReadDocument", "aoss:WriteDocument"])));
        assert_eq!(found, ["R.Policy: `aoss:WriteDocument` on `index/c/*`"]);
    }

    #[test]
    fn a_refusal_that_goes_with_its_policy_is_a_gain_unless_what_it_was_about_goes_too() {
        let bucket = json!({ "Type": "AWS::S3::Bucket" });
        let policy = json!({ "Type": "AWS::S3::BucketPolicy", "Properties": { "Bucket": { "Ref": "B" }, "PolicyDocument": {
            "Statement": [{ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*" }] } } });
        let both = json!({ "B": bucket, "P": policy });
        assert_eq!(gained(both.clone(), json!({ "B": bucket })), ["P.PolicyDocument: `s3:*` on `*`, denied until now"]);
        assert!(gained(both, json!({ "Q": { "Type": "AWS::SQS::Queue" } })).is_empty());
    }

    #[test]
    fn rights_come_by_roles_groups_and_boundaries_too() {
        let function = |role: Value| json!({ "Type": "AWS::Lambda::Function", "Properties": { "Role": role } });
        let admin = json!("arn:aws:iam::111111111111:role/admin");
        assert_eq!(
            gained(
                json!({ "F": function(json!("arn:aws:iam::111111111111:role/plain")) }),
                json!({ "F": function(admin) })
            ),
            ["F.Role: the rights of the role `arn:aws:iam::111111111111:role/admin`"]
        );
        let role = json!({ "Type": "AWS::IAM::Role", "Properties": {} });
        let own = json!({ "R": role, "F": function(json!({ "Fn::GetAtt": ["R", "Arn"] })) });
        let queue = json!({ "Q": { "Type": "AWS::SQS::Queue" } });
        assert!(gained(queue, own.clone()).is_empty(), "a new role is told by its own policies");
        assert_eq!(gained(json!({ "R": role }), own), ["F.Role: the rights of the role `${R.Arn}`"]);

        let policy = |roles: Value| {
            let statement = json!({ "Effect": "Allow", "Action": "a:b", "Resource": "*" });
            json!({ "P": { "Type": "AWS::IAM::Policy", "Properties": {
                "Roles": roles, "PolicyDocument": { "Statement": [statement] } } } })
        };
        assert_eq!(gained(policy(json!(["a"])), policy(json!(["a", "b"]))), ["P.Roles: use by `b`"]);
        let bounded = |boundary: Value| json!({ "R": { "Type": "AWS::IAM::Role", "Properties": boundary } });
        let found = gained(bounded(json!({ "PermissionsBoundary": "arn:b" })), bounded(json!({})));
        assert_eq!(found, ["R.PermissionsBoundary: what the permissions boundary `arn:b` kept from it"]);
    }

    #[test]
    fn what_only_parameters_change_is_seen() {
        let template = Template::from_value(json!({
            "Parameters": { "Which": { "Type": "String" } },
            "Resources": { "R": { "Type": "AWS::IAM::Role", "Properties": { "Policies": [{ "PolicyDocument": { "Statement": [
                { "Effect": "Allow", "Action": "s3:GetObject", "Resource": { "Fn::Sub": "arn:aws:s3:::${Which}" } },
            ] } }] } } },
        }));
        let template = template.expect("a template");
        let with = |value: &str| {
            let values = BTreeMap::from([("Which".to_owned(), value.to_owned())]);
            resolve_template(&template, &values, DeploymentScope { account: None, region: "us-west-2", stack: "s" })
        };
        assert!(broadening(Some(&with("a/*")), &with("a/b")).is_empty());
        let found = broadening(Some(&with("a/b")), &with("*"));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn what_a_resource_gives_by_being_there_is_told_by_its_row() {
        let queue = json!({ "Q": { "Type": "AWS::SQS::Queue" } });
        let one = |kind: &str, properties: Value| json!({ "R": { "Type": kind, "Properties": properties } });
        for row in facts::grants().types.iter().filter(|row| row.gives.is_some()) {
            let property = row.properties.first().map_or("Anything", String::as_str);
            let with = |value: Value| one(&row.type_, json!({ property: value }));
            assert!(!gained(queue.clone(), with(json!("a"))).is_empty(), "{}: added", row.type_);
            assert!(!gained(with(json!("a")), with(json!("b"))).is_empty(), "{}: changed", row.type_);
            assert!(gained(with(json!(["a", "b"])), with(json!(["a"]))).is_empty(), "{}: fewer", row.type_);
            assert!(gained(with(json!("a")), with(json!("a"))).is_empty(), "{}: the same", row.type_);
            assert!(gained(with(json!("a")), queue.clone()).is_empty(), "{}: gone", row.type_);
        }
        let tomorrow = |actions: &str| one("AWS::Some::ThingOfTomorrowPolicy", json!({ "Who": actions }));
        assert_eq!(gained(queue.clone(), tomorrow("a")).len(), 1, "a type that nobody knows");
        assert_eq!(gained(tomorrow("a"), tomorrow("b")).len(), 1);
        assert!(gained(queue, one("AWS::AutoScaling::ScalingPolicy", json!({ "A": 1 }))).is_empty());
        let all = facts::grants().types.iter().map(|row| &row.type_);
        let all: Vec<&String> = all.chain(facts::grants().harmless.iter().map(|row| &row.type_)).collect();
        let unknown: Vec<&&String> =
            all.iter().filter(|it| crate::cfn::Schemas::embedded().get(it).is_none()).collect();
        assert!(unknown.is_empty(), "not in the registry: {unknown:?}");
        let bus = |who: &str| {
            let statement = json!({ "Effect": "Allow", "Principal": { "AWS": who }, "Action": "events:PutEvents", "Resource": "b" });
            one("AWS::Events::EventBusPolicy", json!({ "Statement": statement }))
        };
        assert_eq!(gained(bus("1"), bus("2")), ["R.Statement: use by `2`"]);
    }

    #[test]
    fn a_new_policy_with_a_value_that_only_the_service_knows_is_told() {
        let policy = |who: &str| {
            let statement =
                json!({ "Effect": "Allow", "Principal": { "AWS": who }, "Action": "s3:GetObject", "Resource": "*" });
            json!({ "P": { "Type": "AWS::S3::BucketPolicy", "Properties": { "PolicyDocument": { "Statement": [statement] } } } })
        };
        let found = gained(policy("1"), policy("{{resolve:ssm:/who}}"));
        assert!(found.iter().any(|it| it.contains("cannot be worked out")), "{found:?}");
    }
}
