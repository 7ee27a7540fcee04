//! What a component may do.

use schemars::JsonSchema;
use serde::Deserialize;

use super::UseCase;
use crate::spec::text::Text;
use crate::spec::words::escape;

/// One thing a component may do: a key and what it is allowed on, such as `invoke: models.artist`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Call a model, a function, an agent, a flow or an API.
    Invoke(#[schemars(example = &"models.artist")] String),
    /// Call a model that answers bit by bit.
    Stream(#[schemars(example = &"models.artist")] String),
    /// Read a bucket's objects (`buckets.NAME` or `buckets.NAME/prefix/`), a table's items or a secret.
    Read(#[schemars(example = &"buckets.posters")] String),
    /// Write a bucket's objects or a table's items.
    Write(#[schemars(example = &"buckets.posters/reports/")] String),
    /// Read and write a bucket's objects or a table's items.
    ReadWrite(#[schemars(example = &"tables.accounts")] String),
    /// Delete a bucket's objects or a table's items.
    Delete(#[schemars(example = &"buckets.posters")] String),
    /// List the keys of a bucket.
    List(#[schemars(example = &"buckets.posters")] String),
    /// Get single items of a table by their keys, and nothing else.
    Get(#[schemars(example = &"tables.accounts")] String),
    /// Query a table and its indexes.
    Query(#[schemars(example = &"tables.accounts")] String),
    /// Find passages in a knowledge base.
    Retrieve(#[schemars(example = &"knowledge-bases.handbook")] String),
    /// Have a knowledge base answer by a model, which needs an `invoke` of its own.
    Ask(#[schemars(example = &"knowledge-bases.handbook")] String),
    /// Hold texts against a guardrail.
    Apply(#[schemars(example = &"guardrails.polite")] String),
    /// Use a managed prompt.
    Render(#[schemars(example = &"prompts.greeting")] String),
    /// Send messages to the callers connected to a WebSocket API.
    Push(#[schemars(example = &"apis.chat")] String),
    /// A raw IAM statement, shown in every plan.
    Statement(Statement),
}

/// The verbs of grants, each with the sections it goes with.
pub const GRANTS: [(&str, &[&str]); 14] = [
    ("invoke", &["models", "functions", "agents", "flows", "apis"]),
    ("stream", &["models"]),
    ("read", &["buckets", "tables", "secrets"]),
    ("write", &["buckets", "tables"]),
    ("read-write", &["buckets", "tables"]),
    ("delete", &["buckets", "tables"]),
    ("list", &["buckets"]),
    ("get", &["tables"]),
    ("query", &["tables"]),
    ("retrieve", &["knowledge-bases"]),
    ("ask", &["knowledge-bases"]),
    ("apply", &["guardrails"]),
    ("render", &["prompts"]),
    ("push", &["apis"]),
];

/// A grant of a spec, with who is given it.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    /// Section and name of the component that is given it.
    pub owner: (&'static str, &'a str),
    /// JSON pointer of the grant.
    pub pointer: String,
    /// The grant.
    pub grant: &'a Grant,
}

impl Grant {
    /// Its verb as it is written; a raw statement has none.
    pub fn verb(&self) -> Option<&'static str> {
        self.parts().map(|(verb, _)| verb)
    }

    /// What it is allowed on, such as `models.artist`; a raw statement says it otherwise.
    pub fn target(&self) -> Option<&str> {
        self.parts().map(|(_, target)| target)
    }

    fn parts(&self) -> Option<(&'static str, &str)> {
        Some(match self {
            Grant::Invoke(target) => ("invoke", target),
            Grant::Stream(target) => ("stream", target),
            Grant::Read(target) => ("read", target),
            Grant::Write(target) => ("write", target),
            Grant::ReadWrite(target) => ("read-write", target),
            Grant::Delete(target) => ("delete", target),
            Grant::List(target) => ("list", target),
            Grant::Get(target) => ("get", target),
            Grant::Query(target) => ("query", target),
            Grant::Retrieve(target) => ("retrieve", target),
            Grant::Ask(target) => ("ask", target),
            Grant::Apply(target) => ("apply", target),
            Grant::Render(target) => ("render", target),
            Grant::Push(target) => ("push", target),
            Grant::Statement(_) => return None,
        })
    }
}

impl UseCase {
    /// Every grant of the spec, in the order of its components.
    pub fn grants(&self) -> Vec<Given<'_>> {
        let mut all = Vec::new();
        for (name, function) in &self.functions {
            all.extend(given(("functions", name), &format!("/functions/{}/uses", escape(name)), &function.uses));
        }
        for (name, role) in &self.roles {
            all.extend(given(("roles", name), &format!("/roles/{}/uses", escape(name)), &role.uses));
        }
        for (name, api) in &self.apis {
            for (index, route) in api.routes.iter().enumerate() {
                for (key, body) in &route.0 {
                    let Some(aws) = &body.aws else { continue };
                    let base = format!("/apis/{}/routes/{index}/{}/aws/uses", escape(name), escape(key));
                    all.extend(given(("apis", name), &base, &aws.uses));
                }
            }
        }
        all
    }
}

fn given<'a>(
    owner: (&'static str, &'a str),
    base: &str,
    uses: &'a [Grant],
) -> impl Iterator<Item = Given<'a>> + use<'a> {
    let base = base.to_owned();
    uses.iter().enumerate().map(move |(index, grant)| Given { owner, pointer: format!("{base}/{index}"), grant })
}

/// A raw IAM statement, for what no grant covers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Statement {
    /// Actions such as `translate:TranslateText`; no bare `*`.
    #[schemars(extend("examples" = [["translate:TranslateText"]]))]
    pub actions: Vec<String>,
    /// ARNs; `*` only where the service offers nothing narrower.
    #[schemars(extend("examples" = [["*"]]))]
    pub resources: Vec<Text>,
    /// Why it is needed: printed in the plan.
    #[schemars(example = &"Translate offers no resource to name")]
    pub reason: String,
}
