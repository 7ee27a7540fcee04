//! `InvokeAgent` of Bedrock Agents Classic.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::conversation::{AgentStep, Conversation, Memory, next_step};
use super::describe::{agent, has_alias, idle};
use super::lambda::{For, carry_out, parameters};
use super::schema::{Action, ActionForm, actions, objects};
use super::trace::Traces;
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid, stamp};
use crate::bedrock::guardrail::{self, GuardedText, Guardrail, Piece};
use crate::bedrock::identify;
use crate::bedrock::knowledge::Base;
use crate::bedrock::service_role::{ServiceRole, of_model};
use crate::bedrock::stream::Events;
use crate::bedrock::text::TurnRole;
use crate::bedrock::text::tools::{Tool, told};
use crate::bedrock::{Bedrock, store};
use crate::ground::{ACCOUNT_ID, ApiError};
use crate::identity::RequiredPermission;
use crate::s3::get_object;

/// The most steps of one answer.
const STEPS: usize = 5;

/// An agent as a call needs it.
struct Agent {
    arn: String,
    name: String,
    role: String,
    instruction: String,
    model: String,
    model_id: String,
    actions: Vec<Action>,
    bases: Vec<Base>,
    guardrail: Option<Guardrail>,
    idle: i64,
    state: Option<Value>,
}

/// What an agent answers with.
enum AgentReply {
    Given { text: String, citations: Vec<Value> },
    Control { id: String, input: Value },
}

/// `InvokeAgent`.
pub(in crate::bedrock) fn invoke_agent(
    bedrock: Arc<Bedrock>,
    call: BedrockRequest,
) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let label = |name: &str| call.label(name).to_owned();
        let (id, alias, session) = (label("agentId"), label("agentAliasId"), label("sessionId"));
        let agent = load(&bedrock, &call.region, &id, &alias, &session, call.now).await?;
        let state = call.body.get("sessionState").cloned().unwrap_or_default();
        let said = call.text("inputText").unwrap_or_default().to_owned();
        let returned =
            state.get("returnControlInvocationResults").and_then(Value::as_array).cloned().unwrap_or_default();
        if said.trim().is_empty() && returned.is_empty() && call.body.get("endSession") != Some(&json!(true)) {
            return Err(invalid("Invalid request: `inputText` must say something"));
        }
        let kept = agent.state.as_ref().and_then(|state| state.get("attributes")).cloned();
        let attributes = state.get("sessionAttributes").cloned().or(kept).unwrap_or_else(|| json!({}));
        let mut whom = For {
            agent: id.clone(),
            arn: agent.arn.clone(),
            name: agent.name.clone(),
            alias: alias.clone(),
            session: session.clone(),
            region: call.region.clone(),
            said: said.clone(),
            attributes,
            prompt_attributes: state.get("promptSessionAttributes").cloned().unwrap_or_else(|| json!({})),
        };
        let wanted = call.body.get("enableTrace") == Some(&json!(true));
        let mut traces = Traces::new(wanted, bedrock.host.ids.uuid().to_string(), &whom, &stamp(call.now));
        let mut memory = Memory::of(agent.state.as_ref());
        let ending = answer(&bedrock, &agent, &mut whom, &mut memory, &returned, &mut traces, call.now).await?;
        let owner = format!("agent/{id}/{alias}");
        let mut remembered = memory.to_value();
        if let Some(fields) = remembered.as_object_mut() {
            fields.insert("attributes".to_owned(), whom.attributes.clone());
        }
        let (ends, kept, now) = (call.body.get("endSession") == Some(&json!(true)), session.clone(), call.now);
        let idle = agent.idle;
        bedrock
            .host
            .store
            .write(move |tx| {
                if ends {
                    store::end_session(tx, &owner, &kept)
                } else {
                    store::keep_session(tx, &owner, &kept, &remembered, idle, now)
                }
            })
            .await?;
        let mut events = Events::default();
        for trace in &traces.events {
            events.push("trace", trace)?;
        }
        match ending {
            AgentReply::Given { text, citations } => {
                let mut chunk = json!({"bytes": STANDARD.encode(&text)});
                if let (false, Some(chunk)) = (citations.is_empty(), chunk.as_object_mut()) {
                    chunk.insert("attribution".to_owned(), json!({ "citations": citations }));
                }
                events.push("chunk", &chunk)?;
            }
            AgentReply::Control { id, input } => {
                events.push("returnControl", &json!({"invocationId": id, "invocationInputs": [input]}))?;
            }
        }
        let headers = vec![
            ("x-amzn-bedrock-agent-content-type", "application/json".to_owned()),
            ("x-amz-bedrock-agent-session-id", session),
        ];
        Ok(BedrockAnswer::Events { frames: events.into_frames(), headers })
    })
}

