//! What each kind of node does, with the rights of the flow's role.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::definition::{FlowNode, NodeInput, is_of, short};
use super::describe::FoundFlow;
use crate::bedrock::agents;
use crate::bedrock::answer::invalid;
use crate::bedrock::converse::of_prompt;
use crate::bedrock::identify::{self, ModelTarget};
use crate::bedrock::knowledge::{Base, How, ground, results, search};
use crate::bedrock::prompts::Prompt;
use crate::bedrock::service_role::{ServiceRole, of_model};
use crate::bedrock::{Bedrock, text::ModelReply};
use crate::ground::{ACCOUNT_ID, ApiError};
use crate::identity::{RequiredPermission, Session};
use crate::lambda::call::{Invocation, Invoker};
use crate::lambda::invoke::invoke;

/// What is said when a knowledge base does not answer. Source: Bedrock user guide, "RetrieveAndGenerate".
const UNKNOWN: &str = "Sorry, I am unable to assist you with this request.";

/// One run of a flow.
pub(super) struct FlowRun<'a> {
    pub bedrock: &'a Arc<Bedrock>,
    pub found: &'a FoundFlow,
    pub worker: &'a ServiceRole,
    pub session: &'a Arc<Session>,
    /// The execution's id, which is the id of agents' sessions, too.
    pub execution: &'a str,
    pub now: Timestamp,
}

/// Why a node failed, as the stream tells it.
#[derive(Debug)]
pub(super) enum NodeFailure {
    /// What a node was given is not right.
    Invalid(String),
    /// What a node called failed: its name, and what it said.
    Dependency(String, String),
    /// Another service's refusal.
    Refused(ApiError),
}

impl From<ApiError> for NodeFailure {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

/// The value of an input.
fn value<'a>(taken: &'a [(NodeInput, Value)], name: &str) -> Option<&'a Value> {
    taken.iter().find(|(input, _)| input.name == name).map(|(_, value)| value)
}

