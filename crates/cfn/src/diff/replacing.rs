//! Changes that need another resource though the provider schemas don't say so: `schemas/replacements.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

const DATA: &str = include_str!("../../../../schemas/replacements.json");

#[derive(Debug, Default, Deserialize)]
struct Replacements {
    /// By type: properties whose every change does.
    always: BTreeMap<String, Vec<String>>,
    /// By type and list: what makes two entries the same.
    edited: BTreeMap<String, BTreeMap<String, String>>,
}

static ALL: LazyLock<Replacements> = LazyLock::new(|| serde_json::from_str(DATA).unwrap_or_default());

/// Whether a change of a top-level property, from and to these properties, needs another resource.
pub(super) fn replaces(type_: &str, property: &str, before: &Value, after: &Value) -> bool {
    let always = || ALL.always.get(type_).is_some_and(|own| own.iter().any(|name| name == property));
    let edited = || {
        let key = ALL.edited.get(type_).and_then(|lists| lists.get(property));
        key.is_some_and(|key| is_edited(before.get(property), after.get(property), key))
    };
    always() || edited()
}

/// Whether an entry that is in both lists is another one in the second.
fn is_edited(before: Option<&Value>, after: Option<&Value>, key: &str) -> bool {
    let entries = |list: Option<&'_ Value>| list.and_then(Value::as_array).cloned().unwrap_or_default();
    let after = entries(after);
    entries(before).iter().any(|old| {
        let same = |new: &&Value| old.get(key).is_some() && new.get(key) == old.get(key);
        after.iter().find(same).is_some_and(|new| new != old)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Schemas;

    #[test]
    fn the_data_names_properties_there_are() {
        assert!(!ALL.always.is_empty() && !ALL.edited.is_empty());
        let lists = ALL.edited.iter().flat_map(|(type_, lists)| lists.keys().map(move |name| (type_, name)));
        let all = ALL.always.iter().flat_map(|(type_, names)| names.iter().map(move |name| (type_, name)));
        for (type_, name) in lists.chain(all) {
            let schema = Schemas::embedded().get(type_).unwrap_or_else(|| panic!("{type_} is no type"));
            assert!(schema.property(name).is_some(), "{type_} has no {name}");
        }
    }

    #[test]
    fn an_edited_entry_replaces_and_one_that_comes_or_goes_does_not() {
        let of = |entries: &[(&str, &str)]| {
            let entries: Vec<Value> =
                entries.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind})).collect();
            json!({"AttributeDefinitions": entries})
        };
        let table = "AWS::DynamoDB::Table";
        let before = of(&[("id", "S"), ("n", "N")]);
        for (after, wanted) in [
            (of(&[("id", "N"), ("n", "N")]), true),
            (of(&[("n", "N"), ("id", "S")]), false),
            (of(&[("id", "S")]), false),
            (of(&[("id", "S"), ("n", "N"), ("m", "S")]), false),
            (of(&[("m", "S"), ("n", "S")]), true),
        ] {
            assert_eq!(replaces(table, "AttributeDefinitions", &before, &after), wanted, "{after}");
        }
        assert!(replaces(table, "KeySchema", &json!({}), &json!({})));
        assert!(!replaces(table, "BillingMode", &json!({}), &json!({})));
    }
}
