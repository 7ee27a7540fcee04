//! Managed prompts as the API shows them.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, api_names, missing, page, without_nulls};
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};

fn none() -> ApiError {
    missing("Could not find the prompt. Check that the prompt identifier and its version are correct.")
}

/// A prompt by its ARN or id.
fn draft(db: &Connection, region: &str, id: &str) -> Result<StoredResource, ApiError> {
    let id = id.rsplit('/').next().unwrap_or(id);
    let made = resource_table::of_type(db, "AWS::Bedrock::Prompt", Some(region))?;
    made.into_iter().find(|thing| thing.id.rsplit('/').next() == Some(id)).ok_or_else(none)
}

fn versions(db: &Connection, region: &str, prompt: &StoredResource) -> Result<Vec<StoredResource>, ApiError> {
    let mut made = resource_table::of_type(db, "AWS::Bedrock::PromptVersion", Some(region))?;
    made.retain(|thing| thing.id.rsplit_once(':').is_some_and(|(arn, _)| arn == prompt.id));
    Ok(made)
}

/// A prompt or a version of it; a version has the content the prompt had when it was made.
fn told(prompt: &StoredResource, version: Option<&StoredResource>, whole: bool) -> Value {
    let content = version.map(|version| &version.state).filter(|state| state.is_object()).unwrap_or(&prompt.properties);
    let thing = version.unwrap_or(prompt);
    let field = |name: &str| content.get(name).cloned().unwrap_or_default();
    let description = thing.properties.get("Description").cloned().unwrap_or_default();
    without_nulls(json!({
        "id": prompt.id.rsplit('/').next(),
        "arn": thing.id,
        "name": field("Name"),
        "description": description,
        "version": version.and_then(|version| version.attributes.get("Version")).cloned().unwrap_or_else(|| json!("DRAFT")),
        "defaultVariant": if whole { field("DefaultVariant") } else { Value::Null },
        "variants": if whole { api_names(&field("Variants")) } else { Value::Null },
        "customerEncryptionKeyArn": if whole { field("CustomerEncryptionKeyArn") } else { Value::Null },
        "createdAt": thing.attributes.get("CreatedAt"),
        "updatedAt": thing.attributes.get("UpdatedAt").or_else(|| thing.attributes.get("CreatedAt")),
    }))
}

/// `GetPrompt`.
pub(in crate::bedrock) fn get(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let prompt = draft(db, &call.region, call.label("promptIdentifier"))?;
    let whole = call.query.get("includedData").is_none_or(|data| data != "METADATA_ONLY");
    let wanted = call.query.get("promptVersion").filter(|version| *version != "DRAFT");
    let Some(wanted) = wanted else { return Ok(BedrockAnswer::Json(told(&prompt, None, whole))) };
    let is = |thing: &&StoredResource| thing.id.rsplit(':').next() == Some(wanted.as_str());
    let made = versions(db, &call.region, &prompt)?;
    let version = made.iter().find(is).ok_or_else(none)?;
    Ok(BedrockAnswer::Json(told(&prompt, Some(version), whole)))
}

/// `ListPrompts`: the prompts, or of one its draft and its versions.
pub(in crate::bedrock) fn list(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let summaries = match call.query.get("promptIdentifier") {
        Some(id) => {
            let prompt = draft(db, &call.region, id)?;
            let made = versions(db, &call.region, &prompt)?;
            let all = std::iter::once(None).chain(made.iter().map(Some));
            all.map(|version| told(&prompt, version, false)).collect()
        }
        None => {
            let made = resource_table::of_type(db, "AWS::Bedrock::Prompt", Some(&call.region))?;
            made.iter().map(|prompt| told(prompt, None, false)).collect()
        }
    };
    page(call, "promptSummaries", summaries)
}
