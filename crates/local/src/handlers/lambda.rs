//! Lambda: functions, their versions, layer versions and permissions. Code is kept from the moment it is named.

use std::sync::Arc;

use serde_json::{Value, json};

use super::policy;
use crate::ground::RequestContext;
use crate::ground::resource_table;
use crate::ground::scalar::{scalar, text};
use crate::ground::store::Blob;
use crate::identity::{Principal, RequiredPermission, Session, authorize};
use crate::lambda::code;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};
use crate::s3::object_blob;
use bedplate_facts::{Day, Runtime, runtimes};

fn refused(code: &'static str, status: u16, message: &str) -> Failure {
    Failure::handler(code, format!("{message} (Service: Lambda, Status Code: {status})"))
}

/// The body of the object that holds code; none for code that is in the template.
fn object(work: &ResourceWork<'_>, code: &Value) -> Result<Option<Blob>, Failure> {
    let (Some(bucket), Some(key)) = (text(code, "S3Bucket"), text(code, "S3Key")) else { return Ok(None) };
    let version = text(code, "S3ObjectVersion");
    object_blob(work.db, &bucket, &key, version.as_deref()).map(Some).map_err(|error| {
        refused(
            "InvalidRequest",
            400,
            &format!(
                "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
                error.code, error.message
            ),
        )
    })
}

/// Keeps the code for its owner, or forgets what the owner had.
fn keep(work: &ResourceWork<'_>, owner: &str, blob: Option<&Blob>) -> Result<(), Failure> {
    match blob {
        Some(blob) => code::keep(work.db, owner, blob)?,
        None => code::forget(work.db, owner)?,
    }
    Ok(())
}

fn modified(work: &ResourceWork<'_>) -> Value {
    json!({ "Modified": work.now.as_second() })
}

pub(super) struct FunctionHandler;

impl FunctionHandler {
    fn check(work: &ResourceWork<'_>, properties: &Value) -> Result<Option<Blob>, Failure> {
        let mut blob = None;
        let code = properties.get("Code").unwrap_or(&Value::Null);
        let image = code.get("ImageUri").is_some();
        let (runtime, handler) = (text(properties, "Runtime"), text(properties, "Handler"));
        if !image {
            if text(properties, "PackageType").as_deref() != Some("Image") && (runtime.is_none() || handler.is_none()) {
                return Err(refused(
                    "InvalidRequest",
                    400,
                    "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
                ));
            }
            let inline = code.get("ZipFile").is_some();
            if !inline && (code.get("S3Bucket").is_none() || code.get("S3Key").is_none()) {
                return Err(refused("InvalidRequest", 400, "Please provide a source for function code."));
            }
            let scripted =
                runtime.as_deref().is_some_and(|name| name.starts_with("nodejs") || name.starts_with("python"));
            if inline && !scripted {
                return Err(refused(
                    "InvalidRequest",
                    400,
                    "ZipFile can only be used when Runtime is set to either of nodejs, python.",
                ));
            }
            blob = object(work, code)?;
        }
        check_environment(properties)?;
        Self::check_role(work, properties)?;
        for layer in properties.get("Layers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            // A layer of another account can't be looked at from here.
            let own = layer.contains(&format!(":{}:layer:", work.site.account));
            if own && resource_table::find(work.db, "AWS::Lambda::LayerVersion", &work.site.region, layer)?.is_none() {
                return Err(refused("InvalidRequest", 400, &format!("Layer version {layer} does not exist.")));
            }
        }
        Ok(blob)
    }

    fn check_role(work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        let arn = text(properties, "Role").unwrap_or_default();
        let Some((account, name)) = arn.split_once(":iam::").and_then(|(_, rest)| rest.split_once(":role/")) else {
            return Err(refused("InvalidRequest", 400, &format!("The role ARN {arn} is not the ARN of a role.")));
        };
        if account != work.site.account {
            return Err(refused("AccessDenied", 403, "Cross-account pass role is not allowed."));
        }
        let name = name.rsplit('/').next().unwrap_or(name);
        let trusted = resource_table::find(work.db, "AWS::IAM::Role", "global", name)?.filter(|role| {
            let trust = role.properties.get("AssumeRolePolicyDocument").unwrap_or(&Value::Null);
            policy::trusts(trust, "lambda.amazonaws.com")
        });
        let Some(role) = trusted else {
            return Err(refused(
                "InvalidRequest",
                400,
                "The role defined for the function cannot be assumed by Lambda.",
            ));
        };
        let session = Session {
            role: name.to_owned(),
            role_id: role.attributes.get("RoleId").and_then(Value::as_str).unwrap_or_default().to_owned(),
            role_arn: arn,
            name: "awslambda".to_owned(),
            expires: work.now,
        };
        Self::check_network(work, properties, &Principal::Role(Arc::new(session)))
    }

