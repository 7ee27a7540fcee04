//! What every type does unless it has a file of its own: an id by its format or its provider schema, attributes, a
//! refusal when the name is taken.

use std::collections::BTreeMap;

use rand::Rng as _;
use serde_json::{Map, Value, json};

use super::formats::{Formats, fill};
use super::kinds::is_custom;
use super::provider;
use super::work::{Failure, ResourceWork, Site};
use crate::ground::resource_table::{self, Made, StoredResource};
use crate::ground::scalar::{scalar, text};
use crate::ground::sources::stamp;
use bedplate_cfn::intrinsics::Environment;
use bedplate_cfn::unique_names::unique_name;

/// The longest generated name where nothing else is known.
const NAME_MAX: usize = 128;

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
    let existing = resource_table::find(work.db, &site.resource_type, &scope(site, &formats, properties), id)?
        .ok_or_else(|| Failure::handler("NotFound", format!("{} {id} does not exist", site.resource_type)))?;
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
    resource_table::update(work.db, &site.resource_type, &site.stack_id, &made, properties)?;
    Ok(made)
}

/// Deletes a thing.
pub(crate) fn delete(work: &ResourceWork<'_>, id: &str) -> Result<(), Failure> {
    Ok(resource_table::remove(work.db, &work.site.resource_type, &work.site.stack_id, id)?)
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
        (None, None) => site.region.clone(),
    }
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

/// Fills the formats of one resource in.
struct Naming<'a> {
    site: &'a Site,
    formats: &'a Formats,
    properties: &'a Value,
    environment: Environment,
    drawn: BTreeMap<String, String>,
    counter: Option<i64>,
    generated: Option<String>,
    id: Option<String>,
    stamp: String,
}

impl<'a> Naming<'a> {
    fn new(site: &'a Site, formats: &'a Formats, properties: &'a Value, now: jiff::Timestamp) -> Self {
        let environment = Environment::new(site.account.clone(), site.region.clone(), site.stack_name.clone());
        Self {
            site,
            formats,
            properties,
            environment,
            drawn: BTreeMap::new(),
            counter: None,
            generated: None,
            id: None,
            stamp: stamp(now),
        }
    }

    /// The name given or generated.
    fn name(&mut self) -> String {
        let given = self.formats.name.as_ref().and_then(|property| text(self.properties, property));
        given.unwrap_or_else(|| self.generated())
    }

    fn generated(&mut self) -> String {
        let name = self.generated.take().unwrap_or_else(|| {
            generated_name(
                &self.site.stack_name,
                &self.site.logical_id,
                self.formats.max.unwrap_or(NAME_MAX),
                self.formats.lower,
                self.formats.letters,
            )
        });
        self.generated = Some(name.clone());
        name
    }

    fn id(&mut self) -> String {
        let id = match &self.formats.id {
            Some(format) => self.fill(format),
            None if self.formats.name.is_some() => Some(self.name()),
            None => Some(self.id_by_schema()),
        };
        let id = id.unwrap_or_else(|| self.generated());
        self.id = Some(id.clone());
        id
    }

    /// Without a format: what the primary identifier's properties say, or something that looks like one.
    fn id_by_schema(&mut self) -> String {
        let parts: Vec<String> = provider::primary_identifier(&self.site.resource_type)
            .iter()
            .map(|name| match text(self.properties, name) {
                Some(given) => given,
                None => self.invented(name),
            })
            .collect();
        if parts.is_empty() { self.generated() } else { parts.join("|") }
    }

    /// A value for an identifier or attribute by the way its name ends.
    fn invented(&mut self, name: &str) -> String {
        let last = name.rsplit('.').next().unwrap_or(name);
        if last.ends_with("Arn") {
            let mut parts = self.site.resource_type.split("::").skip(1);
            let service = parts.next().unwrap_or_default().to_ascii_lowercase();
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let generated = self.generated();
            format!(
                "arn:{}:{service}:{}:{}:{kind}/{generated}",
                self.environment.partition, self.site.region, self.site.account
            )
        } else if last.ends_with("Id") || last.ends_with("Identifier") {
            self.draw(last, 10, LOWER)
        } else {
            self.generated()
        }
    }

