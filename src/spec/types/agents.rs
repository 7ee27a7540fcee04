//! Agents.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::text::Text;
use crate::spec::values::Seconds;

/// An agent: a model with an instruction, tools and knowledge.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Agent {
    /// A name of your own, 40 letters, digits and single hyphens at most, `${stage}` in it; else it is made from the use
    /// case, the stage and the name here. AgentCore writes it with underscores.
    #[schemars(example = &"bankofchicago-agent-${stage}")]
    pub name: Option<Text>,
    /// What it is for.
    #[schemars(length(min = 1, max = 200), example = &"Tells customers the status of their new accounts")]
    pub description: Option<String>,
    /// What runs it. Everything else stays as it is when this one word changes.
    #[serde(default)]
    pub engine: Engine,
    /// A name under `models`.
    #[schemars(extend("x-names" = "models"), example = &"assistant")]
    pub model: String,
    /// Its instruction: what its task is, in at least 40 characters.
    #[schemars(length(min = 40), example = &"You are a friendly assistant of a bank. Tell customers the status of their new accounts.")]
    pub instruction: String,
    /// Tools by a name of your own.
    #[serde(default)]
    #[schemars(extend("propertyNames" = super::component_name()))]
    pub tools: BTreeMap<String, Tool>,
    /// Names under `knowledge-bases`, each with when to ask it; its own description unless said. AgentCore takes those
    /// whose `store` is `managed`.
    #[serde(default)]
    #[schemars(extend("x-names" = "knowledge-bases", "examples" = [{ "bank": { "use": "Questions about what is needed to open an account" } }]))]
    pub knowledge_bases: BTreeMap<String, KnowledgeUse>,
    /// A name under `guardrails` (classic).
    #[schemars(extend("x-names" = "guardrails"), example = &"polite")]
    pub guardrail: Option<String>,
    /// How much one question may cost (agentcore; classic has no such limits).
    #[serde(default)]
    pub limits: AgentLimits,
    /// How long a conversation is kept without a word: 1m to 90m for classic, 1m to 336h for agentcore. The engine's own
    /// time unless said.
    #[schemars(example = &"10m")]
    pub idle: Option<Seconds>,
    /// Whether it asks the user for what a tool needs; it does by default. Only `engine: classic` can turn that off.
    pub ask_user: Option<bool>,
    /// The engine's own tools it may use; none unless named (agentcore).
    #[serde(default)]
    #[schemars(extend("examples" = [["file-operations"]]))]
    pub built_in: Vec<BuiltIn>,
    /// The name of the alias by which it is called; `live` unless said (classic).
    #[schemars(example = &"live")]
    pub alias: Option<String>,
}

/// What runs an agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Bedrock AgentCore: a harness and a gateway.
    #[default]
    Agentcore,
    /// Bedrock Agents Classic, closed to new customers since 2026-07-30.
    Classic,
}

/// A tool of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltIn {
    /// A shell.
    Shell,
    /// Reading and writing files of its sandbox.
    FileOperations,
}

/// A tool: a function, and what it can be asked, by an OpenAPI file or by `operations`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tool {
    /// A name under `functions`.
    #[schemars(extend("x-names" = "functions"), example = &"account-status")]
    pub function: String,
    /// What it is for.
    #[schemars(length(min = 1, max = 200), example = &"Looks up the status of an account")]
    pub description: Option<String>,
    /// An OpenAPI 3 file beside the spec.
    #[schemars(extend("x-file" = "text"), example = &"openapi/account-status.yaml")]
    pub openapi: Option<String>,
    /// What it can be asked, by name: letters and digits, with single `-` or `_` between them.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "getAccountStatus": { "description": "Gives the status of one account", "parameters": { "accountId": { "description": "The number of the account" } } } }]))]
    pub operations: BTreeMap<String, Operation>,
}

/// One thing a tool can be asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Operation {
    /// What it does: the model decides by this when to ask.
    #[schemars(length(min = 1, max = 1200), example = &"Gives the status of one account")]
    pub description: String,
    /// Its parameters, by name.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "accountId": { "description": "The number of the account" } }]))]
    pub parameters: BTreeMap<String, OperationParameter>,
    /// Whether the user must agree first (classic).
    #[serde(default)]
    pub confirm: bool,
}

/// A parameter of an operation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OperationParameter {
    /// What it is.
    #[schemars(length(min = 1, max = 500), example = &"The number of the account")]
    pub description: String,
    /// Its type.
    #[serde(default)]
    pub r#type: OperationType,
    /// Whether it may be missing.
    #[serde(default)]
    pub optional: bool,
}

/// The type of an operation's parameter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OperationType {
    /// Text.
    #[default]
    String,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
}

/// When an agent asks a knowledge base.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnowledgeUse {
    /// When to ask it.
    #[schemars(length(min = 1, max = 200), example = &"Questions about what is needed to open an account")]
    pub r#use: Option<String>,
    /// Let Bedrock plan several searches for one question (agentcore); it costs as many searches and more, and IAM cannot
    /// grant it for one knowledge base alone.
    #[serde(default)]
    pub agentic: bool,
}

/// How much one question may cost.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AgentLimits {
    /// Rounds of thinking and asking tools; 10 unless said.
    #[schemars(range(min = 1, max = 1000), example = 10)]
    pub iterations: Option<u32>,
    /// Tokens of all answers together; 4096 unless said.
    #[schemars(range(min = 1), example = 4096)]
    pub tokens: Option<u32>,
    /// Time; 2m unless said.
    #[schemars(example = &"2m")]
    pub timeout: Option<Seconds>,
}
