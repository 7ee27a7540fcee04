//! The spec language, as types. `schemas/usecase.schema.json` is generated from these, doc comments and all, so each
//! comment is also the hover text an author sees in an editor.
//!
//! Maps are `BTreeMap`: a spec means the same whatever the order of its keys.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::Text;
use super::values::{Days, Seconds};

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
    #[schemars(length(max = 1024))]
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
    #[schemars(extend("maxProperties" = 45))]
    pub tags: BTreeMap<String, String>,
    /// Foundation models by a name of your own.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub models: BTreeMap<String, Model>,
    /// S3 buckets.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub buckets: BTreeMap<String, Bucket>,
    /// Lambda layers.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub layers: BTreeMap<String, Layer>,
    /// Lambda functions.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub functions: BTreeMap<String, Function>,
    /// API Gateway APIs.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub apis: BTreeMap<String, Api>,
    /// Stack outputs beside those every component gives by itself.
    #[serde(default)]
    #[schemars(extend("propertyNames" = component_name()))]
    pub outputs: BTreeMap<String, Text>,
    /// What to try once it is deployed.
    #[serde(default)]
    pub smoke: Vec<SmokeTest>,
}

/// What a component, parameter or output may be called.
fn component_name() -> serde_json::Value {
    serde_json::json!({ "pattern": "^[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?$" })
}

/// A value asked for at deploy time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Parameter {
    /// What kind of value it takes.
    #[serde(default)]
    pub r#type: ParameterType,
    /// What it is for.
    pub description: Option<String>,
    /// Used when none is given.
    pub default: Option<String>,
    /// The only values allowed.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// A regular expression the value must match.
    pub pattern: Option<String>,
    /// Never shown again once given.
    #[serde(default)]
    pub secret: bool,
}

/// The kind of a parameter's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterType {
    /// Any text.
    #[default]
    String,
    /// A number.
    Number,
    /// Texts separated by commas.
    List,
}

/// A foundation model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// The Bedrock model id or the id of a system inference profile, such as `us.amazon.nova-2-lite-v1:0`.
    #[schemars(example = &"stability.stable-image-core-v1:1")]
    pub id: String,
    /// What it gives back; checked against the facts about the model.
    pub output: Option<Modality>,
}

/// What a model gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// Text.
    Text,
    /// An image.
    Image,
    /// A vector.
    Embedding,
}

/// An S3 bucket: encrypted, closed to the public, TLS only.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bucket {
    /// A name prefix in the account's own namespace (`<prefix>-<account>-<region>-an`), so that it never collides with
    /// another account's; else CloudFormation names the bucket.
    pub name: Option<Text>,
    /// Objects are deleted after this many days, such as `7d`.
    pub expire_after: Option<Days>,
    /// Keep the old versions of objects.
    #[serde(default)]
    pub versioning: bool,
}

/// A Lambda layer made from Python requirements.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Layer {
    /// pip requirements, such as `boto3>=1.35`: names with versions, no options, addresses or paths.
    #[schemars(length(min = 1), extend("examples" = [["boto3>=1.35"]]))]
    pub requirements: Vec<String>,
    /// The runtimes it is built for; wheels are chosen for the first.
    #[schemars(length(min = 1), extend("examples" = [["python3.13"]]))]
    pub runtimes: Vec<String>,
    /// The architecture its wheels are for.
    #[serde(default)]
    pub architecture: Architecture,
    /// What it holds.
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
    pub name: Option<Text>,
    /// What it does.
    pub description: Option<String>,
    /// The folder of its code, relative to the spec file.
    #[schemars(example = &"function/")]
    pub code: String,
    /// What is called in the code, for Python `module.function`.
    #[schemars(example = &"app.handler")]
    pub handler: String,
    /// The Lambda runtime, such as `python3.13`.
    #[schemars(example = &"python3.13")]
    pub runtime: String,
    /// The architecture it runs on.
    #[serde(default)]
    pub architecture: Architecture,
    /// How long one call may take, 1s to 15m; Lambda's own default of 3s is too short for a model call.
    pub timeout: Option<Seconds>,
    /// Memory in MiB, 128 to 10240.
    #[schemars(range(min = 128, max = 10240))]
    pub memory: Option<u32>,
    /// Names under `layers`, at most five.
    #[serde(default)]
    #[schemars(length(max = 5))]
    pub layers: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z][A-Za-z0-9_]+$" }))]
    pub environment: BTreeMap<String, Text>,
    /// How long its log is kept, such as `14d`.
    pub log_retention: Option<Days>,
    /// What it may do, and nothing more: its role is derived from these.
    #[serde(default)]
    pub uses: Vec<Grant>,
}

