//! Cognito: user pools, whose people go with them, and their clients.

use serde_json::{Value, json};

use crate::cognito::store;
use crate::ground::resource_table;
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};

pub(super) struct UserPool;

impl Handler for UserPool {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        generic::create_with(work, properties, json!({ "Created": work.now.as_millisecond() }))
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, properties: &Value) -> Result<(), Failure> {
        if text(properties, "DeletionProtection").as_deref() == Some("ACTIVE") {
            return Err(Failure::handler(
                "InvalidRequest",
                "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be \
                 inactivated first. (Service: CognitoIdentityProvider, Status Code: 400)",
            ));
        }
        store::forget(work.db, id)?;
        generic::delete(work, id)
    }
}

pub(super) struct UserPoolClient;

impl Handler for UserPoolClient {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let pool = text(properties, "UserPoolId").unwrap_or_default();
        if resource_table::find(work.db, "AWS::Cognito::UserPool", &work.site.region, &pool)?.is_none() {
            return Err(Failure::handler(
                "NotFound",
                format!("User pool {pool} does not exist. (Service: CognitoIdentityProvider, Status Code: 400)"),
            ));
        }
        let state = json!({ "Created": work.now.as_millisecond() });
        let mut made = generic::create_with(work, properties, state)?;
        if text(properties, "GenerateSecret").as_deref() != Some("true") {
            made.attributes.remove("ClientSecret");
            let site = work.site;
            resource_table::update(work.db, &site.resource_type, site.owner(), &made, properties)?;
        }
        Ok(made)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        let mut made = generic::update(work, id, new)?;
        if text(new, "GenerateSecret").as_deref() != Some("true") {
            made.attributes.remove("ClientSecret");
            let site = work.site;
            resource_table::update(work.db, &site.resource_type, site.owner(), &made, new)?;
        }
        Ok(made)
    }
}
