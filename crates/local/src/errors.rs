//! An error of a simulated service, and the same error in the format of each AWS protocol.

use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::store::StoreError;
use super::xml;

/// The code of an answer when the disk, or the database, is full.
pub const STATE_FULL: &str = "LocalStateFull";
/// The code of an answer when the state can't be written.
pub const STATE_READ_ONLY: &str = "LocalStateReadOnly";
/// The code of an answer when the state folder was taken away.
pub const STATE_GONE: &str = "LocalStateGone";
/// The code of an answer when another process holds the database for too long.
pub const STATE_LOCKED: &str = "LocalStateLocked";

/// What a service says when it refuses: its HTTP status, AWS's code for it, and the message a person reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// AWS's code, for example `ValidationError`.
    pub code: String,
    /// One or more sentences, as AWS words them where that is known.
    pub message: String,
}

impl ApiError {
    /// A refusal that is the caller's to mend: HTTP 400.
    pub fn sender(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.into(), message: message.into() }
    }

    /// The `ValidationError` of CloudFormation and its kin.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::sender("ValidationError", message)
    }

    /// A failure of the local target itself: HTTP 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "InternalFailure".to_owned(), message: message.into() }
    }

    /// What is not simulated, refused by name: HTTP 501.
    pub fn not_implemented(service: &str, operation: &str) -> Self {
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            code: "NotImplemented".to_owned(),
            message: format!(
                "The local target does not simulate `{operation}` of `{service}`; deploy to AWS or another endpoint for it"
            ),
        }
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = format!("The local target's state: {error}");
        let code = match error {
            StoreError::Full { .. } => STATE_FULL,
            StoreError::ReadOnly { .. } => STATE_READ_ONLY,
            StoreError::Gone { .. } => STATE_GONE,
            StoreError::Busy => STATE_LOCKED,
            _ => return Self::internal(message),
        };
        // Not one of the statuses that SDKs try again (500, 502, 503, 504: botocore's and smithy-rs's standard retries):
        // trying again does not make room, and whoever waits is to hear of it.
        Self { status: StatusCode::INSUFFICIENT_STORAGE, code: code.to_owned(), message }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// The AWS protocols, as far as their errors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// awsQuery: form in, XML out.
    Query,
    /// EC2's variety of it.
    Ec2,
    /// awsJson1_0 and awsJson1_1; the version is the content type's.
    Json(&'static str),
    /// restJson1.
    RestJson,
    /// restXml.
    RestXml,
    /// Smithy RPC v2 with CBOR.
    Cbor,
}

/// Services that speak restXml, by signing name.
const REST_XML: &[&str] = &["s3", "s3-outposts", "s3-object-lambda", "s3express", "cloudfront", "route53"];

impl Protocol {
    /// The protocol of a request, as its headers and its service's name give it away.
    pub fn of(headers: &HeaderMap, service: &str, has_action: bool) -> Self {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if headers.contains_key("smithy-protocol") {
            Self::Cbor
        } else if headers.contains_key("x-amz-target") {
            Self::Json(if content_type.contains("1.0") {
                "application/x-amz-json-1.0"
            } else {
                "application/x-amz-json-1.1"
            })
        } else if has_action {
            if service == "ec2" { Self::Ec2 } else { Self::Query }
        } else if REST_XML.contains(&service) {
            Self::RestXml
        } else {
            Self::RestJson
        }
    }

    /// The response's content type and body.
    pub fn render(self, error: &ApiError, request_id: &str) -> (&'static str, Vec<u8>) {
        match self {
            Self::Query => ("text/xml", query_error(error, request_id).into_bytes()),
            Self::Ec2 => ("text/xml;charset=UTF-8", ec2_error(error, request_id).into_bytes()),
            Self::Json(content_type) => (content_type, json_error(error, "__type")),
            Self::RestJson => ("application/json", json_error(error, "code")),
            Self::RestXml => ("application/xml", rest_xml_error(error, request_id, None).into_bytes()),
            Self::Cbor => ("application/cbor", cbor_error(error)),
        }
    }

