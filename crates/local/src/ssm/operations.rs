//! The operations on parameters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore as _;
use rusqlite::{Connection, Transaction};
use serde_json::{Value, json};

use super::actions;
use super::store::{self, Named, Parameter, ParameterLookup};
use crate::ground::ApiError;
use crate::protocol::api_request::{ApiRequest, compact, seconds};
use crate::protocol::aws_json::{JsonHandler, JsonService};
use crate::protocol::service::Registration;
use bedplate_cfn::schema::{Match, matches};

/// The service in the registry.
pub const SERVICE: Registration = Registration { schemas: &[super::SCHEMA], start: |_| Box::new(&TABLE) };

/// The operations, one line each.
static TABLE: JsonService<ApiRequest, ApiError> = JsonService {
    name: "ssm",
    target: "AmazonSSM.",
    content_type: "application/x-amz-json-1.1",
    largest: 1 << 20,
    required_permissions: actions::required_permissions,
    operations: &[
        ("DeleteParameter", JsonHandler::Write(delete)),
        ("DescribeParameters", JsonHandler::Read(describe)),
        ("GetParameter", JsonHandler::Read(get)),
        ("GetParameters", JsonHandler::Read(get_many)),
        ("GetParametersByPath", JsonHandler::Read(get_by_path)),
        ("PutParameter", JsonHandler::Write(put)),
    ],
};

/// The longest value of the standard tier, in bytes. Source: Systems Manager user guide, "Managing parameter tiers".
const LARGEST: usize = 4096;
/// The bytes of what stands for a secure value.
const SEALED: usize = 96;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationException", message)
}

fn not_found() -> ApiError {
    // Systems Manager gives this one no message.
    ApiError::sender("ParameterNotFound", "")
}

fn bad_token() -> ApiError {
    ApiError::sender("InvalidNextToken", "The specified token isn't valid.")
}

fn shown(region: &str, parameter: &Parameter, decrypted: bool, selector: Option<&str>) -> Value {
    let value = match &parameter.sealed {
        Some(sealed) if !decrypted => sealed,
        _ => &parameter.value,
    };
    compact(json!({
        "Name": parameter.name,
        "Type": parameter.kind,
        "Value": value,
        "Version": parameter.version,
        "Selector": selector.map(|selector| format!(":{selector}")),
        "LastModifiedDate": seconds(parameter.modified),
        "ARN": store::arn(region, &parameter.name),
        "DataType": "text",
    }))
}

/// Refuses what AWS has for everybody and nobody has here: "not found" would be taken for the truth.
fn refuse_public(operation: &str, name: &str) -> Result<(), ApiError> {
    if store::is_public(name) {
        let name = name.trim_end_matches('/');
        return Err(ApiError::not_implemented("ssm", &format!("{operation} of the public parameter {name}")));
    }
    Ok(())
}

fn get(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let given = asked.required("Name")?;
    refuse_public("GetParameter", given)?;
    let named = Named::of(given, &asked.region);
    let parameter = match named.find(db, &asked.region)? {
        ParameterLookup::Found(parameter) => parameter,
        ParameterLookup::NoParameter => return Err(not_found()),
        ParameterLookup::NoVersion => {
            let message = format!(
                "Systems Manager could not find version {} of {}. Verify the version and try again.",
                named.selector.as_deref().unwrap_or_default(),
                named.name
            );
            return Err(ApiError::sender("ParameterVersionNotFound", message));
        }
    };
    let parameter = shown(&asked.region, &parameter, asked.flag("WithDecryption"), named.selector.as_deref());
    Ok(json!({ "Parameter": parameter }))
}

fn get_many(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let names = asked.texts("Names");
    if names.is_empty() || names.len() > 10 {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{}]' at 'names' failed to satisfy constraint: Member must have length {}",
            names.join(", "),
            if names.is_empty() { "greater than or equal to 1" } else { "less than or equal to 10" }
        )));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        refuse_public("GetParameters", name)?;
        let named = Named::of(name, &asked.region);
        match named.find(db, &asked.region)? {
            ParameterLookup::Found(parameter) => {
                found.push(shown(&asked.region, &parameter, asked.flag("WithDecryption"), named.selector.as_deref()));
            }
            ParameterLookup::NoParameter | ParameterLookup::NoVersion => missing.push(name),
        }
    }
    Ok(json!({ "Parameters": found, "InvalidParameters": missing }))
}

fn get_by_path(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    asked.refuse("ssm", "GetParametersByPath", &["ParameterFilters"])?;
    let path = asked.required("Path")?;
    refuse_public("GetParametersByPath", &format!("{path}/"))?;
    if !path.starts_with('/') {
        return Err(invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".",
        ));
    }
    let prefix = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
    let deep = asked.flag("Recursive");
    let mut all = store::all(db, &asked.region)?;
    all.retain(|parameter| parameter.name.strip_prefix(&prefix).is_some_and(|rest| deep || !rest.contains('/')));
    let (page, next) = asked.page(all, "MaxResults", 10, bad_token)?;
    let decrypted = asked.flag("WithDecryption");
    let page: Value = page.iter().map(|parameter| shown(&asked.region, parameter, decrypted, None)).collect();
    Ok(compact(json!({ "Parameters": page, "NextToken": next })))
}

