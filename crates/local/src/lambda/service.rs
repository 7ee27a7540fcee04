//! The REST API: paths in, answers and errors out.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use rusqlite::Transaction;
use s3s::Body;
use serde_json::Value;

use super::call::{Invocation, Invoker};
use super::function::Name;
use super::invoke;
use super::pool::Pool;
use super::{describe, update};
use crate::ground::{ACCOUNT_ID, ApiError, Host, RequiredPermission};
use crate::protocol::service::{Registration, Service, ServiceAnswer, ServiceCall, ServiceRequest, unsimulated};

/// An operation and what its path names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LambdaRoute {
    /// For example `GetFunction`.
    operation: &'static str,
    /// The function's or layer's name, where the path has one.
    name: Option<String>,
    /// A version or an alias.
    qualifier: Option<String>,
}

impl LambdaRoute {
    /// The IAM action of the operation.
    fn action(&self) -> &'static str {
        match self.operation {
            "Invoke" => "InvokeFunction",
            "GetLayerVersionByArn" => "GetLayerVersion",
            operation => operation,
        }
    }

    /// The ARN the operation is about.
    fn resource(&self, region: &str) -> String {
        let Some(name) = &self.name else { return "*".to_owned() };
        if self.operation.contains("Layer") {
            if name.starts_with("arn:") {
                return name.clone();
            }
            let layer = format!("arn:aws:lambda:{region}:{ACCOUNT_ID}:layer:{name}");
            return self.qualifier.as_ref().map_or(layer.clone(), |version| format!("{layer}:{version}"));
        }
        Name::of(name, self.qualifier.as_deref(), region).map_or_else(|_| name.clone(), |name| name.arn())
    }
}

/// Method, path (after its version, `*` for any segment) and operation; those not simulated are refused by these names.
const ROUTES: &[(&str, &[&str], &str)] = &[
    ("POST", &["functions", "*", "invocations"], "Invoke"),
    ("GET", &["functions", "*"], "GetFunction"),
    ("GET", &["functions", "*", "configuration"], "GetFunctionConfiguration"),
    ("GET", &["functions"], "ListFunctions"),
    ("PUT", &["functions", "*", "code"], "UpdateFunctionCode"),
    ("GET", &["functions", "*", "versions"], "ListVersionsByFunction"),
    ("GET", &["functions", "*", "aliases"], "ListAliases"),
    ("GET", &["functions", "*", "policy"], "GetPolicy"),
    ("GET", &["layers"], "ListLayers"),
    ("GET", &["layers", "*", "versions"], "ListLayerVersions"),
    ("GET", &["layers", "*", "versions", "*"], "GetLayerVersion"),
    ("POST", &["functions"], "CreateFunction"),
    ("DELETE", &["functions", "*"], "DeleteFunction"),
    ("PUT", &["functions", "*", "configuration"], "UpdateFunctionConfiguration"),
    ("POST", &["functions", "*", "versions"], "PublishVersion"),
    ("POST", &["functions", "*", "aliases"], "CreateAlias"),
    ("GET", &["functions", "*", "aliases", "*"], "GetAlias"),
    ("POST", &["functions", "*", "policy"], "AddPermission"),
    ("DELETE", &["functions", "*", "policy", "*"], "RemovePermission"),
    ("PUT", &["functions", "*", "concurrency"], "PutFunctionConcurrency"),
    ("POST", &["functions", "*", "response-streaming-invocations"], "InvokeWithResponseStream"),
    ("POST", &["functions", "*", "invoke-async"], "InvokeAsync"),
    ("GET", &["event-source-mappings"], "ListEventSourceMappings"),
    ("POST", &["event-source-mappings"], "CreateEventSourceMapping"),
    ("POST", &["layers", "*", "versions"], "PublishLayerVersion"),
    ("DELETE", &["layers", "*", "versions", "*"], "DeleteLayerVersion"),
    ("GET", &["tags", "*"], "ListTags"),
    ("GET", &["account-settings"], "GetAccountSettings"),
];

