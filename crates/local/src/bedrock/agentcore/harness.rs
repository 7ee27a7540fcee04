//! `InvokeHarness`: a conversation with a harness, its steps as an event stream.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::describe;
use super::gateway::{McpGateway, SERVICE};
use crate::bedrock::agents::{AgentStep, Conversation, Memory, next_step};
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid};
use crate::bedrock::converse::tool_id;
use crate::bedrock::identify;
use crate::bedrock::service_role::{ServiceRole, of_model};
use crate::bedrock::stream::{Events, pieces};
use crate::bedrock::text::TurnRole;
use crate::bedrock::text::tools::Tool;
use crate::bedrock::text::words::tokens;
use crate::bedrock::{Bedrock, store};
use crate::ground::ApiError;
use crate::identity::RequiredPermission;

/// How many steps an answer has at most when the harness does not say.
const STEPS: u64 = 25;

/// How long a session is kept when the harness does not say, in seconds. Source: AgentCore API reference,
/// `LifecycleConfiguration`.
const IDLE: i64 = 900;

/// The shortest id of a session. Source: AgentCore API reference, `InvokeHarness`.
const SESSION: usize = 33;

struct Harness {
    id: String,
    arn: String,
    role: String,
    instruction: String,
    model: String,
    model_id: String,
    gateways: Vec<(String, McpGateway)>,
    /// Functions that the caller carries out.
    inline: Vec<Tool>,
    allowed: Option<Vec<String>>,
    steps: u64,
    most: Option<usize>,
    idle: i64,
    state: Option<Value>,
}

fn number(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// `InvokeHarness`.
pub(in crate::bedrock) fn invoke_harness(
    bedrock: Arc<Bedrock>,
    call: BedrockRequest,
) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let began = Instant::now();
        let session = call.header("x-amzn-bedrock-agentcore-runtime-session-id").unwrap_or_default().to_owned();
        if session.len() < SESSION {
            return Err(invalid(format!("`runtimeSessionId` must have at least {SESSION} characters")));
        }
        for name in ["model", "systemPrompt", "tools", "skills"] {
            if call.body.get(name).is_some() {
                return Err(ApiError::not_implemented(
                    "bedrock-agentcore",
                    &format!("InvokeHarness with `{name}` of the call's own"),
                ));
            }
        }
        let mut harness = load(&bedrock, &call, &session).await?;
        if let Some(list) = call.body.get("allowedTools").and_then(Value::as_array) {
            harness.allowed = Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
        let mut memory = Memory::of(harness.state.as_ref());
        let mut results = Vec::new();
        let mut input_tokens = 0;
        for message in call.body.get("messages").and_then(Value::as_array).into_iter().flatten() {
            let role = if message.get("role").and_then(Value::as_str) == Some("assistant") {
                TurnRole::Assistant
            } else {
                TurnRole::User
            };
            for block in message.get("content").and_then(Value::as_array).into_iter().flatten() {
                if let Some(text) = block.get("text").and_then(Value::as_str) {
                    input_tokens += tokens(text);
                    memory.add(role, text);
                } else if let Some(result) = block.get("toolResult") {
                    results.push(of_caller(&harness, result));
                }
            }
        }
        if input_tokens == 0 && results.is_empty() {
            return Err(invalid("`messages` must say something"));
        }
        let worker = ServiceRole {
            role: harness.role.clone(),
            service: SERVICE,
            source: harness.arn.clone(),
            region: call.region.clone(),
        };
        let mut needs =
            of_model(&bedrock, &call.region, "bedrock:InvokeModelWithResponseStream", &harness.model).await?;
        needs.extend(
            harness
                .gateways
                .iter()
                .map(|(_, gateway)| RequiredPermission::new("bedrock-agentcore:InvokeGateway", gateway.arn.clone())),
        );
        worker.may(&bedrock, needs, call.now).await?;
        let mut told = HarnessEvents::default();
        let stop = run_turns(&bedrock, &harness, &mut memory, &mut results, &mut told, call.now).await?;
        let metadata = json!({
            "usage": {"inputTokens": input_tokens, "outputTokens": told.tokens, "totalTokens": input_tokens + told.tokens},
            "metrics": {"latencyMs": began.elapsed().as_millis()},
        });
        told.events.push("messageStop", &json!({ "stopReason": stop }))?;
        told.events.push("metadata", &metadata)?;
        let (owner, state, now, idle) = (format!("harness/{}", harness.id), memory.to_value(), call.now, harness.idle);
        bedrock.host.store.write(move |tx| store::keep_session(tx, &owner, &session, &state, idle, now)).await?;
        Ok(BedrockAnswer::Events { frames: told.events.into_frames(), headers: Vec::new() })
    })
}

