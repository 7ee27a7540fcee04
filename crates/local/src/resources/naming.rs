//! The id and the attributes of one resource: by the formats of its type, else by its provider schema.

use std::collections::BTreeMap;

use rand::Rng as _;
use serde_json::{Map, Value, json};

use super::fitting::{fits, fitting};
use super::formats::{Formats, fill};
use super::provider;
use super::returns;
use super::work::Site;
use crate::ground::scalar::{scalar, text};
use crate::ground::sources::stamp;
use bedplate_cfn::intrinsics::Environment;

/// The longest generated name where nothing else is known.
const NAME_MAX: usize = 128;

/// Names one resource.
pub(super) struct Naming<'a> {
    site: &'a Site,
    formats: &'a Formats,
    properties: &'a Value,
    environment: Environment,
    drawn: BTreeMap<String, String>,
    /// What `${Counter}` stands for.
    pub(super) counter: Option<i64>,
    generated: Option<String>,
    /// Values of identifiers and attributes that only the schema knows, by name.
    invented: BTreeMap<String, String>,
    id: Option<String>,
    stamp: String,
}

impl<'a> Naming<'a> {
    pub(super) fn new(site: &'a Site, formats: &'a Formats, properties: &'a Value, now: jiff::Timestamp) -> Self {
        let environment = Environment::new(site.account.clone(), site.region.clone(), site.stack_name.clone());
        Self {
            site,
            formats,
            properties,
            environment,
            drawn: BTreeMap::new(),
            counter: None,
            generated: None,
            invented: BTreeMap::new(),
            id: None,
            stamp: stamp(now),
        }
    }

    /// The name given or generated.
    pub(super) fn name(&mut self) -> String {
        let given = self.formats.name.as_ref().and_then(|property| text(self.properties, property));
        given.unwrap_or_else(|| self.generated())
    }

    fn generated(&mut self) -> String {
        let name = self.generated.take().unwrap_or_else(|| self.generate());
        self.generated = Some(name.clone());
        name
    }

    /// A name by the formats of the type, else such as the schema takes for the property that names it.
    fn generate(&self) -> String {
        let make = |max: usize, lower: bool, letters: bool| {
            generated_name(&self.site.stack_name, &self.site.logical_id, max, lower, letters)
        };
        let Formats { max, lower, letters, .. } = *self.formats;
        let resource_type = &self.site.resource_type;
        let named = if max.is_some() { None } else { provider::name_property(resource_type) };
        let Some(named) = named else { return make(max.unwrap_or(NAME_MAX), lower, letters) };
        provider::with_shape(resource_type, &named, |shape| {
            let most = shape.and_then(|shape| shape.max_length).and_then(|most| usize::try_from(most).ok());
            let max = most.unwrap_or(NAME_MAX).min(NAME_MAX);
            let kinds = [(lower, letters), (true, false), (false, true), (true, true)];
            let candidates: Vec<String> = kinds.into_iter().map(|(lower, letters)| make(max, lower, letters)).collect();
            let fitting_one = shape.and_then(|shape| candidates.iter().find(|name| fits(shape, name)).cloned());
            fitting_one.unwrap_or_else(|| fitting(shape, candidates))
        })
    }

    pub(super) fn id(&mut self) -> String {
        let id = match &self.formats.id {
            Some(format) => self.fill(format),
            None if self.formats.name.is_some() => Some(self.name()),
            None => Some(self.id_by_schema()),
        };
        let id = id.unwrap_or_else(|| self.generated());
        self.id = Some(id.clone());
        id
    }

    /// Without a format: what `Ref` is documented to give, else what the primary identifier's properties say.
    fn id_by_schema(&mut self) -> String {
        if let Some(name) = returns::reference(&self.site.resource_type) {
            return self.part(name);
        }
        let parts: Vec<String> =
            provider::primary_identifier(&self.site.resource_type).iter().map(|name| self.part(name)).collect();
        if parts.is_empty() { self.generated() } else { parts.join("|") }
    }

    /// One property or attribute as the template has it, else invented.
    fn part(&mut self, name: &str) -> String {
        let given = self.properties.pointer(&provider::pointer(name)).and_then(scalar);
        given.unwrap_or_else(|| self.invented(name))
    }

