//! The models there are, and the inference profiles: `bedrock`, from the table of models and from stacks.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid, missing, page, without_nulls};
use super::identify::gone;
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::{ACCOUNT_ID, ApiError};
use bedplate_facts::{Calling, Model, Status, models};

/// What an output is as a modality of the API; nothing for what the API has no word for.
fn modality(model: &Model) -> String {
    model.output.to_uppercase()
}

fn arn(region: &str, id: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{id}")
}

fn here(model: &Model, region: &str) -> bool {
    models().calling(model, region) != Calling::NotOffered
}

fn summary(model: &Model, region: &str) -> Value {
    let table = models();
    let on_demand = !matches!(table.calling(model, region), Calling::Profile(_));
    let through = !table.profiles_from(model, region).is_empty();
    let inference: Vec<&str> =
        on_demand.then_some("ON_DEMAND").into_iter().chain(through.then_some("INFERENCE_PROFILE")).collect();
    let status = if model.status == Status::Active { "ACTIVE" } else { "LEGACY" };
    let end = model.end_of_life.map(|day| format!("{day}T00:00:00Z"));
    without_nulls(json!({
        "modelArn": arn(region, &model.id),
        "modelId": model.id,
        "modelName": model.id,
        "providerName": model.provider,
        "inputModalities": ["TEXT"],
        "outputModalities": [modality(model)],
        "responseStreamingSupported": model.output == "text",
        "customizationsSupported": [],
        "inferenceTypesSupported": inference,
        "modelLifecycle": {"status": status, "endOfLifeTime": end},
    }))
}

/// `ListFoundationModels`.
pub(super) fn list_models(_: &Connection, call: &BedrockRequest) -> BedrockResult {
    let asked = |name: &str| call.query.get(name).cloned();
    let (provider, output, inference) = (asked("byProvider"), asked("byOutputModality"), asked("byInferenceType"));
    let customised = asked("byCustomizationType").is_some();
    let summaries: Vec<Value> = models()
        .models
        .iter()
        .filter(|model| here(model, &call.region) && !gone(model, call.now) && !customised)
        .filter(|model| provider.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(&model.provider)))
        .filter(|model| output.as_ref().is_none_or(|wanted| *wanted == modality(model)))
        .map(|model| summary(model, &call.region))
        .filter(|summary| {
            let types = summary.get("inferenceTypesSupported").and_then(Value::as_array);
            inference.as_ref().is_none_or(|wanted| types.is_some_and(|types| types.contains(&json!(wanted))))
        })
        .collect();
    Ok(BedrockAnswer::Json(json!({ "modelSummaries": summaries })))
}

fn of_id<'a>(id: &str, call: &BedrockRequest) -> Option<&'a Model> {
    let id = id.rsplit_once('/').map_or(id, |(_, id)| id);
    models().models.iter().find(|model| model.id == id && here(model, &call.region))
}

/// `GetFoundationModel`.
pub(super) fn get_model(_: &Connection, call: &BedrockRequest) -> BedrockResult {
    let id = call.label("modelIdentifier");
    match of_id(id, call).filter(|model| !gone(model, call.now)) {
        Some(model) => Ok(BedrockAnswer::Json(json!({ "modelDetails": summary(model, &call.region) }))),
        None => Err(missing("Could not resolve the foundation model from the provided model identifier.")),
    }
}

/// `GetFoundationModelAvailability`: every model the table knows as active is available to everyone here.
pub(super) fn availability(_: &Connection, call: &BedrockRequest) -> BedrockResult {
    let id = call.label("modelId");
    let known = models().models.iter().find(|model| model.id == id);
    let Some(model) = known else {
        return Err(invalid("The provided model identifier is invalid."));
    };
    let open = model.status == Status::Active && !gone(model, call.now);
    let word = |yes: bool| if yes { "AVAILABLE" } else { "NOT_AVAILABLE" };
    Ok(BedrockAnswer::Json(json!({
        "modelId": id,
        "agreementAvailability": {"status": word(open)},
        "authorizationStatus": if open { "AUTHORIZED" } else { "NOT_AUTHORIZED" },
        "entitlementAvailability": word(open),
        "regionAvailability": word(here(model, &call.region)),
    })))
}

