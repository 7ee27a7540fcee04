//! Which model a model id stands for: ids, ARNs, inference profiles of the system and of stacks, managed prompts; or the
//! refusal Bedrock has for it.

use http::StatusCode;
use rusqlite::Connection;

use super::answer::{invalid, missing};
use super::prompts::{self, Prompt};
use crate::ground::ApiError;
use crate::ground::resource_table;
use bedplate_facts::{Calling, Day, Model, Status, models};

/// What a model id stands for.
#[derive(Debug, Clone)]
pub(super) struct ModelTarget {
    /// The base model.
    pub model: &'static Model,
    /// As the model is called: its id, or the id of an inference profile.
    pub id: String,
    /// The managed prompt that names the model.
    pub prompt: Option<Prompt>,
}

/// The refusal of an id that is none.
pub(super) fn unknown() -> ApiError {
    invalid("The provided model identifier is invalid.")
}

/// The refusal of an id that the table does not hold: AWS may know it, so it says who does not.
fn not_in_the_table(id: &str) -> ApiError {
    let day = models().as_of;
    invalid(format!(
        "The provided model identifier is invalid. (The facts of the local target are of {day} and do not hold {id}; AWS may \
         offer it.)"
    ))
}

/// Finds the model of an id, for a call in a region at a time.
///
/// # Errors
///
/// As Bedrock refuses: an id that is none, a model that is gone or closed, one that takes no calls by its own id.
pub(super) fn target(db: &Connection, region: &str, id: &str, now: jiff::Timestamp) -> Result<ModelTarget, ApiError> {
    if id.contains(":prompt/") {
        let prompt = prompts::find(db, region, id)?;
        let ModelTarget { model, id, .. } = target(db, region, &prompt.model, now)?;
        return Ok(ModelTarget { model, id, prompt: Some(prompt) });
    }
    let name = match application_profile(db, region, id)? {
        Some(source) => source,
        None => id.to_owned(),
    };
    let by_stack = name != id;
    let name = name.rsplit_once('/').map_or(name.as_str(), |(_, name)| name).to_owned();
    let table = models();
    let Some(model) = table.get(&name) else { return Err(not_in_the_table(&name)) };
    let profile = table.profile_of(&name).map(|(prefix, _)| prefix);
    let calling = table.calling(model, region);
    let offered = match profile {
        Some(prefix) => table.profile_serves(prefix, model, region) != Some(false),
        None => calling != Calling::NotOffered,
    };
    if !offered {
        return Err(unknown());
    }
    if gone(model, now) {
        return Err(missing(
            "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
        ));
    }
    if model.status == Status::Legacy && model.is_certain("status") {
        return Err(missing(
            "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in \
             the last 15 days. Please upgrade to an active model on Amazon Bedrock",
        ));
    }
    if profile.is_none() && !by_stack && matches!(calling, Calling::Profile(_)) {
        return Err(invalid(format!(
            "Invocation of model ID {name} with on-demand throughput isn’t supported. Retry your request with the ID or ARN \
             of an inference profile that contains this model."
        )));
    }
    Ok(ModelTarget { model, id: name, prompt: None })
}

/// Whether a model answers nobody any more.
pub(super) fn gone(model: &Model, now: jiff::Timestamp) -> bool {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let over = model.end_of_life.is_some_and(|end| end < Day::from(today));
    model.status == Status::Retired || over && model.is_certain("end-of-life")
}

/// The model, or the system's profile, behind an inference profile that a stack made.
fn application_profile(db: &Connection, region: &str, id: &str) -> Result<Option<String>, ApiError> {
    let of_stacks = resource_table::of_type(db, "AWS::Bedrock::ApplicationInferenceProfile", Some(region))?;
    let found = of_stacks.into_iter().find(|thing| thing.id == id || thing.id.ends_with(&format!("/{id}")));
    match found {
        Some(thing) => {
            Ok(thing.properties.pointer("/ModelSource/CopyFrom").and_then(|source| source.as_str()).map(str::to_owned))
        }
        None if id.contains(":application-inference-profile/") => {
            Err(missing("The provided inference profile does not exist.").with_status(StatusCode::NOT_FOUND))
        }
        None => Ok(None),
    }
}