    /// A function in a network works through interfaces that Lambda makes, looks after and deletes with the function's own
    /// role. Source: the rights that Lambda's guide to networks lists. A role that may do it to `network-interface/*` only is
    /// refused: github.com/hashicorp/terraform-provider-aws issue 20698.
    fn check_network(work: &ResourceWork<'_>, properties: &Value, principal: &Principal) -> Result<(), Failure> {
        let network = properties.get("VpcConfig").unwrap_or(&Value::Null);
        let ids =
            |key: &str| network.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        if ids("SubnetIds").next().is_none() {
            return Ok(());
        }
        let on = |what: &str| format!("arn:aws:ec2:{}:{}:{what}", work.site.region, work.site.account);
        let subnets = ids("SubnetIds").map(|id| on(&format!("subnet/{id}")));
        let groups = ids("SecurityGroupIds").map(|id| on(&format!("security-group/{id}")));
        let mut needs: Vec<RequiredPermission> =
            subnets.chain(groups).map(|arn| RequiredPermission::new("ec2:CreateNetworkInterface", arn)).collect();
        needs.push(RequiredPermission::new("ec2:CreateNetworkInterface", on("network-interface/*")));
        let own = ["DeleteNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"];
        needs.extend(own.map(|action| RequiredPermission::new(format!("ec2:{action}"), on("*/*"))));
        let general = ["DescribeNetworkInterfaces", "DescribeSubnets"];
        needs.extend(general.map(|action| RequiredPermission::new(format!("ec2:{action}"), "*")));
        let context = RequestContext { region: work.site.region.clone(), now: work.now, policies: work.policies };
        for need in needs {
            let action = need.action.clone();
            let decided = authorize(work.db, principal, &[need], &context)
                .map_err(|error| Failure::handler("InternalFailure", error.message))?;
            if !decided.is_allowed() {
                let action = action.trim_start_matches("ec2:");
                return Err(refused(
                    "InvalidRequest",
                    400,
                    &format!("The provided execution role does not have permissions to call {action} on EC2"),
                ));
            }
        }
        Ok(())
    }
}

/// Refuses a runtime from the day on which Lambda does. Words: events of stacks in public reports, seen 2026-11.
fn check_runtime(work: &ResourceWork<'_>, properties: &Value, end: fn(&Runtime) -> Option<Day>) -> Result<(), Failure> {
    let id = text(properties, "Runtime").unwrap_or_default();
    let today = Day::parse(work.now.to_string().get(..10).unwrap_or_default());
    match runtimes().get(&id).and_then(end).zip(today) {
        Some((end, today)) if end <= today => Err(refused(
            "InvalidRequest",
            400,
            &format!(
                "The runtime parameter of {id} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."
            ),
        )),
        _ => Ok(()),
    }
}

/// Refuses variables that Lambda sets itself, and more of them than it takes. Words of the first: deployments in public
/// reports, seen 2026-11; of the second the service's words are not known.
fn check_environment(properties: &Value) -> Result<(), Failure> {
    let limits = &runtimes().environment;
    let variables = properties.pointer("/Environment/Variables").and_then(Value::as_object);
    let reserved: Vec<&str> = variables
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .filter(|name| limits.reserved.iter().any(|it| it == name))
        .collect();
    if !reserved.is_empty() {
        return Err(refused(
            "InvalidRequest",
            400,
            &format!(
                "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
                reserved.join(", ")
            ),
        ));
    }
    let bytes: usize = variables
        .into_iter()
        .flatten()
        .map(|(name, value)| name.len() + scalar(value).map_or(0, |value| value.len()))
        .sum();
    if bytes > limits.most_bytes {
        let most = limits.most_bytes;
        return Err(refused(
            "InvalidRequest",
            400,
            &format!("The environment variables have {bytes} bytes, and Lambda takes {most}"),
        ));
    }
    Ok(())
}

impl Handler for FunctionHandler {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        check_runtime(work, properties, |runtime| runtime.create_block)?;
        let blob = Self::check(work, properties)?;
        let made = generic::create_with(work, properties, modified(work))?;
        keep(work, &code::owner_of(&work.site.region, &made.id), blob.as_ref())?;
        Ok(made)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, old: &Value, new: &Value) -> Result<Made, Failure> {
        check_runtime(work, new, |runtime| runtime.update_block)?;
        let blob = Self::check(work, new)?;
        // Code that someone has put in place since stays while the template says the same.
        if old.get("Code") != new.get("Code") {
            keep(work, &code::owner_of(&work.site.region, id), blob.as_ref())?;
        }
        let made = generic::update(work, id, new)?;
        resource_table::set_state(work.db, &work.site.resource_type, &work.site.stack_id, id, &modified(work))?;
        Ok(made)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        code::forget(work.db, &code::owner_of(&work.site.region, id))?;
        generic::delete(work, id)
    }
}

/// A version: what its function is at the moment it is made.
pub(super) struct VersionHandler;

impl Handler for VersionHandler {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let named = text(properties, "FunctionName").unwrap_or_default();
        let name = function_name(&named);
        let function = resource_table::find(work.db, "AWS::Lambda::Function", &work.site.region, name)?;
        let Some(function) = function else { return Err(no_function(work, name)) };
        let made = generic::create_with(work, properties, function.properties)?;
        code::copy(work.db, &code::owner_of(&work.site.region, name), &made.id)?;
        Ok(made)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        code::forget(work.db, id)?;
        generic::delete(work, id)
    }
}

/// A function's name: of a name, a partial or whole ARN, each perhaps with a qualifier.
fn function_name(named: &str) -> &str {
    let name = named.split_once(":function:").map_or(named, |(_, rest)| rest);
    name.split(':').next().unwrap_or(name)
}

fn no_function(work: &ResourceWork<'_>, name: &str) -> Failure {
    let arn = format!("arn:aws:lambda:{}:{}:function:{name}", work.site.region, work.site.account);
    refused("NotFound", 404, &format!("Function not found: {arn}"))
}

pub(super) struct LayerVersion;

impl Handler for LayerVersion {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let blob = object(work, properties.get("Content").unwrap_or(&Value::Null))?;
        let made = generic::create_with(work, properties, modified(work))?;
        keep(work, &made.id, blob.as_ref())?;
        Ok(made)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        code::forget(work.db, id)?;
        generic::delete(work, id)
    }
}

pub(super) struct Permission;

impl Handler for Permission {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let named = text(properties, "FunctionName").unwrap_or_default();
        let name = function_name(&named);
        if resource_table::find(work.db, "AWS::Lambda::Function", &work.site.region, name)?.is_none() {
            return Err(no_function(work, name));
        }
        generic::create(work, properties)
    }
}
