//! Functions, versions, aliases and layers as the API shows them.

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::code::{self, CodePackage};
use super::function::{Function, LATEST, Name, not_found, text};
use super::permissions;
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};

const LAYER: &str = "AWS::Lambda::LayerVersion";

fn time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S.000+0000", time).unwrap_or_default()
}

/// A function's configuration; `version_arn` says whether its ARN names the version.
pub(super) fn configuration(function: &Function, version_arn: bool) -> Value {
    let arn =
        if version_arn { format!("{}:{}", function.name.plain_arn(), function.version) } else { function.name.arn() };
    let mut shown = json!({
        "FunctionName": function.name.name,
        "FunctionArn": arn,
        "Runtime": function.runtime(),
        "Role": function.role(),
        "Handler": function.handler(),
        "CodeSize": function.source.as_ref().map_or(0, CodePackage::size),
        "Description": function.text("/Description").unwrap_or_default(),
        "Timeout": function.timeout(),
        "MemorySize": function.memory(),
        "LastModified": time(function.modified),
        "CodeSha256": function.source.as_ref().map(CodePackage::sha256_base64).unwrap_or_default(),
        "Version": function.version,
        "TracingConfig": { "Mode": function.text("/TracingConfig/Mode").unwrap_or_else(|| "PassThrough".to_owned()) },
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": function.text("/PackageType").unwrap_or_else(|| "Zip".to_owned()),
        "Architectures": function.properties.get("Architectures").cloned().unwrap_or_else(|| json!(["x86_64"])),
        "EphemeralStorage": { "Size": 512 },
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": function.log_group() },
    });
    if let Some(shown) = shown.as_object_mut() {
        let variables = function.variables();
        if !variables.is_empty() {
            shown.insert("Environment".to_owned(), json!({ "Variables": variables }));
        }
        let layers: Vec<Value> = function.layers().into_iter().map(|arn| json!({ "Arn": arn })).collect();
        if !layers.is_empty() {
            shown.insert("Layers".to_owned(), json!(layers));
        }
    }
    shown
}

pub(super) fn configuration_of(db: &Connection, name: &Name) -> Result<Value, ApiError> {
    Ok(configuration(&Function::find(db, name)?, false))
}

pub(super) fn function(db: &Connection, name: &Name, url: &str) -> Result<Value, ApiError> {
    let found = Function::find(db, name)?;
    let mut code = Map::new();
    code.insert("RepositoryType".to_owned(), json!("S3"));
    // On AWS this is a link to the package; here the package is named, and the endpoint it is in.
    if let Some(source) = &found.source {
        code.insert("Location".to_owned(), json!(format!("{url}/_bedplate/code/{}", source.digest())));
    }
    let tags = found.properties.get("Tags").and_then(Value::as_array);
    let tags: Map<String, Value> =
        tags.into_iter().flatten().filter_map(|tag| Some((text(tag, "/Key")?, json!(text(tag, "/Value")?)))).collect();
    let mut shown = json!({ "Configuration": configuration(&found, false), "Code": code });
    if let Some(shown) = shown.as_object_mut() {
        if !tags.is_empty() {
            shown.insert("Tags".to_owned(), Value::Object(tags));
        }
        let reserved = found.text("/ReservedConcurrentExecutions").and_then(|text| text.parse::<i64>().ok());
        if let Some(reserved) = reserved {
            shown.insert("Concurrency".to_owned(), json!({ "ReservedConcurrentExecutions": reserved }));
        }
    }
    Ok(shown)
}

pub(super) fn functions(db: &Connection, region: &str) -> Result<Value, ApiError> {
    let all: Vec<Value> = Function::list(db, region)?.iter().map(|function| configuration(function, false)).collect();
    Ok(json!({ "Functions": all }))
}

pub(super) fn versions(db: &Connection, name: &Name) -> Result<Value, ApiError> {
    let plain = Name { qualifier: None, ..name.clone() };
    let mut all = vec![configuration(&Function::find(db, &plain)?, true)];
    for thing in resource_table::of_type(db, "AWS::Lambda::Version", Some(&name.region))? {
        if let Some((function, number)) = thing.id.rsplit_once(':')
            && function == plain.plain_arn()
        {
            let named = Name { qualifier: Some(number.to_owned()), ..plain.clone() };
            all.push(configuration(&Function::find(db, &named)?, true));
        }
    }
    Ok(json!({ "Versions": all }))
}

