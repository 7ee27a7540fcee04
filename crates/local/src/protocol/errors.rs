//! An error of a simulated service in the format of each AWS protocol.

use http::{HeaderMap, HeaderValue, Method, Response, Uri, header};
use s3s::Body;

use super::xml;
use crate::ground::ApiError;
use crate::ground::body::respond;

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

/// A refusal as a protocol has it.
pub fn error_response(protocol: Protocol, error: &ApiError, request_id: &str) -> Response<Body> {
    let (content_type, body) = protocol.render(error, request_id);
    let mut response = respond(error.status, content_type, body);
    for (name, value) in protocol.headers(error) {
        response.headers_mut().insert(name, value);
    }
    response
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
