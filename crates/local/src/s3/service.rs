//! From the server's requests to `s3s` and back.
//!
//! A request signed in its headers is taken as it is: the server has verified those of roles, and whoever else can reach
//! loopback may ask, whatever key they sign with; so the signature comes off before `s3s` would check it. A signature in
//! the URL stays on, as a URL is made for others and its expiry is part of what it promises: `s3s` checks it, with the
//! secret of the role's credentials, or with the access key and secret `local`. What a role may do is decided once `s3s`
//! knows the operation.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use rusqlite::Transaction;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Error, S3ErrorCode, S3Result};

use crate::ground::store::Store;
use crate::ground::{ACCOUNT_ID, ApiError, Host, LOCAL_KEY, RequiredPermission};
use crate::identity::{Principal, is_temporary, secret_of};
use crate::protocol::errors::{Protocol, error_response, rest_xml_error};
use crate::protocol::service::{
    CallContext, Intake, Registration, RequestBody, Service, ServiceAnswer, ServiceCall, ServiceRequest,
};
use crate::protocol::xml;

use super::api::operations;
use super::authorize;
use super::chunked::Decoded;
use super::operation::{S3Api, S3Context, S3Refusal};

/// The largest error document looked into.
const MAX_ERROR: usize = 64 << 10;

/// The service in the registry.
pub const SERVICE: Registration =
    Registration { schemas: &[super::SCHEMA], start: |host| Box::new(SimpleStorage::new(Arc::clone(host))) };

/// S3 as the server sees it.
#[derive(Clone)]
struct SimpleStorage {
    service: S3Service,
}

struct SecretKeys(Store);

#[async_trait::async_trait]
impl S3Auth for SecretKeys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == LOCAL_KEY {
            return Ok(SecretKey::from(LOCAL_KEY));
        }
        if is_temporary(access_key) {
            let key = access_key.to_owned();
            let secret =
                self.0.read(move |tx| Ok::<_, ApiError>(secret_of(tx, &key)?)).await.map_err(S3Refusal::from)?;
            if let Some(secret) = secret {
                return Ok(SecretKey::from(secret));
            }
        }
        Err(S3Error::with_message(
            S3ErrorCode::InvalidAccessKeyId,
            "The AWS Access Key Id you provided does not exist in our records.",
        ))
    }
}

struct Rights(Arc<Host>);

#[async_trait::async_trait]
impl S3Access for Rights {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        match context.extensions_mut().get::<Principal>().cloned() {
            Some(principal @ Principal::Role(_)) => Ok(authorize::check(&self.0, principal, context).await?),
            Some(Principal::Administrator { .. }) | None => Ok(()),
        }
    }
}

/// `bucket.localhost` and `bucket.s3.localhost` name a bucket; addresses are seen to before this.
struct Names;

impl S3Host for Names {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        Ok(match bucket_of_host(host) {
            Some(bucket) => VirtualHost::new("localhost").with_bucket(bucket),
            None => VirtualHost::new("localhost"),
        })
    }
}

fn bucket_of_host(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.strip_suffix("localhost")?.strip_suffix('.')?;
    if name == "s3" || name.starts_with("s3.") {
        return None;
    }
    // A bucket's name may hold dots itself, so the last `.s3` is the service's.
    match name.rfind(".s3") {
        Some(at) if matches!(name.get(at + 3..at + 4), Some("." | "")) || name.len() == at + 3 => name.get(..at),
        _ => Some(name),
    }
}

impl SimpleStorage {
    /// S3 over a host's store.
    fn new(host: Arc<Host>) -> Self {
        let mut builder = S3ServiceBuilder::new(S3Api::new(Arc::clone(&host)));
        builder.set_auth(SecretKeys(host.store.clone()));
        builder.set_access(Rights(host));
        builder.set_host(Names);
        Self { service: builder.build() }
    }
}

