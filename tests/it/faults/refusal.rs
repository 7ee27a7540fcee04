//! A service that says no, in its own protocol.

use super::operation::{Asked, Protocol};

/// What a service says instead of doing what it is asked.
/// Source of codes and statuses: "Common errors" of the API references of CloudFormation and DynamoDB, "Error responses" of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceError {
    /// The session's token is past its time.
    Expired,
    /// The caller may not do this.
    Denied,
    /// Too many requests.
    Throttled,
    /// It failed, and may have done it.
    Internal,
    /// It is not there for the moment.
    Unavailable,
}

impl ServiceError {
    /// Status, code and message.
    fn words(self, protocol: Protocol) -> (u16, &'static str, &'static str) {
        let s3 = protocol == Protocol::RestXml;
        let json = matches!(protocol, Protocol::Json | Protocol::RestJson);
        match self {
            ServiceError::Expired if s3 => (400, "ExpiredToken", "The provided token has expired."),
            ServiceError::Expired if json => {
                (403, "ExpiredTokenException", "The security token included in the request is expired")
            }
            ServiceError::Expired => (403, "ExpiredToken", "The security token included in the request is expired"),
            ServiceError::Denied if s3 => (403, "AccessDenied", "Access Denied"),
            ServiceError::Denied if json => {
                (403, "AccessDeniedException", "User: arn:aws:sts::123456789012:user/ann is not authorized")
            }
            ServiceError::Denied => {
                (403, "AccessDenied", "User: arn:aws:sts::123456789012:user/ann is not authorized to perform this")
            }
            ServiceError::Throttled if s3 => (503, "SlowDown", "Please reduce your request rate."),
            ServiceError::Throttled if json => (429, "ThrottlingException", "Rate exceeded"),
            ServiceError::Throttled => (400, "Throttling", "Rate exceeded"),
            ServiceError::Internal if s3 => {
                (500, "InternalError", "We encountered an internal error. Please try again.")
            }
            ServiceError::Internal if json => (500, "InternalServerException", "Internal failure"),
            ServiceError::Internal => (500, "InternalFailure", "Internal failure"),
            ServiceError::Unavailable => (503, "ServiceUnavailable", "Service is unable to handle request."),
        }
    }

    /// The whole answer.
    pub fn answer(self, asked: &Asked) -> Vec<u8> {
        let (status, code, message) = self.words(asked.protocol);
        let (kind, body) = match asked.protocol {
            Protocol::Query => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                     <RequestId>fa17</RequestId></ErrorResponse>"
                ),
            ),
            Protocol::RestXml => (
                "application/xml",
                format!("<Error><Code>{code}</Code><Message>{message}</Message><RequestId>fa17</RequestId></Error>"),
            ),
            Protocol::Json | Protocol::RestJson => (
                "application/x-amz-json-1.1",
                format!("{{\"__type\":\"com.amazonaws#{code}\",\"message\":\"{message}\"}}"),
            ),
        };
        let body = if asked.head_only { String::new() } else { body };
        let length = body.len();
        format!(
            "HTTP/1.1 {status} Fault\r\ncontent-type: {kind}\r\nx-amzn-errortype: {code}\r\nx-amzn-requestid: fa17\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}
