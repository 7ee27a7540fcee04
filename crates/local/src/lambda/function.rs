//! A function as a call needs it, found by any of its names.

use std::collections::BTreeMap;

use http::StatusCode;
use rusqlite::Connection;
use serde_json::Value;

use super::code::{self, CodePackage};
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::scalar;
use crate::ground::{ACCOUNT_ID, ApiError};

const FUNCTION: &str = "AWS::Lambda::Function";

/// The version that is not published.
pub(super) const LATEST: &str = "$LATEST";

/// A function's name and the version or alias asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub region: String,
    pub name: String,
    pub qualifier: Option<String>,
}

impl Name {
    /// Reads a name, a partial ARN or a whole one, each perhaps with a qualifier.
    ///
    /// # Errors
    ///
    /// When it is another account's or region's, or two qualifiers disagree.
    pub fn of(text: &str, qualifier: Option<&str>, region: &str) -> Result<Self, ApiError> {
        let (place, rest) =
            text.split_once(":function:").unwrap_or_else(|| ("", text.strip_prefix("function:").unwrap_or(text)));
        let own = [String::new(), ACCOUNT_ID.to_owned(), format!("arn:aws:lambda:{region}:{ACCOUNT_ID}")];
        if !own.iter().any(|own| own == place) {
            return Err(not_found(text));
        }
        let (name, written) = match rest.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (rest, None),
        };
        if let (Some(one), Some(other)) = (written, qualifier)
            && one != other
        {
            return Err(invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        let qualifier = written.or(qualifier).map(str::to_owned);
        Ok(Self { region: region.to_owned(), name: name.to_owned(), qualifier })
    }

    /// The ARN, with the qualifier where there is one.
    pub fn arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.plain_arn()),
            None => self.plain_arn(),
        }
    }

    /// The ARN without a qualifier.
    pub fn plain_arn(&self) -> String {
        format!("arn:aws:lambda:{}:{ACCOUNT_ID}:function:{}", self.region, self.name)
    }
}

/// A refusal of an argument.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterValueException", message)
}

/// The refusal when there is no such thing.
pub(super) fn not_found(arn: &str) -> ApiError {
    let message = format!("Function not found: {arn}");
    ApiError::sender("ResourceNotFoundException", message).with_status(StatusCode::NOT_FOUND)
}

/// A version of a function.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Function {
    pub name: Name,
    /// `$LATEST`, or a number.
    pub version: String,
    pub properties: Value,
    pub source: Option<CodePackage>,
    /// When its code or properties changed last, in seconds since 1970; 0 when that is not known.
    pub modified: i64,
}

impl Function {
    /// Finds one.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException`.
    pub fn find(db: &Connection, name: &Name) -> Result<Self, ApiError> {
        let thing =
            resource_table::find(db, FUNCTION, &name.region, &name.name)?.ok_or_else(|| not_found(&name.arn()))?;
        let version = match name.qualifier.as_deref() {
            None | Some(LATEST) => None,
            Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => Some(number.to_owned()),
            Some(_) => Some(aliased(db, name)?),
        };
        let (owner, version, properties) = match version {
            None => (code::owner_of(&name.region, &name.name), LATEST.to_owned(), thing.properties),
            Some(version) => {
                let arn = format!("{}:{version}", name.plain_arn());
                let published = resource_table::find(db, "AWS::Lambda::Version", &name.region, &arn)?;
                let published = published.ok_or_else(|| not_found(&name.arn()))?;
                let properties = match published.state {
                    Value::Null => thing.properties,
                    kept => kept,
                };
                (arn, version, properties)
            }
        };
        let source = match code::kept(db, &owner)? {
            Some(blob) => Some(blob.into()),
            None => text(&properties, "/Code/ZipFile").map(CodePackage::Inline),
        };
        let modified = thing.state.get("Modified").and_then(Value::as_i64).unwrap_or(0);
        Ok(Self { name: name.clone(), version, properties, source, modified })
    }

    /// All of a region, in order of their names.
    pub fn list(db: &Connection, region: &str) -> Result<Vec<Self>, ApiError> {
        let mut things = resource_table::of_type(db, FUNCTION, Some(region))?;
        things.sort_by(|one, other| one.id.cmp(&other.id));
        let name = |thing: StoredResource| Name { region: region.to_owned(), name: thing.id, qualifier: None };
        things.into_iter().map(|thing| Self::find(db, &name(thing))).collect()
    }

    pub fn text(&self, pointer: &str) -> Option<String> {
        text(&self.properties, pointer)
    }

    pub fn handler(&self) -> String {
        self.text("/Handler").unwrap_or_default()
    }

    pub fn runtime(&self) -> String {
        self.text("/Runtime").unwrap_or_default()
    }

    /// The role's ARN.
    pub fn role(&self) -> String {
        self.text("/Role").unwrap_or_default()
    }

    /// Seconds; 3 unless said. Source: CloudFormation, `AWS::Lambda::Function`.
    pub fn timeout(&self) -> u64 {
        self.text("/Timeout").and_then(|text| text.parse().ok()).unwrap_or(3)
    }

    /// MB; 128 unless said. Source: as above.
    pub fn memory(&self) -> u64 {
        self.text("/MemorySize").and_then(|text| text.parse().ok()).unwrap_or(128)
    }

    pub fn variables(&self) -> BTreeMap<String, String> {
        let variables = self.properties.pointer("/Environment/Variables").and_then(Value::as_object);
        variables.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
    }

    /// The ARNs of its layers, in the order they are laid.
    pub fn layers(&self) -> Vec<String> {
        let layers = self.properties.get("Layers").and_then(Value::as_array);
        layers.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub fn log_group(&self) -> String {
        self.text("/LoggingConfig/LogGroup").unwrap_or_else(|| format!("/aws/lambda/{}", self.name.name))
    }
}

fn aliased(db: &Connection, name: &Name) -> Result<String, ApiError> {
    let alias = resource_table::find(db, "AWS::Lambda::Alias", &name.region, &name.arn())?;
    let alias = alias.ok_or_else(|| not_found(&name.arn()))?;
    Ok(text(&alias.properties, "/FunctionVersion").unwrap_or_default())
}

pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(scalar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_many_names() {
        let whole = "arn:aws:lambda:us-west-2:123456789012:function:draw";
        for (text, qualifier, arn) in [
            ("draw", None, whole.to_owned()),
            ("draw", Some("live"), format!("{whole}:live")),
            ("draw:3", None, format!("{whole}:3")),
            ("123456789012:function:draw", None, whole.to_owned()),
            ("function:draw:$LATEST", None, format!("{whole}:$LATEST")),
            (whole, None, whole.to_owned()),
        ] {
            assert_eq!(Name::of(text, qualifier, "us-west-2").expect(text).arn(), arn, "{text}");
        }
        assert!(Name::of("draw:1", Some("2"), "us-west-2").is_err());
        let elsewhere = Name::of(whole, None, "eu-west-1").expect_err("another region");
        assert_eq!(elsewhere.message, format!("Function not found: {whole}"));
    }
}
