//! What a request is for, by its head alone: one pure function, [`route`], which also refuses what may not come in at all.
//!
//! The order counts. A deployed API is public and decides for itself; everything after it has one meaning for each header and
//! parameter, a host name of this machine (or one that AWS has for just that), and is of no web page.

use http::{HeaderMap, Method, StatusCode, Uri};

use super::guard::{of_page, refusal, refuse_pages};
use super::host::RequestHost;
use super::single::refuse_doubles;
use crate::bedrock::gateway_of;
use crate::cloudformation::custom;
use crate::cognito::{self, PoolDocument};
use crate::execute_api::Address;
use crate::ground::{ApiError, Sender};
use crate::identity::Scope;

/// Where the pages of the endpoint's own are.
const PAGES: &str = "/_bedplate/";

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// An API that a stack deployed. Its answer is its own, and no answer of AWS.
    DeployedApi(Address),
    /// The endpoint of an AgentCore gateway, by its id.
    AgentCoreGateway(String),
    /// The key set or the configuration of a user pool, which anybody may read.
    PoolDocument(PoolDocument),
    /// What the function of a custom resource answers; the token in its address is the right to.
    CustomResourceAnswer { token: String },
    /// A page of the endpoint's own, by its name.
    Page(String),
    /// The connections of WebSocket APIs. API Gateway verifies who manages them, by the rules of the API they belong to.
    WebSocketConnections,
    /// A service, by the name requests to it are signed for, and what the signature says.
    Service { signing_name: String, scope: Scope },
}

/// Tells what a request is for.
///
/// # Errors
///
/// When it names no host or another one, says a thing twice, comes from a web page, is not signed though it must be, or has
/// its action or signature where no AWS client puts it.
pub(super) fn route(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Route, ApiError> {
    let host = RequestHost::of(uri, headers)?;
    // An API is public, to web pages too: who may call it is the API's own word. It answers under its own name only, or
    // under one of this machine, so that no page makes it a part of the page's own site.
    if let Some(address) = Address::of(uri, headers) {
        host.loopback_or(&format!("{}.execute-api", address.api))?;
        return Ok(Route::DeployedApi(address));
    }
    refuse_doubles(headers, uri)?;
    let path = uri.path();
    if let Some(gateway) = gateway_of(headers, path) {
        host.loopback_or(&format!("{gateway}.gateway.bedrock-agentcore"))?;
        return Ok(Route::AgentCoreGateway(gateway));
    }
    if let Some(document) = PoolDocument::of(method, uri) {
        // The keys of a user pool are public, and asked for at its issuer's name: by programs.
        host.loopback_or("cognito-idp")?;
        refuse_page(headers)?;
        return Ok(Route::PoolDocument(document));
    }
    host.loopback()?;
    if let Some(token) = path.strip_prefix(custom::PATH) {
        // An upload as to S3, whatever its content type says; no page can send a `PUT` without asking first.
        refuse_page(headers)?;
        if *method != Method::PUT {
            let message = "The request signature we calculated does not match the signature you provided.";
            return Err(refusal(message.to_owned()));
        }
        return Ok(Route::CustomResourceAnswer { token: token.to_owned() });
    }
    service_or_page(method, uri, headers)
}

fn service_or_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Route, ApiError> {
    let scope = Scope::of(headers, uri)?;
    let public = scope.access_key.is_none() && cognito::is_public(headers);
    refuse_pages(method, headers, &scope, public)?;
    if let Some(page) = uri.path().strip_prefix(PAGES) {
        if *method != Method::GET {
            return Err(not_allowed("Pages of the endpoint are for reading"));
        }
        return Ok(Route::Page(page.to_owned()));
    }
    let signing_name = match scope.service.as_deref() {
        Some(service) => service,
        None if public => "cognito-idp",
        // A target or an RPC path is never S3's.
        None if !headers.contains_key("x-amz-target") && !headers.contains_key("smithy-protocol") => "s3",
        None => "unsigned request",
    };
    // An action in an address would run when a page shows a picture or follows a link.
    let has_action = |query: &str| form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "Action");
    if (signing_name != "s3" || scope.access_key.is_none()) && uri.query().is_some_and(has_action) {
        return Err(not_allowed("An action is taken from the form of a signed POST only, never from an address"));
    }
    if scope.presigned && signing_name != "s3" {
        return Err(refusal(format!(
            "A signature in the address is for S3 and deployed APIs, not for `{signing_name}`"
        )));
    }
    if signing_name == "execute-api" && uri.path().contains("/@connections/") {
        return Ok(Route::WebSocketConnections);
    }
    Ok(Route::Service { signing_name: signing_name.to_owned(), scope })
}

fn refuse_page(headers: &HeaderMap) -> Result<(), ApiError> {
    if Sender::of(headers) == Sender::Page { Err(of_page(headers)) } else { Ok(()) }
}

