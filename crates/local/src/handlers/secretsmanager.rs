//! Secrets Manager: secrets with the values that templates give or have made.

use serde_json::{Value, json};

use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};
use crate::secretsmanager::generate;
use crate::secretsmanager::store::{self, CURRENT, SecretVersion};

fn refused(message: impl std::fmt::Display) -> Failure {
    Failure::handler("InvalidRequest", format!("{message} (Service: SecretsManager, Status Code: 400)"))
}

/// The value a template gives; none when it gives none.
fn value(properties: &Value) -> Result<Option<String>, Failure> {
    match (properties.get("SecretString"), properties.get("GenerateSecretString")) {
        (Some(_), _) => Ok(text(properties, "SecretString")),
        (None, Some(wanted)) => generate::value(wanted).map(Some).map_err(refused),
        (None, None) => Ok(None),
    }
}

fn keep(work: &ResourceWork<'_>, arn: &str, value: Option<String>) -> Result<(), Failure> {
    let Some(text) = value else { return Ok(()) };
    let version = SecretVersion {
        id: work.ids.uuid().to_string(),
        text: Some(text),
        bytes: None,
        stages: vec![CURRENT.to_owned()],
        created: work.now.as_millisecond(),
    };
    Ok(store::add(work.db, arn, &version)?)
}

pub(super) struct Secret;

impl Handler for Secret {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let value = value(properties)?;
        if let Some(name) = text(properties, "Name")
            && store::find(work.db, &work.site.region, &name)?.is_some()
        {
            return Err(Failure::handler(
                "AlreadyExists",
                format!(
                    "The operation failed because the secret {name} already exists. (Service: SecretsManager, Status Code: 400)"
                ),
            ));
        }
        let made = generic::create_with(work, properties, json!({ "Created": work.now.as_millisecond() }))?;
        keep(work, &made.id, value)?;
        Ok(made)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, old: &Value, new: &Value) -> Result<Made, Failure> {
        // A value is only made anew when what it is made from changes: one put by hand stays.
        let of_value = |properties: &Value| {
            (properties.get("SecretString").cloned(), properties.get("GenerateSecretString").cloned())
        };
        if of_value(old) != of_value(new) {
            keep(work, id, value(new)?)?;
        }
        generic::update(work, id, new)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        store::forget(work.db, id)?;
        generic::delete(work, id)
    }
}

pub(super) struct ResourcePolicy;

impl Handler for ResourcePolicy {
    fn check(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        check(work, properties)
    }
}

fn check(work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
    let named = text(properties, "SecretId").unwrap_or_default();
    if store::find(work.db, &work.site.region, &named)?.is_none() {
        return Err(Failure::handler(
            "NotFound",
            "Secrets Manager can't find the specified secret. (Service: SecretsManager, Status Code: 400)",
        ));
    }
    super::policy::check(properties.get("ResourcePolicy").unwrap_or(&Value::Null), super::policy::PolicyUse::Resource)
}
