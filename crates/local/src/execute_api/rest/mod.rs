//! REST APIs: one request from its route to its answer.
//!
//! | file | holds |
//! | --- | --- |
//! | [`api`] | a deployed API, and which resource a path is for |
//! | [`context`] | `$context` and the event of proxy integrations and authorizers |
//! | [`authorize`] | who may call |
//! | [`keys`] | API keys, usage plans and throttles |
//! | [`validate`] | request validators |
//! | [`parameters`] | parameter mappings and templates |
//! | [`integrate`] | what is asked of whatever is behind a method |
//! | [`lambda`] | functions |
//! | [`web`] | HTTP addresses and AWS services |
//! | [`respond`] | integration responses |
//! | [`refusal`] | gateway responses |

mod api;
mod authorize;
mod context;
mod integrate;
mod keys;
mod lambda;
mod parameters;
mod refusal;
mod respond;
mod validate;
mod web;

use serde_json::{Map, Value, json};

use api::Matched;
pub(super) use api::RestApi;
pub(super) use context::{clf, multiple, single};
pub(super) use refusal::{Kind, Refused};

use super::Gateway;
use super::call::Call;
use super::reply::Reply;
use crate::ground::ACCOUNT_ID;
use crate::ground::scalar::text;
use crate::ground::world::Thing;
use bedplate_iam::{Decision, Policy, Request as Asked, evaluate};

/// One request on its way through an API.
pub(super) struct Exchange<'a> {
    pub gateway: &'a Gateway,
    pub api: &'a RestApi,
    /// The API's id.
    pub id: &'a str,
    pub region: &'a str,
    pub stage: &'a Thing,
    pub call: &'a Call,
    pub resource_id: String,
    pub resource_path: String,
    pub method: &'a Value,
    /// Path parameters.
    pub path: Vec<(String, String)>,
    /// What the authorizer said, as `$context.authorizer`.
    pub authorizer: Map<String, Value>,
    /// `$context.identity`.
    pub identity: Map<String, Value>,
}

/// Answers a request to a stage of a deployed API.
pub(super) async fn answer(gateway: &Gateway, api: &RestApi, thing: &Thing, stage: &Thing, call: &Call) -> Reply {
    let nothing = Value::Null;
    let mut exchange = Exchange {
        gateway,
        api,
        id: &thing.id,
        region: &thing.region,
        stage,
        call,
        resource_id: String::new(),
        resource_path: String::new(),
        method: &nothing,
        path: Vec::new(),
        authorizer: Map::new(),
        identity: context::identity(call),
    };
    let Some(Matched { resource_id, resource_path, method, parameters }) = api.route(call.method.as_str(), &call.path)
    else {
        return Refused::of(Kind::MissingToken).reply(&exchange);
    };
    exchange.resource_id = resource_id;
    exchange.resource_path = resource_path;
    exchange.method = method;
    exchange.path = parameters;
    match carry_out(&mut exchange).await {
        Ok(reply) => reply,
        Err(refused) => refused.reply(&exchange),
    }
}

async fn carry_out(exchange: &mut Exchange<'_>) -> Result<Reply, Refused> {
    if exchange.call.body.len() > super::MAX_BODY {
        return Err(Refused::of(Kind::TooLarge));
    }
    authorize::authorize(exchange).await?;
    exchange.resource_policy()?;
    keys::check(exchange).await?;
    validate::validate(exchange)?;
    integrate::integrate(exchange).await
}

