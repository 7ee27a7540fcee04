//! What a REST API answers by itself when a request goes no further: its gateway responses.

use serde_json::{Value, json};

use super::exchange::Exchange;
use crate::execute_api::reply::Reply;
use crate::ground::scalar::text;

/// Why a request goes no further.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::execute_api) enum RestRefusal {
    /// By API Gateway, in its own words.
    Gateway {
        /// The type of gateway response.
        kind: GatewayResponse,
        /// What is said; nothing is JSON's null.
        message: Option<String>,
        /// A status other than the type's own.
        status: Option<u16>,
        /// What of a body does not fit.
        validation: Option<String>,
        /// What is at fault, for whoever develops the API: AWS would write it into a log.
        reason: Option<String>,
    },
    /// By the local target, by name.
    NotSimulated(String),
}

/// The types of gateway response that are given here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::execute_api) enum GatewayResponse {
    AccessDenied,
    ApiConfiguration,
    AuthorizerConfiguration,
    AuthorizerFailure,
    BadBody,
    BadParameters,
    ExpiredToken,
    IntegrationFailure,
    IntegrationTimeout,
    InvalidKey,
    InvalidSignature,
    MissingToken,
    QuotaExceeded,
    Throttled,
    TooLarge,
    Unauthorized,
    UnsupportedMedia,
}

impl GatewayResponse {
    /// Its name, its status, the kind of error its answer names, and what it says.
    fn facts(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::AccessDenied => {
                ("ACCESS_DENIED", 403, "AccessDeniedException", "User is not authorized to access this resource")
            }
            Self::ApiConfiguration => {
                ("API_CONFIGURATION_ERROR", 500, "InternalServerErrorException", "Internal server error")
            }
            Self::AuthorizerConfiguration => {
                ("AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException", "")
            }
            Self::AuthorizerFailure => ("AUTHORIZER_FAILURE", 500, "AuthorizerFailureException", ""),
            Self::BadBody => ("BAD_REQUEST_BODY", 400, "BadRequestException", "Invalid request body"),
            Self::BadParameters => ("BAD_REQUEST_PARAMETERS", 400, "BadRequestException", "Invalid request parameters"),
            Self::ExpiredToken => ("EXPIRED_TOKEN", 401, "UnauthorizedException", "The incoming token has expired"),
            Self::IntegrationFailure => {
                ("INTEGRATION_FAILURE", 504, "InternalServerErrorException", "Internal server error")
            }
            Self::IntegrationTimeout => {
                ("INTEGRATION_TIMEOUT", 504, "GatewayTimeoutException", "Endpoint request timed out")
            }
            Self::InvalidKey => ("INVALID_API_KEY", 403, "ForbiddenException", "Forbidden"),
            Self::InvalidSignature => (
                "INVALID_SIGNATURE",
                403,
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            ),
            Self::MissingToken => (
                "MISSING_AUTHENTICATION_TOKEN",
                403,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ),
            Self::QuotaExceeded => ("QUOTA_EXCEEDED", 429, "LimitExceededException", "Limit Exceeded"),
            Self::Throttled => ("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests"),
            Self::TooLarge => ("REQUEST_TOO_LARGE", 413, "RequestEntityTooLargeException", "Request Too Long"),
            Self::Unauthorized => ("UNAUTHORIZED", 401, "UnauthorizedException", "Unauthorized"),
            Self::UnsupportedMedia => ("UNSUPPORTED_MEDIA_TYPE", 415, "BadRequestException", "Unsupported Media Type"),
        }
    }
}

impl RestRefusal {
    /// A refusal in API Gateway's usual words for it.
    pub fn of(kind: GatewayResponse) -> Self {
        let message = Some(kind.facts().3.to_owned()).filter(|message| !message.is_empty());
        Self::Gateway { kind, message, status: None, validation: None, reason: None }
    }

    /// A refusal in words of its own.
    pub fn saying(kind: GatewayResponse, message: impl Into<String>) -> Self {
        Self::Gateway { kind, message: Some(message.into()), status: None, validation: None, reason: None }
    }

    /// A body that does not fit its model.
    pub fn body(validation: String) -> Self {
        let message = Some(GatewayResponse::BadBody.facts().3.to_owned());
        Self::Gateway {
            kind: GatewayResponse::BadBody,
            message,
            status: None,
            validation: Some(validation),
            reason: None,
        }
    }

    /// Something of the API or behind it does not work; the caller is not told what.
    pub fn broken(status: u16, reason: impl Into<String>) -> Self {
        let message = Some("Internal server error".to_owned());
        let reason = Some(reason.into());
        Self::Gateway {
            kind: GatewayResponse::IntegrationFailure,
            message,
            status: Some(status),
            validation: None,
            reason,
        }
    }

    /// The same refusal with what is at fault.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        if let Self::Gateway { reason, .. } = &mut self {
            *reason = Some(why.into());
        }
        self
    }

    /// The refusal as an answer, by the API's own gateway responses where it has some.
    pub fn reply(self, exchange: &Exchange<'_>) -> Reply {
        let (kind, message, status, validation, reason) = match self {
            Self::NotSimulated(what) => return Reply::not_simulated(&what),
            Self::Gateway { kind, message, status, validation, reason } => (kind, message, status, validation, reason),
        };
        let (name, own_status, error_type, _) = kind.facts();
        let responses = &exchange.api.gateway_responses;
        let general = if own_status >= 500 { "DEFAULT_5XX" } else { "DEFAULT_4XX" };
        let response = responses.get(name).or_else(|| responses.get(general));
        let status = response
            .and_then(|response| text(response, "StatusCode"))
            .and_then(|status| status.parse().ok())
            .unwrap_or(status.unwrap_or(own_status));
        let mut context = exchange.context();
        context["error"] = json!({
            "message": message,
            "messageString": Value::from(message.clone()).to_string(),
            "responseType": name,
            "validationErrorString": validation,
        });
        let templates = response.and_then(|response| response.get("ResponseTemplates")).and_then(Value::as_object);
        let mut reply = Reply::new(status).with("x-amzn-errortype", error_type);
        if let Some(reason) = reason {
            reply.explain(&reason);
        }
        match templates.filter(|templates| !templates.is_empty()) {
            None => {
                reply.set("content-type", "application/json");
                reply.body = json!({ "message": message }).to_string().into();
            }
            Some(templates) => {
                let json = templates.get_key_value("application/json").or_else(|| templates.iter().next());
                if let Some((media, template)) = json {
                    reply.set("content-type", media);
                    // Gateway responses know names for parts of $context, not all of Velocity.
                    let body = exchange.filled(template.as_str().unwrap_or_default(), &context);
                    reply.body = body.into();
                }
            }
        }
        let parameters = response.and_then(|response| response.get("ResponseParameters")).and_then(Value::as_object);
        for (name, source) in parameters.into_iter().flatten() {
            let Some(header) = name.strip_prefix("gatewayresponse.header.") else { continue };
            if let Some(value) = exchange.gateway_parameter(source.as_str().unwrap_or_default(), &context) {
                reply.set(header, &value);
            }
        }
        reply
    }
}
