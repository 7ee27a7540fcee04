//! What services refuse although CloudFormation's provider schemas allow it: `schemas/service-rules.json`, with a source for
//! each rule. The checks of a template and the local target hold the same table.

mod lookup;
mod predicate;
mod siblings;
mod tables;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use lookup::{Found, find};
use predicate::{Predicate, Truth, all};
pub use siblings::{SiblingRule, same_sibling, sibling_rules};
pub use tables::keys_wrong;

/// Characters of all policies within a role together, white space left out: IAM quotas, as in github.com/aws/aws-cdk 18457.
pub const INLINE_POLICY_BYTES: usize = 10_240;

/// The properties of the resource that a value names, given the value and the type that the resource must be of.
pub type RelatedProperties<'a> = &'a dyn Fn(&Value, &str) -> Option<Cow<'a, Value>>;

/// One rule of a service about the properties of a resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServiceRule {
    /// Its name in the table.
    pub id: String,
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The property that is wrong, as a path within the resource, or within an entry of `each`.
    pub property: String,
    /// A list of which every entry is judged by itself.
    #[serde(default)]
    each: Option<String>,
    /// A property that names another resource; `^` at the head of a path means that resource.
    #[serde(default)]
    related: Option<RelatedResource>,
    /// When the rule is about a resource.
    #[serde(default)]
    when: Vec<Predicate>,
    /// What must be so then.
    then: Vec<Predicate>,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The service's own words, where a source gives them.
    #[serde(default)]
    pub words: Option<String>,
    /// The service's name in the answers of its handlers.
    service: String,
    /// Who says so.
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelatedResource {
    property: String,
    #[serde(rename = "type")]
    type_: String,
}

impl ServiceRule {
    /// The property of the resource that the rule is about.
    pub fn top_property(&self) -> &str {
        self.each.as_deref().unwrap_or(&self.property).split('.').next().unwrap_or_default()
    }
}

/// A rule that a resource breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRule<'a> {
    /// What is wrong, in a sentence.
    pub message: &'a str,
    /// What to do.
    pub help: &'a str,
    /// Where, within the properties: names and positions with `/` between them.
    pub path: String,
    words: Option<&'a str>,
    service: &'a str,
}

impl BrokenRule<'_> {
    /// The refusal as a resource's event has it.
    pub fn refusal(&self) -> String {
        let said = self.words.unwrap_or(self.message);
        format!("{said} (Service: {}, Status Code: 400)", self.service)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ServiceRuleTable {
    as_of: String,
    rules: Vec<ServiceRule>,
    siblings: Vec<SiblingRule>,
}

#[derive(Debug, Default)]
struct Rules {
    as_of: String,
    by_type: BTreeMap<String, Vec<ServiceRule>>,
    siblings: Vec<SiblingRule>,
}

fn rules() -> &'static Rules {
    static RULES: LazyLock<Rules> = LazyLock::new(|| {
        // The table is the program's own, and a test reads it.
        let table: ServiceRuleTable =
            serde_json::from_str(include_str!("../../../../schemas/service-rules.json")).unwrap_or_default();
        let mut rules = Rules { as_of: table.as_of, siblings: table.siblings, ..Rules::default() };
        for rule in table.rules {
            rules.by_type.entry(rule.type_.clone()).or_default().push(rule);
        }
        rules
    });
    &RULES
}

/// All rules about single resources, by type.
pub fn all_rules() -> impl Iterator<Item = &'static ServiceRule> {
    rules().by_type.values().flatten()
}

/// The day on which the sources were read.
pub fn as_of() -> &'static str {
    &rules().as_of
}

/// The rules that a resource's properties break for certain, with intrinsic functions in them or resolved. What only a deploy
/// can tell breaks none.
pub fn broken(type_: &str, properties: &Value, related: RelatedProperties<'_>) -> Vec<BrokenRule<'static>> {
    let of_type = rules().by_type.get(type_).into_iter().flatten();
    let mut found = Vec::new();
    for rule in of_type {
        let named = rule.related.as_ref().and_then(|other| match find(properties, &other.property) {
            Found::Value(value) => related(value, &other.type_),
            _ => None,
        });
        let mut judge = |entry: Option<&Value>, head: &str| {
            let about = predicate::Subject { whole: properties, entry, related: named.as_deref() };
            if all(&rule.when, &about) == Truth::Yes && all(&rule.then, &about) == Truth::No {
                found.push(BrokenRule {
                    message: &rule.message,
                    help: &rule.help,
                    path: format!("{head}{}", rule.property.replace('.', "/")),
                    words: rule.words.as_deref(),
                    service: &rule.service,
                });
            }
        };
        match &rule.each {
            None => judge(None, ""),
            Some(list) => {
                let Found::Value(Value::Array(entries)) = find(properties, list) else { continue };
                for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| lookup::is_known(entry)) {
                    judge(Some(entry), &format!("{}/{index}/", list.replace('.', "/")));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