/// What an agent says to a text, for another part of Bedrock whose right was decided before.
///
/// # Errors
///
/// As `InvokeAgent` refuses; and when the agent hands an action to its caller, which only a program can carry out.
pub(in crate::bedrock) async fn ask(
    bedrock: &Arc<Bedrock>,
    region: &str,
    (id, alias): (&str, &str),
    session: &str,
    said: &str,
    now: Timestamp,
) -> Result<String, ApiError> {
    let agent = load(bedrock, region, id, alias, session, now).await?;
    let kept = agent.state.as_ref().and_then(|state| state.get("attributes")).cloned();
    let mut whom = For {
        agent: id.to_owned(),
        arn: agent.arn.clone(),
        name: agent.name.clone(),
        alias: alias.to_owned(),
        session: session.to_owned(),
        region: region.to_owned(),
        said: said.to_owned(),
        attributes: kept.unwrap_or_else(|| json!({})),
        prompt_attributes: json!({}),
    };
    let mut traces = Traces::new(false, String::new(), &whom, &stamp(now));
    let mut memory = Memory::of(agent.state.as_ref());
    let ending = answer(bedrock, &agent, &mut whom, &mut memory, &[], &mut traces, now).await?;
    let mut remembered = memory.to_value();
    if let Some(fields) = remembered.as_object_mut() {
        fields.insert("attributes".to_owned(), whom.attributes.clone());
    }
    let (owner, session, idle) = (format!("agent/{id}/{alias}"), session.to_owned(), agent.idle);
    bedrock.host.store.write(move |tx| store::keep_session(tx, &owner, &session, &remembered, idle, now)).await?;
    match ending {
        AgentReply::Given { text, .. } => Ok(text),
        AgentReply::Control { .. } => {
            Err(invalid(format!("The agent {id} hands its action to its caller, who is no program")))
        }
    }
}

