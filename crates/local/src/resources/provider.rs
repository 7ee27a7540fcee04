//! What the provider schemas say of a type, in the terms the local target needs.

use serde_json::Value;

use super::returns;
use crate::ground::scalar::scalar;
use bedplate_cfn::schema::{Extra, Match, Pointer, ResourceSchema, Schemas, Shape, Types, matches};

/// How deep properties are looked at.
const DEPTH: usize = 64;

/// The broad kind of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// Text, or not known.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// A mapping.
    Object,
}

/// Whether CloudFormation has a type.
pub fn known(resource_type: &str) -> bool {
    Schemas::embedded().has(resource_type)
}

/// The properties that identify a resource, by name.
pub fn primary_identifier(resource_type: &str) -> Vec<String> {
    let schema = Schemas::embedded().get(resource_type);
    schema
        .map(|schema| schema.primary_identifier().iter().map(|pointer| pointer.attribute()).collect())
        .unwrap_or_default()
}

/// The attributes `Fn::GetAtt` gives, with their kinds. Those under lists or any name have no value of their own.
pub fn read_only(resource_type: &str) -> Vec<(String, AttributeKind)> {
    let Some(schema) = Schemas::embedded().get(resource_type) else { return Vec::new() };
    schema
        .attributes()
        .filter(|name| !name.contains('*'))
        .map(|name| {
            let kind = schema.attribute(&name).map_or(AttributeKind::Text, kind_of);
            (name, kind)
        })
        .collect()
}

/// The JSON pointer to an attribute among the properties of a resource.
pub fn pointer(attribute: &str) -> String {
    format!("/{}", attribute.replace(['.', '/'], "/"))
}

/// Whether an attribute is a property that a template can set.
pub fn settable(resource_type: &str, attribute: &str) -> bool {
    let Some(schema) = Schemas::embedded().get(resource_type) else { return false };
    let parts: Vec<&str> = attribute.split(['.', '/']).collect();
    schema.at(&Pointer::new(&attribute.replace('.', "/"))).is_some()
        && !schema.read_only().iter().any(|pointer| pointer.covers(&parts))
}

/// Does something with the shape of a property or attribute, if the schema knows it.
pub fn with_shape<T>(resource_type: &str, name: &str, work: impl FnOnce(Option<&Shape>) -> T) -> T {
    let schema = Schemas::embedded().get(resource_type);
    work(schema.as_deref().and_then(|schema| schema.at(&Pointer::new(&name.replace('.', "/")))))
}

/// Whether an attribute is a list of texts.
pub fn lists_texts(resource_type: &str, name: &str) -> bool {
    let Some(schema) = Schemas::embedded().get(resource_type) else { return false };
    let items = schema.attribute(name).and_then(|shape| shape.items.as_deref()).map(|items| schema.resolve(items));
    items.is_some_and(|items| items.types.has(Types::STRING))
}

/// The property that a template names a resource by, where the schema shows it.
pub fn name_property(resource_type: &str) -> Option<String> {
    let schema = Schemas::embedded().get(resource_type)?;
    let kind = resource_type.rsplit("::").next().unwrap_or_default();
    let primary = match schema.primary_identifier() {
        [one] => Some(one.attribute()),
        _ => None,
    };
    let candidates = primary.into_iter().chain([format!("{kind}Name"), "Name".to_owned()]);
    let is_text = |name: &str| schema.property(name).is_some_and(|shape| kind_of(shape) == AttributeKind::Text);
    candidates.into_iter().find(|name| settable(resource_type, name) && is_text(name))
}

/// The service and the words for the kind that ARNs of a type may have.
pub fn arn_words(resource_type: &str) -> (String, Vec<String>) {
    let mut parts = resource_type.split("::").skip(1);
    let (service, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut hyphens = String::new();
    for character in kind.chars() {
        if character.is_ascii_uppercase() && hyphens.ends_with(|before: char| before.is_ascii_lowercase()) {
            hyphens.push('-');
        }
        hyphens.push(character.to_ascii_lowercase());
    }
    let mut camel = kind.to_owned();
    if let Some(first) = camel.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let service = returns::arn_service(service).map_or_else(|| service.to_ascii_lowercase(), str::to_owned);
    (service, vec![kind.to_ascii_lowercase(), hyphens, camel])
}

fn kind_of(shape: &Shape) -> AttributeKind {
    let types = shape.types;
    if types.is_any() || types.has(Types::STRING) {
        AttributeKind::Text
    } else if types.has(Types::INTEGER) || types.has(Types::NUMBER) {
        AttributeKind::Number
    } else if types.has(Types::BOOLEAN) {
        AttributeKind::Boolean
    } else if types.has(Types::ARRAY) {
        AttributeKind::List
    } else {
        AttributeKind::Object
    }
}

/// What is wrong with resolved properties, as the provider framework words it.
pub fn property_errors(resource_type: &str, properties: &Value) -> Vec<String> {
    property_errors_but(resource_type, properties, &|_| false)
}

/// The same, but for the length, the pattern and the choices of texts that are excused.
pub fn property_errors_but(resource_type: &str, properties: &Value, excused: &dyn Fn(&str) -> bool) -> Vec<String> {
    let Some(schema) = Schemas::embedded().get(resource_type) else { return Vec::new() };
    let mut errors = Vec::new();
    Check { schema: &schema, excused }.value(schema.shape(), properties, "#", DEPTH, &mut errors);
    errors
}

/// How properties are checked.
struct Check<'a> {
    schema: &'a ResourceSchema,
    /// Texts that may have any length and form.
    excused: &'a dyn Fn(&str) -> bool,
}

