//! Pointers into a resource's properties, as the schemas write them: `Endpoint/Address`, `Rules/*/Name`.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The place of a property; `*` stands for every entry of a list or mapping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// Reads `A/B/*/C`, also with the `/properties/` in front that the published schemas have.
    pub fn new(text: &str) -> Self {
        let text = text.strip_prefix("/properties/").unwrap_or(text);
        Self(text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    /// Its parts.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The top-level property.
    pub fn top(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether it is a top-level property.
    pub fn is_top(&self) -> bool {
        self.0.len() == 1
    }

    /// The name `Fn::GetAtt` knows the property by: `Endpoint.Address`.
    pub fn attribute(&self) -> String {
        self.0.join(".")
    }

    /// Whether it is exactly the property at these parts; list indices match `*`.
    pub fn is_at(&self, parts: &[&str]) -> bool {
        self.0.len() == parts.len() && self.starts(parts)
    }

    /// Whether the property at these parts is this one or lies within it.
    pub fn covers(&self, parts: &[&str]) -> bool {
        self.0.len() <= parts.len() && self.starts(parts)
    }

    fn starts(&self, parts: &[&str]) -> bool {
        self.0.iter().zip(parts).all(|(own, part)| own == "*" || own == part)
    }

    /// The values in `properties` it points to, with their places.
    pub fn find<'a>(&self, properties: &'a Value) -> Vec<(Vec<String>, &'a Value)> {
        let mut found = vec![(Vec::new(), properties)];
        for part in &self.0 {
            let mut next = Vec::new();
            for (place, value) in found {
                let mut below = |key: &str, value: &'a Value| {
                    let mut place: Vec<String> = place.clone();
                    place.push(key.to_owned());
                    next.push((place, value));
                };
                match value {
                    Value::Array(items) => {
                        // Some schemas name the property of a list's entries without the `*`.
                        for (index, item) in items.iter().enumerate() {
                            if part == "*" {
                                below(&index.to_string(), item);
                            } else if let Some(item) = item.get(part) {
                                below(&format!("{index}/{part}"), item);
                            }
                        }
                    }
                    Value::Object(map) if part == "*" => map.iter().for_each(|(key, item)| below(key, item)),
                    Value::Object(map) => {
                        if let Some(item) = map.get(part) {
                            below(part, item);
                        }
                    }
                    _ => {}
                }
            }
            found = next;
        }
        found
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(deserializer)?))
    }
}