async fn load(bedrock: &Arc<Bedrock>, call: &BedrockRequest, session: &str) -> Result<Harness, ApiError> {
    let arn = call.query.get("harnessArn").cloned().unwrap_or_default();
    let (region, now, session) = (call.region.clone(), call.now, session.to_owned());
    bedrock
        .host
        .store
        .read(move |tx| -> Result<Harness, ApiError> {
            let thing = describe::harness(tx, &region, &arn)?;
            let id = thing.attributes.get("HarnessId").and_then(Value::as_str).unwrap_or_default().to_owned();
            let properties = &thing.properties;
            let list = |name: &str| properties.get(name).and_then(Value::as_array).into_iter().flatten();
            let Some(model) = properties.pointer("/Model/BedrockModelConfig") else {
                return Err(ApiError::not_implemented(
                    "bedrock-agentcore",
                    "harnesses with models that are not Bedrock's",
                ));
            };
            let model_name = model.get("ModelId").and_then(Value::as_str).unwrap_or_default();
            let target = identify::target(tx, &region, model_name, now)?;
            let system: Vec<&str> = list("SystemPrompt").filter_map(|block| block.get("Text")?.as_str()).collect();
            let (mut gateways, mut inline) = (Vec::new(), Vec::new());
            for tool in list("Tools") {
                let name = tool.get("Name").and_then(Value::as_str).unwrap_or_default();
                match tool.get("Type").and_then(Value::as_str).unwrap_or_default() {
                    "agentcore_gateway" => {
                        let arn = tool.pointer("/Config/AgentCoreGateway/GatewayArn").and_then(Value::as_str);
                        gateways.push((name.to_owned(), McpGateway::find(tx, &region, arn.unwrap_or_default())?));
                    }
                    "inline_function" => {
                        let own = tool.pointer("/Config/InlineFunction").cloned().unwrap_or_default();
                        let description = own.get("Description").and_then(Value::as_str).unwrap_or_default();
                        inline.push(Tool::of_schema(name, description, own.get("InputSchema").unwrap_or(&Value::Null)));
                    }
                    other => {
                        return Err(ApiError::not_implemented(
                            "bedrock-agentcore",
                            &format!("InvokeHarness with tools of type {other}"),
                        ));
                    }
                }
            }
            let allowed = properties.get("AllowedTools").and_then(Value::as_array);
            let allowed = allowed.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            let idle = properties
                .pointer("/Environment/AgentCoreRuntimeEnvironment/LifecycleConfiguration/IdleRuntimeSessionTimeout");
            let most = number(model.get("MaxTokens")).or_else(|| number(properties.get("MaxTokens")));
            let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(Harness {
                state: store::session(tx, &format!("harness/{id}"), &session, now)?,
                id,
                role: text("ExecutionRoleArn"),
                instruction: system.join("\n"),
                model: model_name.to_owned(),
                model_id: target.id,
                gateways,
                inline,
                allowed,
                steps: number(properties.get("MaxIterations")).unwrap_or(STEPS),
                most: most.and_then(|most| usize::try_from(most).ok()),
                idle: number(idle).and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(IDLE),
                arn: thing.id,
            })
        })
        .await
}

impl Harness {
    /// Whether a tool may be used: `*`, its name, or `@name/…` for what a tool such as a gateway brings along.
    fn allows(&self, of: Option<&str>, tool: &str) -> bool {
        let whole = of.map_or_else(|| tool.to_owned(), |of| format!("@{of}/{tool}"));
        self.allowed.as_ref().is_none_or(|list| {
            list.iter().any(|pattern| {
                pattern == &whole
                    || of.is_some_and(|of| *pattern == format!("@{of}"))
                    || pattern.strip_suffix('*').is_some_and(|start| whole.starts_with(start))
            })
        })
    }
}

/// What is told of the steps.
#[derive(Default)]
struct HarnessEvents {
    events: Events,
    tokens: usize,
}