    fn attributes(&mut self, id: &str) -> Map<String, Value> {
        self.id = Some(id.to_owned());
        let mut attributes = Map::new();
        let known = provider::read_only(&self.site.resource_type);
        let formats = self.formats;
        for (name, format) in &formats.attributes {
            let (kind, format) = match format.split_at_checked(1) {
                Some(("#", rest)) => ('#', rest),
                Some(("?", rest)) => ('?', rest),
                Some(("[", rest)) => ('[', rest),
                _ => ('"', format.as_str()),
            };
            let Some(filled) = self.fill(format) else { continue };
            let value = match kind {
                '#' => filled.parse::<i64>().map_or(Value::Null, Value::from),
                '?' => json!(filled == "true"),
                '[' => json!([filled]),
                _ => Value::String(filled),
            };
            attributes.insert(name.clone(), value);
        }
        for (name, kind) in known {
            if !attributes.contains_key(&name) {
                let value = self.invented_attribute(&name, kind, id);
                attributes.insert(name, value);
            }
        }
        attributes
    }

    fn invented_attribute(&mut self, name: &str, kind: provider::AttributeKind, id: &str) -> Value {
        let primary = provider::primary_identifier(&self.site.resource_type);
        if primary.len() == 1 && primary.first().is_some_and(|one| one == name) {
            return Value::String(id.to_owned());
        }
        match kind {
            provider::AttributeKind::Boolean => json!(false),
            provider::AttributeKind::Number => json!(0),
            provider::AttributeKind::List => json!([]),
            provider::AttributeKind::Object => json!({}),
            provider::AttributeKind::Text => {
                let last = name.rsplit('.').next().unwrap_or(name);
                Value::String(if last.ends_with("Time") || last.ends_with("At") || last.ends_with("Date") {
                    self.stamp.clone()
                } else if last.ends_with("Status") || last.ends_with("State") {
                    "ACTIVE".to_owned()
                } else if last == "Version" {
                    "1".to_owned()
                } else if last.ends_with("Url") || last.ends_with("Endpoint") || last.ends_with("URL") {
                    format!(
                        "https://{}.{}.{}",
                        self.draw("host", 10, LOWER),
                        self.site.region,
                        self.environment.url_suffix
                    )
                } else {
                    self.invented(name)
                })
            }
        }
    }

    fn draw(&mut self, key: &str, length: usize, alphabet: &[u8]) -> String {
        self.drawn.entry(key.to_owned()).or_insert_with(|| random(length, alphabet)).clone()
    }

    fn fill(&mut self, format: &str) -> Option<String> {
        fill(format, &mut |name| self.variable(name))
    }

