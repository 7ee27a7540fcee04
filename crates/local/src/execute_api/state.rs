//! What is deployed: APIs, their stages, and the keys and plans of callers, read from the resources of stacks.

use rand::Rng as _;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::limits::{Period, Quota, Throttle};
use super::parts::parts;
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::{scalar, text};

/// What an address leads to.
#[derive(Debug)]
pub(super) enum FoundApi {
    /// A stage of a REST API.
    Rest(Box<Rest>),
    /// A REST API without that stage.
    NoStage,
    /// An HTTP or WebSocket API, with all that is in it.
    V2(Box<V2>),
    /// Nothing.
    Nothing,
}

/// A REST API, the stage that answers, and what the stage serves.
#[derive(Debug)]
pub(super) struct Rest {
    /// The API.
    pub api: StoredResource,
    /// The stage.
    pub stage: StoredResource,
    /// The deployment that answers, unless it is gone.
    pub deployment: Option<StoredResource>,
}

/// Whether a request is one that a stage's canary answers.
fn by_canary(setting: &Value) -> bool {
    let percent = number(setting, "PercentTraffic").unwrap_or(0.0);
    rand::rng().random_range(0.0..100.0) < percent
}

/// A stage as its canary has it: the canary's deployment, and its variables over the stage's own.
fn canary(stage: &mut StoredResource) {
    let Some(setting) = stage.properties.get("CanarySetting").filter(|setting| by_canary(setting)).cloned() else {
        return;
    };
    let Some(properties) = stage.properties.as_object_mut() else { return };
    if let Some(deployment) = text(&setting, "DeploymentId") {
        properties.insert("DeploymentId".to_owned(), Value::String(deployment));
    }
    let mut variables = texts(properties.get("Variables"));
    variables.extend(texts(setting.get("StageVariableOverrides")));
    properties.insert("Variables".to_owned(), Value::Object(variables));
    stage.state = json!({ CANARY_REQUEST: true });
}

/// In the state of a stage that answers by its canary.
pub(super) const CANARY_REQUEST: &str = "canary_request";

/// An HTTP or WebSocket API, and the stage that answers.
#[derive(Debug)]
pub(super) struct V2 {
    /// The API.
    pub api: StoredResource,
    /// The stage, if there is one for the path.
    pub stage: Option<StoredResource>,
    /// Whether the path's first segment is the stage's name.
    pub stage_in_path: bool,
    /// What answers: live for a stage that deploys by itself, else as it was deployed.
    pub parts: Value,
}

/// What is behind an API's id and the first segment of a path.
pub(super) fn find(db: &Connection, api: &str, first: &str) -> Result<FoundApi, ApiError> {
    if let Some(found) = resource_table::find_anywhere(db, "AWS::ApiGateway::RestApi", api)? {
        let Some(mut stage) = resource_table::find(db, "AWS::ApiGateway::Stage", api, first)? else {
            return Ok(FoundApi::NoStage);
        };
        canary(&mut stage);
        let deployment = text(&stage.properties, "DeploymentId").unwrap_or_default();
        let deployment = resource_table::find_anywhere(db, "AWS::ApiGateway::Deployment", &deployment)?;
        return Ok(FoundApi::Rest(Box::new(Rest { api: found, stage, deployment })));
    }
    let Some(found) = resource_table::find_anywhere(db, "AWS::ApiGatewayV2::Api", api)? else {
        return Ok(FoundApi::Nothing);
    };
    let named = resource_table::find(db, "AWS::ApiGatewayV2::Stage", api, first)?;
    let stage_in_path = named.is_some();
    let stage = match named {
        Some(stage) => Some(stage),
        None => resource_table::find(db, "AWS::ApiGatewayV2::Stage", api, "$default")?,
    };
    let automatic =
        stage.as_ref().is_some_and(|stage| text(&stage.properties, "AutoDeploy").as_deref() == Some("true"));
    let deployed = match stage.as_ref().and_then(|stage| text(&stage.properties, "DeploymentId")) {
        Some(id) if !automatic => resource_table::find_anywhere(db, "AWS::ApiGatewayV2::Deployment", &id)?,
        _ => None,
    };
    let parts = match deployed {
        Some(deployment) => deployment.state,
        None if automatic => parts(db, &found)?,
        None => Value::Null,
    };
    Ok(FoundApi::V2(Box::new(V2 { api: found, stage, stage_in_path, parts })))
}

