//! What a request needs permission for, what was decided about it, and why it is denied.

use http::StatusCode;
use jiff::Timestamp;
use rusqlite::Transaction;
use serde_json::Value;

use super::errors::ApiError;
use bedplate_iam::Policy;

/// A policy and what a person knows it by.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPolicy {
    /// Its name, or what it is on.
    pub name: String,
    /// What it says.
    pub policy: Policy,
}

/// A document, also one that is JSON text.
pub fn read_policy(document: &Value) -> Option<Policy> {
    match document {
        Value::String(text) => Policy::from_value(&serde_json::from_str(text).ok()?).ok(),
        other => Policy::from_value(other).ok(),
    }
}

/// Where the policy on the resource of an ARN is found, where it has one; the server, which knows all services, hands it in.
pub type ResourcePolicies = fn(&Transaction<'_>, &str) -> Result<Option<NamedPolicy>, ApiError>;

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredPermission {
    /// For example `s3:PutObject`.
    pub action: String,
    /// The ARN, or `*` where the action has no resource.
    pub resource: String,
    /// Condition keys of the service, such as `s3:prefix`.
    pub context: Vec<(&'static str, String)>,
}

impl RequiredPermission {
    /// An action on a resource.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), context: Vec::new() }
    }

    /// The same with a condition key's value.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.context.push((key, value.into()));
        self
    }
}

/// Where and when a request is made, and where the policies on resources are found.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The region of the request.
    pub region: String,
    /// The time.
    pub now: Timestamp,
    /// Policies on resources.
    pub policies: ResourcePolicies,
}

/// What was decided about a request. A denial is no error: it is recorded, so the transaction it is decided in must be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Authorization {
    /// Every permission it needs is granted.
    Allowed,
    /// One of them is not.
    Denied(Box<Denial>),
}

impl Authorization {
    /// Whether the request may be carried out.
    pub fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }

    /// As a result, for whoever goes on outside the transaction.
    ///
    /// # Errors
    ///
    /// The denial in the words of `refusal`.
    pub fn or_refuse<E>(self, refusal: impl FnOnce(&Denial) -> E) -> Result<(), E> {
        match self {
            Self::Allowed => Ok(()),
            Self::Denied(denial) => Err(refusal(&denial)),
        }
    }
}

/// Why a principal may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The principal's ARN.
    pub principal: String,
    /// What it may not.
    pub required: RequiredPermission,
    /// In IAM's words.
    pub because: String,
}

impl Denial {
    /// The words of most services.
    pub fn message(&self) -> String {
        let Self { principal, required, because } = self;
        format!(
            "User: {principal} is not authorized to perform: {} on resource: {} {because}",
            required.action, required.resource
        )
    }

    /// The words of S3, which quotes the ARN.
    pub fn s3_message(&self) -> String {
        let Self { principal, required, because } = self;
        format!(
            "User: {principal} is not authorized to perform: {} on resource: \"{}\" {because}",
            required.action, required.resource
        )
    }

    /// The refusal with a service's own code and status for it.
    pub fn refusal(&self, code: &str, status: StatusCode) -> ApiError {
        ApiError::sender(code, self.message()).with_status(status)
    }
}