    /// A value for an identifier or attribute, such as the schema takes.
    fn invented(&mut self, name: &str) -> String {
        if let Some(known) = self.invented.get(name) {
            return known.clone();
        }
        let candidates = self.candidates(name);
        let resource_type = &self.site.resource_type;
        let value = provider::with_shape(resource_type, name, |shape| fitting(shape, candidates));
        self.invented.insert(name.to_owned(), value.clone());
        value
    }

    /// What a value could be, by the way its name ends. One resource's id, name and ARN agree with each other.
    fn candidates(&mut self, name: &str) -> Vec<String> {
        let last = name.rsplit('.').next().unwrap_or(name);
        let resource_type = self.site.resource_type.clone();
        let property = provider::name_property(&resource_type);
        let named = property.as_ref().and_then(|property| text(self.properties, property));
        if last.ends_with("Arn") || last.ends_with("ARN") {
            // Not the name that the template gives: whether names are unique, and where, the schema does not say.
            let tails = match self.id.as_deref() {
                Some(id) if !id.is_empty() && !id.starts_with("arn:") => vec![tail(id).to_owned()],
                _ => vec![self.generated(), self.draw("uuid", 0, LOWER), self.draw(last, 10, LOWER)],
            };
            let (service, kinds) = provider::arn_words(&resource_type);
            let start =
                format!("arn:{}:{service}:{}:{}:", self.environment.partition, self.site.region, self.site.account);
            let of = |tail: &String| {
                let with = |kind: &String| [format!("{start}{kind}/{tail}"), format!("{start}{kind}:{tail}")];
                let mut all: Vec<String> = kinds.iter().flat_map(with).collect();
                all.push(format!("{start}{tail}"));
                all
            };
            return tails.iter().flat_map(of).collect();
        }
        // What an ARN ends with, where that is what `Ref` gives.
        let of_arn = self.id.as_deref().filter(|id| id.starts_with("arn:")).map(|id| tail(id).to_owned());
        if last.ends_with("AccountId") {
            return vec![self.site.account.clone()];
        }
        if last.ends_with("Id") || last.ends_with("ID") || last.ends_with("Identifier") {
            let drawn = [("", 10, LOWER), ("hex", 32, HEX), ("upper", 10, UPPER), ("mixed", 22, MIXED)];
            let drawn = drawn.map(|(kind, length, alphabet)| self.draw(&format!("{last}{kind}"), length, alphabet));
            let uuid = self.draw("uuid", 0, LOWER);
            return of_arn.into_iter().chain(drawn).chain([uuid, self.generated()]).collect();
        }
        if last.ends_with("Name") {
            let id = self.id.clone().filter(|id| !id.starts_with("arn:"));
            return named.into_iter().chain(of_arn).chain(id).chain([self.generated()]).collect();
        }
        vec![self.generated()]
    }

