//! Lambda: functions, layer versions and permissions.

use serde_json::Value;

use super::policy;
use super::world;
use super::{Failure, Handler, Made, Work, generic, text};
use crate::local::s3::object_exists;

fn refused(code: &'static str, status: u16, message: &str) -> Failure {
    Failure::handler(code, format!("{message} (Service: Lambda, Status Code: {status})"))
}

/// Whether the object that holds code is there.
fn check_object(work: &Work<'_>, code: &Value) -> Result<(), Failure> {
    let (Some(bucket), Some(key)) = (text(code, "S3Bucket"), text(code, "S3Key")) else { return Ok(()) };
    let version = text(code, "S3ObjectVersion");
    object_exists(work.db, &bucket, &key, version.as_deref()).map_err(|error| {
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

pub(super) struct Function;

impl Function {
    fn check(work: &Work<'_>, properties: &Value) -> Result<(), Failure> {
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
            check_object(work, code)?;
        }
        Self::check_role(work, properties)?;
        for layer in properties.get("Layers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            // A layer of another account can't be looked at from here.
            let own = layer.contains(&format!(":{}:layer:", work.site.account));
            if own && world::find(work.db, "AWS::Lambda::LayerVersion", &work.site.region, layer)?.is_none() {
                return Err(refused("InvalidRequest", 400, &format!("Layer version {layer} does not exist.")));
            }
        }
        Ok(())
    }

    fn check_role(work: &Work<'_>, properties: &Value) -> Result<(), Failure> {
        let arn = text(properties, "Role").unwrap_or_default();
        let Some((account, name)) = arn.split_once(":iam::").and_then(|(_, rest)| rest.split_once(":role/")) else {
            return Err(refused("InvalidRequest", 400, &format!("The role ARN {arn} is not the ARN of a role.")));
        };
        if account != work.site.account {
            return Err(refused("AccessDenied", 403, "Cross-account pass role is not allowed."));
        }
        let name = name.rsplit('/').next().unwrap_or(name);
        let role = world::find(work.db, "AWS::IAM::Role", "global", name)?;
        let trusted = role.is_some_and(|role| {
            let trust = role.properties.get("AssumeRolePolicyDocument").unwrap_or(&Value::Null);
            policy::trusts(trust, "lambda.amazonaws.com")
        });
        if trusted {
            Ok(())
        } else {
            Err(refused("InvalidRequest", 400, "The role defined for the function cannot be assumed by Lambda."))
        }
    }
}

impl Handler for Function {
    fn create(&self, work: &Work<'_>, properties: &Value) -> Result<Made, Failure> {
        Self::check(work, properties)?;
        generic::create(work, properties)
    }

    fn update(&self, work: &Work<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        Self::check(work, new)?;
        generic::update(work, id, new)
    }
}

pub(super) struct LayerVersion;

impl Handler for LayerVersion {
    fn create(&self, work: &Work<'_>, properties: &Value) -> Result<Made, Failure> {
        check_object(work, properties.get("Content").unwrap_or(&Value::Null))?;
        generic::create(work, properties)
    }
}

pub(super) struct Permission;

impl Handler for Permission {
    fn create(&self, work: &Work<'_>, properties: &Value) -> Result<Made, Failure> {
        let named = text(properties, "FunctionName").unwrap_or_default();
        // A name, a partial or whole ARN, each perhaps with a qualifier.
        let name = match named.split_once(":function:") {
            Some((_, rest)) => rest,
            None => &named,
        };
        let name = name.split(':').next().unwrap_or(name);
        if world::find(work.db, "AWS::Lambda::Function", &work.site.region, name)?.is_none() {
            let arn = format!("arn:aws:lambda:{}:{}:function:{name}", work.site.region, work.site.account);
            return Err(refused("NotFound", 404, &format!("Function not found: {arn}")));
        }
        generic::create(work, properties)
    }
}