/// One thing a component may do: a key and what it is allowed on, such as `invoke: models.artist`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Call a model (`models.NAME`) or a function (`functions.NAME`).
    Invoke(String),
    /// Read a bucket's objects: `buckets.NAME` or `buckets.NAME/prefix/`.
    Read(String),
    /// Write a bucket's objects.
    Write(String),
    /// Read and write a bucket's objects.
    ReadWrite(String),
    /// A raw IAM statement, shown in every plan.
    Statement(Statement),
}

/// A raw IAM statement, for what no grant covers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Statement {
    /// Actions such as `translate:TranslateText`; no bare `*`.
    pub actions: Vec<String>,
    /// ARNs; `*` only where the service offers nothing narrower.
    pub resources: Vec<Text>,
    /// Why it is needed: printed in the plan.
    pub reason: String,
}

/// An API in API Gateway.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Api {
    /// Which kind of API.
    pub kind: ApiKind,
    /// A name of your own; else `<use-case>-<stage>-<api>`.
    pub name: Option<Text>,
    /// What it is for.
    pub description: Option<String>,
    /// The API's stage, a part of its URL; else the stage deployed to.
    pub stage: Option<Text>,
    /// Routes in order, each `METHOD /path`.
    #[schemars(length(min = 1))]
    pub routes: Vec<Route>,
}

/// The kind of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiKind {
    /// A regional REST API.
    Rest,
}

/// One route: exactly one key, `METHOD /path`, with what answers it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend(
    "minProperties" = 1,
    "maxProperties" = 1,
    "propertyNames" = { "pattern": "^(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS|ANY) /" },
))]
pub struct Route(pub BTreeMap<String, RouteBody>);

/// What answers a route.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouteBody {
    /// A name under `functions`.
    pub function: String,
    /// What a request must have, else it is answered 400 without reaching the function.
    #[serde(default)]
    pub require: Require,
    /// The event the function is given, field by field, from `${query.x}`, `${header.x}`, `${path.x}` and `${body}`;
    /// else the whole request in API Gateway's proxy format.
    pub request: Option<BTreeMap<String, Text>>,
}

/// What a request must have.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Require {
    /// Query-string parameters.
    #[serde(default)]
    pub query: Vec<String>,
    /// Headers.
    #[serde(default)]
    pub headers: Vec<String>,
}

/// One thing to try on what is deployed: exactly one of `call` and `invoke`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [{ "required": ["call"] }, { "required": ["invoke"] }]))]
pub struct SmokeTest {
    /// `METHOD apis.NAME /path?query`, the query as a person writes it.
    #[schemars(example = &"GET apis.posters /moviePosterDesign?prompt=a dog at sunset")]
    pub call: Option<String>,
    /// `functions.NAME`.
    pub invoke: Option<String>,
    /// The body or event sent.
    pub payload: Option<serde_json::Value>,
    /// What must come back.
    #[serde(default)]
    pub expect: Expect,
}

/// What must come back from a smoke test.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The HTTP status.
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// What the body must look like.
    pub body: Option<ExpectBody>,
    /// The longest it may take, such as `30s`.
    pub within: Option<Seconds>,
}

/// What a body must look like: all that is said must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectBody {
    /// A regular expression found in it.
    pub matches: Option<String>,
    /// Text found in it.
    pub contains: Option<String>,
}
