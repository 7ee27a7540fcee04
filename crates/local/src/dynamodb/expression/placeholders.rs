//! What stands for names and values in the expressions of one request.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::attribute::{Attribute, read_item};
use super::super::error::DynamoDbError;

/// The `ExpressionAttributeNames` and `ExpressionAttributeValues` of a request, and which of them were used.
#[derive(Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Attribute>,
    used: RefCell<BTreeSet<String>>,
}

impl Placeholders {
    /// Reads them. `expressions` are the parameters that may use them, and whether each is given.
    ///
    /// # Errors
    ///
    /// When they are empty or malformed, or there is no expression to use them.
    pub fn read(request: &Value, expressions: &[(&str, bool)]) -> Result<Self, DynamoDbError> {
        let mut placeholders = Self::default();
        if let Some(names) = given(request, "ExpressionAttributeNames", expressions)? {
            for (name, stands_for) in names {
                check("ExpressionAttributeNames", name, '#')?;
                let stands_for =
                    stands_for.as_str().ok_or_else(|| DynamoDbError::unreadable("Unexpected value type in payload"))?;
                placeholders.names.insert(name.clone(), stands_for.to_owned());
            }
        }
        if given(request, "ExpressionAttributeValues", expressions)?.is_some() {
            let values = request.get("ExpressionAttributeValues").unwrap_or(&Value::Null);
            placeholders.values = read_item(values)?;
            for name in placeholders.values.keys() {
                check("ExpressionAttributeValues", name, ':')?;
            }
        }
        Ok(placeholders)
    }

    /// What a `#name` stands for.
    pub(super) fn name(&self, name: &str) -> Option<String> {
        let found = self.names.get(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(found.clone())
    }

    /// What a `:value` stands for.
    pub(super) fn value(&self, name: &str) -> Option<Attribute> {
        let found = self.values.get(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(found.clone())
    }

    /// That all were used, once every expression is read.
    ///
    /// # Errors
    ///
    /// Naming those that were not.
    pub fn all_used(&self) -> Result<(), DynamoDbError> {
        let used = self.used.borrow();
        let kinds: [(&str, Vec<&String>); 2] = [
            ("ExpressionAttributeNames", self.names.keys().filter(|name| !used.contains(*name)).collect()),
            ("ExpressionAttributeValues", self.values.keys().filter(|name| !used.contains(*name)).collect()),
        ];
        for (kind, unused) in kinds {
            if !unused.is_empty() {
                let unused: Vec<&str> = unused.into_iter().map(String::as_str).collect();
                return Err(DynamoDbError::invalid(format!(
                    "Value provided in {kind} unused in expressions: keys: {{{}}}",
                    unused.join(", ")
                )));
            }
        }
        Ok(())
    }
}

fn given<'v>(
    request: &'v Value,
    parameter: &str,
    expressions: &[(&str, bool)],
) -> Result<Option<&'v serde_json::Map<String, Value>>, DynamoDbError> {
    let Some(value) = request.get(parameter).filter(|value| !value.is_null()) else { return Ok(None) };
    let map = value.as_object().ok_or_else(|| DynamoDbError::unreadable("Unexpected value type in payload"))?;
    if expressions.iter().all(|(_, given)| !given) {
        let names: Vec<&str> = expressions.iter().map(|(name, _)| *name).collect();
        let null = match names.as_slice() {
            // Of names DynamoDB says no more.
            _ if parameter == "ExpressionAttributeNames" => String::new(),
            [] => String::new(),
            [one] => format!(": {one} is null"),
            several => format!(": {} are null", several.join(" and ")),
        };
        return Err(DynamoDbError::invalid(format!("{parameter} can only be specified when using expressions{null}")));
    }
    if map.is_empty() {
        return Err(DynamoDbError::invalid(format!("{parameter} must not be empty")));
    }
    Ok(Some(map))
}

fn check(parameter: &str, name: &str, sign: char) -> Result<(), DynamoDbError> {
    let rest = name.strip_prefix(sign).unwrap_or_default();
    if rest.is_empty() || !rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(DynamoDbError::invalid(format!("{parameter} contains invalid key: Syntax error; key: \"{name}\"")));
    }
    Ok(())
}