impl Service for SimpleStorage {
    fn signing_names(&self) -> Vec<&'static str> {
        vec!["s3"]
    }

    fn operations(&self) -> Vec<(&'static str, &'static str)> {
        operations().into_iter().map(|operation| ("s3", operation)).collect()
    }

    fn intake(&self) -> Intake {
        Intake::Streamed
    }

    fn parse(&self, request: ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError> {
        let ServiceRequest { method, uri, headers, body, context, .. } = request;
        let body = match body {
            RequestBody::Stream(body) => body,
            RequestBody::Whole(bytes) => Body::from(bytes),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        request.extensions_mut().insert(context.principal);
        let CallContext { region, request_id, .. } = context;
        Ok(Box::new(StorageCall { service: self.service.clone(), request, region, request_id }))
    }

    fn refusal(&self, _: Protocol, error: ApiError, request_id: &str) -> Response<Body> {
        error_response(Protocol::RestXml, &error, request_id)
    }
}

/// A request to S3, whose operation `s3s` tells from all of it.
struct StorageCall {
    service: S3Service,
    request: Request<Body>,
    region: String,
    request_id: String,
}

impl ServiceCall for StorageCall {
    fn operation(&self) -> String {
        format!("{} {}", self.request.method(), self.request.uri().path())
    }

    /// The server never asks: [`Intake::Streamed`]. `authorize` asks for them once the operation is known.
    fn required_permissions(&self, _: &Transaction<'_>) -> Result<Vec<RequiredPermission>, ApiError> {
        Err(ApiError::internal("S3 decides its requests itself"))
    }

    fn handle(self: Box<Self>, _: Arc<Host>) -> ServiceAnswer {
        Box::pin(async move { Ok(self.answer().await) })
    }
}

impl StorageCall {
    async fn answer(self) -> Response<Body> {
        let Self { service, request, region, request_id } = self;
        let request_id = request_id.as_str();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = match prepare(request, region) {
            Ok(request) => match service.call(request).await {
                Ok(response) => response,
                Err(error) => refuse(&ApiError::internal(format!("{error:?}")), request_id, &path),
            },
            Err(error) => refuse(&error, request_id, &path),
        };
        if response.status().is_client_error() || response.status().is_server_error() {
            return reword(response, &method, &path, request_id).await;
        }
        if response.status() == StatusCode::NOT_MODIFIED {
            let (mut parts, _) = response.into_parts();
            parts.headers.remove(header::CONTENT_TYPE);
            return Response::from_parts(parts, Body::empty());
        }
        response
    }
}

/// Takes off the signature of the headers and the encoding of the body, and refuses what `s3s` would mistake for
/// something else.
fn prepare(request: Request<Body>, region: String) -> Result<Request<Body>, ApiError> {
    let (mut parts, body) = request.into_parts();
    if let Some(unknown) = unknown_subresource(parts.uri.query().unwrap_or_default()) {
        let operation = format!("{} {}?{unknown}", parts.method, parts.uri.path());
        return Err(ApiError::not_implemented("s3", &operation));
    }
    check_owner(&parts.headers)?;
    parts.headers.remove(header::AUTHORIZATION);
    let is_chunked = has_streaming_payload(&parts.headers) || is_aws_chunked(&parts.headers);
    let mut caller = S3Context { region, trailers: None };
    let body = if is_chunked {
        strip_aws_chunked(&mut parts.headers);
        match parts.headers.remove("x-amz-decoded-content-length") {
            Some(length) => parts.headers.insert(header::CONTENT_LENGTH, length),
            None => parts.headers.remove(header::CONTENT_LENGTH),
        };
        let (decoded, trailers) = Decoded::new(body);
        caller.trailers = Some(trailers);
        Body::http_body(decoded)
    } else {
        body
    };
    token_in_header(&mut parts.headers, parts.uri.query().unwrap_or_default());
    parts.extensions.insert(caller);
    Ok(Request::from_parts(parts, body))
}

/// A URL signed with Signature Version 2 signs the token of temporary credentials as if it were in a header, and that is
/// where `s3s` looks for it.
fn token_in_header(headers: &mut HeaderMap, query: &str) {
    let parameter = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    if parameter("AWSAccessKeyId").is_some()
        && let Some(token) = parameter("x-amz-security-token")
        && let Ok(value) = HeaderValue::from_str(&token)
    {
        headers.insert("x-amz-security-token", value);
    }
}

/// What S3 has and `s3s` does not know; it would take these for the plain operation on the bucket or object.
fn unknown_subresource(query: &str) -> Option<&'static str> {
    const UNKNOWN: &[&str] = &[
        "abac",
        "annotation",
        "metadataConfiguration",
        "metadataAnnotationTable",
        "metadataInventoryTable",
        "metadataJournalTable",
        "renameObject",
    ];
    form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, value)| UNKNOWN.iter().find(|unknown| value.is_empty() && **unknown == name).copied())
}

