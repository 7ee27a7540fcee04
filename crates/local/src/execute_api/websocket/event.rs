//! The events of WebSocket APIs, and the functions behind their routes.

use std::time::Duration;

use serde_json::{Value, json};

use super::session::SocketSession;
use crate::execute_api::call::{SOURCE_IP, extended};
use crate::execute_api::functions::function_of;
use crate::execute_api::http_api::part;
use crate::execute_api::rest::clf;
use crate::execute_api::state;
use crate::ground::scalar::text;
use crate::ground::{ACCOUNT_ID, FunctionAnswer, FunctionCall, FunctionRefusal};
use crate::lambda::queue;

/// How long an integration may take unless it says.
const TIMEOUT: Duration = Duration::from_secs(29);

/// Why a route gave nothing.
#[derive(Debug)]
pub(super) enum RouteFailure {
    /// The local target does not simulate it.
    NotSimulated(String),
    /// It does not work: says why.
    Broken(String),
}

impl SocketSession {
    /// `arn:aws:execute-api:{region}:{account}:{api}/{stage}`.
    pub fn place(&self) -> String {
        format!("arn:aws:execute-api:{}:{ACCOUNT_ID}:{}/{}", self.v2.api.region, self.v2.api.id, self.stage)
    }

    /// The id and the properties of a route.
    pub fn route(&self, key: &str) -> Option<(String, &Value)> {
        let routes = self.v2.parts.get("Routes")?.as_array()?;
        routes.iter().find_map(|route| {
            let properties = route.get("Properties")?;
            (text(properties, "RouteKey").as_deref() == Some(key))
                .then(|| (text(route, "Id").unwrap_or_default(), properties))
        })
    }

    /// Whether a route answers the sender of a message.
    pub fn answers(&self, route: &str) -> bool {
        let responses = self.v2.parts.get("RouteResponses").and_then(Value::as_array).into_iter().flatten();
        responses.filter_map(|it| it.get("Properties")).any(|it| text(it, "RouteId").as_deref() == Some(route))
    }

    /// The event of a route.
    pub fn event(&self, route_key: &str, kind: &str, request_id: &str) -> Value {
        let now = self.gateway.host.clock.now();
        let mut event = json!({
            "requestContext": {
                "routeKey": route_key,
                "eventType": kind,
                "extendedRequestId": extended(request_id),
                "requestTime": clf(now),
                "messageDirection": "IN",
                "stage": self.stage,
                "connectedAt": self.connected_at.as_millisecond(),
                "requestTimeEpoch": now.as_millisecond(),
                "identity": { "sourceIp": SOURCE_IP, "userAgent": self.user_agent },
                "requestId": request_id,
                "domainName": self.domain,
                "connectionId": self.id,
                "apiId": self.v2.api.id,
            },
            "isBase64Encoded": false,
        });
        if let Some(authorizer) = &self.authorizer {
            event["requestContext"]["authorizer"] = Value::Object(authorizer.clone());
        }
        let variables = state::texts(self.v2.stage.as_ref().and_then(|stage| stage.properties.get("StageVariables")));
        if !variables.is_empty() {
            event["stageVariables"] = Value::Object(variables);
        }
        event
    }

    /// Asks what is behind a route.
    pub(super) async fn integrate(
        &self,
        route: &Value,
        key: &str,
        event: &Value,
    ) -> Result<FunctionAnswer, RouteFailure> {
        let target = text(route, "Target").unwrap_or_default();
        let id = target.strip_prefix("integrations/").unwrap_or_default();
        let Some(integration) = part(&self.v2.parts, "Integrations", id) else {
            return Err(RouteFailure::Broken("the route has no integration".to_owned()));
        };
        match &*text(integration, "IntegrationType").unwrap_or_default() {
            "MOCK" => return Ok(FunctionAnswer { payload: b"{\"statusCode\": 200}".to_vec(), failed: false }),
            "AWS_PROXY" => {}
            other => {
                return Err(RouteFailure::NotSimulated(format!("integrations of type `{other}` of WebSocket APIs")));
            }
        }
        let uri = text(integration, "IntegrationUri").unwrap_or_default();
        let source = format!("{}/{key}", self.place());
        let role = text(integration, "CredentialsArn");
        let wait = text(integration, "TimeoutInMillis").and_then(|millis| millis.parse().ok());
        let call = self.call(&uri, event, source, role);
        queue::within(wait.map_or(TIMEOUT, Duration::from_millis), call)
            .await
            .unwrap_or_else(|| Err(RouteFailure::Broken("the integration took too long".to_owned())))
    }

    /// Calls a function.
    pub(super) async fn call(
        &self,
        uri: &str,
        event: &Value,
        source_arn: String,
        role: Option<String>,
    ) -> Result<FunctionAnswer, RouteFailure> {
        let function =
            function_of(uri).ok_or_else(|| RouteFailure::Broken(format!("`{uri}` is no function's address")))?;
        let payload = event.to_string().into_bytes();
        let call = FunctionCall { function: function.to_owned(), payload, source_arn, role, event: false };
        self.gateway.invoke(call).await.map_err(|refusal| match refusal {
            FunctionRefusal::NotSimulated(what) => RouteFailure::NotSimulated(what),
            FunctionRefusal::Refused(why) => RouteFailure::Broken(why),
        })
    }
}
