//! What a template's references come to for one stack: its parameters, its resources as they are, other stacks' exports.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;

use super::error::not_simulated;
use super::model::{Physical, Stack, StackResource, StackTarget};
use super::tables::{self, Sql};
use crate::ground::resource_table;
use crate::resources::{is_custom, provider};
use crate::{secretsmanager, ssm};
use bedplate_cfn::finding::code;
use bedplate_cfn::intrinsics::{Answer, DynamicReference, Environment, Problem, Resources, Scope};
use bedplate_cfn::{Schemas, Template};

/// What exists of a stack's resources, and what is not known yet.
#[derive(Debug, Default)]
pub struct Known {
    things: BTreeMap<String, Physical>,
    /// Whether a resource that does not exist is one that will, rather than a failure.
    pub planning: bool,
    exports: BTreeMap<String, String>,
    /// The versions of each parameter of Parameter Store, the latest last.
    parameters: BTreeMap<String, Vec<ssm::store::Parameter>>,
    /// The ARNs of secrets.
    secrets: BTreeSet<String>,
    imported: RefCell<BTreeSet<String>>,
    /// Exports that were asked for while planning and are not there.
    missing: RefCell<BTreeSet<String>>,
}

impl Known {
    /// What is known of a stack's resources now.
    pub fn of(db: &Connection, stack: &Stack) -> Sql<Self> {
        let things = tables::resources(db, &stack.id)?
            .into_iter()
            .filter_map(|resource: StackResource| Some((resource.logical_id, resource.physical?)))
            .collect();
        Self::with(db, &stack.region, things)
    }

    fn with(db: &Connection, region: &str, things: BTreeMap<String, Physical>) -> Sql<Self> {
        let exports = tables::exports(db, region)?.into_iter().map(|export| (export.name, export.value)).collect();
        let parameters = ssm::store::all_versions(db, region)?;
        let secrets = resource_table::of_type(db, secretsmanager::store::SECRET, Some(region))?
            .into_iter()
            .map(|thing| thing.id)
            .collect();
        Ok(Self { things, exports, parameters, secrets, ..Self::default() })
    }

    /// The exports that were asked for so far.
    pub fn imported(&self) -> Vec<String> {
        self.imported.borrow().iter().cloned().collect()
    }

    /// The exports that were asked for while planning since this was last called, and are not there.
    pub fn take_missing(&self) -> BTreeSet<String> {
        self.missing.take()
    }

    /// Notes a resource as it is after a step.
    pub fn set(&mut self, logical_id: &str, thing: Physical) {
        if thing.resource_type == secretsmanager::store::SECRET {
            self.secrets.insert(thing.id.clone());
        }
        self.things.insert(logical_id.to_owned(), thing);
    }
}

/// What an attribute of a thing is. One that is a property too is what the template gives it.
///
/// Source: answers of AWS recorded by localstack/localstack, 2026-03 (`test_change_set_fn_get_attr.py`).
fn value_of<'a>(thing: &'a Physical, attribute: &str) -> Option<&'a Value> {
    // What a custom resource has is what its function has answered.
    if is_custom(&thing.resource_type) {
        return thing.attributes.get(attribute);
    }
    let given = || thing.properties.pointer(&provider::pointer(attribute)).filter(|value| !value.is_null());
    let property = given().filter(|_| provider::settable(&thing.resource_type, attribute));
    property.filter(|_| has_attribute(&thing.resource_type, attribute)).or_else(|| thing.attributes.get(attribute))
}

fn has_attribute(resource_type: &str, attribute: &str) -> bool {
    Schemas::embedded().get(resource_type).is_some_and(|schema| schema.has_attribute(attribute))
}