/// A value as text: texts as they are, all else as JSON.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl FlowRun<'_> {
    async fn may(&self, needs: Vec<RequiredPermission>) -> Result<(), ApiError> {
        self.worker.decide(self.bedrock, self.session, needs, self.now).await
    }

    async fn model(&self, id: &str) -> Result<ModelTarget, ApiError> {
        let (region, id, now) = (self.worker.region.clone(), id.to_owned(), self.now);
        let target = self.bedrock.host.store.read(move |tx| identify::target(tx, &region, &id, now)).await?;
        if target.model.output == "text" { Ok(target) } else { Err(invalid("The model does not generate text")) }
    }

    /// What a node gives.
    pub async fn node(&self, node: &FlowNode, taken: &[(NodeInput, Value)]) -> Result<Value, NodeFailure> {
        let given = match node.kind.as_str() {
            "Prompt" => self.prompt(node, taken).await?,
            "KnowledgeBase" => self.knowledge_base(node, taken).await?,
            "LambdaFunction" => self.function(node, taken).await?,
            "Agent" => self.agent(node, taken).await?,
            // An output node gives what it is given.
            _ => return Ok(value(taken, "document").cloned().unwrap_or_default()),
        };
        match node.outputs.first() {
            Some((name, kind)) if !is_of(kind, &given) => Err(NodeFailure::Invalid(format!(
                "The output {name} of the node {} is of type {kind}, and what it gave is not: {}",
                node.name,
                short(&given)
            ))),
            _ => Ok(given),
        }
    }

    async fn prompt(&self, node: &FlowNode, taken: &[(NodeInput, Value)]) -> Result<Value, NodeFailure> {
        let source = node.configuration.get("SourceConfiguration").cloned().unwrap_or_default();
        let arn = source.pointer("/Resource/PromptArn").and_then(Value::as_str);
        let (target, prompt, asked) = match arn {
            Some(arn) => {
                let target = self.model(arn).await?;
                let prompt = target.prompt.clone().ok_or_else(|| invalid(format!("{arn} is no prompt")))?;
                (target, prompt, arn.to_owned())
            }
            None => {
                let prompt = Prompt::inline(source.get("Inline").cloned().unwrap_or_default())?;
                let asked = prompt.model.clone();
                (self.model(&asked).await?, prompt, asked)
            }
        };
        let values: Map<String, Value> =
            taken.iter().map(|(input, value)| (input.name.clone(), json!({"text": written(value)}))).collect();
        let request = of_prompt(&prompt, &json!({ "promptVariables": values }))?;
        self.may(of_model(self.bedrock, &self.worker.region, "bedrock:InvokeModel", &asked).await?).await?;
        let ModelReply { text, .. } = self.bedrock.reply(&target.id, request).await?;
        Ok(Value::String(text))
    }

    async fn knowledge_base(&self, node: &FlowNode, taken: &[(NodeInput, Value)]) -> Result<Value, NodeFailure> {
        let text = |name: &str| node.configuration.get(name).and_then(Value::as_str).map(str::to_owned);
        let (id, model) = (text("KnowledgeBaseId").unwrap_or_default(), text("ModelId"));
        let question = value(taken, "retrievalQuery").map(written).unwrap_or_default();
        let region = self.worker.region.clone();
        let base = self.bedrock.host.store.read(move |tx| Base::find(tx, &region, &id)).await?;
        let number = node.configuration.get("NumberOfResults").filter(|number| !number.is_null());
        let configuration = number.map(|number| {
            let number = number.as_str().and_then(|text| text.parse::<u64>().ok()).map_or(number.clone(), Value::from);
            let kind = if base.managed { "managedSearchConfiguration" } else { "vectorSearchConfiguration" };
            json!({ kind: {"numberOfResults": number} })
        });
        let how = How::of(configuration.as_ref(), &base)?;
        let arn = format!("arn:aws:bedrock:{}:{ACCOUNT_ID}:knowledge-base/{}", self.worker.region, base.id);
        let mut needs = vec![RequiredPermission::new("bedrock:Retrieve", arn)];
        let Some(model) = model else {
            self.may(needs).await?;
            let hits = search(self.bedrock, &base, &question, how).await?;
            return Ok(Value::Array(results(&hits)));
        };
        if base.managed {
            return Err(NodeFailure::Invalid(format!(
                "The node {} has a model answer from a managed knowledge base, which RetrieveAndGenerate does not take",
                node.name
            )));
        }
        let target = self.model(&model).await?;
        needs.push(RequiredPermission::new("bedrock:RetrieveAndGenerate", "*"));
        needs.extend(of_model(self.bedrock, &self.worker.region, "bedrock:InvokeModel", &model).await?);
        self.may(needs).await?;
        let hits = search(self.bedrock, &base, &question, how).await?;
        let most = node.configuration.pointer("/InferenceConfiguration/Text/MaxTokens");
        let most = most.and_then(|most| most.as_u64().or_else(|| most.as_str()?.parse().ok()));
        let most = most.and_then(|most| usize::try_from(most).ok());
        let grounded = ground(self.bedrock, &target.id, &question, &hits, most).await?;
        Ok(Value::String(grounded.map_or_else(|| UNKNOWN.to_owned(), |grounded| grounded.text)))
    }

    async fn function(&self, node: &FlowNode, taken: &[(NodeInput, Value)]) -> Result<Value, NodeFailure> {
        let arn = node.configuration.get("LambdaArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let inputs: Vec<Value> = taken
            .iter()
            .map(|(input, value)| {
                json!({"name": input.name, "type": input.kind, "expression": input.expression, "value": value})
            })
            .collect();
        let event = json!({
            "messageVersion": "1.0",
            "flow": {"arn": self.found.flow, "aliasId": self.found.alias.rsplit('/').next()},
            "node": {"name": node.name, "inputs": inputs},
        });
        let call = Invocation {
            function: arn.clone(),
            qualifier: None,
            region: self.worker.region.clone(),
            payload: Bytes::from(event.to_string()),
            client_context: None,
            caller: Invoker::Role(Arc::clone(self.session)),
        };
        let answer = invoke(&self.bedrock.host, &call).await?;
        let payload: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
        if answer.function_error.is_some() {
            let message = payload.get("errorMessage").and_then(Value::as_str).unwrap_or("the function failed");
            return Err(NodeFailure::Dependency(
                arn,
                format!("The function of the node {} failed: {message}", node.name),
            ));
        }
        Ok(payload)
    }

    async fn agent(&self, node: &FlowNode, taken: &[(NodeInput, Value)]) -> Result<Value, NodeFailure> {
        let arn = node.configuration.get("AgentAliasArn").and_then(Value::as_str).unwrap_or_default();
        let ids = arn.rsplit_once(":agent-alias/").and_then(|(_, ids)| ids.split_once('/'));
        let ids = ids.ok_or_else(|| NodeFailure::Invalid(format!("{arn} is no alias of an agent")))?;
        self.may(vec![RequiredPermission::new("bedrock:InvokeAgent", arn)]).await?;
        let said = value(taken, "agentInputText").map(written).unwrap_or_default();
        let session = value(taken, "sessionId").map_or_else(|| self.execution.to_owned(), written);
        let said = agents::ask(self.bedrock, &self.worker.region, ids, &session, &said, self.now).await?;
        Ok(Value::String(said))
    }
}
