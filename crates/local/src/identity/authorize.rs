//! Deciding what a role may do, and the words of a denial.
//!
//! Within one account: an explicit deny of any policy wins; then the role's own policies or the resource's policy must
//! allow, and the role's permissions boundary where it has one. Source: IAM user guide, "Policy evaluation logic".

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Transaction;
use serde_json::Value;

use super::policies;
use super::record::{self, Entry};
use crate::ground::permissions::{NamedPolicy, read_policy};
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::{
    ACCOUNT_ID, ApiError, Authorization, Denial, Host, Principal, RequestContext, RequiredPermission, Session,
};
use bedplate_iam::{Decision, Policy, Principal as PolicyPrincipal, Request, decide};

/// Decides all permissions a request needs, in their order, and records each decision. The first that is denied is told. The
/// administrator may do everything, and nothing is recorded.
///
/// # Errors
///
/// When the state can't be read or written.
pub(crate) fn authorize(
    db: &Transaction<'_>,
    principal: &Principal,
    required: &[RequiredPermission],
    context: &RequestContext,
) -> Result<Authorization, ApiError> {
    let Principal::Role(session) = principal else { return Ok(Authorization::Allowed) };
    for required in required {
        let authorization = authorize_one(db, session, required, context)?;
        if !authorization.is_allowed() {
            return Ok(authorization);
        }
    }
    Ok(Authorization::Allowed)
}

/// [`authorize`] in a transaction of its own.
///
/// # Errors
///
/// When the state can't be read or written.
pub(crate) async fn authorize_now(
    host: &Host,
    principal: &Principal,
    required: Vec<RequiredPermission>,
    context: RequestContext,
) -> Result<Authorization, ApiError> {
    let principal = principal.clone();
    host.store.write(move |tx| authorize(tx, &principal, &required, &context)).await
}

fn authorize_one(
    db: &Transaction<'_>,
    session: &Session,
    required: &RequiredPermission,
    context: &RequestContext,
) -> Result<Authorization, ApiError> {
    let role = resource_table::find(db, "AWS::IAM::Role", "global", &session.role)?;
    // A role that is gone, or made anew under its name, has nothing to say for its old sessions.
    let role = role.filter(|role| role.attributes.get("RoleId").and_then(Value::as_str) == Some(&session.role_id));
    let (own, boundary) = match &role {
        Some(role) => (policies::of_role(db, role)?, policies::boundary(db, role)?),
        None => (Vec::new(), None),
    };
    let of_resource = (context.policies)(db, &required.resource)?;
    let verdict = verdict(&own, boundary.as_ref(), of_resource.as_ref(), session, required, context);
    let principal = session.arn();
    let (policy, statement, sid) = match verdict.by {
        Some((policy, index)) => {
            let sid = policy.policy.statements.get(index).and_then(|statement| statement.sid.clone());
            (policy.name.as_str(), index, sid.unwrap_or_default())
        }
        None => ("", 0, String::new()),
    };
    let denial =
        verdict.denied.map(|because| Denial { principal: principal.clone(), required: required.clone(), because });
    record::keep(
        db,
        &Entry {
            role: &session.role,
            principal: &principal,
            action: &required.action,
            resource: &required.resource,
            allowed: denial.is_none(),
            policy,
            statement,
            sid: &sid,
            message: &denial.as_ref().map(Denial::message).unwrap_or_default(),
        },
        context.now,
    )?;
    Ok(denial.map_or(Authorization::Allowed, |denial| Authorization::Denied(Box::new(denial))))
}

struct Verdict<'a> {
    by: Option<(&'a NamedPolicy, usize)>,
    /// Why not, in IAM's words.
    denied: Option<String>,
}