impl Check<'_> {
    fn value(&self, shape: &Shape, value: &Value, path: &str, depth: usize, errors: &mut Vec<String>) {
        let shape = self.schema.resolve(shape);
        if depth == 0 || value.is_null() {
            return;
        }
        let found = match value {
            Value::Object(_) => (Types::OBJECT, "JSONObject"),
            Value::Array(_) => (Types::ARRAY, "JSONArray"),
            _ => (Types::SCALAR, "String"),
        };
        if !shape.types.meets(found.0) {
            let expected = if shape.types.has(Types::ARRAY) {
                "JSONArray"
            } else if shape.types.has(Types::OBJECT) {
                "JSONObject"
            } else if shape.types.has(Types::STRING) {
                "String"
            } else if shape.types.has(Types::BOOLEAN) {
                "Boolean"
            } else {
                "Number"
            };
            errors.push(format!("{path}: expected type: {expected}, found: {}", found.1));
            return;
        }
        match value {
            Value::Object(map) => {
                for (name, item) in map {
                    let by_pattern =
                        || shape.pattern_properties.iter().find(|(pattern, _)| matches(pattern, name) == Match::Yes);
                    if let Some(inner) = shape.properties.get(name.as_str()) {
                        self.value(inner, item, &format!("{path}/{name}"), depth - 1, errors);
                    } else if let Some((_, inner)) = by_pattern() {
                        self.value(inner, item, &format!("{path}/{name}"), depth - 1, errors);
                    } else {
                        match &shape.additional_properties {
                            Extra::Any => {}
                            Extra::None => errors.push(format!("{path}: extraneous key [{name}] is not permitted")),
                            Extra::Shaped(inner) => {
                                self.value(inner, item, &format!("{path}/{name}"), depth - 1, errors);
                            }
                        }
                    }
                }
                for name in &shape.required {
                    if !map.contains_key(&**name) {
                        errors.push(format!("{path}: required key [{name}] not found"));
                    }
                }
            }
            Value::Array(items) => {
                if let Some(inner) = &shape.items {
                    for (index, item) in items.iter().enumerate() {
                        self.value(inner, item, &format!("{path}/{index}"), depth - 1, errors);
                    }
                }
                let count = items.len() as u64;
                if let Some(least) = shape.min_items.filter(|least| count < *least) {
                    errors.push(format!("{path}: expected minimum item count: {least}, found: {count}"));
                }
                if let Some(most) = shape.max_items.filter(|most| count > *most) {
                    errors.push(format!("{path}: expected maximum item count: {most}, found: {count}"));
                }
            }
            scalar => self.scalar(shape, scalar, path, errors),
        }
    }

    fn scalar(&self, shape: &Shape, value: &Value, path: &str, errors: &mut Vec<String>) {
        let text = scalar(value).unwrap_or_default();
        // What is known only once another resource is there is judged then, when this one is made.
        if text.contains(bedplate_cfn::intrinsics::UNKNOWN) {
            return;
        }
        let only = |types: Types| !shape.types.is_any() && shape.types.has(types) && !shape.types.has(Types::STRING);
        if only(Types::BOOLEAN) && !["true", "false"].contains(&text.to_ascii_lowercase().as_str()) {
            errors.push(format!("{path}: expected type: Boolean, found: String"));
            return;
        }
        if only(Types::INTEGER) || only(Types::NUMBER) {
            let Ok(number) = text.parse::<f64>() else {
                errors.push(format!("{path}: expected type: Number, found: String"));
                return;
            };
            if let Some(least) = shape.minimum.filter(|least| number < *least) {
                errors.push(format!("{path}: {text} is not greater or equal to {least}"));
            }
            if let Some(most) = shape.maximum.filter(|most| number > *most) {
                errors.push(format!("{path}: {text} is not less or equal to {most}"));
            }
        }
        let before = errors.len();
        let choice = |choice: &Value| scalar(choice).is_some_and(|choice| choice == text);
        if !shape.choices.is_empty() && !shape.choices.iter().any(choice) {
            errors.push(format!("{path}: {text} is not a valid enum value"));
        }
        if shape.types.is_any() || shape.types.has(Types::STRING) {
            let length = text.chars().count() as u64;
            if let Some(least) = shape.min_length.filter(|least| length < *least) {
                errors.push(format!("{path}: expected minLength: {least}, actual: {length}"));
            }
            if let Some(most) = shape.max_length.filter(|most| length > *most) {
                errors.push(format!("{path}: expected maxLength: {most}, actual: {length}"));
            }
            if let Some(pattern) = &shape.pattern
                && !text.contains("{{resolve:")
                && matches(pattern, &text) == Match::No
            {
                errors.push(format!("{path}: failed validation constraint for keyword [pattern]"));
            }
        }
        if errors.len() > before && (self.excused)(&text) {
            errors.truncate(before);
        }
    }
}