    pub(super) fn attributes(&mut self, id: &str) -> Map<String, Value> {
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
            // What the template gives is read from its properties, which keep references to secrets.
            let given = || {
                provider::settable(&self.site.resource_type, &name)
                    && self.properties.pointer(&provider::pointer(&name)).is_some()
            };
            if !attributes.contains_key(&name) && !given() {
                let value = self.invented_attribute(&name, kind, id);
                attributes.insert(name, value);
            }
        }
        attributes
    }

    fn invented_attribute(&mut self, name: &str, kind: provider::AttributeKind, id: &str) -> Value {
        let resource_type = self.site.resource_type.clone();
        let by_formats = self.formats.id.is_some() || self.formats.name.is_some();
        match (returns::reference(&resource_type).filter(|_| !by_formats), provider::primary_identifier(&resource_type))
        {
            (Some(reference), _) if reference == name => return Value::String(id.to_owned()),
            (None, primary) if primary == [name] => return Value::String(id.to_owned()),
            (None, primary) if !by_formats && primary.len() == id.split('|').count() => {
                let part = primary.iter().zip(id.split('|')).find(|(own, _)| *own == name);
                if let Some((_, part)) = part {
                    return Value::String(part.to_owned());
                }
            }
            _ => {}
        }
        if let Some(default) = returns::default(&resource_type, name) {
            return default.clone();
        }
        let settable = provider::settable(&resource_type, name);
        match kind {
            provider::AttributeKind::Boolean => json!(false),
            provider::AttributeKind::Number => {
                let least = provider::with_shape(&resource_type, name, |shape| shape.and_then(|shape| shape.minimum));
                json!(least.filter(|least| *least > 0.0).map_or(0, |least| least.ceil() as i64))
            }
            // One entry, where entries are texts: most templates select the first.
            provider::AttributeKind::List if !settable && provider::lists_texts(&resource_type, name) => {
                json!([self.invented(name)])
            }
            provider::AttributeKind::List => json!([]),
            provider::AttributeKind::Object => json!({}),
            provider::AttributeKind::Text => Value::String(self.invented_text(name, settable)),
        }
    }

    fn invented_text(&mut self, name: &str, settable: bool) -> String {
        let last = name.rsplit('.').next().unwrap_or(name);
        let ends = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
        let usual = if settable && !ends(&["Name", "Id", "Arn", "ARN"]) {
            // A property that the template leaves out, and of which no default is known.
            return String::new();
        } else if ends(&["Time", "At", "Date"]) {
            self.stamp.clone()
        } else if ends(&["Status", "State"]) {
            "ACTIVE".to_owned()
        } else if last == "Version" {
            "1".to_owned()
        } else if ends(&["Url", "Endpoint", "URL"]) {
            format!("https://{}.{}.{}", self.draw("host", 10, LOWER), self.site.region, self.environment.url_suffix)
        } else {
            return self.invented(name);
        };
        let usual = vec![usual, self.draw("host", 10, LOWER)];
        provider::with_shape(&self.site.resource_type, name, |shape| fitting(shape, usual))
    }

    fn draw(&mut self, key: &str, length: usize, alphabet: &[u8]) -> String {
        let make = || if key == "uuid" { uuid::Uuid::new_v4().to_string() } else { random(length, alphabet) };
        self.drawn.entry(key.to_owned()).or_insert_with(make).clone()
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

    /// Of every type that nothing but its schema is known of.
    #[test]
    fn ids_and_attributes_are_such_as_the_schema_takes_and_agree() {
        let formats = Formats::default();
        let properties = json!({});
        let (mut seen, mut wrong) = (0, Vec::new());
        for resource_type in bedplate_cfn::Schemas::embedded().types().filter(|name| Formats::of(name).is_none()) {
            let site = Site {
                account: "123456789012".to_owned(),
                region: "us-west-2".to_owned(),
                stack_id: "arn:aws:cloudformation:us-west-2:123456789012:stack/demo/1".to_owned(),
                stack_name: "demo".to_owned(),
                logical_id: "ALogicalIdOfSomeLength".to_owned(),
                resource_type: resource_type.to_owned(),
            };
            let mut naming = Naming::new(&site, &formats, &properties, jiff::Timestamp::UNIX_EPOCH);
            let id = naming.id();
            let attributes = naming.attributes(&id);
            let takes = |name: &str, text: &str| {
                provider::with_shape(resource_type, name, |shape| shape.is_none_or(|shape| fits(shape, text)))
            };
            if let [one] = provider::primary_identifier(resource_type).as_slice()
                && returns::reference(resource_type).is_none()
                && !takes(one, &id)
            {
                wrong.push(format!("{resource_type} {id}"));
            }
            for (name, value) in attributes.iter().filter_map(|(name, value)| Some((name, value.as_str()?))) {
                seen += 1;
                if !provider::settable(resource_type, name) && !takes(name, value) {
                    wrong.push(format!("{resource_type}.{name} {value}"));
                }
            }
            if let Some(arn) =
                attributes.get("Arn").and_then(Value::as_str).filter(|arn| *arn != id && !id.contains('|'))
                && !arn.ends_with(tail(&id))
            {
                wrong.push(format!("{resource_type}: {id} and {arn}"));
            }
        }
        assert!(seen > 1_000, "{seen}");
        assert!(wrong.len() * 100 <= seen, "{} of {seen}: {wrong:#?}", wrong.len());
    }

    #[test]
    fn what_follows_the_last_separator_is_the_tail() {
        assert_eq!(tail("arn:aws:lambda:us-west-2:123456789012:function:design"), "design");
        assert_eq!(tail("arn:aws:bedrock:us-west-2:123456789012:guardrail/abc"), "abc");
        assert_eq!(tail("plain"), "plain");
    }
}
