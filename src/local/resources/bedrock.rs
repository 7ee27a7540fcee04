//! Bedrock: versions of guardrails and prompts, which keep what they were made from.

use serde_json::Value;

use super::{Failure, Handler, Made, Work, generic, text, world};

fn missing(what: &str) -> Failure {
    Failure::handler("NotFound", format!("{what} (Service: Bedrock, Status Code: 404)"))
}

/// The properties of a thing of a stack, by its ARN or the id at the end of it.
fn properties_of(work: &Work<'_>, resource_type: &str, id: &str) -> Result<Option<Value>, Failure> {
    let made = world::of_type(work.db, resource_type, Some(&work.site.region))?;
    let is = |known: &str| known == id || known.rsplit_once('/').is_some_and(|(_, tail)| tail == id);
    Ok(made.into_iter().find(|thing| is(&thing.id)).map(|thing| thing.properties))
}

pub(super) struct GuardrailVersion;

impl Handler for GuardrailVersion {
    fn create(&self, work: &Work<'_>, properties: &Value) -> Result<Made, Failure> {
        let id = text(properties, "GuardrailIdentifier").unwrap_or_default();
        let draft = properties_of(work, "AWS::Bedrock::Guardrail", &id)?;
        let draft = draft.ok_or_else(|| missing("The guardrail identifier provided in the request does not exist."))?;
        generic::create_with(work, properties, draft)
    }
}

pub(super) struct PromptVersion;

impl Handler for PromptVersion {
    fn create(&self, work: &Work<'_>, properties: &Value) -> Result<Made, Failure> {
        let arn = text(properties, "PromptArn").unwrap_or_default();
        let draft = properties_of(work, "AWS::Bedrock::Prompt", &arn)?;
        let draft = draft.ok_or_else(|| missing("The prompt identifier provided in the request does not exist."))?;
        generic::create_with(work, properties, draft)
    }
}
