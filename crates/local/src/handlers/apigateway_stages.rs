//! Deployments and stages of REST APIs.
//!
//! A deployment keeps a snapshot of its API in its state, so that later the API answers only what was deployed. The words of
//! refusals are those of AWS where localstack/localstack recorded them (2026-03, `test_apigateway_canary.py`) or
//! serverless/serverless#1761 quotes them.

use serde_json::{Map, Value, json};

use super::apigateway::{METHOD, RESOURCE, api, parts, refused};
use super::apigateway_checks::check_logging;
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};

const DEPLOYMENT: &str = "AWS::ApiGateway::Deployment";
const STAGE: &str = "AWS::ApiGateway::Stage";

/// The name of a stage that its template does not name, as localstack/localstack has it (2026-03).
const UNNAMED: &str = "default";

/// What a deployment takes with it.
const PARTS: &[&str] = &[
    RESOURCE,
    METHOD,
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::GatewayResponse",
];

/// How many deployments a stage remembers that it had before.
const REMEMBERED: usize = 10;

/// In a stage's state: the deployment that made it, if one did.
const MADE_BY: &str = "made_by_deployment";
/// In a stage's state: the deployments it was moved from, the last one last.
const EARLIER: &str = "earlier";

fn invalid(message: &str) -> Failure {
    refused("InvalidRequest", 400, message)
}

pub(super) struct RestDeploymentHandler;

impl Handler for RestDeploymentHandler {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let api = api(work, properties)?;
        let methods = parts(work, METHOD, &api.id)?;
        let by_body =
            api.properties.pointer("/Body/paths").and_then(Value::as_object).is_some_and(|paths| !paths.is_empty())
                || api.properties.get("BodyS3Location").is_some();
        if methods.is_empty() && !by_body {
            return Err(invalid("The REST API doesn't contain any methods"));
        }
        if methods.iter().any(|method| method.properties.get("Integration").is_none()) {
            return Err(invalid("No integration defined for method"));
        }
        let stage = wanted_stage(work, &api, properties)?;
        let made = generic::create_with(work, properties, snapshot(work, &api)?)?;
        match stage {
            WantedStage::None => {}
            WantedStage::New(name) => make_stage(work, &api, &name, &made.id, properties)?,
            WantedStage::Moved(stage) => move_stage(work, *stage, &made.id, properties)?,
        }
        Ok(made)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, old: &Value, new: &Value) -> Result<Made, Failure> {
        let api = api(work, new)?;
        let name = text(new, "StageName").filter(|name| !name.is_empty());
        let existing = match &name {
            Some(name) => resource_table::find(work.db, STAGE, &api.id, name)?,
            None => None,
        };
        match (name, existing) {
            (Some(name), None) => make_stage(work, &api, &name, id, new)?,
            (Some(_), Some(mut stage))
                if of_deployment(&stage, id) && old.get("StageDescription") != new.get("StageDescription") =>
            {
                stage.properties = described(&api, &stage.id, text(&stage.properties, "DeploymentId"), new);
                resource_table::save(work.db, &stage)?;
            }
            _ => {}
        }
        generic::update(work, id, new)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, properties: &Value) -> Result<(), Failure> {
        let api = text(properties, "RestApiId").unwrap_or_default();
        for mut stage in parts(work, STAGE, &api)? {
            if text(&stage.properties, "DeploymentId").as_deref() == Some(id) {
                let Some(earlier) = still_there(work, &api, id, &stage)? else {
                    if !of_deployment(&stage, id) {
                        return Err(invalid("Active stages pointing to this deployment must be moved or deleted"));
                    }
                    resource_table::remove(work.db, STAGE, stage.owner(), &stage.id)?;
                    continue;
                };
                // What had moved the stage is taken back, and the stage with it.
                point(&mut stage, &earlier);
                resource_table::save(work.db, &stage)?;
            }
            if canary_of(&stage).as_deref() == Some(id)
                && let Some(properties) = stage.properties.as_object_mut()
            {
                properties.remove("CanarySetting");
                resource_table::save(work.db, &stage)?;
            }
        }
        generic::delete(work, id)
    }
}