impl Resources for Known {
    fn id(&self, logical_id: &str) -> Result<Answer, Problem> {
        match self.things.get(logical_id) {
            Some(thing) => Ok(Answer::from(thing.id.as_str())),
            None if self.planning => Ok(Answer::Unknown),
            None => Err(Problem::new(
                code::T101,
                format!("Unresolved resource dependencies [{logical_id}] in the Resources block of the template"),
            )),
        }
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem> {
        match self.things.get(logical_id) {
            Some(thing) => match value_of(thing, attribute) {
                Some(value) => Ok(Answer::Known(value.clone())),
                None if self.planning => Ok(Answer::Unknown),
                None if is_custom(&thing.resource_type) => Err(Problem::new(
                    code::T102,
                    format!(
                        "CustomResource attribute error: Vendor response doesn't contain {attribute} key in object {}",
                        thing.id
                    ),
                )),
                None => Err(Problem::new(
                    code::T102,
                    format!(
                        "Template error: resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt"
                    ),
                )),
            },
            None if self.planning => Ok(Answer::Unknown),
            None => Err(Problem::new(
                code::T101,
                format!("Template error: instance of Fn::GetAtt references undefined resource {logical_id}"),
            )),
        }
    }

    fn import(&self, name: &str) -> Result<Answer, Problem> {
        self.imported.borrow_mut().insert(name.to_owned());
        match self.exports.get(name) {
            Some(value) => Ok(Answer::from(value.as_str())),
            // Whether it is there is decided when the change set is executed.
            None if self.planning => {
                self.missing.borrow_mut().insert(name.to_owned());
                Ok(Answer::Unknown)
            }
            None => Err(Problem::new(code::T107, format!("No export named {name} found."))),
        }
    }

    fn dynamic(&self, reference: &DynamicReference<'_>) -> Result<Option<String>, Problem> {
        let missing = |what: String| Problem::new(code::T108, what);
        match reference.service {
            "ssm" | "ssm-secure" => {
                let named = ssm::store::Named::of(reference.key, "");
                let name = &named.name;
                let versions = self.parameters.get(name).map(Vec::as_slice).unwrap_or_default();
                let found = match named.selector.as_deref() {
                    None => versions.last(),
                    Some(version) => versions.iter().find(|one| one.version.to_string() == version),
                };
                if found.is_none() && ssm::store::is_public(name) {
                    return Err(missing(not_simulated(&format!("the public parameters of AWS (`{name}`)")).message));
                }
                let Some(found) = found else {
                    return Err(missing(format!("Parameters: [{}] cannot be found.", reference.key)));
                };
                match (reference.service, found.kind.as_str()) {
                    ("ssm", "SecureString") => Err(missing(format!(
                        "SSM Secure reference is not supported in: [{name}]; use ssm-secure, where a property takes it"
                    ))),
                    ("ssm", _) => Ok(Some(found.value.clone())),
                    // The few properties that take it belong to services that are not simulated: the text stays.
                    (_, "SecureString") => Ok(None),
                    _ => Err(missing(format!("Non-secure ssm prefix is not used for non-secure parameter: [{name}]"))),
                }
            }
            // The value of a secret never enters a record: the reference stays, for whoever is allowed to read it.
            "secretsmanager" => {
                let named = secretsmanager::reveal::names(reference.key);
                let fits = |arn: &String| {
                    arn == named
                        || secretsmanager::store::name_of(arn) == named
                        || arn.strip_prefix(named).is_some_and(|rest| rest.len() == 7 && rest.starts_with('-'))
                };
                // What is planned may refer to a secret that the same template makes.
                if self.planning || self.secrets.iter().any(fits) {
                    Ok(None)
                } else {
                    Err(missing("Secrets Manager can't find the specified secret. (Service: AWSSecretsManager; Status Code: 400; Error Code: ResourceNotFoundException)".to_owned()))
                }
            }
            _ => Ok(None),
        }
    }
}

/// The pseudo parameters of a stack.
pub fn environment(stack: &Stack, target: &StackTarget, account: &str) -> Environment {
    let mut environment = Environment::new(account, stack.region.clone(), stack.name.clone());
    environment.stack_id = Some(stack.id.clone());
    environment.notification_arns.clone_from(&target.notification_arns);
    environment.zones = ["a", "b", "c"].iter().map(|zone| format!("{}{zone}", stack.region)).collect();
    environment
}

/// A target's parameters as the evaluation takes them.
pub fn values(target: &StackTarget) -> BTreeMap<String, String> {
    target.parameters.iter().map(|parameter| (parameter.key.clone(), parameter.given().to_owned())).collect()
}

/// Which of a template's conditions hold; none when they can't be evaluated.
pub fn scope<'a>(
    template: &'a Template,
    target: &StackTarget,
    environment: &'a Environment,
    known: &'a Known,
) -> Result<Scope<'a>, Problem> {
    Scope::new(template, &values(target), environment, known)
}
