//! A simulated service, as the server sees it: [`Service`]. Services that speak awsJson or awsQuery are one through an
//! adapter ([`super::aws_json::JsonService`], [`super::query::QueryAdapter`]); the others implement it.
//!
//! A request is read once, into a [`ServiceCall`]. What it is decided by and what carries it out is that same value: nothing
//! looks at the bytes again, so that nobody is let in for one thing and does another.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use rusqlite::Transaction;
use s3s::Body;

use super::errors::{Protocol, error_response, operation_name};
use super::query::params::Params;
use crate::ground::permissions::Denial;
use crate::ground::store::Schema;
use crate::ground::{ApiError, Host, Principal, RequiredPermission};

/// The largest body that is read for a service that says nothing else, in bytes: code of 50 MB for a function, in Base64.
pub const MAX_BODY: usize = 80 << 20;

/// A service in the server's registry: what is known of it before it is started, and how it is.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    /// Its tables.
    pub schemas: &'static [Schema],
    /// Starts it, over what all services share.
    pub start: fn(&Arc<Host>) -> Box<dyn Service>,
}

/// How a service is given its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// With their whole body, of so many bytes at most. The server decides whether they may be carried out.
    Buffered {
        /// The most bytes.
        max: usize,
    },
    /// As they come in, as S3 has it: signatures are of the head, those in an address are the service's to verify, and it asks
    /// `authorize` by itself once it knows the operation.
    Streamed,
}

/// The body of a request.
#[derive(Debug)]
pub enum RequestBody {
    /// All of it, without its content coding.
    Whole(Bytes),
    /// What comes in.
    Stream(Body),
}

impl RequestBody {
    /// What there is of it in memory: all, unless the service takes its requests as they come in.
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Whole(bytes) => bytes.clone(),
            Self::Stream(_) => Bytes::new(),
        }
    }
}

/// What every call brings with it.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The region of the credential scope.
    pub region: String,
    /// The account, always [`crate::ACCOUNT_ID`].
    pub account: String,
    /// Who asks.
    pub principal: Principal,
    /// The id this request is answered under.
    pub request_id: String,
    /// When it came in.
    pub now: Timestamp,
}

/// A request to a service, with its caller known and nothing read of it.
#[derive(Debug)]
pub struct ServiceRequest {
    /// The name it is signed for.
    pub signing_name: String,
    /// The method.
    pub method: Method,
    /// The address; a path is percent-encoded, as sent.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: RequestBody,
    /// Who asks, where and when.
    pub context: CallContext,
}

impl ServiceRequest {
    /// Whether it is a form of awsQuery.
    pub fn is_form(&self) -> bool {
        is_form(&self.method, &self.headers, self.uri.path())
    }
}

/// Whether a request is a form of awsQuery.
pub fn is_form(method: &Method, headers: &HeaderMap, path: &str) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    *method == Method::POST && path == "/" && media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// A simulated service.
pub trait Service: Send + Sync {
    /// The names in the credential scope of its requests, for example `dynamodb`.
    fn signing_names(&self) -> Vec<&'static str>;

    /// The operations it simulates, each after the name that the AWS SDKs have for its service.
    fn operations(&self) -> Vec<(&'static str, &'static str)>;

    /// How it is given its requests.
    fn intake(&self) -> Intake {
        Intake::Buffered { max: MAX_BODY }
    }

    /// Reads a request into the operation it asks for; one that is not simulated is [`unsimulated`].
    ///
    /// # Errors
    ///
    /// When the request is not what it must be.
    fn parse(&self, request: ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError>;

    /// The refusal of a caller who may not, in the words and with the status of the protocol.
    fn denial(&self, protocol: Protocol, denial: &Denial) -> ApiError {
        match protocol {
            Protocol::Query | Protocol::Ec2 => denial.refusal("AccessDenied", StatusCode::FORBIDDEN),
            // The JSON protocols answer every refusal of the caller's with 400.
            Protocol::Json(_) => denial.refusal("AccessDeniedException", StatusCode::BAD_REQUEST),
            Protocol::RestJson | Protocol::RestXml | Protocol::Cbor => {
                denial.refusal("AccessDeniedException", StatusCode::FORBIDDEN)
            }
        }
    }

    /// The answer that tells a refusal. `protocol` is the one the request is in.
    fn refusal(&self, protocol: Protocol, error: ApiError, request_id: &str) -> Response<Body> {
        error_response(protocol, &error, request_id)
    }
}

/// The answer of a call, on its way.
pub type ServiceAnswer = BoxFuture<'static, Result<Response<Body>, ApiError>>;

/// A request that was read.
pub trait ServiceCall: Send {
    /// What the log of requests calls it, such as `CreateStack`; its method and path where only the service can tell.
    fn operation(&self) -> String;

    /// What it needs permission for, in the order it is decided. Source: the service authorization reference.
    ///
    /// # Errors
    ///
    /// When the state can't be read, and when the operation is not simulated: nothing is let through that is not known.
    fn required_permissions(&self, db: &Transaction<'_>) -> Result<Vec<RequiredPermission>, ApiError>;

    /// Carries it out, for a caller who may.
    fn handle(self: Box<Self>, host: Arc<Host>) -> ServiceAnswer;
}

/// A service that is not simulated: everything is refused by its name.
#[derive(Debug)]
pub struct UnsimulatedService {
    /// The name its requests are signed for.
    pub name: String,
}

impl Service for UnsimulatedService {
    fn signing_names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn operations(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    fn parse(&self, request: ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError> {
        unsimulated(&self.name, &request)
    }
}

struct UnsimulatedCall {
    operation: String,
    error: ApiError,
}

impl ServiceCall for UnsimulatedCall {
    fn operation(&self) -> String {
        self.operation.clone()
    }

    fn required_permissions(&self, _: &Transaction<'_>) -> Result<Vec<RequiredPermission>, ApiError> {
        Err(self.error.clone())
    }

    fn handle(self: Box<Self>, _: Arc<Host>) -> ServiceAnswer {
        Box::pin(async move { Err(self.error) })
    }
}

/// A request for what a service does not simulate, refused by the name the request has for it.
///
/// # Errors
///
/// When it is a form that can't be read.
pub fn unsimulated(service: &str, request: &ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError> {
    let operation = if request.is_form() {
        Params::parse(&request.body.bytes())?.text("Action").unwrap_or_default().to_owned()
    } else {
        operation_name(&request.headers, &request.method, &request.uri)
    };
    let error = ApiError::not_implemented(service, &operation);
    Ok(Box::new(UnsimulatedCall { operation, error }))
}
