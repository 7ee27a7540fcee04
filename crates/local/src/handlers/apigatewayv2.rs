//! HTTP and WebSocket APIs: a deployment keeps a picture of its API for stages that do not deploy by themselves.

use serde_json::Value;

use super::apigateway_checks::check_logging;
use crate::execute_api::parts::parts;
use crate::ground::resource_table;
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};

pub(super) struct HttpDeploymentHandler;

impl Handler for HttpDeploymentHandler {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let id = text(properties, "ApiId").unwrap_or_default();
        let api =
            resource_table::find(work.db, "AWS::ApiGatewayV2::Api", &work.site.region, &id)?.ok_or_else(|| {
                let message = format!("Invalid API identifier specified {}:{id}", work.site.account);
                Failure::handler("NotFound", format!("{message} (Service: ApiGatewayV2, Status Code: 404)"))
            })?;
        generic::create_with(work, properties, parts(work.db, &api)?)
    }
}

/// A stage: those of WebSocket APIs log with the account's role, those of HTTP APIs by a resource policy.
pub(super) struct StageHandler;

impl Handler for StageHandler {
    fn check(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        let id = text(properties, "ApiId").unwrap_or_default();
        let api = resource_table::find(work.db, "AWS::ApiGatewayV2::Api", &work.site.region, &id)?;
        let protocol = api.and_then(|api| text(&api.properties, "ProtocolType"));
        match protocol.as_deref() {
            Some("WEBSOCKET") => check_logging(work, properties, "ApiGatewayV2"),
            _ => Ok(()),
        }
    }
}