/// What a new deployment does to the stage that it names.
enum WantedStage {
    /// It names none.
    None,
    /// It makes it.
    New(String),
    /// It moves it, or becomes its canary.
    Moved(Box<StoredResource>),
}

fn wanted_stage(work: &ResourceWork<'_>, api: &StoredResource, properties: &Value) -> Result<WantedStage, Failure> {
    let canary = properties.get("DeploymentCanarySettings").is_some_and(Value::is_object);
    let given = text(properties, "StageName");
    let Some(name) = given.clone().filter(|name| !name.is_empty()) else {
        if canary {
            return Err(invalid(&format!(
                "Invalid deployment content specified.Non null and non empty stageName must be provided for canary \
                 deployment. Provided value is {}",
                given.as_deref().unwrap_or("null")
            )));
        }
        return Ok(WantedStage::None);
    };
    match resource_table::find(work.db, STAGE, &api.id, &name)? {
        Some(_) if properties.get("StageDescription").is_some() => {
            Err(invalid("StageDescription cannot be specified when stage referenced by StageName already exists"))
        }
        Some(stage) => Ok(WantedStage::Moved(Box::new(stage))),
        None if canary => Err(invalid(&format!(
            "Invalid deployment content specified.Stage {name} must already be created before making a canary release \
             deployment"
        ))),
        None => {
            check_name(&name)?;
            check_logging(work, properties.get("StageDescription").unwrap_or(&Value::Null), "ApiGateway")?;
            Ok(WantedStage::New(name))
        }
    }
}

/// The properties of a stage that a deployment makes.
fn described(api: &StoredResource, name: &str, deployment: Option<String>, properties: &Value) -> Value {
    let mut all = properties.get("StageDescription").and_then(Value::as_object).cloned().unwrap_or_default();
    all.insert("RestApiId".to_owned(), json!(api.id));
    all.insert("StageName".to_owned(), json!(name));
    all.insert("DeploymentId".to_owned(), json!(deployment));
    Value::Object(all)
}

fn make_stage(
    work: &ResourceWork<'_>,
    api: &StoredResource,
    name: &str,
    deployment: &str,
    properties: &Value,
) -> Result<(), Failure> {
    let made = StoredResource {
        resource_type: STAGE.to_owned(),
        region: work.site.region.clone(),
        scope: api.id.clone(),
        id: name.to_owned(),
        stack_id: work.site.stack_id.clone(),
        logical_id: work.site.logical_id.clone(),
        properties: described(api, name, Some(deployment.to_owned()), properties),
        attributes: Map::new(),
        state: json!({ MADE_BY: deployment }),
    };
    Ok(resource_table::insert(work.db, &made)?)
}

/// Moves a stage to a new deployment, or makes that the stage's canary.
fn move_stage(
    work: &ResourceWork<'_>,
    mut stage: StoredResource,
    deployment: &str,
    properties: &Value,
) -> Result<(), Failure> {
    if let Some(canary) = properties.get("DeploymentCanarySettings").and_then(Value::as_object) {
        let mut setting = canary.clone();
        setting.insert("DeploymentId".to_owned(), json!(deployment));
        if let Some(properties) = stage.properties.as_object_mut() {
            properties.insert("CanarySetting".to_owned(), Value::Object(setting));
        }
    } else {
        let before = text(&stage.properties, "DeploymentId");
        let mut earlier: Vec<Value> = stage.state.get(EARLIER).and_then(Value::as_array).cloned().unwrap_or_default();
        earlier.extend(before.map(Value::from));
        let surplus = earlier.len().saturating_sub(REMEMBERED);
        earlier.drain(..surplus);
        point(&mut stage, deployment);
        if let Some(state) = stage.state.as_object_mut() {
            state.insert(EARLIER.to_owned(), Value::Array(earlier));
        }
    }
    Ok(resource_table::save(work.db, &stage)?)
}

