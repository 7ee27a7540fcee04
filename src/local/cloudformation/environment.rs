//! What a template's references come to for one stack: its parameters, its resources as they are, other stacks' exports.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;

use super::model::{Physical, Resource, Stack, Target};
use super::tables::{self, Sql};
use crate::cfn::Template;
use crate::cfn::intrinsics::{Answer, DynamicReference, Environment, Problem, Resources, Scope};
use crate::local::resources::world;

/// What exists of a stack's resources, and what is not known yet.
#[derive(Debug, Default)]
pub struct Known {
    things: BTreeMap<String, Physical>,
    /// Whether a resource that does not exist is one that will, rather than a failure.
    pub planning: bool,
    exports: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
    imported: RefCell<BTreeSet<String>>,
}

impl Known {
    /// What is known of a stack's resources now.
    pub fn of(db: &Connection, stack: &Stack) -> Sql<Self> {
        let things = tables::resources(db, &stack.id)?
            .into_iter()
            .filter_map(|resource: Resource| Some((resource.logical_id, resource.physical?)))
            .collect();
        Self::with(db, &stack.region, things)
    }

    fn with(db: &Connection, region: &str, things: BTreeMap<String, Physical>) -> Sql<Self> {
        let exports = tables::exports(db, region)?.into_iter().map(|export| (export.name, export.value)).collect();
        let parameters = world::of_type(db, "AWS::SSM::Parameter", Some(region))?
            .into_iter()
            .filter_map(|thing| {
                let value = thing.properties.get("Value")?.as_str()?.to_owned();
                Some((thing.id, value))
            })
            .collect();
        let secrets = world::of_type(db, "AWS::SecretsManager::Secret", Some(region))?
            .into_iter()
            .flat_map(|thing| {
                let name = thing.properties.get("Name").and_then(Value::as_str).map(str::to_owned);
                name.into_iter().chain([thing.id])
            })
            .collect();
        Ok(Self { things, exports, parameters, secrets, ..Self::default() })
    }

    /// The exports that were asked for so far.
    pub fn imported(&self) -> Vec<String> {
        self.imported.borrow().iter().cloned().collect()
    }

    /// Notes a resource as it is after a step.
    pub fn set(&mut self, logical_id: &str, thing: Physical) {
        self.things.insert(logical_id.to_owned(), thing);
    }
}

impl Resources for Known {
    fn id(&self, logical_id: &str) -> Result<Answer, Problem> {
        match self.things.get(logical_id) {
            Some(thing) => Ok(Answer::from(thing.id.as_str())),
            None if self.planning => Ok(Answer::Unknown),
            None => Err(Problem::new(
                "T101",
                format!("Unresolved resource dependencies [{logical_id}] in the Resources block of the template"),
            )),
        }
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem> {
        match self.things.get(logical_id) {
            Some(thing) => match thing.attributes.get(attribute) {
                Some(value) => Ok(Answer::Known(value.clone())),
                None if self.planning => Ok(Answer::Unknown),
                None => Err(Problem::new(
                    "T102",
                    format!(
                        "Template error: resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt"
                    ),
                )),
            },
            None if self.planning => Ok(Answer::Unknown),
            None => Err(Problem::new(
                "T101",
                format!("Template error: instance of Fn::GetAtt references undefined resource {logical_id}"),
            )),
        }
    }

    fn import(&self, name: &str) -> Result<Answer, Problem> {
        self.imported.borrow_mut().insert(name.to_owned());
        match self.exports.get(name) {
            Some(value) => Ok(Answer::from(value.as_str())),
            None => Err(Problem::new("T107", format!("No export named {name} found. Rollback requested by user."))),
        }
    }

    fn dynamic(&self, reference: &DynamicReference<'_>) -> Result<Option<String>, Problem> {
        let missing = |what: String| Problem::new("T108", what);
        match reference.service {
            "ssm" => {
                let name = reference.key.split(':').next().unwrap_or_default();
                let value = self.parameters.get(name).cloned();
                value.map(Some).ok_or_else(|| missing(format!("Parameters: [{name}] cannot be found.")))
            }
            // The value of a secret never enters a record: the reference stays, for whoever is allowed to read it.
            "secretsmanager" => {
                let named = |secret: &String| {
                    reference.key == secret
                        || reference.key.strip_prefix(secret.as_str()).is_some_and(|rest| rest.starts_with(':'))
                };
                if self.secrets.iter().any(named) {
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
pub fn environment(stack: &Stack, target: &Target, account: &str) -> Environment {
    let mut environment = Environment::new(account, stack.region.clone(), stack.name.clone());
    environment.stack_id = Some(stack.id.clone());
    environment.notification_arns.clone_from(&target.notification_arns);
    environment.zones = ["a", "b", "c"].iter().map(|zone| format!("{}{zone}", stack.region)).collect();
    environment
}

/// A target's parameters as the evaluation takes them.
pub fn values(target: &Target) -> BTreeMap<String, String> {
    target.parameters.iter().map(|parameter| (parameter.key.clone(), parameter.value.clone())).collect()
}

/// Which of a template's conditions hold; none when they can't be evaluated.
pub fn scope<'a>(
    template: &'a Template,
    target: &Target,
    environment: &'a Environment,
    known: &'a Known,
) -> Result<Scope<'a>, Problem> {
    Scope::new(template, &values(target), environment, known)
}
