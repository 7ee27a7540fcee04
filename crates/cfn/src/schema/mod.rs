//! Provider schemas: what every CloudFormation resource type takes and gives.
//!
//! The facts are `schemas/cloudformation/`, made by `scripts/make-schemas` and packed by `build.rs`, one compressed
//! entry a type. [`Schemas::embedded`] unpacks a type when it is first asked for and keeps it.

mod pattern;
mod pointer;
mod resource;
mod shape;

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use flate2::read::DeflateDecoder;
use serde::Deserialize;

use bedplate_text::suggestion::nearest;

pub use pattern::Pattern;
pub use pattern::{Match, matches};
pub use pointer::Pointer;
pub use resource::{Lifecycle, ResourceSchema};
pub use shape::{Extra, Shape, Types};

/// Name, where its deflate stream starts, how long that is, how long the JSON is; sorted by name.
type Entry = (&'static str, usize, usize, usize);

static INDEX: &[Entry] = include!(concat!(env!("OUT_DIR"), "/provider_schemas.rs"));
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/provider_schemas.bin"));
static SOURCE: &str = include_str!("../../../../schemas/cloudformation/index.json");

/// Where the schemas come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Package and version.
    pub source: String,
    /// The codes of the package's rules that the shapes of their types hold.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The date of the data, RFC 3339.
    pub date: String,
    /// How many types.
    pub types: usize,
    /// The regions whose types are known.
    pub regions: Vec<String>,
}

/// All provider schemas.
#[derive(Debug)]
pub struct Schemas {
    cache: RwLock<HashMap<&'static str, Arc<ResourceSchema>>>,
    source: Source,
}

impl Schemas {
    /// The schemas in this binary.
    pub fn embedded() -> &'static Self {
        static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
        SCHEMAS.get_or_init(|| Self {
            cache: RwLock::default(),
            // The file is in the binary and a test reads it, so the fallback is never seen.
            source: serde_json::from_str(SOURCE).unwrap_or_else(|_| Source {
                source: String::new(),
                rules: Vec::new(),
                date: String::new(),
                types: 0,
                regions: Vec::new(),
            }),
        })
    }

    /// The schema of a type; every `Custom::…` has the one of `AWS::CloudFormation::CustomResource`.
    pub fn get(&self, type_: &str) -> Option<Arc<ResourceSchema>> {
        let type_ = if type_.starts_with("Custom::") { "AWS::CloudFormation::CustomResource" } else { type_ };
        if let Some(known) = self.cache.read().unwrap_or_else(PoisonError::into_inner).get(type_) {
            return Some(Arc::clone(known));
        }
        let position = INDEX.binary_search_by(|(name, ..)| (*name).cmp(type_)).ok()?;
        let (name, start, length, unpacked) = *INDEX.get(position)?;
        let stream = PACKED.get(start..start.checked_add(length)?)?;
        let mut text = Vec::with_capacity(unpacked);
        DeflateDecoder::new(stream).read_to_end(&mut text).ok()?;
        let made = Arc::new(ResourceSchema::parse(name, &text).ok()?);
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(cache.entry(name).or_insert(made)))
    }

    /// Whether there is a schema of that name.
    pub fn has(&self, type_: &str) -> bool {
        type_.starts_with("Custom::") || INDEX.binary_search_by(|(name, ..)| (*name).cmp(type_)).is_ok()
    }

    /// The names of all types, sorted.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        INDEX.iter().map(|(name, ..)| *name)
    }

    /// The type most like a name that is none.
    pub fn suggest(&self, type_: &str) -> Option<&'static str> {
        nearest(type_, self.types())
    }

    /// The regions whose types are known.
    pub fn regions(&self) -> &[String] {
        &self.source.regions
    }

    /// Where the schemas come from, and of when they are.
    pub fn source(&self) -> &Source {
        &self.source
    }
}
