//! The formats of ids and attributes per resource type: `schemas/local/resources.json`, and the little language it is
//! written in.
//!
//! In a format, `${Region}`, `${Account}`, `${Partition}`, `${Suffix}`, `${StackName}`, `${LogicalId}` say where;
//! `${Property.X}` is a property and `${Property.X:default}` one with a default; `${Tail.X}` what follows the last `/` or
//! `:` of one; `${Name}` the name it has; `${Ref}` its id; `${Upper:10}`, `${Lower:10}`, `${Mixed:10}`, `${Hex:10}` random
//! characters; `${Counter}` a number that grows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

const DATA: &str = include_str!("../../../../schemas/local/resources.json");

/// What is known of one type.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Formats {
    /// The property that names it; without it a name is generated.
    pub name: Option<String>,
    /// The longest name.
    pub max: Option<usize>,
    /// Whether generated names are in lower case.
    #[serde(default)]
    pub lower: bool,
    /// Whether generated names have letters and digits only.
    #[serde(default)]
    pub letters: bool,
    /// `global` when its id is unique in the whole account, not only in a region.
    pub scope: Option<String>,
    /// The property whose value its id is unique within.
    pub within: Option<String>,
    /// The format of what `Ref` gives; without one it is the name.
    pub id: Option<String>,
    /// The property that `${Counter}` counts for; without one it is the name.
    pub counter: Option<String>,
    /// Parts that several formats share.
    #[serde(default)]
    pub locals: BTreeMap<String, String>,
    /// The formats of its attributes. A leading `#` makes a number, `?` a Boolean, `[` a list of one text.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

static ALL: LazyLock<BTreeMap<String, Formats>> = LazyLock::new(|| serde_json::from_str(DATA).unwrap_or_default());

impl Formats {
    /// What is known of a type, if anything is.
    pub fn of(resource_type: &str) -> Option<&'static Self> {
        ALL.get(resource_type)
    }
}

/// Fills a format in; `value` gives what stands for a variable, or nothing where it is not known.
pub fn fill(format: &str, value: &mut dyn FnMut(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let end = closing(after)?;
        let (inside, tail) = after.split_at(end);
        let (name, default) = match inside.split_once(':') {
            Some((name, default)) if name.contains('.') => (name, Some(default)),
            _ => (inside, None),
        };
        let filled = match (value(name), default) {
            (Some(text), _) => text,
            (None, Some(default)) => fill(default, value)?,
            (None, None) => return None,
        };
        out.push_str(&filled);
        rest = tail.strip_prefix('}')?;
    }
    out.push_str(rest);
    Some(out)
}

/// Where the brace that closes a variable stands; a default may hold variables of its own.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_can_be_read_and_its_formats_are_balanced() {
        assert!(ALL.len() > 50);
        for (resource_type, formats) in ALL.iter() {
            for format in formats.id.iter().chain(formats.attributes.values()).chain(formats.locals.values()) {
                assert!(
                    fill(format, &mut |_| Some("x".to_owned())).is_some(),
                    "{resource_type}: {format} is not balanced"
                );
            }
        }
    }

    #[test]
    fn a_default_stands_in_for_a_property_and_may_have_variables() {
        let mut value = |name: &str| match name {
            "Region" => Some("us-west-2".to_owned()),
            "Property.B" => Some("b".to_owned()),
            _ => None,
        };
        assert_eq!(fill("a/${Property.A:${Region}z}/${Property.B:no}", &mut value).as_deref(), Some("a/us-west-2z/b"));
        assert_eq!(fill("${Property.A}", &mut value), None);
        assert_eq!(fill("${Property.A", &mut value), None);
    }
}