/// A request may say whose bucket it expects to meet.
fn check_owner(headers: &HeaderMap) -> Result<(), ApiError> {
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        if headers.get(name).is_some_and(|owner| owner.as_bytes() != ACCOUNT_ID.as_bytes()) {
            return Err(ApiError::sender("AccessDenied", "Access Denied").with_status(StatusCode::FORBIDDEN));
        }
    }
    Ok(())
}

fn has_streaming_payload(headers: &HeaderMap) -> bool {
    headers.get("x-amz-content-sha256").is_some_and(|value| value.as_bytes().starts_with(b"STREAMING-"))
}

fn is_aws_chunked(headers: &HeaderMap) -> bool {
    encodings(headers).iter().any(|encoding| encoding == "aws-chunked")
}

fn encodings(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|encoding| encoding.trim().to_owned())
        .filter(|encoding| !encoding.is_empty())
        .collect()
}

/// `aws-chunked` is of the transfer, not of the object.
fn strip_aws_chunked(headers: &mut HeaderMap) {
    let rest: Vec<String> = encodings(headers).into_iter().filter(|encoding| encoding != "aws-chunked").collect();
    headers.remove(header::CONTENT_ENCODING);
    if let Ok(value) = HeaderValue::from_str(&rest.join(","))
        && !rest.is_empty()
    {
        headers.insert(header::CONTENT_ENCODING, value);
    }
}

fn refuse(error: &ApiError, request_id: &str, path: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(rest_xml_error(error, request_id, Some(path))));
    *response.status_mut() = error.status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// An error document of `s3s` with what AWS's have and its has not: a message always, the resource, the request id.
async fn reword(response: Response<Body>, method: &Method, path: &str, request_id: &str) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let document = match http_body_util::Limited::new(body, MAX_ERROR).collect().await {
        Ok(document) => document.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let document = String::from_utf8_lossy(&document);
    let code = between(&document, "<Code>", "</Code>").map_or_else(|| "InternalError".to_owned(), xml::unescape);
    let message = between(&document, "<Message>", "</Message>").map(xml::unescape);
    let mut error = ApiError { status: parts.status, message: message.unwrap_or_default(), code };
    if error.code == "NotImplemented" && !error.message.starts_with("The local target") {
        error = match error.message.strip_suffix(" is not implemented yet") {
            Some(operation) => ApiError::not_implemented("s3", operation),
            None if error.message == "Unknown operation" => {
                ApiError::not_implemented("s3", &format!("{method} {path}"))
            }
            None => error,
        };
    }
    if error.message.is_empty() {
        error.message = default_message(&error.code).to_owned();
    }
    parts.status = error.status;
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    parts.headers.remove(header::CONTENT_LENGTH);
    if *method == Method::HEAD {
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(rest_xml_error(&error, request_id, Some(path))))
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inner, _)| inner)
}

/// AWS's words for errors that `s3s` gives without any.
fn default_message(code: &str) -> &'static str {
    match code {
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and signing \
             method."
        }
        "InvalidBucketName" => "The specified bucket is not valid.",
        "KeyTooLongError" => "Your key is too long",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "MalformedXML" => "The XML you provided was not well-formed or did not validate against our published schema",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "IncompleteBody" => "The request body terminated unexpectedly",
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "AccessDenied" => "Access Denied",
        "InternalError" => "We encountered an internal error. Please try again.",
        _ => "The request was refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_a_bucket_or_none() {
        for (host, bucket) in [
            ("localhost", None),
            ("localhost:4566", None),
            ("s3.localhost:4566", None),
            ("s3.us-west-2.localhost", None),
            ("posters.localhost:4566", Some("posters")),
            ("my.posters.localhost", Some("my.posters")),
            ("posters.s3.localhost:1", Some("posters")),
            ("posters.s3.us-west-2.localhost", Some("posters")),
            ("posters.s3data.localhost", Some("posters.s3data")),
        ] {
            assert_eq!(bucket_of_host(host), bucket, "{host}");
        }
    }

    #[test]
    fn only_the_transfer_encoding_is_taken_off() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("aws-chunked,gzip"));
        assert!(is_aws_chunked(&headers));
        strip_aws_chunked(&mut headers);
        assert_eq!(headers.get(header::CONTENT_ENCODING), Some(&HeaderValue::from_static("gzip")));
    }
}
