//! The rights that calling a model needs.

use rusqlite::Transaction;
use serde_json::Value;

use super::prompt_model;
use crate::ground::resource_table;
use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use bedplate_facts::models;

/// The ARN of a model, by the end of whatever names it.
pub(super) fn foundation(region: &str, id: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{}", id.rsplit('/').next().unwrap_or(id))
}

/// A model by any of its names. Through an inference profile, the profile and the model behind it are both asked about;
/// the model only in the region of the request, while AWS asks in each region the profile leads to.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn models_needed(
    db: &Transaction<'_>,
    region: &str,
    action: &str,
    id: &str,
) -> Result<Vec<RequiredPermission>, ApiError> {
    if id.contains(":prompt/") {
        // A version is asked about as itself, and the model that the prompt names as well.
        let mut needs = vec![RequiredPermission::new("bedrock:RenderPrompt", id)];
        if let Some(model) = prompt_model(db, region, id) {
            needs.extend(models_needed(db, region, action, &model)?);
        }
        return Ok(needs);
    }
    let made = resource_table::of_type(db, "AWS::Bedrock::ApplicationInferenceProfile", Some(region))?;
    let own = made.into_iter().find(|thing| thing.id == id || thing.id.ends_with(&format!("/{id}")));
    let name = id.rsplit('/').next().unwrap_or(id);
    if own.is_none()
        && let Some((_, model)) = models().profile_of(name)
    {
        let profile = format!("arn:aws:bedrock:{region}:{ACCOUNT_ID}:inference-profile/{name}");
        return Ok(vec![
            RequiredPermission::new(action, profile.clone()),
            RequiredPermission::new(action, foundation(region, model)).with("bedrock:InferenceProfileArn", profile),
        ]);
    }
    let Some(own) = own else { return Ok(vec![RequiredPermission::new(action, foundation(region, id))]) };
    let source = own.properties.pointer("/ModelSource/CopyFrom").and_then(Value::as_str).unwrap_or_default();
    let source = source.rsplit('/').next().unwrap_or(source);
    let model = models().profile_of(source).map_or(source, |(_, model)| model);
    Ok(vec![
        RequiredPermission::new(action, own.id.clone()),
        RequiredPermission::new(action, foundation(region, model)).with("bedrock:InferenceProfileArn", own.id),
    ])
}