/// The operation of a request, if it is one of Lambda's that is known here.
fn route(method: &Method, path: &str, query: &str) -> Option<LambdaRoute> {
    let mut segments = path.split('/').filter(|part| !part.is_empty());
    // The date is that of the operation's version.
    segments.next().filter(|date| date.len() == 10 && date.starts_with("20"))?;
    let decode = |part: &str| String::from_utf8_lossy(&crate::identity::decode(part)).into_owned();
    let segments: Vec<String> = segments.map(decode).collect();
    let fits = |pattern: &[&str]| {
        pattern.len() == segments.len()
            && pattern.iter().zip(&segments).all(|(wanted, segment)| *wanted == "*" || wanted == segment)
    };
    let (_, pattern, operation) =
        ROUTES.iter().find(|(known, pattern, _)| *known == method.as_str() && fits(pattern))?;
    let mut named = pattern.iter().zip(&segments).filter(|(wanted, _)| **wanted == "*").map(|(_, segment)| segment);
    let (name, second) = (named.next().cloned(), named.next().cloned());
    let parameter = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    if *operation == "ListLayers" && parameter("find").as_deref() == Some("LayerVersion") {
        return Some(LambdaRoute { operation: "GetLayerVersionByArn", name: parameter("Arn"), qualifier: None });
    }
    Some(LambdaRoute { operation, name, qualifier: second.or_else(|| parameter("Qualifier")) })
}

/// One request of an operation.
struct LambdaCall {
    /// None when it is not simulated.
    handler: Option<&'static LambdaHandler>,
    route: LambdaRoute,
    headers: HeaderMap,
    body: Bytes,
    region: String,
}

impl LambdaCall {
    fn name(&self) -> &str {
        self.route.name.as_deref().unwrap_or_default()
    }

    fn function(&self) -> Result<Name, ApiError> {
        Name::of(self.name(), self.route.qualifier.as_deref(), &self.region)
    }
}

