//! The tools of a gateway: functions by their schemas, and managed knowledge bases; each is named by its target and its own
//! name. Source: AgentCore developer guide, "Lambda function targets".

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::describe;
use crate::bedrock::Bedrock;
use crate::bedrock::answer::invalid;
use crate::bedrock::knowledge::{self, AgenticQuery, Base, How, agentic_retrieve, results};
use crate::bedrock::service_role::ServiceRole;
use crate::bedrock::text::tools::Tool;
use crate::ground::ApiError;
use crate::identity::RequiredPermission;
use crate::lambda::call::{Invocation, Invoker};
use crate::lambda::invoke::invoke;

/// The principal of gateways and harnesses.
pub(super) const SERVICE: &str = "bedrock-agentcore.amazonaws.com";

/// What joins a target's name and a tool's.
const JOIN: &str = "___";

/// A gateway as its harness uses it.
#[derive(Debug, Clone)]
pub(super) struct McpGateway {
    pub id: String,
    pub arn: String,
    worker: ServiceRole,
    /// Functions, by the tool's whole name: the ARN and the target's id.
    functions: Vec<(Tool, String, String)>,
    pub bases: Vec<Base>,
    /// What its connectors let be done with knowledge bases.
    searches: Vec<Search>,
}

/// A tool that searches.
#[derive(Debug, Clone)]
struct Search {
    /// The tool's whole name.
    name: String,
    description: String,
    kind: SearchKind,
    /// The parts of a request that whoever uses the tool can't say.
    fixed: Map<String, Value>,
}

/// The operation a tool that searches stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SearchKind {
    Retrieve,
    AgenticRetrieveStream,
}

impl SearchKind {
    fn of(name: &str) -> Option<Self> {
        match name {
            "Retrieve" => Some(Self::Retrieve),
            "AgenticRetrieveStream" => Some(Self::AgenticRetrieveStream),
            _ => None,
        }
    }

    /// What is left to say: the question.
    fn schema(self) -> Value {
        let text = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
        match self {
            Self::Retrieve => {
                json!({"type": "object", "properties": {"retrievalQuery": text}, "required": ["retrievalQuery"]})
            }
            Self::AgenticRetrieveStream => {
                let message = json!({
                    "type": "object",
                    "properties": {"role": {"type": "string", "enum": ["user", "assistant"]}, "content": text},
                    "required": ["role", "content"],
                });
                let messages = json!({"type": "array", "items": message});
                json!({"type": "object", "properties": {"messages": messages}, "required": ["messages"]})
            }
        }
    }
}

/// A text of a configuration that may be JSON text itself.
fn object(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    }
}

/// A schema with the names that JSON schemas have: CloudFormation writes `Type`, `Properties`, `Required`.
fn schema(own: &Value) -> Value {
    let Value::Object(fields) = own else { return own.clone() };
    let named = fields.iter().map(|(name, value)| match name.as_str() {
        "Properties" | "properties" => {
            let inner = value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), schema(value)));
            ("properties".to_owned(), Value::Object(inner.collect()))
        }
        "Items" | "items" => ("items".to_owned(), schema(value)),
        other => (other.to_lowercase(), value.clone()),
    });
    Value::Object(named.collect())
}

