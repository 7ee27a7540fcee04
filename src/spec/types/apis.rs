//! APIs in API Gateway.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Grant;
use crate::spec::text::{Text, Tree};
use crate::spec::values::{Days, Seconds};

/// An API in API Gateway.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Api {
    /// Which kind of API.
    pub kind: ApiKind,
    /// A name of your own; else `<use-case>-<stage>-<api>`.
    #[schemars(example = &"posters-${stage}")]
    pub name: Option<Text>,
    /// What it is for.
    #[schemars(example = &"Posters from prompts")]
    pub description: Option<String>,
    /// The API's stage, a part of its URL; else the stage deployed to. `$default` leaves it out of the URL (HTTP).
    #[schemars(example = &"dev")]
    pub stage: Option<Text>,
    /// Routes in order, each `METHOD /path`; for a WebSocket API `$connect`, `$disconnect`, `$default` or a word that a
    /// message says; for an HTTP API `$default` too, which takes what no other route does.
    #[schemars(length(min = 1))]
    pub routes: Vec<Route>,
    /// Where the API is reached: `regional`, `edge` (REST only); a private API has no choice.
    pub endpoint: Option<EndpointType>,
    /// VPC endpoints a private API is reached by, where the spec's own `network` has none for it.
    #[serde(default)]
    #[schemars(extend("examples" = [["vpce-0123456789abcdef0"]]))]
    pub vpc_endpoints: Vec<Text>,
    /// Who may call its routes: `none`, which is anyone, `iam` or a name under `authorizers`.
    #[schemars(example = &"iam")]
    pub auth: Option<String>,
    /// Ways to tell who calls, by a name of your own.
    #[serde(default)]
    #[schemars(extend("propertyNames" = super::component_name()))]
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Whether callers of its routes need an API key (REST).
    #[serde(default)]
    pub api_key: bool,
    /// Usage plans with their API keys: how much each key may ask for (REST).
    #[serde(default)]
    #[schemars(extend("propertyNames" = super::component_name()))]
    pub usage_plans: BTreeMap<String, UsagePlan>,
    /// Web pages of other origins that may call it.
    pub cors: Option<Cors>,
    /// How many requests each of its routes takes.
    pub throttle: Option<Throttle>,
    /// Log each request's facts, never its content.
    pub access_logs: Option<AccessLogs>,
    /// JSON Schemas (draft 4) of request bodies, for `require: { body: NAME }` (REST).
    #[serde(default)]
    #[schemars(extend(
        "propertyNames" = super::component_name(),
        "x-free" = true,
        "examples" = [{ "order": { "type": "object", "required": ["item"] } }],
    ))]
    pub schemas: BTreeMap<String, serde_json::Value>,
    /// A domain name of your own.
    pub domain: Option<Domain>,
    /// Where a message says which route it is for; `$request.body.action` unless said (WebSocket).
    #[schemars(example = &"$request.body.action")]
    pub route_selection: Option<String>,
}

/// The kind of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiKind {
    /// A REST API.
    Rest,
    /// An HTTP API.
    Http,
    /// A WebSocket API.
    Websocket,
    /// A REST API that is reached from inside a VPC only.
    Private,
}

/// Where an API is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointType {
    /// In its region.
    Regional,
    /// Through CloudFront's edge locations.
    Edge,
}

/// A way to tell who calls: exactly one of `user-pool`, `function` and `jwt`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Authorizer {
    /// A name under `user-pools`: callers bring a token of it.
    #[schemars(extend("x-names" = "user-pools"), example = &"customers")]
    pub user_pool: Option<String>,
    /// A name under `functions`: it says who may call.
    #[schemars(extend("x-names" = "functions"), example = &"authorizer")]
    pub function: Option<String>,
    /// Tokens of any OpenID Connect issuer (HTTP).
    pub jwt: Option<Jwt>,
    /// What the function is given.
    #[serde(default)]
    pub event: AuthorizerEvent,
    /// The header that holds the token; `Authorization` unless said.
    #[schemars(example = &"Authorization")]
    pub header: Option<String>,
    /// The query parameter that holds the token instead: a browser opens a WebSocket without headers of its own. For a
    /// function only.
    #[schemars(example = &"token")]
    pub query: Option<String>,
    /// Scopes of which an access token must have one.
    #[serde(default)]
    #[schemars(extend("examples" = [["orders/read"]]))]
    pub scopes: Vec<String>,
    /// How long a function's word is kept for a token, 0s to 1h; 5m unless said. It is kept for every route, so the
    /// function speaks of the whole API.
    #[schemars(example = &"5m")]
    pub cache: Option<Seconds>,
}

