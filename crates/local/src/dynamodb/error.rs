//! A refusal in DynamoDB's shape.

use http::StatusCode;
use serde_json::{Value, json};

use crate::ground::ApiError;
use crate::ground::store::StoreError;
use crate::protocol::aws_json::JsonError;

/// Why an operation is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct DynamoDbError {
    status: StatusCode,
    /// The code without its namespace.
    pub code: String,
    message: String,
    /// The item that stood in the way of a condition, where it was asked for.
    item: Option<Value>,
}

impl DynamoDbError {
    /// The request is not right.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::of("ValidationException", message)
    }

    /// A value is not right.
    pub fn values(message: impl std::fmt::Display) -> Self {
        Self::invalid(format!("One or more parameter values were invalid: {message}"))
    }

    /// The request can't be read.
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self::of("SerializationException", message)
    }

    /// There is no such table.
    pub fn no_table() -> Self {
        Self::of("ResourceNotFoundException", "Requested resource not found")
    }

    /// There is no such table, and its name is worth telling.
    pub fn no_table_named(name: &str) -> Self {
        Self::of("ResourceNotFoundException", format!("Requested resource not found: Table: {name} not found"))
    }

    /// The condition does not hold.
    pub fn condition(item: Option<Value>) -> Self {
        Self { item, ..Self::of("ConditionalCheckFailedException", "The conditional request failed") }
    }

    /// What is not simulated.
    pub fn not_simulated(what: &str) -> Self {
        ApiError::not_implemented("dynamodb", what).into()
    }

    fn of(code: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.to_owned(), message: message.into(), item: None }
    }
}

impl JsonError for DynamoDbError {
    fn answer(&self) -> (StatusCode, Value) {
        let namespace = match self.code.as_str() {
            "ValidationException" => "com.amazon.coral.validate#",
            "SerializationException"
            | "UnknownOperationException"
            | "AccessDeniedException"
            | "UnrecognizedClientException" => "com.amazon.coral.service#",
            "NotImplemented" | "InternalFailure" => "",
            _ => "com.amazonaws.dynamodb.v20120810#",
        };
        let mut body = json!({ "__type": format!("{namespace}{}", self.code), "message": self.message });
        if let (Some(item), Some(body)) = (&self.item, body.as_object_mut()) {
            body.insert("Item".to_owned(), item.clone());
        }
        (self.status, body)
    }
}

impl From<ApiError> for DynamoDbError {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, code: error.code, message: error.message, item: None }
    }
}

impl From<StoreError> for DynamoDbError {
    fn from(error: StoreError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<rusqlite::Error> for DynamoDbError {
    fn from(error: rusqlite::Error) -> Self {
        ApiError::from(error).into()
    }
}
