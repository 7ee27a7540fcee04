//! What every type does unless it has a file of its own: an id by its format or its provider schema, attributes, a
//! refusal when the name is taken.

use serde_json::{Map, Value};

use super::formats::Formats;
use super::kinds::is_custom;
use super::naming::Naming;
use super::work::{Failure, ResourceWork, Site};
use super::{provider, returns};
use crate::ground::resource_table::{self, Made, StoredResource};
use crate::ground::scalar::text;
use bedplate_cfn::unique_names::unique_name;

/// Makes a thing by the formats and the schema of its type.
pub(crate) fn create(work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
    create_with(work, properties, Value::Null)
}

/// The same, with a state of the handler's own.
pub(crate) fn create_with(work: &ResourceWork<'_>, properties: &Value, state: Value) -> Result<Made, Failure> {
    let site = work.site;
    refuse_taken_name(work, None, properties)?;
    let formats = Formats::of(&site.resource_type).cloned().unwrap_or_default();
    let mut naming = Naming::new(site, &formats, properties, work.now);
    let name = naming.name();
    if formats.id.as_deref().is_some_and(|id| id.contains("${Counter}"))
        || formats.attributes.values().any(|format| format.contains("${Counter}"))
    {
        let counted = formats.counter.as_ref().and_then(|property| text(properties, property)).unwrap_or(name);
        naming.counter =
            Some(resource_table::next(work.db, &format!("{}/{}/{counted}", site.resource_type, site.region))?);
    }
    let id = naming.id();
    let scope = scope(site, &formats, properties);
    if let Some(other) = resource_table::find(work.db, &site.resource_type, &scope, &id)? {
        return Err(taken(&id, &other));
    }
    let attributes = naming.attributes(&id);
    let made = Made { id, attributes };
    resource_table::insert(
        work.db,
        &StoredResource {
            resource_type: site.resource_type.clone(),
            region: site.region.clone(),
            scope,
            id: made.id.clone(),
            stack_id: site.stack_id.clone(),
            logical_id: site.logical_id.clone(),
            properties: properties.clone(),
            attributes: made.attributes.clone(),
            state,
        },
    )?;
    Ok(made)
}

/// Changes a thing in place: its id and the attributes that do not depend on properties stay.
pub(crate) fn update(work: &ResourceWork<'_>, id: &str, properties: &Value) -> Result<Made, Failure> {
    let site = work.site;
    refuse_taken_name(work, Some(id), properties)?;
    let formats = Formats::of(&site.resource_type).cloned().unwrap_or_default();
    let found = resource_table::find(work.db, &site.resource_type, &scope(site, &formats, properties), id)?;
    let existing = match found {
        Some(existing) => Some(existing),
        // An older version may have put it elsewhere.
        None => {
            resource_table::find_anywhere(work.db, &site.resource_type, id)?.filter(|one| one.owner() == site.owner())
        }
    };
    let existing =
        existing.ok_or_else(|| Failure::handler("NotFound", format!("{} {id} does not exist", site.resource_type)))?;
    let mut naming = Naming::new(site, &formats, properties, work.now);
    let fresh = naming.attributes(id);
    let mut attributes = existing.attributes;
    for (name, value) in fresh {
        // When it was last touched is now.
        let touched = ["UpdatedAt", "UpdatedTime", "PreparedAt"].iter().any(|end| name.ends_with(end));
        let follows = touched
            || formats.attributes.get(&name).is_some_and(|format| {
                format.contains("${Property.")
                    && !["Upper:", "Lower:", "Mixed:", "Hex:"].iter().any(|random| format.contains(random))
            });
        if follows || !attributes.contains_key(&name) {
            attributes.insert(name, value);
        }
    }
    let made = Made { id: id.to_owned(), attributes };
    resource_table::update(work.db, &site.resource_type, site.owner(), &made, properties)?;
    Ok(made)
}

/// Deletes a thing.
pub(crate) fn delete(work: &ResourceWork<'_>, id: &str) -> Result<(), Failure> {
    Ok(resource_table::remove(work.db, &work.site.resource_type, work.site.owner(), id)?)
}