/// An API key in force.
#[derive(Debug, Clone)]
pub(super) struct UsageKey {
    /// Its id.
    pub id: String,
    /// Its value.
    pub value: String,
    /// The plan it is under.
    pub plan: String,
    /// The plan's throttle for this stage.
    pub throttle: Option<Throttle>,
    /// The plan's throttle for this method.
    pub method_throttle: Option<Throttle>,
    /// The plan's quota.
    pub quota: Option<Quota>,
}

/// The key of a value, if it is enabled and under a plan for a stage.
pub(super) fn key(
    db: &Connection,
    region: &str,
    api: &str,
    stage: &str,
    route: &str,
    value: &str,
) -> Result<Option<UsageKey>, ApiError> {
    let keys = resource_table::of_type(db, "AWS::ApiGateway::ApiKey", Some(region))?;
    let Some(key) = keys.into_iter().find(|key| key_value(key).as_deref() == Some(value)) else { return Ok(None) };
    if text(&key.properties, "Enabled").as_deref() != Some("true") {
        return Ok(None);
    }
    let links = resource_table::of_type(db, "AWS::ApiGateway::UsagePlanKey", Some(region))?;
    let plans = resource_table::of_type(db, "AWS::ApiGateway::UsagePlan", Some(region))?;
    for link in links.iter().filter(|link| text(&link.properties, "KeyId").as_deref() == Some(key.id.as_str())) {
        let id = text(&link.properties, "UsagePlanId").unwrap_or_default();
        let Some(plan) = plans.iter().find(|plan| plan.id == id) else { continue };
        let stages = plan.properties.get("ApiStages").and_then(Value::as_array).into_iter().flatten();
        let covers = |entry: &&Value| {
            text(entry, "ApiId").as_deref() == Some(api) && text(entry, "Stage").as_deref() == Some(stage)
        };
        let Some(covered) = stages.filter(|entry| entry.is_object()).find(covers) else { continue };
        return Ok(Some(UsageKey {
            value: value.to_owned(),
            plan: plan.id.clone(),
            throttle: plan.properties.get("Throttle").and_then(throttle),
            method_throttle: covered.get("Throttle").and_then(|methods| methods.get(route)).and_then(throttle),
            quota: plan.properties.get("Quota").and_then(quota),
            id: key.id,
        }));
    }
    Ok(None)
}

/// The value of an API key: given, or drawn when it was made.
pub(super) fn key_value(key: &StoredResource) -> Option<String> {
    text(&key.properties, "Value").or_else(|| text(&key.state, "value"))
}

fn number(value: &Value, name: &str) -> Option<f64> {
    scalar(value.get(name)?)?.parse().ok()
}

/// `RateLimit` and `BurstLimit`.
fn throttle(value: &Value) -> Option<Throttle> {
    let (rate, burst) = (number(value, "RateLimit"), number(value, "BurstLimit"));
    if rate.is_none() && burst.is_none() {
        return None;
    }
    let rate = rate.unwrap_or(f64::INFINITY);
    Some(Throttle { rate, burst: burst.unwrap_or(rate.max(1.0)) })
}

fn quota(value: &Value) -> Option<Quota> {
    let whole = |name: &str| scalar(value.get(name)?)?.parse().ok();
    Some(Quota {
        limit: whole("Limit")?,
        offset: whole("Offset").unwrap_or(0),
        period: match &*text(value, "Period")? {
            "DAY" => Period::Day,
            "WEEK" => Period::Week,
            _ => Period::Month,
        },
    })
}

/// The throttle of a stage's method, as `ThrottlingRateLimit` and `ThrottlingBurstLimit` under some settings.
pub(super) fn setting(settings: &Value) -> Option<Throttle> {
    let (rate, burst) = (number(settings, "ThrottlingRateLimit"), number(settings, "ThrottlingBurstLimit"));
    if rate.is_none() && burst.is_none() {
        return None;
    }
    let rate = rate.unwrap_or(f64::INFINITY);
    Some(Throttle { rate, burst: burst.unwrap_or(rate.max(1.0)) })
}

/// An object's entries as texts.
pub(super) fn texts(value: Option<&Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in value.and_then(Value::as_object).into_iter().flatten() {
        if let Some(text) = scalar(value) {
            all.insert(name.clone(), Value::String(text));
        }
    }
    all
}