/// What an authoriser function is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorizerEvent {
    /// The request without its body.
    #[default]
    Request,
    /// The token alone (REST).
    Token,
}

/// An OpenID Connect issuer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Jwt {
    /// The issuer's URL.
    #[schemars(example = &"https://login.example.com/")]
    pub issuer: Text,
    /// Audiences of which a token must name one.
    #[schemars(length(min = 1), extend("examples" = [["bedplate"]]))]
    pub audiences: Vec<Text>,
}

/// How many requests API keys of one plan may make.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UsagePlan {
    /// How many requests at a time.
    pub throttle: Option<Throttle>,
    /// How many requests in all.
    pub quota: Option<Quota>,
    /// API keys to make, by a name of your own. Their values are API Gateway's to choose.
    #[serde(default)]
    #[schemars(extend("examples" = [["partner"]]))]
    pub keys: Vec<String>,
}

/// How many requests at a time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Throttle {
    /// Requests a second.
    #[schemars(range(min = 0), example = 10)]
    pub rate: f64,
    /// Requests at once.
    #[schemars(example = 20)]
    pub burst: u32,
}

/// How many requests in all.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quota {
    /// So many requests.
    #[schemars(example = 1000)]
    pub requests: u32,
    /// In so long a time.
    pub per: QuotaPeriod,
}

/// The time of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaPeriod {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
}

/// Web pages of other origins that may call.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cors {
    /// Origins such as `https://example.com`; `*` is any. A REST API names one.
    #[schemars(length(min = 1), extend("examples" = [["https://example.com"]]))]
    pub origins: Vec<String>,
    /// Methods they may use; those of the routes unless said.
    #[serde(default)]
    #[schemars(extend("examples" = [["GET"]]))]
    pub methods: Vec<String>,
    /// Headers they may send; `content-type`, and what the API's `auth` and `api-key` need, unless said.
    #[serde(default)]
    #[schemars(extend("examples" = [["content-type"]]))]
    pub headers: Vec<String>,
    /// How long a browser keeps this, up to 1 day.
    #[schemars(example = &"1h")]
    pub max_age: Option<Seconds>,
}

/// A log of requests.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccessLogs {
    /// How long it is kept, such as `14d`.
    #[schemars(example = &"14d")]
    pub retention: Option<Days>,
    /// The role by which API Gateway writes logs, one for a whole account and region (REST and WebSocket).
    #[serde(default)]
    pub account_role: AccountRole,
}

/// The role by which API Gateway writes logs of a whole account and region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountRole {
    /// The account has one; nothing is changed.
    #[default]
    Existing,
    /// This use case sets it, and it remains when the use case is deleted.
    Set,
}

/// A domain name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Domain {
    /// The name, such as `api.example.com`.
    #[schemars(example = &"api.example.com")]
    pub name: Text,
    /// The ARN of its certificate in Certificate Manager, of the API's region (edge: of us-east-1).
    #[schemars(example = &"${parameters.certificate-arn}")]
    pub certificate: Text,
    /// The path under it, without slashes.
    #[schemars(example = &"v1")]
    pub path: Option<String>,
}

/// One route: exactly one key, `METHOD /path` (WebSocket: the route key), with what answers it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend(
    "minProperties" = 1,
    "maxProperties" = 1,
    "propertyNames" = { "pattern": "^((GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS|ANY) /|[$A-Za-z0-9_.-]+$)" },
))]
pub struct Route(pub BTreeMap<String, RouteBody>);

