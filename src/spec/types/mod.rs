//! The spec language, as types. `schemas/usecase.schema.json` is generated from these, doc comments and all, so each
//! comment is also the hover text an author sees in an editor.
//!
//! Maps are `BTreeMap`: a spec means the same whatever the order of its keys.
//!
//! A field says in its schema what else there is to know of it, and the rules read it there:
//!
//! | mark | meaning |
//! | --- | --- |
//! | `x-text` | the text may hold `${…}` references; the type [`Text`] brings it |
//! | `x-deep-text` | a tree whose texts may; the type [`Tree`] brings it |
//! | `x-names` | the text, or each text of the list, or each key of the mapping, is the name of a component of that section |
//! | `x-free` | what stands below is another language's, such as JSON Schema, and is not looked at |
//! | `x-file` | a path beside the spec: `text` is read with it, `folder` must be one |

mod agents;
mod alarms;
mod apis;
mod bedrock;
mod compute;
mod grants;
mod knowledge;
mod models;
mod network;
mod outside;
mod parameters;
mod people;
mod smoke;
mod storage;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use agents::*;
pub use alarms::*;
pub use apis::*;
pub use bedrock::*;
pub use compute::*;
pub use grants::*;
pub use knowledge::*;
pub use models::*;
pub use network::*;
pub use outside::*;
pub use parameters::*;
pub use people::*;
pub use smoke::*;
pub use storage::*;

use super::text::Text;

/// A use case: what one stack holds, in the words of an author.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UseCase {
    /// Version of the language; 1.
    #[schemars(extend("const" = 1))]
    pub bedplate: u32,
    /// The use case's name; with the stage it names the stack. Letters, digits and hyphens, starting with a letter,
    /// at most 64.
    #[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9-]{0,63}$"), example = &"movie-poster")]
    pub name: String,
    /// One line about what it is for.
    #[schemars(length(max = 1024), example = &"A movie poster from a prompt")]
    pub description: Option<String>,
    /// The AWS region it belongs to; else `--region`, the profile or the environment decides.
    #[schemars(regex(pattern = "^[a-z]{2}(-[a-z]+)+-[0-9]$"), example = &"us-west-2")]
    pub region: Option<String>,
    /// Values asked for at deploy time.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub parameters: BTreeMap<String, Parameter>,
    /// Tags put on the stack and so on everything in it.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 45, "examples" = [{ "course": "generative-ai" }]))]
    pub tags: BTreeMap<String, String>,
    /// Other use cases whose outputs this one takes, by a name of your own: `${needs.bank.AccountsTableName}`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub needs: BTreeMap<String, Need>,
    /// Foundation models by a name of your own.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub models: BTreeMap<String, Model>,
    /// S3 buckets.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub buckets: BTreeMap<String, Bucket>,
    /// DynamoDB tables.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub tables: BTreeMap<String, Table>,
    /// Secrets in Secrets Manager.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub secrets: BTreeMap<String, Secret>,
    /// Lambda layers.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub layers: BTreeMap<String, Layer>,
    /// Lambda functions.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub functions: BTreeMap<String, Function>,
    /// IAM roles for people, apps and services.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub roles: BTreeMap<String, Role>,
    /// Cognito user pools.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub user_pools: BTreeMap<String, UserPool>,
    /// API Gateway APIs.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub apis: BTreeMap<String, Api>,
    /// Bedrock guardrails.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub guardrails: BTreeMap<String, Guardrail>,
    /// Managed prompts.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub prompts: BTreeMap<String, Prompt>,
    /// Bedrock knowledge bases.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub knowledge_bases: BTreeMap<String, KnowledgeBase>,
    /// Agents, on AgentCore or Bedrock Agents Classic.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub agents: BTreeMap<String, Agent>,
    /// Bedrock flows.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub flows: BTreeMap<String, Flow>,
    /// CloudWatch alarms.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub alarms: BTreeMap<String, Alarm>,
    /// A VPC with private subnets and interface endpoints, for functions and private APIs.
    pub network: Option<Network>,
    /// A CloudFormation template made elsewhere, by the AWS CDK for example: a JSON or YAML file beside the spec, or the folder
    /// that `cdk synth` writes.
    #[schemars(extend("x-file" = "text"), example = &"template.json")]
    pub template: Option<ForeignTemplate>,
    /// CloudFormation resources beside the components, by logical id, for what no component covers.
    #[serde(default)]
    #[schemars(extend("propertyNames" = logical_id()))]
    pub resources: BTreeMap<String, RawResource>,
    /// Findings of the check that are meant so: each is told as a note, with its reason.
    #[serde(default)]
    #[schemars(extend("maxItems" = 100))]
    pub accept: Vec<Acceptance>,
    /// Stack outputs beside those every component gives by itself.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name(), "examples" = [{ "posters": "${buckets.posters.arn}" }]))]
    pub outputs: BTreeMap<String, Text>,
    /// What to try once it is deployed.
    #[serde(default)]
    pub smoke: Vec<SmokeTest>,
}

/// What a component, parameter or output may be called.
fn component_name() -> serde_json::Value {
    serde_json::json!({ "pattern": "^[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?$" })
}

/// What CloudFormation takes as a logical id.
fn logical_id() -> serde_json::Value {
    serde_json::json!({ "pattern": "^[A-Za-z0-9]{1,255}$" })
}