    /// Headers a protocol wants beside the content type.
    pub fn headers(self, error: &ApiError) -> Vec<(&'static str, HeaderValue)> {
        match self {
            Self::RestJson => {
                HeaderValue::from_str(&error.code).map(|code| vec![("x-amzn-errortype", code)]).unwrap_or_default()
            }
            Self::Cbor => vec![("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"))],
            _ => Vec::new(),
        }
    }
}

/// The operation a request names, for a refusal: a target, or method and path.
pub fn operation_name(headers: &HeaderMap, method: &Method, uri: &Uri) -> String {
    if let Some(target) = headers.get("x-amz-target").and_then(|v| v.to_str().ok()) {
        return target.rsplit('.').next().unwrap_or(target).to_owned();
    }
    if let Some((_, operation)) = uri.path().split_once("/operation/") {
        return operation.to_owned();
    }
    format!("{method} {}", uri.path())
}

fn query_error(error: &ApiError, request_id: &str) -> String {
    let mut out = String::from("<ErrorResponse><Error>");
    xml::element(&mut out, "Type", if error.status.is_server_error() { "Receiver" } else { "Sender" });
    xml::element(&mut out, "Code", &error.code);
    xml::element(&mut out, "Message", &error.message);
    out.push_str("</Error>");
    xml::element(&mut out, "RequestId", request_id);
    out.push_str("</ErrorResponse>");
    out
}

fn ec2_error(error: &ApiError, request_id: &str) -> String {
    let mut out = String::from("<Response><Errors><Error>");
    xml::element(&mut out, "Code", &error.code);
    xml::element(&mut out, "Message", &error.message);
    out.push_str("</Error></Errors>");
    xml::element(&mut out, "RequestID", request_id);
    out.push_str("</Response>");
    out
}

/// S3's error document; `resource` is the path asked for.
pub fn rest_xml_error(error: &ApiError, request_id: &str, resource: Option<&str>) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    xml::element(&mut out, "Code", &error.code);
    xml::element(&mut out, "Message", &error.message);
    if let Some(resource) = resource {
        xml::element(&mut out, "Resource", resource);
    }
    xml::element(&mut out, "RequestId", request_id);
    xml::element(&mut out, "HostId", "local");
    out.push_str("</Error>");
    out
}

fn json_error(error: &ApiError, code_key: &str) -> Vec<u8> {
    serde_json::json!({ code_key: error.code, "message": error.message }).to_string().into_bytes()
}

/// A CBOR map of two text strings: all an RPC v2 error is.
fn cbor_error(error: &ApiError) -> Vec<u8> {
    fn text(out: &mut Vec<u8>, text: &str) {
        // Major type 3 with a four-byte length: not the shortest form, and a valid one at every length.
        out.push(0x7a);
        out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    let mut out = vec![0xa2];
    text(&mut out, "__type");
    text(&mut out, &error.code);
    text(&mut out, "message");
    text(&mut out, &error.message);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_query_service_says_whose_fault_it_is() {
        let (content_type, body) = Protocol::Query.render(&ApiError::validation("a < b"), "id-1");
        assert_eq!(content_type, "text/xml");
        assert_eq!(
            String::from_utf8(body).expect("text"),
            "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>a &lt; b</Message></Error>\
             <RequestId>id-1</RequestId></ErrorResponse>"
        );
    }

    #[test]
    fn each_request_is_answered_in_its_own_protocol() {
        let mut headers = HeaderMap::new();
        assert_eq!(Protocol::of(&headers, "sns", true), Protocol::Query);
        assert_eq!(Protocol::of(&headers, "ec2", true), Protocol::Ec2);
        assert_eq!(Protocol::of(&headers, "lambda", false), Protocol::RestJson);
        assert_eq!(Protocol::of(&headers, "route53", false), Protocol::RestXml);
        headers.insert("x-amz-target", HeaderValue::from_static("DynamoDB_20120810.ListTables"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
        assert_eq!(Protocol::of(&headers, "dynamodb", false), Protocol::Json("application/x-amz-json-1.0"));
        assert_eq!(operation_name(&headers, &Method::POST, &Uri::from_static("/")), "ListTables");
    }
}
