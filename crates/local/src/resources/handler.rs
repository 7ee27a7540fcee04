//! The behaviour of resource types.

use serde_json::Value;

use super::generic;
use super::work::{Failure, ResourceWork};
use crate::ground::resource_table::Made;

/// The behaviour of one or more resource types.
pub trait Handler: Sync {
    /// Looks at the properties before the thing is made or changed, where that is not done by a `create` or `update` of its own.
    ///
    /// # Errors
    ///
    /// What the service would refuse.
    fn check(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        let _ = (work, properties);
        Ok(())
    }

    /// Makes the thing.
    ///
    /// # Errors
    ///
    /// What the service would refuse.
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        self.check(work, properties)?;
        generic::create(work, properties)
    }

    /// Changes it in place.
    ///
    /// # Errors
    ///
    /// What the service would refuse.
    fn update(&self, work: &ResourceWork<'_>, id: &str, old: &Value, new: &Value) -> Result<Made, Failure> {
        let _ = old;
        self.check(work, new)?;
        generic::update(work, id, new)
    }

    /// Deletes it; deleting what is gone already is fine.
    ///
    /// # Errors
    ///
    /// What the service would refuse.
    fn delete(&self, work: &ResourceWork<'_>, id: &str, properties: &Value) -> Result<(), Failure> {
        let _ = properties;
        generic::delete(work, id)
    }
}

/// Where the behaviour of a type is found; who starts CloudFormation hands it in.
pub type Handlers = fn(&str) -> &'static dyn Handler;

/// The rule for types without behaviour of their own.
#[derive(Debug)]
pub struct Generic;

impl Handler for Generic {}
