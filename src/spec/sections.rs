//! The sections whose components can be named, in one table: references, grants, names and counts all read it.

/// A section of a spec.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its key, such as `knowledge-bases`.
    pub key: &'static str,
    /// One of its components in words, such as `knowledge base`.
    pub one: &'static str,
    /// What `${section.name.attribute}` can give beside the name a program uses.
    pub attributes: &'static [&'static str],
}

/// Every section whose components can be referred to by name, in the order of the language.
pub const SECTIONS: [Section; 16] = [
    section("models", "model", &["arn", "dimensions", "id", "max-tokens", "temperature", "top-k", "top-p"]),
    section("buckets", "bucket", &["arn", "domain", "name"]),
    section("tables", "table", &["arn", "name"]),
    section("secrets", "secret", &["arn"]),
    section("layers", "layer", &["arn"]),
    section("functions", "function", &["arn", "name", "url"]),
    section("roles", "role", &["arn", "name"]),
    section("user-pools", "user pool", &["arn", "client", "id", "issuer"]),
    section("apis", "API", &["arn", "id", "url"]),
    section("guardrails", "guardrail", &["arn", "id", "version"]),
    section("prompts", "prompt", &["arn", "id", "version"]),
    section("knowledge-bases", "knowledge base", &["arn", "id"]),
    section("agents", "agent", &["alias", "arn", "id"]),
    section("flows", "flow", &["alias", "arn", "id"]),
    section("alarms", "alarm", &["arn", "name"]),
    section("network", "part of the network", &[]),
];

/// What `${network.…}` can name: a network has no components of its own to name.
pub const NETWORK_PARTS: [&str; 3] = ["security-group", "subnets", "vpc"];

const fn section(key: &'static str, one: &'static str, attributes: &'static [&'static str]) -> Section {
    Section { key, one, attributes }
}

impl Section {
    /// The section of a key.
    pub fn of(key: &str) -> Option<&'static Section> {
        SECTIONS.iter().find(|section| section.key == key)
    }
}