impl McpGateway {
    /// A gateway by its ARN.
    ///
    /// # Errors
    ///
    /// When it is not there, or has targets that are not simulated.
    pub fn find(db: &Connection, region: &str, arn: &str) -> Result<Self, ApiError> {
        let thing = describe::gateway(db, region, arn)?;
        let role = thing.properties.get("RoleArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let worker = ServiceRole { role, service: SERVICE, source: arn.to_owned(), region: region.to_owned() };
        let mut gateway = Self {
            id: thing.id.clone(),
            arn: arn.to_owned(),
            worker,
            functions: Vec::new(),
            bases: Vec::new(),
            searches: Vec::new(),
        };
        for target in describe::targets(db, region, &thing.id)? {
            let name = target.properties.get("Name").and_then(Value::as_str).unwrap_or_default();
            let id = target.attributes.get("TargetId").and_then(Value::as_str).unwrap_or_default();
            let mcp = target.properties.pointer("/TargetConfiguration/Mcp").cloned().unwrap_or_default();
            if let Some(own) = mcp.get("Lambda") {
                gateway.add_functions(name, id, own)?;
            } else if let Some(own) = mcp.get("Connector") {
                gateway.add_base(db, region, name, own)?;
            } else {
                return Err(ApiError::not_implemented(
                    "bedrock-agentcore",
                    &format!("the kind of the gateway target {name}"),
                ));
            }
        }
        Ok(gateway)
    }

    fn add_functions(&mut self, target: &str, id: &str, own: &Value) -> Result<(), ApiError> {
        let arn = own.get("LambdaArn").and_then(Value::as_str).unwrap_or_default();
        let Some(tools) = own.pointer("/ToolSchema/InlinePayload").map(object) else {
            return Err(ApiError::not_implemented(
                "bedrock-agentcore",
                &format!("the gateway target {target}, whose tool schema is not inline"),
            ));
        };
        for tool in tools.as_array().into_iter().flatten() {
            let text = |name: &str, other: &str| {
                tool.get(name).or_else(|| tool.get(other)).and_then(Value::as_str).unwrap_or_default()
            };
            let input = tool.get("InputSchema").or_else(|| tool.get("inputSchema")).map(schema).unwrap_or_default();
            let name = format!("{target}{JOIN}{}", text("Name", "name"));
            let tool = Tool::of_schema(&name, text("Description", "description"), &input);
            self.functions.push((tool, arn.to_owned(), id.to_owned()));
        }
        Ok(())
    }

    fn add_base(&mut self, db: &Connection, region: &str, target: &str, own: &Value) -> Result<(), ApiError> {
        let connector = own.pointer("/Source/ConnectorId").and_then(Value::as_str).unwrap_or_default();
        if connector != "bedrock-knowledge-bases" {
            return Err(ApiError::not_implemented("bedrock-agentcore", &format!("the connector {connector}")));
        }
        let configurations = own.get("Configurations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for name in own.get("Enabled").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let Some(kind) = SearchKind::of(name) else {
                return Err(ApiError::not_implemented("bedrock-agentcore", &format!("the tool {name} of a connector")));
            };
            let own = configurations.iter().find(|own| own.get("Name").and_then(Value::as_str) == Some(name));
            let description = own.and_then(|own| own.get("Description")).and_then(Value::as_str).unwrap_or_default();
            let fixed = own.and_then(|own| own.get("ParameterValues")).map(object);
            self.searches.push(Search {
                name: format!("{target}{JOIN}{name}"),
                description: description.to_owned(),
                kind,
                fixed: fixed.and_then(|fixed| fixed.as_object().cloned()).unwrap_or_default(),
            });
        }
        for configuration in configurations {
            let values = configuration.get("ParameterValues").map(object).unwrap_or_default();
            let Some(id) = values.get("knowledgeBaseId").and_then(Value::as_str) else { continue };
            let base = Base::find(db, region, id)?;
            if !base.managed {
                return Err(invalid(format!("The knowledge base {id} is not a managed one; a gateway takes no other")));
            }
            self.bases.push(base);
        }
        Ok(())
    }

