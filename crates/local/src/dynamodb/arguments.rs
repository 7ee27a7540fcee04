//! What operations share: who asks, tables, keys, parameters that are refused.

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::attribute::{Item, LARGEST_ITEM, item_size, read_item};
use super::error::DynamoDbError;
use super::table::Table;
use crate::protocol::api_request::ApiRequest;

/// One call.
#[derive(Debug)]
pub struct DynamoDbRequest {
    /// The region of the credential scope.
    pub region: String,
    /// Its parameters.
    pub request: Map<String, Value>,
}

impl From<ApiRequest> for DynamoDbRequest {
    fn from(asked: ApiRequest) -> Self {
        Self { region: asked.region, request: asked.body }
    }
}

impl DynamoDbRequest {
    /// A parameter, unless it is null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.request.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn text(&self, name: &str) -> Result<Option<&str>, DynamoDbError> {
        text(self.get(name))
    }

    /// A text that must be there.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn required(&self, name: &str) -> Result<&str, DynamoDbError> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A flag; absent is false.
    ///
    /// # Errors
    ///
    /// When it is no flag.
    pub fn flag(&self, name: &str) -> Result<bool, DynamoDbError> {
        match self.get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| DynamoDbError::unreadable("Unexpected value type in payload")),
        }
    }

    /// A number that is not below a least one.
    ///
    /// # Errors
    ///
    /// When it is below, or no whole number.
    pub fn number(&self, name: &str, least: u32) -> Result<Option<u32>, DynamoDbError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_i64().ok_or_else(|| DynamoDbError::unreadable("Unexpected value type in payload"))?;
        if number < i64::from(least) {
            return Err(constraint(
                &number.to_string(),
                name,
                &format!("Member must have value greater than or equal to {least}"),
            ));
        }
        Ok(Some(u32::try_from(number).unwrap_or(u32::MAX)))
    }

    /// One of several words; the first stands for an absent one.
    ///
    /// # Errors
    ///
    /// When it is none of them.
    pub fn choice<'c>(&self, name: &str, choices: &[&'c str]) -> Result<&'c str, DynamoDbError> {
        let given = self.text(name)?.or(choices.first().copied()).unwrap_or_default();
        choices.iter().find(|choice| **choice == given).copied().ok_or_else(|| {
            constraint(given, name, &format!("Member must satisfy enum value set: [{}]", choices.join(", ")))
        })
    }

    /// Attributes by name.
    ///
    /// # Errors
    ///
    /// When they are not there or malformed.
    pub fn item(&self, name: &str) -> Result<Item, DynamoDbError> {
        read_item(self.get(name).ok_or_else(|| missing(name))?)
    }

    /// The table the call is about.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn table(&self, db: &Connection) -> Result<Table, DynamoDbError> {
        Table::find(db, &self.region, self.required("TableName")?)
    }

    /// Refuses parameters that are not simulated.
    ///
    /// # Errors
    ///
    /// Naming the first.
    pub fn refuse(&self, operation: &str, parameters: &[&str]) -> Result<(), DynamoDbError> {
        let counted = ["ReturnConsumedCapacity", "ReturnItemCollectionMetrics"].into_iter();
        let counted = counted.filter(|name| self.get(name).is_some_and(|value| value != "NONE"));
        let given = parameters.iter().copied().filter(|name| self.get(name).is_some());
        match counted.chain(given).next() {
            Some(name) => Err(DynamoDbError::not_simulated(&format!("{operation} with {name}"))),
            None => Ok(()),
        }
    }

    /// Its parameters as one value.
    pub fn value(&self) -> Value {
        Value::Object(self.request.clone())
    }
}

/// A text, unless it is absent.
///
/// # Errors
///
/// When it is something else.
pub fn text(value: Option<&Value>) -> Result<Option<&str>, DynamoDbError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(DynamoDbError::unreadable("Unexpected value type in payload")),
    }
}

/// A parameter that has to be there is not.
pub fn missing(name: &str) -> DynamoDbError {
    constraint("null", name, "Member must not be null")
}

/// A parameter is not what the API allows.
pub fn constraint(value: &str, name: &str, what: &str) -> DynamoDbError {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    let name: String = first.into_iter().chain(letters).collect();
    DynamoDbError::invalid(format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {what}"
    ))
}

/// Holds an item against the largest there is.
///
/// # Errors
///
/// In the words for a put, or for an update.
pub fn check_size(item: &Item, updated: bool) -> Result<(), DynamoDbError> {
    if item_size(item) <= LARGEST_ITEM {
        return Ok(());
    }
    Err(DynamoDbError::invalid(if updated {
        "Item size to update has exceeded the maximum allowed size"
    } else {
        "Item size has exceeded the maximum allowed size"
    }))
}