/// What answers a route: exactly one of `function`, `http`, `mock`, `aws` and `vpc-link`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouteBody {
    /// A name under `functions`.
    #[schemars(extend("x-names" = "functions"), example = &"design")]
    pub function: Option<String>,
    /// Another HTTP address answers.
    pub http: Option<HttpIntegration>,
    /// API Gateway answers by itself.
    pub mock: Option<MockIntegration>,
    /// An AWS service answers.
    pub aws: Option<AwsIntegration>,
    /// Something inside a VPC answers.
    pub vpc_link: Option<VpcLinkIntegration>,
    /// What a request must have, else it is answered 400 without reaching the function.
    #[serde(default)]
    pub require: Require,
    /// The event the function is given, field by field, from `${query.x}`, `${header.x}`, `${path.x}` and `${body}`;
    /// else the whole request in API Gateway's proxy format.
    #[schemars(extend("examples" = [{ "prompt": "${query.prompt}" }]))]
    pub request: Option<BTreeMap<String, Text>>,
    /// Who may call it: `none`, `iam` or a name under the API's `authorizers`; else what the API says.
    #[schemars(example = &"iam")]
    pub auth: Option<String>,
    /// Whether callers need an API key; else what the API says.
    pub api_key: Option<bool>,
    /// How many requests it takes; else what the API says.
    pub throttle: Option<Throttle>,
    /// How long API Gateway waits for the answer: 1s to 29s, of an HTTP API 30s.
    #[schemars(example = &"29s")]
    pub timeout: Option<Seconds>,
}

/// An HTTP address that answers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpIntegration {
    /// The address; `{id}` in it is the route's path variable of that name.
    #[schemars(example = &"https://example.com/items/{id}")]
    pub url: Text,
    /// The method it is asked by; the route's unless said.
    #[schemars(example = &"GET")]
    pub method: Option<String>,
}

/// What API Gateway answers by itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MockIntegration {
    /// The status; 200 unless said.
    #[schemars(range(min = 200, max = 599), example = 200)]
    pub status: Option<u16>,
    /// The JSON body.
    #[schemars(extend("examples" = [{ "status": "ok" }]))]
    pub body: Option<serde_json::Value>,
}

/// A call of an AWS service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwsIntegration {
    /// The service as it is in ARNs, such as `dynamodb`.
    #[schemars(example = &"dynamodb")]
    pub service: String,
    /// The action, such as `GetItem`.
    #[schemars(example = &"GetItem")]
    pub action: String,
    /// What the service is asked: the action's JSON, with `${query.x}`, `${header.x}` and `${path.x}` in it.
    #[schemars(extend("examples" = [{ "TableName": "${tables.items}", "Key": { "id": { "S": "${path.id}" } } }]))]
    pub request: Option<Tree>,
    /// What API Gateway may do for it: the role it calls the service with is derived from these.
    #[serde(default)]
    pub uses: Vec<Grant>,
}

/// Services that take an action's JSON from API Gateway, each with the version of its JSON protocol.
pub const JSON_SERVICES: [(&str, &str); 5] =
    [("dynamodb", "1.0"), ("events", "1.1"), ("firehose", "1.1"), ("kinesis", "1.1"), ("states", "1.0")];

/// Something inside a VPC.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VpcLinkIntegration {
    /// The id of the VPC link.
    #[schemars(example = &"${parameters.vpc-link}")]
    pub link: Text,
    /// The address behind it. REST: `http://` and the load balancer's name, `{id}` as in `http`; HTTP: the ARN of the
    /// balancer's listener or of a Cloud Map service.
    #[schemars(example = &"http://internal.example.com/items")]
    pub target: Text,
}

/// What a request must have.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Require {
    /// Query-string parameters.
    #[serde(default)]
    #[schemars(extend("examples" = [["prompt"]]))]
    pub query: Vec<String>,
    /// Headers.
    #[serde(default)]
    #[schemars(extend("examples" = [["X-Tenant"]]))]
    pub headers: Vec<String>,
    /// A name under the API's `schemas` that the JSON body must fit (REST).
    #[schemars(example = &"order")]
    pub body: Option<String>,
}