fn verdict<'a>(
    own: &'a [NamedPolicy],
    boundary: Option<&Policy>,
    of_resource: Option<&'a NamedPolicy>,
    session: &Session,
    required: &RequiredPermission,
    place: &RequestContext,
) -> Verdict<'a> {
    let mut context = general_context(session, place);
    context.extend(required.context.iter().map(|(key, value)| ((*key).to_owned(), vec![value.clone()])));
    let request = |principal| Request {
        principal,
        action: &required.action,
        resource: &required.resource,
        context: context.clone(),
    };
    let named = |(policy, statement): (usize, usize)| own.get(policy).map(|policy| (policy, statement));

    let (identity, by) = decide(own.iter().map(|named| &named.policy), &request(None));
    if identity == Decision::ExplicitDeny {
        let denied = Some("with an explicit deny in an identity-based policy".to_owned());
        return Verdict { by: by.and_then(named), denied };
    }
    let arn = session.arn();
    let mut resource_allows = None;
    if let Some(resource) = of_resource {
        for identity in [arn.as_str(), session.role_arn.as_str()] {
            let (decision, by) = decide([&resource.policy], &request(Some(("AWS", identity))));
            let by = by.map(|(_, statement)| (resource, statement));
            match decision {
                Decision::ExplicitDeny => {
                    let denied = Some("with an explicit deny in a resource-based policy".to_owned());
                    return Verdict { by, denied };
                }
                // The account alone, named as a principal, leaves the decision to the account's own policies.
                Decision::Allow => {
                    let direct = resource.policy.statements.iter().enumerate().filter(|(_, statement)| {
                        statement.principals.contains(&PolicyPrincipal::Any)
                            || statement.principals.contains(&PolicyPrincipal::aws(identity))
                    });
                    for (index, statement) in direct {
                        let alone = Policy { statements: vec![statement.clone()] };
                        if decide([&alone], &request(Some(("AWS", identity)))).0 == Decision::Allow {
                            resource_allows = resource_allows.or(Some((resource, index)));
                        }
                    }
                }
                Decision::ImplicitDeny => {}
            }
        }
    }
    if let Some(boundary) = boundary {
        match decide([boundary], &request(None)).0 {
            Decision::Allow => {}
            Decision::ExplicitDeny => {
                let denied = Some("with an explicit deny in a permissions boundary".to_owned());
                return Verdict { by: None, denied };
            }
            Decision::ImplicitDeny => {
                let denied = format!("because no permissions boundary allows the {} action", required.action);
                return Verdict { by: None, denied: Some(denied) };
            }
        }
    }
    match by.and_then(named).or(resource_allows) {
        Some(by) => Verdict { by: Some(by), denied: None },
        None => {
            let denied = format!("because no identity-based policy allows the {} action", required.action);
            Verdict { by: None, denied: Some(denied) }
        }
    }
}

/// The condition keys every request has. The endpoint speaks plain HTTP on loopback and stands for one that speaks TLS,
/// so `aws:SecureTransport` is true.
fn general_context(session: &Session, place: &RequestContext) -> BTreeMap<String, Vec<String>> {
    let mut context = times(place.now);
    for (key, value) in [
        ("aws:PrincipalArn", session.role_arn.clone()),
        ("aws:PrincipalAccount", ACCOUNT_ID.to_owned()),
        ("aws:PrincipalType", "AssumedRole".to_owned()),
        ("aws:ResourceAccount", ACCOUNT_ID.to_owned()),
        ("aws:RequestedRegion", place.region.clone()),
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:SourceIp", "127.0.0.1".to_owned()),
        ("aws:ViaAWSService", "false".to_owned()),
        ("aws:PrincipalIsAWSService", "false".to_owned()),
        ("aws:userid", session.user_id()),
    ] {
        context.insert(key.to_owned(), vec![value]);
    }
    context
}

fn times(now: Timestamp) -> BTreeMap<String, Vec<String>> {
    let current = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%SZ", now).unwrap_or_default();
    BTreeMap::from([
        ("aws:CurrentTime".to_owned(), vec![current]),
        ("aws:EpochTime".to_owned(), vec![now.as_second().to_string()]),
    ])
}