async fn load(
    bedrock: &Arc<Bedrock>,
    region: &str,
    id: &str,
    alias: &str,
    session: &str,
    now: Timestamp,
) -> Result<Agent, ApiError> {
    let (region, id, alias, session) = (region.to_owned(), id.to_owned(), alias.to_owned(), session.to_owned());
    let (here, own) = (region.clone(), id.clone());
    let thing = bedrock.host.store.read(move |tx| agent(tx, &here, &own)).await?;
    let mut schemas = BTreeMap::new();
    for (bucket, key) in objects(&thing.properties) {
        let arn = thing.attributes.get("AgentArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let role = thing.properties.get("AgentResourceRoleArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let worker = ServiceRole { role, service: "bedrock.amazonaws.com", source: arn, region: region.clone() };
        worker
            .may(bedrock, vec![RequiredPermission::new("s3:GetObject", format!("arn:aws:s3:::{bucket}/{key}"))], now)
            .await?;
        let schema = get_object(&bedrock.host.store, &bucket, &key, None).await?;
        let schema = String::from_utf8(schema).map_err(|_| invalid("The schema of an action group is not text"))?;
        schemas.insert((bucket, key), schema);
    }
    bedrock
        .host
        .store
        .read(move |tx| -> Result<Agent, ApiError> {
            has_alias(tx, &region, &id, &alias)?;
            let text = |name: &str| thing.properties.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let model = text("FoundationModel");
            if model.is_empty() {
                return Err(invalid("The agent has no foundation model and can't be invoked"));
            }
            let target = identify::target(tx, &region, &model, now)?;
            let actions = actions(&thing.properties, &schemas)?;
            let mut bases = Vec::new();
            for one in thing.properties.get("KnowledgeBases").and_then(Value::as_array).into_iter().flatten() {
                let enabled = one.get("KnowledgeBaseState").and_then(Value::as_str) != Some("DISABLED");
                if let Some(base) = one.get("KnowledgeBaseId").and_then(Value::as_str).filter(|_| enabled) {
                    bases.push(Base::find(tx, &region, base)?);
                }
            }
            let guard = thing.properties.get("GuardrailConfiguration");
            let part = |name: &str| guard.and_then(|guard| guard.get(name)).and_then(Value::as_str).unwrap_or_default();
            let guardrail = match guard {
                Some(_) => Some(guardrail::find(tx, &region, part("GuardrailIdentifier"), part("GuardrailVersion"))?),
                None => None,
            };
            let state = store::session(tx, &format!("agent/{id}/{alias}"), &session, now)?;
            Ok(Agent {
                arn: thing.attributes.get("AgentArn").and_then(Value::as_str).unwrap_or_default().to_owned(),
                name: text("AgentName"),
                role: text("AgentResourceRoleArn"),
                instruction: text("Instruction"),
                model,
                model_id: target.id,
                actions,
                bases,
                guardrail,
                idle: idle(&thing),
                state,
            })
        })
        .await
}

async fn answer(
    bedrock: &Arc<Bedrock>,
    agent: &Agent,
    whom: &mut For,
    memory: &mut Memory,
    returned: &[Value],
    traces: &mut Traces,
    now: Timestamp,
) -> Result<AgentReply, ApiError> {
    let worker = ServiceRole {
        role: agent.role.clone(),
        service: "bedrock.amazonaws.com",
        source: agent.arn.clone(),
        region: whom.region.clone(),
    };
    let mut needs = of_model(bedrock, &whom.region, "bedrock:InvokeModel", &agent.model).await?;
    if let Some(guardrail) = &agent.guardrail {
        needs.push(RequiredPermission::new("bedrock:ApplyGuardrail", guardrail.arn.clone()));
    }
    worker.may(bedrock, needs, now).await?;
    if let Some(guardrail) = agent.guardrail.as_ref().filter(|_| !whom.said.is_empty()) {
        let verdict = guardrail::judge(guardrail, GuardedText::Input, &[Piece::of(whom.said.clone())]);
        traces.guardrail("inputAssessments", verdict.intervened(), &verdict.assessment);
        if verdict.blocked {
            // What was blocked is not remembered.
            return Ok(AgentReply::Given {
                text: guardrail.message(GuardedText::Input).to_owned(),
                citations: Vec::new(),
            });
        }
        if let (true, Some(text)) = (verdict.masked, verdict.texts.into_iter().next()) {
            whom.said = text;
        }
    }
    if !whom.said.is_empty() {
        memory.add(TurnRole::User, whom.said.clone());
    }
    let tools: Vec<Tool> = agent.actions.iter().map(|action| action.tool.clone()).collect();
    let mut results: Vec<(String, Value, Value)> =
        returned.iter().map(|result| of_caller(&agent.actions, result)).collect();
    for _ in 0..STEPS {
        let conversation = Conversation {
            memory,
            tools: &tools,
            bases: &agent.bases,
            model: &agent.model_id,
            instruction: &agent.instruction,
            results: &results,
            most: None,
        };
        let (tool, input) = match next_step(bedrock, &conversation).await? {
            AgentStep::Use { tool, input } => (tool, input),
            AgentStep::Say { text, grounded, base } => {
                let mut citations = Vec::new();
                if let (Some(grounded), Some(base)) = (&grounded, &base) {
                    let resource = format!("arn:aws:bedrock:{}:{ACCOUNT_ID}:knowledge-base/{base}", whom.region);
                    worker.may(bedrock, vec![RequiredPermission::new("bedrock:Retrieve", resource)], now).await?;
                    citations = grounded.citations();
                    let references: Vec<&Value> =
                        grounded.parts.iter().flat_map(|(.., references)| references).collect();
                    let lookup = json!({"knowledgeBaseId": base, "text": whom.said});
                    traces.step(
                        "invocationInput",
                        json!({"invocationType": "KNOWLEDGE_BASE", "knowledgeBaseLookupInput": lookup}),
                    );
                    let found = json!({ "retrievedReferences": references });
                    traces.step("observation", json!({"type": "KNOWLEDGE_BASE", "knowledgeBaseLookupOutput": found}));
                }
                return Ok(finish(agent, memory, traces, text, citations));
            }
        };
        let Some(action) = agent.actions.iter().find(|action| action.tool.name == tool) else {
            return Err(invalid(format!("The model asked for the action {tool}, which the agent does not have")));
        };
        traces.step("rationale", json!({"text": format!("The message asks for {tool}, and what it needs was said.")}));
        traces.step(
            "invocationInput",
            json!({"invocationType": "ACTION_GROUP", "actionGroupInvocationInput": of_action(action, &input)}),
        );
        let Some(function) = &action.function else {
            let id = bedrock.host.ids.uuid().to_string();
            return Ok(AgentReply::Control { id, input: control(action, &input, whom) });
        };
        let answered = carry_out(bedrock, action, function, &input, whom).await?;
        if let Some(attributes) = answered.attributes {
            whom.attributes = attributes;
        }
        traces.step(
            "observation",
            json!({"type": "ACTION_GROUP", "actionGroupInvocationOutput": {"text": answered.raw}}),
        );
        if answered.reprompt {
            let text = told(&tool, &answered.result);
            traces.step(
                "observation",
                json!({"type": "REPROMPT", "repromptResponse": {"source": "ACTION_GROUP", "text": text}}),
            );
            return Ok(finish(agent, memory, traces, text, Vec::new()));
        }
        results.push((tool, Value::Object(input), answered.result));
    }
    let text = "I am sorry, I could not come to an end with that.".to_owned();
    Ok(finish(agent, memory, traces, text, Vec::new()))
}

/// Says something, as the guardrail lets it be said, and remembers it.
fn finish(
    agent: &Agent,
    memory: &mut Memory,
    traces: &mut Traces,
    mut text: String,
    mut citations: Vec<Value>,
) -> AgentReply {
    if let Some(guardrail) = &agent.guardrail {
        let verdict = guardrail::judge(guardrail, GuardedText::Output, &[Piece::of(text.clone())]);
        traces.guardrail("outputAssessments", verdict.intervened(), &verdict.assessment);
        if verdict.blocked {
            text = guardrail.message(GuardedText::Output).to_owned();
            citations.clear();
        } else if let (true, Some(masked)) = (verdict.masked, verdict.texts.into_iter().next()) {
            text = masked;
            citations.clear();
        }
    }
    traces.step("observation", json!({"type": "FINISH", "finalResponse": {"text": text}}));
    memory.add(TurnRole::Assistant, text.clone());
    AgentReply::Given { text, citations }
}

/// An action in a trace.
fn of_action(action: &Action, input: &Map<String, Value>) -> Value {
    let kind = if action.function.is_some() { "LAMBDA" } else { "RETURN_CONTROL" };
    let mut told = json!({
        "actionGroupName": action.group,
        "executionType": kind,
        "parameters": parameters(action, input, false),
    });
    if let Some(fields) = told.as_object_mut() {
        match &action.form {
            ActionForm::Function => {
                fields.insert("function".to_owned(), json!(action.tool.name));
            }
            ActionForm::Api { path, method, body, media } => {
                fields.insert("apiPath".to_owned(), json!(path));
                fields.insert("verb".to_owned(), json!(method.to_lowercase()));
                if !body.is_empty() {
                    let content = json!({ media: parameters(action, input, true) });
                    fields.insert("requestBody".to_owned(), json!({ "content": content }));
                }
            }
        }
    }
    told
}

/// An action that the caller is to carry out.
fn control(action: &Action, input: &Map<String, Value>, whom: &For) -> Value {
    let own = parameters(action, input, false);
    match &action.form {
        ActionForm::Function => json!({"functionInvocationInput": {
            "actionGroup": action.group, "function": action.tool.name, "parameters": own,
            "agentId": whom.agent, "actionInvocationType": "RESULT"}}),
        ActionForm::Api { path, method, body, media } => {
            let mut told = json!({
                "actionGroup": action.group, "apiPath": path, "httpMethod": method, "parameters": own,
                "agentId": whom.agent, "actionInvocationType": "RESULT"});
            if let (false, Some(fields)) = (body.is_empty(), told.as_object_mut()) {
                let content = json!({ media: {"properties": parameters(action, input, true)} });
                fields.insert("requestBody".to_owned(), json!({ "content": content }));
            }
            json!({ "apiInvocationInput": told })
        }
    }
}

/// What the caller found out itself.
fn of_caller(actions: &[Action], result: &Value) -> (String, Value, Value) {
    let own = result.get("functionResult").or_else(|| result.get("apiResult")).unwrap_or(&Value::Null);
    let text = |name: &str| own.get(name).and_then(Value::as_str).unwrap_or_default();
    let by_path =
        actions.iter().find(|action| matches!(&action.form, ActionForm::Api { path, .. } if path == text("apiPath")));
    let name = match (text("function"), by_path) {
        ("", Some(action)) => action.tool.name.clone(),
        (name, _) => name.to_owned(),
    };
    let bodies = own.get("responseBody").and_then(Value::as_object);
    let body =
        bodies.and_then(|bodies| bodies.values().next()).and_then(|body| body.get("body")).and_then(Value::as_str);
    let raw = body.unwrap_or_default();
    (name, Value::Null, serde_json::from_str(raw).unwrap_or_else(|_| Value::String(raw.to_owned())))
}
