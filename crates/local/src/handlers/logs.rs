//! CloudWatch Logs: log groups.

use serde_json::Value;

use crate::ground::scalar::text;
use crate::logs::store;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};

fn retention(properties: &Value) -> Option<i64> {
    text(properties, "RetentionInDays").and_then(|days| days.parse().ok())
}

pub(super) struct LogGroup;

impl Handler for LogGroup {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let made = generic::create(work, properties)?;
        // A group may be there that no stack made: a function's late write brings one back, for example.
        let (region, now) = (&work.site.region, work.now.as_millisecond());
        if !store::create_group(work.db, region, &made.id, retention(properties), now)? {
            return Err(Failure::handler(
                "AlreadyExists",
                format!(
                    "Resource of type 'AWS::Logs::LogGroup' with identifier '{{\"/properties/LogGroupName\":\"{}\"}}' already exists.",
                    made.id
                ),
            ));
        }
        Ok(made)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        store::set_retention(work.db, &work.site.region, id, retention(new))?;
        generic::update(work, id, new)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        store::delete_group(work.db, &work.site.region, id)?;
        generic::delete(work, id)
    }
}