/// Points a stage to a deployment; one that a deployment made is that deployment's from then on.
fn point(stage: &mut StoredResource, deployment: &str) {
    if let Some(properties) = stage.properties.as_object_mut() {
        properties.insert("DeploymentId".to_owned(), json!(deployment));
    }
    if !stage.state.is_object() {
        stage.state = json!({});
    }
    if let Some(made_by) = stage.state.get_mut(MADE_BY) {
        *made_by = json!(deployment);
    }
}

fn of_deployment(stage: &StoredResource, deployment: &str) -> bool {
    text(&stage.state, MADE_BY).as_deref() == Some(deployment)
}

fn canary_of(stage: &StoredResource) -> Option<String> {
    text(stage.properties.get("CanarySetting")?, "DeploymentId")
}

/// The last of the deployments that a stage had before, other than one, that is still there.
fn still_there(
    work: &ResourceWork<'_>,
    api: &str,
    but: &str,
    stage: &StoredResource,
) -> Result<Option<String>, Failure> {
    let deployments = parts(work, DEPLOYMENT, api)?;
    let earlier = stage.state.get(EARLIER).and_then(Value::as_array).into_iter().flatten().rev();
    let known = |id: &&str| *id != but && deployments.iter().any(|deployment| deployment.id == *id);
    Ok(earlier.filter_map(Value::as_str).find(known).map(str::to_owned))
}

/// The API with all its parts as they are now.
fn snapshot(work: &ResourceWork<'_>, api: &StoredResource) -> Result<Value, Failure> {
    let mut all = Map::new();
    all.insert("RestApi".to_owned(), json!({"Id": api.id, "Properties": api.properties, "Attributes": api.attributes}));
    for part in PARTS {
        let name = part.rsplit("::").next().unwrap_or(part);
        let things = parts(work, part, &api.id)?
            .into_iter()
            .map(|thing| json!({"Id": thing.id, "Properties": thing.properties, "Attributes": thing.attributes}))
            .collect();
        all.insert(format!("{name}s"), Value::Array(things));
    }
    Ok(Value::Object(all))
}

pub(super) struct Stage;

impl Handler for Stage {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let api = api(work, properties)?;
        let properties = named(properties);
        check_stage(work, &api, &properties)?;
        let name = text(&properties, "StageName").unwrap_or_default();
        if resource_table::find(work.db, STAGE, &api.id, &name)?.is_some() {
            return Err(refused("AlreadyExists", 409, "Stage already exists"));
        }
        generic::create(work, &properties)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        let api = api(work, new)?;
        let new = named(new);
        check_stage(work, &api, &new)?;
        generic::update(work, id, &new)
    }
}

/// The properties of a stage with its name.
fn named(properties: &Value) -> Value {
    let mut properties = properties.clone();
    if let Some(all) = properties.as_object_mut() {
        all.entry("StageName").or_insert_with(|| json!(UNNAMED));
    }
    properties
}

fn check_name(name: &str) -> Result<(), Failure> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(invalid("Stage name only allows a-zA-Z0-9_-"));
    }
    Ok(())
}

fn check_stage(work: &ResourceWork<'_>, api: &StoredResource, properties: &Value) -> Result<(), Failure> {
    check_name(&text(properties, "StageName").unwrap_or_default())?;
    check_logging(work, properties, "ApiGateway")?;
    let deployments = parts(work, DEPLOYMENT, &api.id)?;
    let there = |id: &str| deployments.iter().any(|other| other.id == id);
    let canary = properties.get("CanarySetting").and_then(|setting| text(setting, "DeploymentId"));
    if !there(&text(properties, "DeploymentId").unwrap_or_default()) || canary.is_some_and(|id| !there(&id)) {
        return Err(refused("NotFound", 404, "Deployment id does not exist"));
    }
    Ok(())
}