pub(super) fn aliases(db: &Connection, name: &Name) -> Result<Value, ApiError> {
    let plain = Name { qualifier: None, ..name.clone() };
    Function::find(db, &plain)?;
    let mut all = Vec::new();
    for thing in resource_table::of_type(db, "AWS::Lambda::Alias", Some(&name.region))? {
        if let Some((function, alias)) = thing.id.rsplit_once(':')
            && function == plain.plain_arn()
        {
            all.push(json!({
                "AliasArn": thing.id,
                "Name": alias,
                "FunctionVersion": text(&thing.properties, "/FunctionVersion").unwrap_or_else(|| LATEST.to_owned()),
                "Description": text(&thing.properties, "/Description").unwrap_or_default(),
            }));
        }
    }
    Ok(json!({ "Aliases": all }))
}

pub(super) fn policy(db: &Connection, name: &Name) -> Result<Value, ApiError> {
    Function::find(db, name)?;
    let named = name.qualifier.as_ref().map_or(name.name.clone(), |qualifier| format!("{}:{qualifier}", name.name));
    let policy = permissions::policy(db, &name.region, &named)?;
    if policy.statements.is_empty() {
        let mut error = not_found(&name.arn());
        error.message = "The resource you requested does not exist.".to_owned();
        return Err(error);
    }
    Ok(json!({ "Policy": policy.to_value().to_string() }))
}

/// A layer's name and version, of a layer version's ARN.
fn layer_of(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":layer:")?.1.rsplit_once(':')
}

fn layer_entry(thing: &StoredResource) -> Option<Value> {
    let (_, version) = layer_of(&thing.id)?;
    let mut shown = json!({
        "LayerVersionArn": thing.id,
        "Version": version.parse::<i64>().ok()?,
        "Description": text(&thing.properties, "/Description").unwrap_or_default(),
        "CreatedDate": time(thing.state.get("Modified").and_then(Value::as_i64).unwrap_or(0)),
    });
    for name in ["CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"] {
        if let (Some(value), Some(shown)) = (thing.properties.get(name), shown.as_object_mut()) {
            shown.insert(name.to_owned(), value.clone());
        }
    }
    Some(shown)
}

pub(super) fn layers(db: &Connection, region: &str) -> Result<Value, ApiError> {
    let mut latest: Map<String, Value> = Map::new();
    // Versions come oldest first, so the last of a name is its latest.
    for thing in resource_table::of_type(db, LAYER, Some(region))? {
        let Some(((name, _), entry)) = layer_of(&thing.id).zip(layer_entry(&thing)) else { continue };
        let arn = thing.id.rsplit_once(':').map_or(thing.id.as_str(), |(arn, _)| arn);
        latest.insert(name.to_owned(), json!({ "LayerName": name, "LayerArn": arn, "LatestMatchingVersion": entry }));
    }
    Ok(json!({ "Layers": latest.into_iter().map(|(_, layer)| layer).collect::<Vec<_>>() }))
}

pub(super) fn layer_versions(db: &Connection, region: &str, name: &str) -> Result<Value, ApiError> {
    let name = name.split_once(":layer:").map_or(name, |(_, name)| name);
    let mut versions: Vec<Value> = resource_table::of_type(db, LAYER, Some(region))?
        .iter()
        .filter(|thing| layer_of(&thing.id).is_some_and(|(known, _)| known == name))
        .filter_map(layer_entry)
        .collect();
    versions.reverse();
    Ok(json!({ "LayerVersions": versions }))
}

pub(super) fn layer_version(db: &Connection, region: &str, arn: &str, url: &str) -> Result<Value, ApiError> {
    let missing = || {
        let mut error = not_found(arn);
        error.message = "The resource you requested does not exist.".to_owned();
        error
    };
    let thing = resource_table::find(db, LAYER, region, arn)?.ok_or_else(missing)?;
    let mut shown = layer_entry(&thing).ok_or_else(missing)?;
    if let (Some(blob), Some(shown)) = (code::kept(db, arn)?, shown.as_object_mut()) {
        let source = CodePackage::from(blob);
        shown.insert(
            "Content".to_owned(),
            json!({
                "Location": format!("{url}/_bedplate/code/{}", source.digest()),
                "CodeSha256": source.sha256_base64(),
                "CodeSize": source.size(),
            }),
        );
        let layer = arn.rsplit_once(':').map_or(arn, |(layer, _)| layer);
        shown.insert("LayerArn".to_owned(), json!(layer));
    }
    Ok(shown)
}
