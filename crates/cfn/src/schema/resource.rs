//! The schema of one resource type.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Schemas;
use super::pointer::Pointer;
use super::shape::Shape;
use bedplate_text::suggestion::nearest;

/// The end of a type's life, as its publisher announced it.
#[derive(Debug, Clone, Deserialize)]
pub struct Lifecycle {
    /// When, as a date.
    #[serde(default)]
    pub date: Option<String>,
    /// For example `sunset`.
    #[serde(default)]
    pub status: Option<String>,
}

/// What one resource type takes and gives.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceSchema {
    #[serde(skip)]
    name: &'static str,
    only_in: Option<Vec<String>>,
    not_in: Option<Vec<String>>,
    #[serde(default)]
    primary_identifier: Vec<Pointer>,
    #[serde(default)]
    additional_identifiers: Vec<Vec<Pointer>>,
    #[serde(default)]
    create_only: Vec<Pointer>,
    #[serde(default)]
    conditional_create_only: Vec<Pointer>,
    #[serde(default)]
    read_only: Vec<Pointer>,
    #[serde(default)]
    write_only: Vec<Pointer>,
    #[serde(default)]
    deprecated: Vec<Pointer>,
    #[serde(default)]
    attributes: Vec<String>,
    tags: Option<Pointer>,
    #[serde(default)]
    tags_create_only: bool,
    #[serde(default)]
    delete_before_create: bool,
    lifecycle: Option<Lifecycle>,
    #[serde(default)]
    shape: Shape,
    #[serde(default)]
    properties: BTreeMap<Box<str>, Shape>,
    #[serde(default)]
    definitions: BTreeMap<Box<str>, Shape>,
}

/// Shapes refer to each other; a chain longer than this would be a circle.
const REFERENCE_LIMIT: usize = 16;

impl ResourceSchema {
    pub(crate) fn parse(name: &'static str, text: &[u8]) -> Result<Self, serde_json::Error> {
        let mut schema: Self = serde_json::from_slice(text)?;
        schema.name = name;
        schema.shape.properties = std::mem::take(&mut schema.properties);
        Ok(schema)
    }

    /// The type, such as `AWS::S3::Bucket`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The shape of the resource's properties as a whole.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Its top-level properties with their shapes, sorted by name.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Shape)> {
        self.shape.properties.iter().map(|(name, shape)| (&**name, self.resolve(shape)))
    }

    /// One top-level property, references followed.
    pub fn property(&self, name: &str) -> Option<&Shape> {
        self.shape.properties.get(name).map(|shape| self.resolve(shape))
    }

    /// The names of the properties that must be there.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.shape.required.iter().map(|name| &**name)
    }

    /// The property most like a name that is none.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        nearest(name, self.shape.properties.keys().map(|key| &**key))
    }

    /// The shape a shape refers to, or itself.
    pub fn resolve<'a>(&'a self, shape: &'a Shape) -> &'a Shape {
        let mut here = shape;
        for _ in 0..REFERENCE_LIMIT {
            let Some(next) = here.reference.as_deref().and_then(|name| self.definition(name)) else { break };
            here = next;
        }
        here
    }

    /// A shared shape by the name a `$ref` has.
    pub fn definition(&self, name: &str) -> Option<&Shape> {
        match name.strip_prefix('.') {
            Some(property) => self.shape.properties.get(property),
            None => self.definitions.get(name),
        }
    }

    /// The shape at a pointer such as `VpcConfig/SubnetIds/*`.
    pub fn at(&self, pointer: &Pointer) -> Option<&Shape> {
        let mut here = &self.shape;
        for part in pointer.parts() {
            let resolved = self.resolve(here);
            here = match (part.as_str(), &resolved.items) {
                ("*", Some(items)) => items,
                ("*", None) => resolved.pattern_properties.values().next()?,
                (name, Some(items)) => self.resolve(items).properties.get(name)?,
                (name, None) => {
                    resolved.properties.get(name).or_else(|| resolved.pattern_properties.values().next())?
                }
            };
        }
        Some(self.resolve(here))
    }

    /// The properties that identify a resource; joined by `|` they are its Cloud Control identifier, and mostly what
    /// `Ref` gives.
    pub fn primary_identifier(&self) -> &[Pointer] {
        &self.primary_identifier
    }

    /// Other sets of properties that identify a resource.
    pub fn additional_identifiers(&self) -> &[Vec<Pointer>] {
        &self.additional_identifiers
    }

    /// Properties whose change replaces the resource.
    pub fn create_only(&self) -> &[Pointer] {
        &self.create_only
    }

    /// Properties whose change may replace the resource.
    pub fn conditional_create_only(&self) -> &[Pointer] {
        &self.conditional_create_only
    }

    /// Properties that the service sets and a template can't.
    pub fn read_only(&self) -> &[Pointer] {
        &self.read_only
    }

    /// Properties that can be set and not read back.
    pub fn write_only(&self) -> &[Pointer] {
        &self.write_only
    }

    /// Properties the publisher advises against.
    pub fn deprecated(&self) -> &[Pointer] {
        &self.deprecated
    }

    /// The attributes `Fn::GetAtt` gives; a last part `*` stands for any name.
    pub fn attributes(&self) -> impl Iterator<Item = String> {
        self.read_only.iter().map(Pointer::attribute).chain(self.attributes.iter().cloned())
    }

    /// Whether `Fn::GetAtt` gives an attribute of that name.
    pub fn has_attribute(&self, name: &str) -> bool {
        self.attributes().any(|own| {
            own == name
                || own.strip_suffix('*').is_some_and(|start| name.len() > start.len() && name.starts_with(start))
        })
    }

    /// The shape of an attribute, when the schema knows it.
    pub fn attribute(&self, name: &str) -> Option<&Shape> {
        if !self.has_attribute(name) {
            return None;
        }
        self.at(&Pointer::new(&name.replace('.', "/")))
    }

    /// The property that holds the tags, when the type takes any.
    pub fn tags(&self) -> Option<&Pointer> {
        self.tags.as_ref()
    }

    /// Whether tags can only be given when the resource is made.
    pub fn tags_create_only(&self) -> bool {
        self.tags_create_only
    }

    /// Whether a replacement deletes the old resource before it makes the new one.
    pub fn delete_before_create(&self) -> bool {
        self.delete_before_create
    }

    /// The announced end of the type's life.
    pub fn lifecycle(&self) -> Option<&Lifecycle> {
        self.lifecycle.as_ref()
    }

    /// Whether a region has the type; `None` when nothing is known of the region.
    pub fn in_region(&self, region: &str) -> Option<bool> {
        if !Schemas::embedded().regions().iter().any(|known| known == region) {
            return None;
        }
        let named = |list: &Vec<String>| list.iter().any(|name| name == region);
        Some(match (&self.only_in, &self.not_in) {
            (Some(only), _) => named(only),
            (None, Some(not)) => !named(not),
            (None, None) => true,
        })
    }

    /// The known regions that have the type.
    pub fn regions(&self) -> impl Iterator<Item = &'static str> {
        Schemas::embedded().regions().iter().map(String::as_str).filter(|region| self.in_region(region) == Some(true))
    }
}
