//! IAM: roles and policies. Documents are checked as IAM checks them, and the quotas of a fresh account hold.

use serde_json::Value;

use super::policy::{self, PolicyUse};
use crate::ground::resource_table;
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, ResourceWork, generic};
use bedplate_cfn::service_rules::INLINE_POLICY_BYTES;
use bedplate_facts::{ManagedPolicy as PolicyOfAws, managed_policies};

/// Characters of a role's trust policy (IAM quotas, default of an account).
const TRUST_SIZE: usize = 2048;
/// Characters of a managed policy (IAM quotas).
const MANAGED_SIZE: usize = 6144;
/// Managed policies of a role (IAM quotas, default of an account).
const MANAGED_PER_ROLE: usize = 10;

pub(super) struct RoleHandler;

impl Handler for RoleHandler {
    fn check(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        check_role(work, properties)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        let attached = resource_table::of_type(work.db, "AWS::IAM::Policy", None)?
            .iter()
            .any(|policy| names(&policy.properties, "Roles").contains(&id));
        if attached {
            return Err(Failure::handler(
                "InvalidRequest",
                "Cannot delete entity, must delete policies first. (Service: Iam, Status Code: 409, Error Code: DeleteConflict)",
            ));
        }
        generic::delete(work, id)
    }
}

fn check_role(work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
    let role = text(properties, "RoleName").unwrap_or_default();
    if let Some(trust) = properties.get("AssumeRolePolicyDocument") {
        policy::check(trust, PolicyUse::Trust)?;
        if policy::length(trust) > TRUST_SIZE {
            return Err(quota(&format!("Cannot exceed quota for ACLSizePerRole: {TRUST_SIZE}")));
        }
    }
    let mut inline = 0;
    for entry in properties.get("Policies").and_then(Value::as_array).into_iter().flatten() {
        let document = entry.get("PolicyDocument").unwrap_or(&Value::Null);
        policy::check(document, PolicyUse::Identity)?;
        inline += policy::length(document);
    }
    if inline > INLINE_POLICY_BYTES {
        return Err(quota(&format!("Maximum policy size of {INLINE_POLICY_BYTES} bytes exceeded for role {role}")));
    }
    if names(properties, "ManagedPolicyArns").len() > MANAGED_PER_ROLE {
        return Err(quota(&format!("Cannot exceed quota for PoliciesPerRole: {MANAGED_PER_ROLE}")));
    }
    check_managed_arns(work, properties)?;
    let seconds = text(properties, "MaxSessionDuration").and_then(|seconds| seconds.parse::<i64>().ok());
    match seconds {
        Some(seconds) if !(3600..=43_200).contains(&seconds) => Err(Failure::handler(
            "InvalidRequest",
            format!(
                "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: \
                 Member must have value {} (Service: Iam, Status Code: 400)",
                if seconds < 3600 { "greater than or equal to 3600" } else { "less than or equal to 43200" }
            ),
        )),
        _ => Ok(()),
    }
}

/// A user or a group: what is attached to it is looked at, nobody signs in as it.
pub(super) struct UserOrGroup;

impl Handler for UserOrGroup {
    fn check(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        check_managed_arns(work, properties)
    }
}

/// Refuses managed policies that are not there, and those whose statements are not known here: a policy that grants nothing
/// would be taken for one that does.
fn check_managed_arns(work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
    let boundary = text(properties, "PermissionsBoundary");
    let attached = names(properties, "ManagedPolicyArns");
    attached.into_iter().chain(boundary.as_deref()).try_for_each(|arn| managed_arn(work, arn))
}

/// Refuses one; the words are those of IAM's answers in aws/aws-cdk#17278, #19830 and #6131.
fn managed_arn(work: &ResourceWork<'_>, arn: &str) -> Result<(), Failure> {
    let not_there = || {
        let message = format!(
            "Policy {arn} does not exist or is not attachable. (Service: Iam, Status Code: 404, Error Code: NoSuchEntity)"
        );
        Failure::handler("NotFound", message)
    };
    match managed_policies().look_up(arn) {
        Some(PolicyOfAws::Held(_)) => Ok(()),
        Some(PolicyOfAws::Named) => Err(Failure::plain(format!(
            "The local target does not know the statements of the managed policy {arn} of AWS, so it would \
             grant nothing here; write out what is used, or deploy to AWS for it"
        ))),
        Some(PolicyOfAws::ServiceLinked) => Err(Failure::handler(
            "InvalidRequest",
            "Cannot attach a Service Role Policy to a Customer Role. (Service: Iam, Status Code: 400, Error Code: \
             PolicyNotAttachable)",
        )),
        Some(PolicyOfAws::Unknown) => Err(not_there()),
        None => match resource_table::find(work.db, "AWS::IAM::ManagedPolicy", "global", arn)? {
            Some(_) => Ok(()),
            None => Err(not_there()),
        },
    }
}

fn quota(message: &str) -> Failure {
    Failure::handler(
        "ServiceLimitExceeded",
        format!("{message} (Service: Iam, Status Code: 409, Error Code: LimitExceeded)"),
    )
}

fn names<'a>(properties: &'a Value, list: &str) -> Vec<&'a str> {
    properties.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(super) struct Policy;

impl Handler for Policy {
    fn check(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        check_attached(work, properties)
    }
}

fn check_attached(work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
    policy::check(properties.get("PolicyDocument").unwrap_or(&Value::Null), PolicyUse::Identity)?;
    let kinds = [
        ("Roles", "AWS::IAM::Role", "role"),
        ("Users", "AWS::IAM::User", "user"),
        ("Groups", "AWS::IAM::Group", "group"),
    ];
    let mut any = false;
    for (list, resource_type, kind) in kinds {
        for name in names(properties, list) {
            any = true;
            if resource_table::find(work.db, resource_type, "global", name)?.is_none() {
                return Err(Failure::handler(
                    "NotFound",
                    format!(
                        "The {kind} with name {name} cannot be found. (Service: Iam, Status Code: 404, Error Code: NoSuchEntity)"
                    ),
                ));
            }
        }
    }
    if any { Ok(()) } else { Err(Failure::plain("At least one of [Groups,Roles,Users] must be non-empty.")) }
}

pub(super) struct ManagedPolicy;

impl Handler for ManagedPolicy {
    fn check(&self, _: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        check_managed(properties)
    }
}

fn check_managed(properties: &Value) -> Result<(), Failure> {
    let document = properties.get("PolicyDocument").unwrap_or(&Value::Null);
    policy::check(document, PolicyUse::Identity)?;
    if policy::length(document) > MANAGED_SIZE {
        return Err(quota(&format!("Cannot exceed quota for PolicySize: {MANAGED_SIZE}")));
    }
    Ok(())
}
