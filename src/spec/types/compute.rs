//! Functions, layers and roles.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Cors, Grant};
use crate::spec::text::Text;
use crate::spec::values::{Days, Seconds};

/// A Lambda layer made from Python requirements.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Layer {
    /// pip requirements, such as `boto3>=1.35`: names with versions, no options, addresses or paths. Each may carry
    /// digests as pip writes them, `boto3==1.40.1 --hash=sha256:…`; then all must, and every package they need is listed.
    #[schemars(length(min = 1), extend("examples" = [["boto3>=1.35"]]))]
    pub requirements: Vec<String>,
    /// The runtimes it is built for; wheels are chosen for the first.
    #[schemars(length(min = 1), extend("examples" = [["python3.13"]]))]
    pub runtimes: Vec<String>,
    /// The architecture its wheels are for.
    #[serde(default)]
    pub architecture: Architecture,
    /// What it holds.
    #[schemars(example = &"boto3 for the functions")]
    pub description: Option<String>,
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Architecture {
    /// Intel and AMD.
    #[default]
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

/// A Lambda function.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Function {
    /// A name of your own; else CloudFormation names it.
    #[schemars(example = &"summary-${stage}")]
    pub name: Option<Text>,
    /// What it does.
    #[schemars(example = &"Sums up a text")]
    pub description: Option<String>,
    /// The folder of its code, relative to the spec file. This or `inline`.
    #[schemars(extend("x-file" = "folder"), example = &"function/")]
    pub code: Option<String>,
    /// A file of its code that is put into the template as it is: 4096 bytes at most, no packages beside it.
    #[schemars(extend("x-file" = "text"), example = &"function/index.py")]
    pub inline: Option<String>,
    /// What is called in the code, for Python `module.function`.
    #[schemars(example = &"app.handler")]
    pub handler: String,
    /// The Lambda runtime, such as `python3.13`.
    #[schemars(example = &"python3.13")]
    pub runtime: String,
    /// The architecture it runs on.
    #[serde(default)]
    pub architecture: Architecture,
    /// How long one call may take, 1s to 30m; Lambda's own default of 3s is too short for a model call.
    pub timeout: Option<Seconds>,
    /// Memory in MiB, 128 to 10240.
    #[schemars(range(min = 128, max = 10240), example = 512)]
    pub memory: Option<u32>,
    /// Names under `layers`, at most five.
    #[serde(default)]
    #[schemars(length(max = 5), extend("x-names" = "layers", "examples" = [["boto3"]]))]
    pub layers: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    #[schemars(extend(
        "propertyNames" = { "pattern": "^[A-Za-z][A-Za-z0-9_]+$" },
        "examples" = [{ "BUCKET": "${buckets.posters}" }],
    ))]
    pub environment: BTreeMap<String, Text>,
    /// How long its log is kept, such as `14d`.
    pub log_retention: Option<Days>,
    /// What it may do, and nothing more: its role is derived from these.
    #[serde(default)]
    pub uses: Vec<Grant>,
    /// Run inside the private subnets of the spec's `network`.
    #[serde(default)]
    pub in_network: bool,
    /// How many calls may run at once, kept aside for this function from the account's limit.
    #[schemars(example = 5)]
    pub concurrency: Option<u32>,
    /// A URL of its own.
    pub url: Option<FunctionUrl>,
    /// A name for the version that is live; callers of the use case call it.
    #[schemars(example = &"live")]
    pub alias: Option<String>,
    /// Keep events that failed when called without waiting, in a queue of its own.
    #[serde(default)]
    pub dead_letter: bool,
}

/// The URL of a function.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FunctionUrl {
    /// Who may call it.
    #[serde(default)]
    pub auth: UrlAuth,
    /// Web pages of other origins that may call it.
    pub cors: Option<Cors>,
}

/// Who may call a function's URL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UrlAuth {
    /// Who has the IAM permission.
    #[default]
    Iam,
    /// Anyone in the world.
    None,
}

/// An IAM role for people, apps or services.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Role {
    /// A name of your own; else CloudFormation names it.
    #[schemars(example = &"learner-${stage}")]
    pub name: Option<Text>,
    /// What it is for.
    #[schemars(example = &"What a learner's machine may do")]
    pub description: Option<String>,
    /// Who may take it.
    #[schemars(length(min = 1), extend("examples" = [[{ "service": "ecs-tasks.amazonaws.com" }]]))]
    pub assumed_by: Vec<Assumer>,
    /// What it may do, and nothing more.
    #[serde(default)]
    pub uses: Vec<Grant>,
    /// How long a session lasts at most, 1h to 12h.
    #[schemars(example = &"1h")]
    pub session: Option<Seconds>,
}

/// One who may take a role.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Assumer {
    /// An AWS service, such as `ecs-tasks.amazonaws.com`, for this account only where it says for whom it acts.
    Service(#[schemars(example = &"ecs-tasks.amazonaws.com")] String),
    /// The ARN of a user or role, or a reference to one.
    Principal(#[schemars(example = &"arn:aws:iam::123456789012:user/ada")] Text),
    /// Everyone whom the account allows: `this`, or the twelve digits of another account.
    Account(#[schemars(example = &"this")] String),
}
