//! A request of an awsJson service, as its operations read it: parameters, pages, answers.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::ground::scalar::scalar;
use crate::ground::{ApiError, Principal};

/// One request, read.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// The operation's name.
    pub operation: String,
    /// The region of the credential scope.
    pub region: String,
    /// The parameters.
    pub body: Map<String, Value>,
    /// When it came in.
    pub now: Timestamp,
    /// Who asks; whether they may was decided before.
    pub principal: Principal,
}

impl ApiRequest {
    /// A parameter, unless it is null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    /// A text, where it is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A new UUID as text.
    pub fn uuid(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }

    /// A text that must be there.
    ///
    /// # Errors
    ///
    /// `ValidationException`, in the words of the services that use it.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| {
            let mut letters = name.chars();
            let first = letters.next().map(|c| c.to_ascii_lowercase());
            let name: String = first.into_iter().chain(letters).collect();
            ApiError::sender(
                "ValidationException",
                format!("1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must not be null"),
            )
        })
    }

    /// A flag; absent is false.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| scalar(value).as_deref() == Some("true"))
    }

    /// A list of texts; absent is empty.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Refuses parameters that would have to do something here and don't.
    ///
    /// # Errors
    ///
    /// Naming the first that is given.
    pub fn refuse(&self, service: &str, operation: &str, parameters: &[&str]) -> Result<(), ApiError> {
        match parameters.iter().find(|name| self.get(name).is_some()) {
            Some(name) => Err(ApiError::not_implemented(service, &format!("{operation} with {name}"))),
            None => Ok(()),
        }
    }

    /// One page of a list whose token is an offset.
    ///
    /// # Errors
    ///
    /// A token that no earlier answer gave.
    pub fn page<T>(
        &self,
        items: Vec<T>,
        limit: &str,
        most: usize,
        refused: fn() -> ApiError,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let start = match self.text("NextToken").or_else(|| self.text("PaginationToken")) {
            Some(token) => token.parse::<usize>().map_err(|_| refused())?,
            None => 0,
        };
        let asked = self.get(limit).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let size = asked.unwrap_or(most).clamp(1, most);
        let total = items.len();
        let page: Vec<T> = items.into_iter().skip(start).take(size).collect();
        let end = start.saturating_add(page.len());
        Ok((page, (end < total).then(|| end.to_string())))
    }
}

/// A moment as the protocol writes it: seconds since 1970, with a fraction.
pub(crate) fn seconds(millis: i64) -> Value {
    serde_json::json!(millis as f64 / 1000.0)
}

/// An object without its nulls.
pub(crate) fn compact(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}