impl Exchange<'_> {
    /// The stage's name.
    pub fn stage_name(&self) -> &str {
        &self.stage.id
    }

    /// The stage's variables.
    pub fn stage_variables(&self) -> Map<String, Value> {
        super::state::texts(self.stage.properties.get("Variables"))
    }

    /// The ARN of this very call.
    pub fn method_arn(&self) -> String {
        format!(
            "arn:aws:execute-api:{}:{ACCOUNT_ID}:{}/{}/{}/{}",
            self.region,
            self.id,
            self.stage_name(),
            self.call.method,
            self.call.path.trim_start_matches('/')
        )
    }

    /// The ARN by which Lambda knows the method.
    pub fn source_arn(&self) -> String {
        let verb = text(self.method, "HttpMethod").unwrap_or_default();
        let verb = if verb == "ANY" { "*".to_owned() } else { verb };
        // A variable of the path is whatever was called: permissions name it `*`.
        format!(
            "arn:aws:execute-api:{}:{ACCOUNT_ID}:{}/{}/{verb}{}",
            self.region,
            self.id,
            self.stage_name(),
            self.resource_path
        )
    }

    /// The API's own policy. A private API is called as if through its first VPC endpoint.
    fn resource_policy(&self) -> Result<(), Refused> {
        let Some(policy) = self.api.properties.get("Policy").filter(|policy| !policy.is_null()) else { return Ok(()) };
        let policy = match policy {
            Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            other => other.clone(),
        };
        let policy = absolute(policy, &format!("arn:aws:execute-api:{}:{ACCOUNT_ID}:{}", self.region, self.id));
        let Ok(policy) = Policy::from_value(&policy) else { return Err(Refused::of(Kind::ApiConfiguration)) };
        let arn = self.method_arn();
        let mut asked = Asked { action: "execute-api:Invoke", resource: &arn, ..Asked::default() };
        asked.context.insert("aws:SourceIp".to_owned(), vec![super::call::SOURCE_IP.to_owned()]);
        let endpoint = self.api.properties.pointer("/EndpointConfiguration/VpcEndpointIds/0").and_then(Value::as_str);
        if let Some(endpoint) = endpoint {
            asked.context.insert("aws:SourceVpce".to_owned(), vec![endpoint.to_owned()]);
        }
        match evaluate([&policy], &asked) {
            Decision::Allow => Ok(()),
            decision => {
                let explicit = if decision == Decision::ExplicitDeny { " with an explicit deny" } else { "" };
                Err(Refused::saying(
                    Kind::AccessDenied,
                    format!(
                        "User: anonymous is not authorized to perform: execute-api:Invoke on resource: {arn}{explicit}"
                    ),
                ))
            }
        }
    }

    /// The stage's settings for this method, the most particular first, each with whether it is the method's own.
    pub fn settings(&self) -> Vec<(bool, &Value)> {
        let settings = self.stage.properties.get("MethodSettings").and_then(Value::as_array);
        let verb = text(self.method, "HttpMethod").unwrap_or_default();
        // A path is written with `~1` for its slashes, after one of its own.
        let path = format!("/{}", self.resource_path.replace('/', "~1"));
        let find = |paths: &[&str], verb: &str| {
            settings.into_iter().flatten().find(|setting| {
                text(setting, "ResourcePath").is_some_and(|own| paths.contains(&own.as_str()))
                    && text(setting, "HttpMethod").as_deref() == Some(verb)
            })
        };
        let own = find(&[&path, &self.resource_path], &verb).map(|setting| (true, setting));
        own.into_iter().chain(find(&["/*"], "*").map(|setting| (false, setting))).collect()
    }
}

/// A policy whose resources may leave the API out: `execute-api:/stage/GET/path`.
fn absolute(mut policy: Value, api: &str) -> Value {
    let whole = |resource: &mut Value| {
        if let Some(rest) = resource.as_str().and_then(|text| text.strip_prefix("execute-api:/")) {
            *resource = json!(format!("{api}/{rest}"));
        }
    };
    let statements = match policy.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.iter_mut().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for statement in statements {
        for key in ["Resource", "NotResource"] {
            match statement.get_mut(key) {
                Some(Value::Array(resources)) => resources.iter_mut().for_each(whole),
                Some(one) => whole(one),
                None => {}
            }
        }
    }
    policy
}