impl HarnessEvents {
    fn words(&mut self, text: &str) -> Result<(), ApiError> {
        self.tokens += tokens(text);
        self.events.push("messageStart", &json!({"role": "assistant"}))?;
        for piece in pieces(text) {
            self.events.push("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": piece}}))?;
        }
        self.events.push("contentBlockStop", &json!({"contentBlockIndex": 0}))
    }

    fn used(&mut self, id: &str, tool: &str, input: &Map<String, Value>) -> Result<(), ApiError> {
        let input = json!(input).to_string();
        self.tokens += tokens(&input);
        self.events.push("messageStart", &json!({"role": "assistant"}))?;
        let start = json!({"toolUse": {"toolUseId": id, "name": tool, "type": "tool_use"}});
        self.events.push("contentBlockStart", &json!({"contentBlockIndex": 0, "start": start}))?;
        self.events
            .push("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"toolUse": {"input": input}}}))?;
        self.events.push("contentBlockStop", &json!({"contentBlockIndex": 0}))
    }

    fn result(&mut self, id: &str, status: &str, result: &Value) -> Result<(), ApiError> {
        self.events.push("messageStart", &json!({"role": "user"}))?;
        let start = json!({"toolResult": {"toolUseId": id, "status": status}});
        self.events.push("contentBlockStart", &json!({"contentBlockIndex": 0, "start": start}))?;
        let delta = match result {
            Value::String(text) => json!([{ "text": text }]),
            other => json!([{ "json": other }]),
        };
        self.events.push("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"toolResult": delta}}))?;
        self.events.push("contentBlockStop", &json!({"contentBlockIndex": 0}))?;
        self.events.push("messageStop", &json!({"stopReason": "tool_result"}))
    }
}

/// The loop; gives why it ended.
async fn run_turns(
    bedrock: &Arc<Bedrock>,
    harness: &Harness,
    memory: &mut Memory,
    results: &mut Vec<(String, Value, Value)>,
    told: &mut HarnessEvents,
    now: Timestamp,
) -> Result<&'static str, ApiError> {
    let mut tools: Vec<Tool> = harness.inline.iter().filter(|tool| harness.allows(None, &tool.name)).cloned().collect();
    let mut bases = Vec::new();
    for (name, gateway) in &harness.gateways {
        tools.extend(gateway.tools().filter(|tool| harness.allows(Some(name), &tool.name)).cloned());
        let allowed = gateway.searched().filter(|(tool, _)| harness.allows(Some(name), tool));
        bases.extend(allowed.map(|(_, base)| base.clone()));
    }
    for step in 0..harness.steps {
        let conversation = Conversation {
            memory,
            tools: &tools,
            bases: &bases,
            model: &harness.model_id,
            instruction: &harness.instruction,
            results,
            most: harness.most,
        };
        match next_step(bedrock, &conversation).await? {
            AgentStep::Say { text, grounded, base } => {
                if let (Some(_), Some(base)) = (&grounded, &base) {
                    let gateway =
                        harness.gateways.iter().find(|(_, one)| one.bases.iter().any(|known| known.id == *base));
                    if let Some((_, gateway)) = gateway {
                        let own = gateway.bases.iter().find(|known| known.id == *base);
                        let arn = own.map(|own| own.arn.clone()).unwrap_or_default();
                        let needs = vec![
                            RequiredPermission::new("bedrock:GetKnowledgeBase", arn.clone()),
                            RequiredPermission::new("bedrock:Retrieve", arn),
                        ];
                        gateway.worker().may(bedrock, needs, now).await?;
                    }
                }
                told.words(&text)?;
                memory.add(TurnRole::Assistant, text);
                return Ok("end_turn");
            }
            AgentStep::Use { tool, input } => {
                let id = format!("tooluse_{}", tool_id(&format!("{step}{tool}{input:?}")));
                told.used(&id, &tool, &input)?;
                if harness.inline.iter().any(|own| own.name == tool) {
                    return Ok("tool_use");
                }
                told.events.push("messageStop", &json!({"stopReason": "tool_use"}))?;
                let mut result = None;
                for (_, gateway) in &harness.gateways {
                    result = match gateway.call(bedrock, &tool, &input, now).await {
                        // The model is told of a tool that failed, and so is the caller.
                        Err(error) => Some(json!({"error": error.code, "message": error.message})),
                        Ok(answer) => answer,
                    };
                    if result.is_some() {
                        break;
                    }
                }
                let result = result.unwrap_or_else(|| json!({"error": "unknown", "message": "There is no such tool"}));
                let status = if result.get("error").is_some() { "error" } else { "success" };
                told.result(&id, status, &result)?;
                results.push((tool, Value::Object(input), result));
            }
        }
    }
    Ok("max_iterations_exceeded")
}

/// What the caller found out itself.
fn of_caller(harness: &Harness, result: &Value) -> (String, Value, Value) {
    let content = result.get("content").and_then(Value::as_array).and_then(|content| content.first());
    let value = content.and_then(|block| block.get("json").or_else(|| block.get("text"))).cloned().unwrap_or_default();
    let name = harness.inline.first().map(|tool| tool.name.clone()).unwrap_or_default();
    (name, Value::Null, value)
}
