//! Bedrock: versions of guardrails, prompts and flows, which keep what they were made from; knowledge bases and data sources,
//! with which goes what was read into them.

use serde_json::Value;

use crate::bedrock::{forget_base, forget_source};
use crate::ground::resource_table;
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};

fn missing(what: &str) -> Failure {
    Failure::handler("NotFound", format!("{what} (Service: Bedrock, Status Code: 404)"))
}

/// The properties of a thing of a stack, by its ARN or the id at the end of it.
fn properties_of(work: &ResourceWork<'_>, resource_type: &str, id: &str) -> Result<Option<Value>, Failure> {
    let made = resource_table::of_type(work.db, resource_type, Some(&work.site.region))?;
    let is = |known: &str| known == id || known.rsplit_once('/').is_some_and(|(_, tail)| tail == id);
    Ok(made.into_iter().find(|thing| is(&thing.id)).map(|thing| thing.properties))
}

pub(super) struct GuardrailVersion;

impl Handler for GuardrailVersion {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let id = text(properties, "GuardrailIdentifier").unwrap_or_default();
        let draft = properties_of(work, "AWS::Bedrock::Guardrail", &id)?;
        let draft = draft.ok_or_else(|| missing("The guardrail identifier provided in the request does not exist."))?;
        generic::create_with(work, properties, draft)
    }
}

pub(super) struct PromptVersion;

impl Handler for PromptVersion {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let arn = text(properties, "PromptArn").unwrap_or_default();
        let draft = properties_of(work, "AWS::Bedrock::Prompt", &arn)?;
        let draft = draft.ok_or_else(|| missing("The prompt identifier provided in the request does not exist."))?;
        generic::create_with(work, properties, draft)
    }
}

pub(super) struct FlowVersion;

impl Handler for FlowVersion {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let arn = text(properties, "FlowArn").unwrap_or_default();
        let draft = properties_of(work, "AWS::Bedrock::Flow", &arn)?;
        let draft = draft.ok_or_else(|| missing("The flow identifier provided in the request does not exist."))?;
        generic::create_with(work, properties, draft)
    }
}

pub(super) struct KnowledgeBase;

impl Handler for KnowledgeBase {
    fn delete(&self, work: &ResourceWork<'_>, id: &str, _: &Value) -> Result<(), Failure> {
        forget_base(work.db, id)?;
        generic::delete(work, id)
    }
}

pub(super) struct DataSource;

impl Handler for DataSource {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let base = text(properties, "KnowledgeBaseId").unwrap_or_default();
        if resource_table::find(work.db, "AWS::Bedrock::KnowledgeBase", &work.site.region, &base)?.is_none() {
            return Err(missing(&format!("Knowledge base with id {base} does not exist")));
        }
        generic::create(work, properties)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, properties: &Value) -> Result<(), Failure> {
        if let Some((base, source)) = id.split_once('|') {
            let all = text(properties, "DataDeletionPolicy").as_deref() != Some("RETAIN");
            forget_source(work.db, base, source, all)?;
        }
        generic::delete(work, id)
    }
}