/// The inference profiles of the system that are called from a region.
fn system_profiles(call: &BedrockRequest) -> Vec<Value> {
    let table = models();
    let callable = table.models.iter().filter(|model| !gone(model, call.now));
    let of_model = |model: &'static Model| {
        let ids = table.profiles_from(model, &call.region).into_iter();
        ids.filter_map(move |id| Some(system_profile(table.profile_of(&id)?.0, model, &call.region)))
    };
    callable.flat_map(of_model).collect()
}

fn system_profile(prefix: &str, model: &Model, region: &str) -> Value {
    let id = format!("{prefix}.{}", model.id);
    json!({
        "inferenceProfileName": format!("{} {}", prefix.to_uppercase(), model.id),
        "description": format!("Routes requests to {} in the geography {prefix}", model.id),
        "inferenceProfileArn": format!("arn:aws:bedrock:{region}:{ACCOUNT_ID}:inference-profile/{id}"),
        "inferenceProfileId": id,
        "models": [{"modelArn": arn(region, &model.id)}],
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    })
}

fn of_stack(thing: &StoredResource) -> Value {
    let text = |name: &str| thing.properties.get(name).and_then(Value::as_str);
    let source = thing.properties.pointer("/ModelSource/CopyFrom").and_then(Value::as_str).unwrap_or_default();
    let base = source.rsplit_once('/').map_or(source, |(_, id)| id);
    let base = models().profile_of(base).map_or(base, |(_, base)| base);
    without_nulls(json!({
        "inferenceProfileName": text("InferenceProfileName"),
        "description": text("Description"),
        "inferenceProfileArn": thing.id,
        "inferenceProfileId": thing.id.rsplit_once('/').map(|(_, id)| id),
        "models": [{"modelArn": arn(&thing.region, base)}],
        "createdAt": thing.attributes.get("CreatedAt"),
        "updatedAt": thing.attributes.get("UpdatedAt"),
        "status": "ACTIVE",
        "type": "APPLICATION",
    }))
}

fn profiles(db: &Connection, call: &BedrockRequest) -> Result<Vec<Value>, ApiError> {
    let made = resource_table::of_type(db, "AWS::Bedrock::ApplicationInferenceProfile", Some(&call.region))?;
    let mut profiles = system_profiles(call);
    profiles.extend(made.iter().map(of_stack));
    Ok(profiles)
}

/// `ListInferenceProfiles`.
pub(super) fn list_profiles(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    // As on AWS, those of the system unless others are asked for.
    let wanted = call.query.get("type").map_or("SYSTEM_DEFINED", String::as_str);
    let mut found = profiles(db, call)?;
    found.retain(|profile| profile.get("type").and_then(Value::as_str) == Some(wanted));
    page(call, "inferenceProfileSummaries", found)
}

/// `GetInferenceProfile`.
pub(super) fn get_profile(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let id = call.label("inferenceProfileIdentifier");
    let is = |profile: &Value, name: &str| profile.get(name).and_then(Value::as_str) == Some(id);
    let found = profiles(db, call)?;
    match found.into_iter().find(|profile| is(profile, "inferenceProfileId") || is(profile, "inferenceProfileArn")) {
        Some(profile) => Ok(BedrockAnswer::Json(profile)),
        None => {
            // A profile that the table is not sure of may be there on AWS.
            let name = id.rsplit_once('/').map_or(id, |(_, id)| id);
            let table = models();
            let named = table.profile_of(name).and_then(|(prefix, _)| Some((prefix, table.get(name)?)));
            let perhaps =
                named.filter(|(prefix, model)| table.profile_serves(prefix, model, &call.region) != Some(false));
            match perhaps {
                Some((prefix, model)) if !gone(model, call.now) && model.output == "text" => {
                    Ok(BedrockAnswer::Json(system_profile(prefix, model, &call.region)))
                }
                _ => Err(missing("The provided inference profile does not exist.")),
            }
        }
    }
}