/// Refuses a name that another resource of the type has, where the service makes the ids and still wants names to be unique;
/// `own` is the id of the resource itself.
fn refuse_taken_name(work: &ResourceWork<'_>, own: Option<&str>, properties: &Value) -> Result<(), Failure> {
    let site = work.site;
    let Some(unique) = unique_name(&site.resource_type) else { return Ok(()) };
    let values = |properties: &Value| -> Option<Vec<String>> {
        unique.properties.iter().map(|property| text(properties, property)).collect()
    };
    let Some(wanted) = values(properties) else { return Ok(()) };
    let others = resource_table::of_type(work.db, &site.resource_type, Some(&site.region))?;
    let taken = others
        .iter()
        .any(|other| Some(other.id.as_str()) != own && values(&other.properties).as_ref() == Some(&wanted));
    if !taken {
        return Ok(());
    }
    let refusal = unique.refusal.replace("${Name}", wanted.last().map_or("", String::as_str));
    let (service, status) = (&unique.service, unique.status);
    Err(Failure::handler("AlreadyExists", format!("{refusal} (Service: {service}, Status Code: {status})")))
}

/// The refusal when an id is another resource's already.
pub(crate) fn taken(id: &str, other: &StoredResource) -> Failure {
    Failure::plain(format!("{id} already exists in stack {}", other.stack_id))
}

/// Where an id is unique.
pub(crate) fn scope(site: &Site, formats: &Formats, properties: &Value) -> String {
    match (&formats.scope, &formats.within) {
        (Some(scope), _) => scope.clone(),
        (None, Some(property)) => text(properties, property).unwrap_or_else(|| site.region.clone()),
        (None, None) => match returns::reference(&site.resource_type) {
            // `Ref` gives one part of what identifies it; the others say where that is unique.
            Some(reference) => {
                let primary = provider::primary_identifier(&site.resource_type);
                let others = primary.iter().filter(|name| *name != reference).filter_map(|name| text(properties, name));
                std::iter::once(site.region.clone()).chain(others).collect::<Vec<_>>().join("|")
            }
            None => site.region.clone(),
        },
    }
}

/// The values of a thing that the local target has invented: nobody knows whether AWS's own would fit where they go.
pub fn invented_values(
    resource_type: &str,
    id: &str,
    properties: &Value,
    attributes: &Map<String, Value>,
) -> Vec<String> {
    /// Shorter ones would be found in texts that have nothing to do with them.
    const SHORTEST: usize = 6;
    if is_custom(resource_type) {
        return Vec::new();
    }
    let formats = Formats::of(resource_type);
    let given =
        |value: &str| properties.as_object().is_some_and(|all| all.values().any(|one| one.as_str() == Some(value)));
    let own = formats.is_none_or(|formats| formats.id.is_none() && formats.name.is_none());
    let reference = Some(id).filter(|id| own && !given(id));
    let known = |name: &str| formats.is_some_and(|formats| formats.attributes.contains_key(name));
    let values = attributes.iter().filter(|(name, _)| !known(name)).map(|(_, value)| value);
    let texts = values.flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
    let texts = texts.filter_map(Value::as_str);
    texts.chain(reference).filter(|text| text.len() >= SHORTEST && !given(text)).map(str::to_owned).collect()
}

/// The name a template gives a resource itself, if it does: such a resource can't be replaced under the same name.
pub fn custom_name(resource_type: &str, properties: &Value) -> Option<String> {
    // The properties of a custom resource are its function's own.
    if is_custom(resource_type) {
        return None;
    }
    let name = match Formats::of(resource_type) {
        Some(formats) => formats.name.clone()?,
        None => {
            let [one] = <[String; 1]>::try_from(provider::primary_identifier(resource_type)).ok()?;
            one
        }
    };
    text(properties, &name)
}

/// The id a resource will have, where its template decides it.
pub fn planned_id(site: &Site, properties: &Value) -> Option<(String, String)> {
    let formats = Formats::of(&site.resource_type).cloned().unwrap_or_default();
    custom_name(&site.resource_type, properties)?;
    if formats.id.as_deref().is_some_and(|id| id.contains("${Counter}") || id.contains("${Mixed")) {
        return None;
    }
    let mut naming = Naming::new(site, &formats, properties, jiff::Timestamp::UNIX_EPOCH);
    Some((scope(site, &formats, properties), naming.id()))
}

/// The attributes a type has at all.
pub fn attributes_of(resource_type: &str) -> Vec<String> {
    provider::read_only(resource_type).into_iter().map(|(name, _)| name).collect()
}