/// How an operation is carried out.
enum LambdaHandler {
    /// Within a reading transaction; the text is where the endpoint listens.
    Read(fn(&Transaction<'_>, &LambdaCall, &str) -> Result<Value, ApiError>),
    /// In steps of its own.
    Steps(fn(Arc<Host>, LambdaCall) -> ServiceAnswer),
}

/// What is simulated.
static SIMULATED: &[(&str, LambdaHandler)] = &[
    ("GetFunction", LambdaHandler::Read(|tx, call, url| describe::function(tx, &call.function()?, url))),
    ("GetFunctionConfiguration", LambdaHandler::Read(|tx, call, _| describe::configuration_of(tx, &call.function()?))),
    ("GetLayerVersion", LambdaHandler::Read(layer_version)),
    ("GetLayerVersionByArn", LambdaHandler::Read(layer_version)),
    ("GetPolicy", LambdaHandler::Read(|tx, call, _| describe::policy(tx, &call.function()?))),
    ("Invoke", LambdaHandler::Steps(|host, call| Box::pin(answer_invoke(host, call)))),
    ("ListAliases", LambdaHandler::Read(|tx, call, _| describe::aliases(tx, &call.function()?))),
    ("ListFunctions", LambdaHandler::Read(|tx, call, _| describe::functions(tx, &call.region))),
    ("ListLayerVersions", LambdaHandler::Read(|tx, call, _| describe::layer_versions(tx, &call.region, call.name()))),
    ("ListLayers", LambdaHandler::Read(|tx, call, _| describe::layers(tx, &call.region))),
    ("ListVersionsByFunction", LambdaHandler::Read(|tx, call, _| describe::versions(tx, &call.function()?))),
    ("UpdateFunctionCode", LambdaHandler::Steps(|host, call| Box::pin(update_code(host, call)))),
];

fn layer_version(tx: &Transaction<'_>, call: &LambdaCall, url: &str) -> Result<Value, ApiError> {
    describe::layer_version(tx, &call.region, &call.route.resource(&call.region), url)
}

/// The service in the registry.
pub const SERVICE: Registration = Registration { schemas: &[super::SCHEMA], start: |_| Box::new(LambdaService) };

/// Lambda for the server.
#[derive(Debug)]
struct LambdaService;

impl Service for LambdaService {
    fn signing_names(&self) -> Vec<&'static str> {
        vec!["lambda"]
    }

    fn operations(&self) -> Vec<(&'static str, &'static str)> {
        SIMULATED.iter().map(|(name, _)| ("lambda", *name)).collect()
    }

    fn parse(&self, request: ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError> {
        let query = request.uri.query().unwrap_or_default();
        let Some(route) = route(&request.method, request.uri.path(), query) else {
            return unsimulated("lambda", &request);
        };
        // A role is told first that it may not, also what is not simulated.
        let handler = SIMULATED.iter().find(|(name, _)| *name == route.operation).map(|(_, handler)| handler);
        let body = request.body.bytes();
        Ok(Box::new(LambdaCall { handler, route, headers: request.headers, body, region: request.context.region }))
    }
}

impl ServiceCall for LambdaCall {
    fn operation(&self) -> String {
        self.route.operation.to_owned()
    }

    fn required_permissions(&self, _: &Transaction<'_>) -> Result<Vec<RequiredPermission>, ApiError> {
        let Self { route, region, .. } = self;
        Ok(vec![RequiredPermission::new(format!("lambda:{}", route.action()), route.resource(region))])
    }

    fn handle(self: Box<Self>, host: Arc<Host>) -> ServiceAnswer {
        Box::pin(async move {
            let Some(handler) = self.handler else {
                return Err(ApiError::not_implemented("lambda", self.route.operation));
            };
            match *handler {
                LambdaHandler::Read(operation) => {
                    let url = host.url.clone();
                    Ok(json_response(&host.store.read(move |tx| operation(tx, &self, &url)).await?))
                }
                LambdaHandler::Steps(operation) => operation(host, *self).await,
            }
        })
    }
}

async fn update_code(host: Arc<Host>, call: LambdaCall) -> Result<Response<Body>, ApiError> {
    Ok(json_response(&update::code(&host, call.function()?, &call.body).await?))
}

async fn answer_invoke(host: Arc<Host>, call: LambdaCall) -> Result<Response<Body>, ApiError> {
    let LambdaCall { route, headers, body, region, .. } = call;
    let (function, qualifier) = (route.name.unwrap_or_default(), route.qualifier);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let client_context = match text("x-amz-client-context") {
        None => None,
        Some(encoded) => {
            let decoded = STANDARD.decode(encoded).ok().and_then(|json| serde_json::from_slice::<Value>(&json).ok());
            Some(decoded.filter(Value::is_object).ok_or_else(|| {
                let message = "Client context must be a valid Base64-encoded JSON object.";
                ApiError::sender("InvalidRequestContentException", message)
            })?)
        }
    };
    let call = Invocation { function, qualifier, region, payload: body, client_context, caller: Invoker::Decided };
    let empty = |status: StatusCode| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response
    };
    match text("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "RequestResponse" => {}
        "DryRun" => {
            invoke::check(&host, &call).await?;
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        "Event" => {
            let found = invoke::check(&host, &call).await?;
            let queued = Pool::of(&host).event().ok_or_else(|| {
                ApiError::sender("TooManyRequestsException", "Rate Exceeded.")
                    .with_status(StatusCode::TOO_MANY_REQUESTS)
            })?;
            // Nobody waits for it: what comes of it is in the function's log.
            tokio::spawn(async move {
                let ran = invoke::run(&host, &call, found).await;
                drop(queued);
                ran
            });
            return Ok(empty(StatusCode::ACCEPTED));
        }
        other => {
            return Err(super::function::invalid(format!("The invocation type {other} is not known")));
        }
    }
    let answer = invoke::invoke(&host, &call).await?;
    let mut response = Response::new(Body::from(answer.payload));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("x-amz-executed-version", &answer.executed_version);
    if let Some(error) = answer.function_error {
        set("x-amz-function-error", error);
    }
    if text("x-amz-log-type").is_some_and(|kind| kind == "Tail") {
        set("x-amz-log-result", &answer.log_tail);
    }
    Ok(response)
}

fn json_response(answer: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.to_string().into_bytes()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_simulated_has_a_path() {
        for (operation, _) in SIMULATED {
            // This one shares its path with `ListLayers`.
            let named = ROUTES.iter().any(|(.., known)| known == operation);
            assert!(named || *operation == "GetLayerVersionByArn", "{operation}");
        }
    }

    #[test]
    fn paths_name_operations() {
        let of = |method: Method, path: &str, query: &str| route(&method, path, query).expect(path);
        let invoke = of(Method::POST, "/2015-03-31/functions/draw/invocations", "Qualifier=live");
        assert_eq!((invoke.operation, invoke.action()), ("Invoke", "InvokeFunction"));
        assert_eq!(invoke.resource("us-west-2"), "arn:aws:lambda:us-west-2:123456789012:function:draw:live");
        let by_arn = of(
            Method::GET,
            "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-west-2%3A123456789012%3Afunction%3Adraw",
            "",
        );
        assert_eq!(by_arn.resource("us-west-2"), "arn:aws:lambda:us-west-2:123456789012:function:draw");
        let layer = of(Method::GET, "/2018-10-31/layers/boto3/versions/2", "");
        assert_eq!(layer.resource("us-west-2"), "arn:aws:lambda:us-west-2:123456789012:layer:boto3:2");
        assert_eq!(of(Method::GET, "/2015-03-31/functions/", "").resource("us-west-2"), "*");
        assert_eq!(of(Method::DELETE, "/2015-03-31/functions/draw", "").operation, "DeleteFunction");
        assert_eq!(route(&Method::GET, "/bucket/key", ""), None);
    }
}
