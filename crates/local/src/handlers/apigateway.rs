//! API Gateway's REST APIs: their resources, methods, deployments and stages.
//!
//! A deployment keeps a snapshot of its API in its state, so that later the API answers only what was deployed.

use serde_json::{Map, Value, json};

use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};

const API: &str = "AWS::ApiGateway::RestApi";
const RESOURCE: &str = "AWS::ApiGateway::Resource";
const METHOD: &str = "AWS::ApiGateway::Method";
const DEPLOYMENT: &str = "AWS::ApiGateway::Deployment";
const STAGE: &str = "AWS::ApiGateway::Stage";

/// What a deployment takes with it.
const PARTS: &[&str] = &[
    RESOURCE,
    METHOD,
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::GatewayResponse",
];

fn refused(code: &'static str, status: u16, message: &str) -> Failure {
    Failure::handler(code, format!("{message} (Service: ApiGateway, Status Code: {status})"))
}

/// The API a part names, which must exist.
fn api(work: &ResourceWork<'_>, properties: &Value) -> Result<StoredResource, Failure> {
    let id = text(properties, "RestApiId").unwrap_or_default();
    resource_table::find(work.db, API, &work.site.region, &id)?.ok_or_else(|| {
        refused("NotFound", 404, &format!("Invalid API identifier specified {}:{id}", work.site.account))
    })
}

/// Everything of one type in an API.
fn parts(work: &ResourceWork<'_>, resource_type: &str, api: &str) -> Result<Vec<StoredResource>, Failure> {
    let mut things = resource_table::of_type(work.db, resource_type, Some(&work.site.region))?;
    things.retain(|thing| text(&thing.properties, "RestApiId").as_deref() == Some(api));
    Ok(things)
}

pub(super) struct RestApi;

impl Handler for RestApi {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let titled = properties.pointer("/Body/info/title").is_some() || properties.get("BodyS3Location").is_some();
        if text(properties, "Name").is_none_or(|name| name.is_empty()) && !titled {
            return Err(refused("InvalidRequest", 400, "Name is required"));
        }
        generic::create(work, properties)
    }
}

/// A part of an API that needs nothing but the API.
pub(super) struct PartOfApi;

impl Handler for PartOfApi {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        api(work, properties)?;
        generic::create(work, properties)
    }
}

pub(super) struct PathHandler;

impl Handler for PathHandler {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let api = api(work, properties)?;
        let part = text(properties, "PathPart").unwrap_or_default();
        if !good_path_part(&part) {
            return Err(refused(
                "InvalidRequest",
                400,
                "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
            ));
        }
        let parent = text(properties, "ParentId").unwrap_or_default();
        let siblings = parts(work, RESOURCE, &api.id)?;
        let root = api.attributes.get("RootResourceId").and_then(Value::as_str) == Some(parent.as_str());
        if !root && !siblings.iter().any(|resource| resource.id == parent) {
            return Err(refused("NotFound", 404, "Invalid Resource identifier specified"));
        }
        let same = |other: &StoredResource| {
            text(&other.properties, "ParentId").as_deref() == Some(parent.as_str())
                && text(&other.properties, "PathPart").as_deref() == Some(part.as_str())
        };
        if siblings.iter().any(same) {
            return Err(refused(
                "AlreadyExists",
                409,
                &format!("Another resource with the same parent already has this name: {part}"),
            ));
        }
        generic::create(work, properties)
    }
}

fn good_path_part(part: &str) -> bool {
    let inner = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let variable = inner.map(|inner| inner.strip_suffix('+').unwrap_or(inner));
    let text = variable.unwrap_or(part);
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c))
}

pub(super) struct Method;

impl Handler for Method {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let api = api(work, properties)?;
        check_method(work, &api, properties)?;
        let resource = text(properties, "ResourceId");
        let verb = text(properties, "HttpMethod");
        let same = |other: &StoredResource| {
            text(&other.properties, "ResourceId") == resource && text(&other.properties, "HttpMethod") == verb
        };
        if parts(work, METHOD, &api.id)?.iter().any(same) {
            return Err(refused("AlreadyExists", 409, "Method already exists for this resource"));
        }
        generic::create(work, properties)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        let api = api(work, new)?;
        check_method(work, &api, new)?;
        generic::update(work, id, new)
    }
}

