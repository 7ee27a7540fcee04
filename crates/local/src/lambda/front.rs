//! The REST API: paths in, answers and errors out.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use rusqlite::Transaction;
use s3s::Body;
use serde_json::Value;

use super::call::{Call, Caller};
use super::function::Name;
use super::invoke;
use super::pool::Pool;
use super::{describe, update};
use crate::ground::{ACCOUNT_ID, ApiError, Host};

/// An operation and what its path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// For example `GetFunction`.
    pub operation: &'static str,
    /// The function's or layer's name, where the path has one.
    name: Option<String>,
    /// A version or an alias.
    qualifier: Option<String>,
}

impl Route {
    /// The IAM action of the operation.
    pub fn action(&self) -> &'static str {
        match self.operation {
            "Invoke" => "InvokeFunction",
            "GetLayerVersionByArn" => "GetLayerVersion",
            operation => operation,
        }
    }

    /// The ARN the operation is about.
    pub fn resource(&self, region: &str) -> String {
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
pub(crate) fn route(method: &Method, path: &str, query: &str) -> Option<Route> {
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
        return Some(Route { operation: "GetLayerVersionByArn", name: parameter("Arn"), qualifier: None });
    }
    Some(Route { operation, name, qualifier: second.or_else(|| parameter("Qualifier")) })
}

/// One request of an operation.
struct Asked {
    route: Route,
    headers: HeaderMap,
    body: Bytes,
    region: String,
    /// Where the endpoint listens.
    url: String,
}

impl Asked {
    fn name(&self) -> &str {
        self.route.name.as_deref().unwrap_or_default()
    }

    fn function(&self) -> Result<Name, ApiError> {
        Name::of(self.name(), self.route.qualifier.as_deref(), &self.region)
    }
}

/// How an operation is carried out.
enum Work {
    /// Within a reading transaction.
    Read(fn(&Transaction<'_>, &Asked) -> Result<Value, ApiError>),
    /// In steps of its own.
    Steps(for<'a> fn(&'a Front, Asked) -> Stepped<'a>),
}

/// The answer of an operation in steps.
type Stepped<'a> = BoxFuture<'a, Result<Response<Body>, ApiError>>;

/// What is simulated.
const SIMULATED: &[(&str, Work)] = &[
    ("GetFunction", Work::Read(|tx, asked| describe::function(tx, &asked.function()?, &asked.url))),
    ("GetFunctionConfiguration", Work::Read(|tx, asked| describe::configuration_of(tx, &asked.function()?))),
    ("GetLayerVersion", Work::Read(layer_version)),
    ("GetLayerVersionByArn", Work::Read(layer_version)),
    ("GetPolicy", Work::Read(|tx, asked| describe::policy(tx, &asked.function()?))),
    ("Invoke", Work::Steps(|front, asked| Box::pin(front.invoke(asked)))),
    ("ListAliases", Work::Read(|tx, asked| describe::aliases(tx, &asked.function()?))),
    ("ListFunctions", Work::Read(|tx, asked| describe::functions(tx, &asked.region))),
    ("ListLayerVersions", Work::Read(|tx, asked| describe::layer_versions(tx, &asked.region, asked.name()))),
    ("ListLayers", Work::Read(|tx, asked| describe::layers(tx, &asked.region))),
    ("ListVersionsByFunction", Work::Read(|tx, asked| describe::versions(tx, &asked.function()?))),
    ("UpdateFunctionCode", Work::Steps(|front, asked| Box::pin(front.update_code(asked)))),
];

fn layer_version(tx: &Transaction<'_>, asked: &Asked) -> Result<Value, ApiError> {
    describe::layer_version(tx, &asked.region, &asked.route.resource(&asked.region), &asked.url)
}

/// The operations that are simulated.
pub(crate) fn operations() -> Vec<&'static str> {
    SIMULATED.iter().map(|(name, _)| *name).collect()
}

/// Lambda for the server.
#[derive(Debug)]
pub struct Front {
    host: Arc<Host>,
}

impl Front {
    /// Over what the services share.
    pub fn new(host: Arc<Host>) -> Self {
        Self { host }
    }

    /// Answers one request, whose caller's right was decided before.
    ///
    /// # Errors
    ///
    /// What the service refuses.
    pub(crate) async fn answer(
        &self,
        route: Route,
        headers: HeaderMap,
        body: Bytes,
        region: String,
    ) -> Result<Response<Body>, ApiError> {
        let Some((_, work)) = SIMULATED.iter().find(|(name, _)| *name == route.operation) else {
            return Err(ApiError::not_implemented("lambda", route.operation));
        };
        let asked = Asked { route, headers, body, region, url: self.host.url.clone() };
        match *work {
            Work::Read(operation) => Ok(json_response(&self.host.store.read(move |tx| operation(tx, &asked)).await?)),
            Work::Steps(operation) => operation(self, asked).await,
        }
    }

    async fn update_code(&self, asked: Asked) -> Result<Response<Body>, ApiError> {
        Ok(json_response(&update::code(&self.host, asked.function()?, &asked.body).await?))
    }

    async fn invoke(&self, asked: Asked) -> Result<Response<Body>, ApiError> {
        let Asked { route, headers, body, region, .. } = asked;
        let (function, qualifier) = (route.name.unwrap_or_default(), route.qualifier);
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let client_context = match text("x-amz-client-context") {
            None => None,
            Some(encoded) => {
                let decoded =
                    STANDARD.decode(encoded).ok().and_then(|json| serde_json::from_slice::<Value>(&json).ok());
                Some(decoded.filter(Value::is_object).ok_or_else(|| {
                    let message = "Client context must be a valid Base64-encoded JSON object.";
                    ApiError::sender("InvalidRequestContentException", message)
                })?)
            }
        };
        let call = Call { function, qualifier, region, payload: body, client_context, caller: Caller::Decided };
        let empty = |status: StatusCode| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        };
        match text("x-amz-invocation-type").unwrap_or("RequestResponse") {
            "RequestResponse" => {}
            "DryRun" => {
                invoke::check(&self.host, &call).await?;
                return Ok(empty(StatusCode::NO_CONTENT));
            }
            "Event" => {
                let found = invoke::check(&self.host, &call).await?;
                let host = Arc::clone(&self.host);
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
        let answer = invoke::invoke(&self.host, &call).await?;
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
        for operation in operations() {
            // This one shares its path with `ListLayers`.
            let named = ROUTES.iter().any(|(.., known)| *known == operation);
            assert!(named || operation == "GetLayerVersionByArn", "{operation}");
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