    /// Its tools.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.functions.iter().map(|(tool, ..)| tool)
    }

    /// The knowledge bases it searches, each with the whole name of the tool that does.
    pub fn searched(&self) -> impl Iterator<Item = (&str, &Base)> {
        self.searches.iter().filter(|search| search.kind == SearchKind::Retrieve).filter_map(|search| {
            let id = search.fixed.get("knowledgeBaseId")?.as_str()?;
            Some((search.name.as_str(), self.bases.iter().find(|base| base.id == id)?))
        })
    }

    /// Its tools as MCP lists them.
    pub fn listed(&self) -> Vec<Value> {
        let functions = self.functions.iter().map(
            |(tool, ..)| json!({"name": tool.name, "description": tool.description, "inputSchema": tool.schema()}),
        );
        let searches = self.searches.iter().map(|search| {
            json!({"name": search.name, "description": search.description, "inputSchema": search.kind.schema()})
        });
        functions.chain(searches).collect()
    }

    /// Searches by a tool; nothing when the gateway has no such tool that searches.
    ///
    /// # Errors
    ///
    /// When the gateway's role may not, or what is asked is not right.
    pub async fn search(
        &self,
        bedrock: &Arc<Bedrock>,
        name: &str,
        input: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Option<Value>, ApiError> {
        let Some(tool) = self.searches.iter().find(|tool| tool.name == name) else { return Ok(None) };
        let mut body = input.clone();
        body.extend(tool.fixed.clone());
        let body = Value::Object(body);
        let region = &self.worker.region;
        match tool.kind {
            SearchKind::Retrieve => {
                let id = body.get("knowledgeBaseId").and_then(Value::as_str).unwrap_or_default().to_owned();
                let here = region.clone();
                let base = bedrock.host.store.read(move |tx| Base::find(tx, &here, &id)).await?;
                let needs = ["bedrock:GetKnowledgeBase", "bedrock:Retrieve"]
                    .map(|one| RequiredPermission::new(one, base.arn.clone()));
                self.worker.may(bedrock, needs.to_vec(), now).await?;
                let question = body.pointer("/retrievalQuery/text").and_then(Value::as_str).unwrap_or_default();
                if question.is_empty() {
                    return Err(invalid("`retrievalQuery.text` must say something"));
                }
                let how = How::of(body.get("retrievalConfiguration"), &base)?;
                let hits = knowledge::search(bedrock, &base, question, how).await?;
                Ok(Some(json!({"retrievalResults": results(&hits)})))
            }
            SearchKind::AgenticRetrieveStream => {
                self.worker
                    .may(bedrock, vec![RequiredPermission::new("bedrock:AgenticRetrieveStream", "*")], now)
                    .await?;
                let retrieved = agentic_retrieve(bedrock, region, AgenticQuery::of(&body)?, now).await?;
                Ok(Some(retrieved.result()))
            }
        }
    }

    /// For whom its role works.
    pub fn worker(&self) -> &ServiceRole {
        &self.worker
    }

    /// Calls a tool; nothing when the gateway does not have it.
    ///
    /// # Errors
    ///
    /// When the gateway's role may not, or the function can't be run.
    pub async fn call(
        &self,
        bedrock: &Arc<Bedrock>,
        name: &str,
        input: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Option<Value>, ApiError> {
        let Some((_, arn, target)) = self.functions.iter().find(|(tool, ..)| tool.name == name) else {
            return Ok(None);
        };
        let session = self.worker.session(bedrock, now).await?;
        let custom = json!({
            "bedrockAgentCoreToolName": name,
            "bedrockAgentCoreGatewayId": self.id,
            "bedrockAgentCoreTargetId": target,
            "bedrockAgentCoreMessageVersion": "1.0",
            "bedrockAgentCoreMcpMessageId": bedrock.host.ids.uuid().to_string(),
            "bedrockAgentCoreAwsRequestId": bedrock.host.ids.uuid().to_string(),
        });
        let call = Invocation {
            function: arn.clone(),
            qualifier: None,
            region: self.worker.region.clone(),
            payload: Bytes::from(json!(input).to_string()),
            client_context: Some(json!({ "custom": custom })),
            caller: Invoker::Role(session),
        };
        let answer = invoke(&bedrock.host, &call).await?;
        let payload: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
        if answer.function_error.is_some() {
            let message = payload.get("errorMessage").and_then(Value::as_str).unwrap_or("the function failed");
            return Err(ApiError::sender("RuntimeClientError", format!("The tool {name} failed: {message}"))
                .with_status(StatusCode::FAILED_DEPENDENCY));
        }
        Ok(Some(payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_read_under_both_names() {
        let own = json!({"Type": "object", "Required": ["accountId"],
            "Properties": {"accountId": {"Type": "integer", "Description": "The number"}}});
        assert_eq!(
            schema(&own),
            json!({"type": "object", "required": ["accountId"],
                "properties": {"accountId": {"type": "integer", "description": "The number"}}})
        );
    }
}