fn not_allowed(message: &str) -> ApiError {
    ApiError::sender("MethodNotAllowed", message).with_status(StatusCode::METHOD_NOT_ALLOWED)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    /// What a request is for, in a word; the code of its refusal.
    fn told(request: &str, headers: &[(&str, &str)]) -> String {
        let (method, uri) = request.split_once(' ').expect("a method and an address");
        let mut all = HeaderMap::new();
        for (name, value) in [("host", "localhost:4566")].iter().filter(|_| headers.iter().all(|(n, _)| *n != "host")) {
            all.insert(*name, HeaderValue::from_static(value));
        }
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            all.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        match route(&method, &uri.parse().expect("an address"), &all) {
            Ok(Route::DeployedApi(address)) => format!("api {} {}", address.api, address.path),
            Ok(Route::AgentCoreGateway(id)) => format!("gateway {id}"),
            Ok(Route::PoolDocument(_)) => "pool document".to_owned(),
            Ok(Route::CustomResourceAnswer { token }) => format!("answer {token}"),
            Ok(Route::Page(page)) => format!("page {page}"),
            Ok(Route::WebSocketConnections) => "connections".to_owned(),
            Ok(Route::Service { signing_name, .. }) => format!("service {signing_name}"),
            Err(error) => error.code,
        }
    }

    fn signed(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=k/20260101/us-west-2/{service}/aws4_request, SignedHeaders=host, Signature=x"
        )
    }

    const PRESIGNED: &str = "X-Amz-Credential=k%2F20260101%2Fr%2FNAME%2Faws4_request&X-Amz-Signature=x";

    #[test]
    fn the_head_of_a_request_says_what_it_is_for() {
        let api = ("host", "a1b2.execute-api.us-west-2.amazonaws.com");
        let gateway = ("host", "g-1.gateway.bedrock-agentcore.us-west-2.amazonaws.com");
        let issuer = ("host", "cognito-idp.us-west-2.amazonaws.com");
        let keys = "GET /us-west-2_A1/.well-known/jwks.json";
        let answer = "/_aws/cloudformation-custom-resource-response/t1";
        let sign_in = [
            ("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth"),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        for (request, headers, wanted) in [
            ("GET /dev/x", &[api][..], "api a1b2 /dev/x"),
            ("GET /_aws/execute-api/a1b2/dev", &[], "api a1b2 /dev"),
            ("POST /dev", &[api, ("origin", "https://evil.example")], "api a1b2 /dev"),
            ("POST /mcp", &[gateway], "gateway g-1"),
            (keys, &[], "pool document"),
            (keys, &[issuer], "pool document"),
            (&format!("PUT {answer}"), &[], "answer t1"),
            ("GET /_bedplate/health", &[], "page health"),
            ("POST /", &sign_in, "service cognito-idp"),
            ("GET /bucket/key", &[], "service s3"),
            ("GET /bucket/key?Action=x", &[("authorization", &signed("s3"))], "service s3"),
            ("PUT /bucket/key", &[("authorization", "AWS k:x")], "service s3"),
            // S3 verifies it.
            (&format!("PUT /bucket/key?{}", PRESIGNED.replace("NAME", "s3")), &[], "service s3"),
            (&format!("GET /bucket/key?{}", PRESIGNED.replace("NAME", "s3")), &[], "service s3"),
            ("POST /", &[("authorization", &signed("sns"))], "service sns"),
            ("GET /dev/@connections/c1", &[("authorization", &signed("execute-api"))], "connections"),
            ("GET /dev/x", &[("authorization", &signed("execute-api"))], "service execute-api"),
            ("GET /", &[("x-amz-target", "Logs_20140328.PutLogEvents")], "service unsigned request"),
        ] {
            assert_eq!(told(request, headers), wanted, "{request} {headers:?}");
        }
    }

    #[test]
    fn what_may_not_come_in_is_refused_by_its_head() {
        let page = ("origin", "https://evil.example");
        let foreign = ("host", "evil.example");
        let lambda = signed("lambda");
        for (request, headers, code) in [
            ("GET /bucket", &[foreign][..], "AccessDenied"),
            ("GET /us-west-2_A1/.well-known/jwks.json", &[foreign], "AccessDenied"),
            ("GET /us-west-2_A1/.well-known/jwks.json", &[page], "AccessDenied"),
            ("GET /bucket", &[("host", "cognito-idp.us-west-2.amazonaws.com")], "AccessDenied"),
            ("GET /_aws/execute-api/a1b2/dev", &[foreign], "AccessDenied"),
            ("POST /_aws/bedrock-agentcore/gateways/g/mcp", &[foreign], "AccessDenied"),
            ("GET /bucket", &[page], "AccessDenied"),
            ("POST /bucket", &[], "AccessDenied"),
            ("GET /_bedplate/health", &[page], "AccessDenied"),
            ("HEAD /_bedplate/health", &[], "MethodNotAllowed"),
            ("GET /_aws/cloudformation-custom-resource-response/t1", &[], "AccessDenied"),
            ("PUT /_aws/cloudformation-custom-resource-response/t1", &[page], "AccessDenied"),
            ("GET /bucket?Action=DeleteStack", &[], "MethodNotAllowed"),
            ("POST /?Action=DeleteStack", &[("authorization", &signed("cloudformation"))], "MethodNotAllowed"),
            (&format!("GET /?{}", PRESIGNED.replace("NAME", "lambda")), &[], "AccessDenied"),
            (&format!("PUT /b?{}", PRESIGNED.replace("NAME", "s3")), &[("sec-fetch-site", "none")], "AccessDenied"),
            ("GET /bucket?versionId=1&versionId=2", &[], "InvalidRequest"),
            ("POST /", &[("authorization", &lambda), ("authorization", &lambda)], "InvalidRequest"),
            (
                &format!("GET /b?{}", PRESIGNED.replace("NAME", "s3")),
                &[("authorization", &signed("s3"))],
                "InvalidArgument",
            ),
            ("GET /b", &[("authorization", "AWS4-HMAC-SHA256 Credential=k")], "IncompleteSignature"),
            ("GET http://localhost/", &[], "AccessDenied"),
        ] {
            assert_eq!(told(request, headers), code, "{request} {headers:?}");
        }
    }
}