fn describe(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    asked.refuse("ssm", "DescribeParameters", &["Filters", "Shared"])?;
    let mut all = store::all(db, &asked.region)?;
    for filter in asked.get("ParameterFilters").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| filter.get(name).and_then(Value::as_str);
        let values: Vec<&str> =
            filter.get("Values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let (key, option) = (text("Key").unwrap_or_default(), text("Option").unwrap_or("Equals"));
        let fits: fn(&str, &str) -> bool = match option {
            "Equals" => |own, value| own == value,
            "BeginsWith" => |own, value| own.starts_with(value),
            "Contains" => |own, value| own.contains(value),
            other => {
                return Err(ApiError::not_implemented("ssm", &format!("DescribeParameters with the option {other}")));
            }
        };
        match key {
            "Name" => all.retain(|parameter| values.iter().any(|value| fits(&parameter.name, value))),
            "Type" => all.retain(|parameter| values.iter().any(|value| fits(&parameter.kind, value))),
            other => {
                return Err(ApiError::not_implemented("ssm", &format!("DescribeParameters with the filter {other}")));
            }
        }
    }
    let (page, next) = asked.page(all, "MaxResults", 50, bad_token)?;
    let page: Value = page
        .iter()
        .map(|parameter| {
            compact(json!({
                "Name": parameter.name,
                "ARN": store::arn(&asked.region, &parameter.name),
                "Type": parameter.kind,
                "KeyId": parameter.sealed.as_ref().map(|_| "alias/aws/ssm"),
                "LastModifiedDate": seconds(parameter.modified),
                "Description": parameter.description,
                "AllowedPattern": parameter.pattern,
                "Version": parameter.version,
                "Tier": "Standard",
                "Policies": [],
                "DataType": "text",
            }))
        })
        .collect();
    Ok(compact(json!({ "Parameters": page, "NextToken": next })))
}

fn delete(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    if !store::delete(db, &asked.region, asked.required("Name")?)? {
        return Err(not_found());
    }
    Ok(json!({}))
}

fn put(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    asked.refuse("ssm", "PutParameter", &["Policies"])?;
    let (name, value) = (asked.required("Name")?, asked.required("Value")?);
    if asked.text("KeyId").is_some_and(|key| key != "alias/aws/ssm") {
        return Err(ApiError::not_implemented("ssm", "PutParameter with a key of KMS"));
    }
    if asked.text("Tier").is_some_and(|tier| tier == "Advanced") {
        return Err(ApiError::not_implemented("ssm", "PutParameter with the tier Advanced"));
    }
    if asked.text("DataType").is_some_and(|kind| kind != "text") {
        return Err(ApiError::not_implemented("ssm", "PutParameter with another data type than text"));
    }
    let existing = store::find(db, &asked.region, name, None)?;
    if existing.is_some() && !asked.flag("Overwrite") {
        return Err(ApiError::sender(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ));
    }
    let kind = match (asked.text("Type"), &existing) {
        (Some(kind), _) => kind.to_owned(),
        (None, Some(existing)) => existing.kind.clone(),
        (None, None) => {
            return Err(invalid("A parameter type is required when you create a parameter."));
        }
    };
    let text = |name: &str| asked.text(name).map(str::to_owned);
    let new = Parameter {
        name: name.to_owned(),
        version: existing.as_ref().map_or(1, |existing| existing.version + 1),
        sealed: (kind == "SecureString").then(sealed),
        kind,
        value: value.to_owned(),
        description: text("Description").or_else(|| existing.as_ref().and_then(|it| it.description.clone())),
        pattern: text("AllowedPattern").or_else(|| existing.and_then(|it| it.pattern)),
        modified: asked.now.as_millisecond(),
    };
    keep(db, &asked.region, &new)?;
    Ok(json!({ "Version": new.version, "Tier": "Standard" }))
}

/// What stands for a secure value: it tells nothing of it.
fn sealed() -> String {
    let mut bytes = [0_u8; SEALED];
    rand::rng().fill_bytes(&mut bytes);
    STANDARD.encode(bytes)
}

/// Checks a parameter as the service does, and writes it.
///
/// # Errors
///
/// What the service refuses.
pub(crate) fn keep(db: &Connection, region: &str, new: &Parameter) -> Result<(), ApiError> {
    if !["String", "StringList", "SecureString"].contains(&new.kind.as_str()) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]",
            new.kind
        )));
    }
    let good = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let lower = new.name.trim_start_matches('/').to_ascii_lowercase();
    if new.name.is_empty() || new.name.len() > 1011 || !new.name.chars().all(good) {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of \
             sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the \
             following 3 symbols .-_",
        ));
    }
    if lower.starts_with("aws") || lower.starts_with("ssm") {
        return Err(invalid(format!(
            "Parameter name: can't be prefixed with \"{}\" (case-insensitive).",
            if lower.starts_with("aws") { "aws" } else { "ssm" }
        )));
    }
    if new.name.contains('/') && !new.name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    if new.name.split('/').count() > 16 {
        return Err(ApiError::sender(
            "HierarchyLevelLimitExceededException",
            "The hierarchy can't have more than 15 levels.",
        ));
    }
    if new.value.is_empty() || new.value.len() > LARGEST {
        return Err(invalid(format!(
            "Standard tier parameters support a maximum parameter value of {LARGEST} characters, and no empty one."
        )));
    }
    if let Some(pattern) = &new.pattern
        && matches(&format!("^(?:{pattern})$"), &new.value) == Match::No
    {
        return Err(ApiError::sender(
            "ParameterPatternMismatchException",
            format!("Parameter value, cannot be validated against allowedPattern: {pattern}"),
        ));
    }
    Ok(store::add(db, region, new)?)
}