fn check_method(work: &ResourceWork<'_>, api: &StoredResource, properties: &Value) -> Result<(), Failure> {
    let resource = text(properties, "ResourceId").unwrap_or_default();
    let root = api.attributes.get("RootResourceId").and_then(Value::as_str) == Some(resource.as_str());
    if !root && !parts(work, RESOURCE, &api.id)?.iter().any(|other| other.id == resource) {
        return Err(refused("NotFound", 404, "Invalid Resource identifier specified"));
    }
    if let Some(validator) = text(properties, "RequestValidatorId")
        && !parts(work, "AWS::ApiGateway::RequestValidator", &api.id)?.iter().any(|other| other.id == validator)
    {
        return Err(refused("InvalidRequest", 400, "Invalid Request Validator identifier specified"));
    }
    if let Some(authorizer) = text(properties, "AuthorizerId")
        && !parts(work, "AWS::ApiGateway::Authorizer", &api.id)?.iter().any(|other| other.id == authorizer)
    {
        return Err(refused(
            "InvalidRequest",
            400,
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
        ));
    }
    let models = properties.get("RequestModels").and_then(Value::as_object);
    for model in models.into_iter().flat_map(Map::values).filter_map(Value::as_str) {
        // Every API has these two from the start.
        if !["Empty", "Error"].contains(&model)
            && !parts(work, "AWS::ApiGateway::Model", &api.id)?.iter().any(|other| other.id == model)
        {
            return Err(refused("InvalidRequest", 400, &format!("Invalid model name specified: {model}")));
        }
    }
    Ok(())
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
            return Err(refused("InvalidRequest", 400, "The REST API doesn't contain any methods"));
        }
        if methods.iter().any(|method| method.properties.get("Integration").is_none()) {
            return Err(refused("InvalidRequest", 400, "No integration defined for method"));
        }
        let snapshot = snapshot(work, &api)?;
        let made = generic::create_with(work, properties, snapshot)?;
        if let Some(stage) = text(properties, "StageName") {
            if resource_table::find(work.db, STAGE, &api.id, &stage)?.is_some() {
                return Err(refused("AlreadyExists", 409, "Stage already exists"));
            }
            let mut description =
                properties.get("StageDescription").and_then(Value::as_object).cloned().unwrap_or_default();
            description.insert("RestApiId".to_owned(), json!(api.id));
            description.insert("StageName".to_owned(), json!(stage));
            description.insert("DeploymentId".to_owned(), json!(made.id));
            resource_table::insert(
                work.db,
                &StoredResource {
                    resource_type: STAGE.to_owned(),
                    region: work.site.region.clone(),
                    scope: api.id,
                    id: stage,
                    stack_id: work.site.stack_id.clone(),
                    logical_id: work.site.logical_id.clone(),
                    properties: Value::Object(description),
                    attributes: Map::new(),
                    state: json!({"made_by_deployment": made.id}),
                },
            )?;
        }
        Ok(made)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, properties: &Value) -> Result<(), Failure> {
        let api = text(properties, "RestApiId").unwrap_or_default();
        for stage in parts(work, STAGE, &api)? {
            if text(&stage.properties, "DeploymentId").as_deref() != Some(id) {
                continue;
            }
            if stage.state.get("made_by_deployment").and_then(Value::as_str) != Some(id) {
                return Err(refused(
                    "InvalidRequest",
                    400,
                    "Active stages pointing to this deployment must be moved or deleted",
                ));
            }
            resource_table::remove(work.db, STAGE, &stage.stack_id, &stage.id)?;
        }
        generic::delete(work, id)
    }
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
        check_stage(work, &api, properties)?;
        let name = text(properties, "StageName").unwrap_or_default();
        if resource_table::find(work.db, STAGE, &api.id, &name)?.is_some() {
            return Err(refused("AlreadyExists", 409, "Stage already exists"));
        }
        generic::create(work, properties)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        let api = api(work, new)?;
        check_stage(work, &api, new)?;
        generic::update(work, id, new)
    }
}

fn check_stage(work: &ResourceWork<'_>, api: &StoredResource, properties: &Value) -> Result<(), Failure> {
    let deployment = text(properties, "DeploymentId").unwrap_or_default();
    if parts(work, DEPLOYMENT, &api.id)?.iter().any(|other| other.id == deployment) {
        Ok(())
    } else {
        Err(refused("NotFound", 404, "Deployment id does not exist"))
    }
}

pub(super) struct ApiKey;

impl Handler for ApiKey {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let given = text(properties, "Value");
        if let Some(value) = &given {
            if !(20..=128).contains(&value.len()) {
                return Err(refused("InvalidRequest", 400, "API Key value should be at least 20 characters"));
            }
            let same = |other: &StoredResource| text(&other.properties, "Value").as_deref() == Some(value);
            if resource_table::of_type(work.db, "AWS::ApiGateway::ApiKey", Some(&work.site.region))?.iter().any(same) {
                return Err(refused("AlreadyExists", 409, "API Key already exists"));
            }
        }
        // Forty characters, as API Gateway draws them.
        let mut drawn = format!("{}{}", work.ids.uuid().simple(), work.ids.uuid().simple());
        drawn.truncate(40);
        generic::create_with(work, properties, json!({ "value": given.unwrap_or(drawn) }))
    }
}

#[cfg(test)]
mod tests {
    use super::good_path_part;

    #[test]
    fn path_parts_are_words_or_variables() {
        for good in ["moviePosterDesign", "{id}", "{proxy+}", "v1.2-b_c"] {
            assert!(good_path_part(good), "{good}");
        }
        for bad in ["", "a/b", "{id", "{}", "a b", "ü"] {
            assert!(!good_path_part(bad), "{bad}");
        }
    }
}
