//! What a service refuses of a resource's properties: the rules that the checks of a template hold too.

use std::borrow::Cow;

use serde_json::Value;

use super::work::{Failure, ResourceWork};
use crate::ground::resource_table;
use crate::ground::scalar::text;
use bedplate_cfn::service_rules::{broken, same_sibling, sibling_rules};

/// Refuses properties that break a rule of the service's.
///
/// # Errors
///
/// The first rule that is broken, in the service's words where they are known.
pub fn refuse_by_rules(work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
    let site = work.site;
    let related = |named: &Value, type_: &str| {
        let thing = resource_table::find(work.db, type_, &site.region, named.as_str()?).ok()??;
        Some(Cow::Owned(thing.properties))
    };
    if let Some(rule) = broken(&site.resource_type, properties, &related).first() {
        return Err(Failure::handler("InvalidRequest", rule.refusal()));
    }
    for rule in sibling_rules().iter().filter(|rule| rule.type_ == site.resource_type) {
        let Some(key) = same_sibling(rule, properties) else { continue };
        let region = Some(site.region.as_str()).filter(|_| rule.within.is_some());
        for other in resource_table::of_type(work.db, &rule.type_, region)? {
            let itself = other.stack_id == site.stack_id && other.logical_id == site.logical_id;
            let name = text(&other.properties, &rule.property).unwrap_or_default();
            // CloudFormation itself refuses a name that is the same letter by letter.
            let same = rule.ignoring_case && text(properties, &rule.property).as_ref() == Some(&name);
            if !itself && !same && same_sibling(rule, &other.properties).as_ref() == Some(&key) {
                let message = format!("{name} already exists (Service: {}, Status Code: 409)", rule.service);
                return Err(Failure::handler("AlreadyExists", message));
            }
        }
    }
    Ok(())
}
