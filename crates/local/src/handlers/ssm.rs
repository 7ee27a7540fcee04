//! Systems Manager: parameters, which the Parameter Store then serves.

use serde_json::Value;

use crate::ground::ApiError;
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};
use crate::ssm::operations::keep;
use crate::ssm::store::{self, Parameter as Kept};

fn refused(error: ApiError) -> Failure {
    let ApiError { code, message, .. } = error;
    Failure::handler("InvalidRequest", format!("{message} (Service: Ssm, Status Code: 400, Error Code: {code})"))
}

fn write(work: &ResourceWork<'_>, name: &str, properties: &Value, version: i64) -> Result<(), Failure> {
    let new = Kept {
        name: name.to_owned(),
        version,
        kind: text(properties, "Type").unwrap_or_default(),
        value: text(properties, "Value").unwrap_or_default(),
        sealed: None,
        description: text(properties, "Description"),
        pattern: text(properties, "AllowedPattern"),
        modified: work.now.as_millisecond(),
    };
    keep(work.db, &work.site.region, &new).map_err(refused)
}

pub(super) struct ParameterHandler;

impl Handler for ParameterHandler {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let made = generic::create(work, properties)?;
        // One may be there that no stack made.
        if store::find(work.db, &work.site.region, &made.id, None)?.is_some() {
            return Err(Failure::handler(
                "AlreadyExists",
                format!(
                    "The parameter already exists: {} (Service: Ssm, Status Code: 400, Error Code: ParameterAlreadyExists)",
                    made.id
                ),
            ));
        }
        write(work, &made.id, properties, 1)?;
        Ok(made)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        let before = store::find(work.db, &work.site.region, id, None)?;
        write(work, id, new, before.map_or(1, |before| before.version + 1))?;
        generic::update(work, id, new)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        store::delete(work.db, &work.site.region, id)?;
        generic::delete(work, id)
    }
}