/// Whether a role's trust policy lets one of some principals (kind and identity) assume it.
pub(super) fn trust_allows(
    role: &StoredResource,
    own: &[(&str, &str)],
    context: &[(&str, &str)],
    now: Timestamp,
) -> bool {
    let trust = role.properties.get("AssumeRolePolicyDocument").unwrap_or(&Value::Null);
    let Some(policy) = read_policy(trust) else { return false };
    let arn = role.attributes.get("Arn").and_then(Value::as_str).unwrap_or_default();
    let decisions = own.iter().map(|principal| {
        let mut keys = times(now);
        keys.extend(context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])));
        let request = Request { principal: Some(*principal), action: "sts:AssumeRole", resource: arn, context: keys };
        decide([&policy], &request).0
    });
    let decisions: Vec<Decision> = decisions.collect();
    decisions.contains(&Decision::Allow) && !decisions.contains(&Decision::ExplicitDeny)
}

/// Decides whether a policy on a resource lets a service use it.
pub(crate) fn authorize_service(
    policy: &Policy,
    service: &str,
    required: RequiredPermission,
    context: &[(&str, &str)],
    now: Timestamp,
) -> Authorization {
    let mut keys = times(now);
    keys.extend(context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])));
    let RequiredPermission { action, resource, .. } = &required;
    let request = Request { principal: Some(("Service", service)), action, resource, context: keys };
    if decide([policy], &request).0 == Decision::Allow {
        return Authorization::Allowed;
    }
    let because = format!("because no resource-based policy allows the {action} action");
    Authorization::Denied(Box::new(Denial { principal: service.to_owned(), required, because }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session() -> Session {
        Session {
            role: "Painter".to_owned(),
            role_arn: "arn:aws:iam::123456789012:role/Painter".to_owned(),
            role_id: "AROAPAINTER".to_owned(),
            name: "draw".to_owned(),
            expires: Timestamp::MAX,
        }
    }

    fn named(name: &str, statements: Value) -> NamedPolicy {
        let policy = Policy::from_value(&json!({ "Statement": statements })).expect("a policy");
        NamedPolicy { name: name.to_owned(), policy }
    }

    fn ask(own: Value, resource: Option<Value>, boundary: Option<Value>) -> Option<String> {
        let own = [named("own", own)];
        let resource = resource.map(|statements| named("bucket", statements));
        let boundary = boundary.map(|statements| named("boundary", statements).policy);
        let required = RequiredPermission::new("s3:GetObject", "arn:aws:s3:::b/k");
        let place =
            RequestContext { region: "us-west-2".to_owned(), now: Timestamp::UNIX_EPOCH, policies: |_, _| Ok(None) };
        verdict(&own, boundary.as_ref(), resource.as_ref(), &session(), &required, &place).denied
    }

    #[test]
    fn own_and_resource_policies_add_up_and_a_deny_of_either_wins() {
        let allow = json!([{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" }]);
        let none = json!([{ "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*" }]);
        let to = |principal: Value, effect: &str| {
            Some(
                json!([{ "Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*" }]),
            )
        };
        assert_eq!(ask(allow.clone(), None, None), None);
        assert_eq!(
            ask(none.clone(), None, None).as_deref(),
            Some("because no identity-based policy allows the s3:GetObject action")
        );
        let role = json!({ "AWS": "arn:aws:iam::123456789012:role/Painter" });
        let account = json!({ "AWS": "arn:aws:iam::123456789012:root" });
        assert_eq!(ask(none.clone(), to(role.clone(), "Allow"), None), None);
        assert!(ask(none, to(account.clone(), "Allow"), None).is_some(), "the account's name alone grants nothing");
        assert_eq!(
            ask(allow.clone(), to(account, "Deny"), None).as_deref(),
            Some("with an explicit deny in a resource-based policy")
        );
        let small = json!([{ "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*" }]);
        assert_eq!(
            ask(allow, None, Some(small)).as_deref(),
            Some("because no permissions boundary allows the s3:GetObject action")
        );
    }

    #[test]
    fn plain_requests_are_told_as_secure_ones() {
        let allow = json!([
            { "Effect": "Allow", "Action": "s3:*", "Resource": "*" },
            { "Effect": "Deny", "Action": "s3:*", "Resource": "*",
              "Condition": { "Bool": { "aws:SecureTransport": "false" } } },
        ]);
        assert_eq!(ask(allow, None, None), None);
    }
}