    fn variable(&mut self, name: &str) -> Option<String> {
        if let Some(format) = self.formats.locals.get(name) {
            if let Some(known) = self.drawn.get(name) {
                return Some(known.clone());
            }
            let filled = self.fill(format)?;
            self.drawn.insert(name.to_owned(), filled.clone());
            return Some(filled);
        }
        if let Some(property) = name.strip_prefix("Property.") {
            return scalar(self.properties.get(property)?);
        }
        if let Some(property) = name.strip_prefix("Tail.") {
            return Some(tail(&scalar(self.properties.get(property)?)?).to_owned());
        }
        if let Some((kind, length)) = name.split_once(':') {
            let length = length.parse().ok()?;
            let alphabet = match kind {
                "Upper" => UPPER,
                "Lower" => LOWER,
                "Mixed" => MIXED,
                "Hex" => HEX,
                _ => return None,
            };
            return Some(random(length, alphabet));
        }
        Some(match name {
            "Region" => self.site.region.clone(),
            "Account" => self.site.account.clone(),
            "Partition" => self.environment.partition.clone(),
            "Suffix" => self.environment.url_suffix.clone(),
            "StackName" => self.site.stack_name.clone(),
            "StackId" => self.site.stack_id.clone(),
            "LogicalId" => self.site.logical_id.clone(),
            "Name" => match &self.id {
                Some(id) if self.generated.is_none() && self.formats.name.is_some() => {
                    let given = self.formats.name.as_ref().and_then(|property| text(self.properties, property));
                    given.unwrap_or_else(|| tail(id).to_owned())
                }
                _ => self.name(),
            },
            "LowerName" => self.variable("Name")?.to_ascii_lowercase(),
            "Generated" => self.generated(),
            "Ref" => self.id.clone()?,
            "Last.Ref" => tail(self.id.as_deref()?).to_owned(),
            "Counter" => match (self.counter, &self.id) {
                (Some(counter), _) => counter.to_string(),
                (None, Some(id)) => tail(id).to_owned(),
                (None, None) => return None,
            },
            "Scheme" => {
                if text(self.properties, "ProtocolType").as_deref() == Some("WEBSOCKET") { "wss" } else { "https" }
                    .to_owned()
            }
            "Zone" => "usw2-az1".to_owned(),
            "Uuid" => uuid::Uuid::new_v4().to_string(),
            "Time" => self.stamp.trim_end_matches('Z').to_owned(),
            "Address" => {
                let mut rng = rand::rng();
                format!("203.0.113.{}", rng.random_range(1..255))
            }
            _ => return None,
        })
    }
}

/// What follows the last separator of an ARN or a composite id.
fn tail(text: &str) -> &str {
    text.rsplit(['/', ':', '|']).next().unwrap_or(text)
}

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";

/// Random characters of an alphabet.
fn random(length: usize, alphabet: &[u8]) -> String {
    let mut rng = rand::rng();
    (0..length)
        .filter_map(|_| alphabet.get(rng.random_range(0..alphabet.len())).map(|byte| char::from(*byte)))
        .collect()
}

/// A name as CloudFormation makes it: stack, logical id and random characters, cut to what the type takes.
fn generated_name(stack: &str, logical_id: &str, max: usize, lower: bool, letters: bool) -> String {
    let suffix = random(12, if lower { LOWER } else { UPPER });
    let separator = if letters { "" } else { "-" };
    let room = max.saturating_sub(suffix.len() + 2 * separator.len());
    // Both parts keep at least half of the room; what one does not need is the other's.
    let half = room / 2;
    let stack_room = if logical_id.len() < half { room - logical_id.len() } else { room - half };
    let stack: String = stack.chars().filter(|c| !letters || c.is_ascii_alphanumeric()).take(stack_room).collect();
    let logical: String = logical_id.chars().take(room.saturating_sub(stack.len())).collect();
    let name = format!("{stack}{separator}{logical}{separator}{suffix}");
    if lower { name.to_ascii_lowercase() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_keep_both_parts_and_fit() {
        let name = generated_name("movie-poster-dev", "DesignFunction", 64, false, false);
        assert!(name.starts_with("movie-poster-dev-DesignFunction-"), "{name}");
        assert_eq!(name.len(), "movie-poster-dev-DesignFunction-".len() + 12);
        for max in [24, 63, 64, 100] {
            let name = generated_name(&"s".repeat(128), &"L".repeat(255), max, true, false);
            assert!(name.len() <= max, "{max}: {name}");
            assert!(name.contains("s-l"), "{name}");
        }
    }

    #[test]
    fn what_follows_the_last_separator_is_the_tail() {
        assert_eq!(tail("arn:aws:lambda:us-west-2:123456789012:function:design"), "design");
        assert_eq!(tail("arn:aws:bedrock:us-west-2:123456789012:guardrail/abc"), "abc");
        assert_eq!(tail("plain"), "plain");
    }
}
