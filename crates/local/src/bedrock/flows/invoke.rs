//! `InvokeFlow`: every node once what it takes is there, and what comes of it as an event stream.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::definition::{Definition, FlowNode, NodeInput, NodeOutputs, is_of};
use super::describe;
use super::nodes::{FlowRun, NodeFailure};
use crate::bedrock::Bedrock;
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid};
use crate::bedrock::service_role::ServiceRole;
use crate::bedrock::stream::Events;
use crate::ground::ApiError;

/// The exceptions of the stream, by the code a service refuses with.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("AccessDeniedException", "accessDeniedException"),
    ("ConflictException", "conflictException"),
    ("ResourceNotFoundException", "resourceNotFoundException"),
    ("ThrottlingException", "throttlingException"),
    ("ValidationException", "validationException"),
];

/// `InvokeFlow`.
pub(in crate::bedrock) fn invoke_flow(
    bedrock: Arc<Bedrock>,
    call: BedrockRequest,
) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let (region, now) = (call.region.clone(), call.now);
        let (id, alias) = (call.label("flowIdentifier").to_owned(), call.label("flowAliasIdentifier").to_owned());
        let here = region.clone();
        let found = bedrock.host.store.read(move |tx| describe::find(tx, &here, &id, &alias)).await?;
        let definition = Definition::of(&found.properties)?;
        let (start, document) = given(&definition, &call.body)?;
        let own = |name: &str| call.text(name).map(str::to_owned);
        let execution = own("executionId").unwrap_or_else(|| bedrock.host.ids.uuid().to_string());
        let role = found.properties.get("ExecutionRoleArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let worker = ServiceRole { role, service: "bedrock.amazonaws.com", source: found.flow.clone(), region };
        let session = worker.session(&bedrock, now).await?;
        let run = FlowRun {
            bedrock: &bedrock,
            found: &found,
            worker: &worker,
            session: &session,
            execution: &execution,
            now,
        };
        let mut told =
            FlowEvents { traces: call.body.get("enableTrace") == Some(&json!(true)), ..FlowEvents::default() };
        let mut values = NodeOutputs::from([(start, document)]);
        match carry_out(&run, &definition, &mut values, &mut told, &call.stamp()).await {
            Ok(()) => told.events.push("flowCompletionEvent", &json!({"completionReason": "SUCCESS"}))?,
            Err(NodeFailure::Invalid(message)) => {
                told.events.fail("validationException", &json!({ "message": message }))?
            }
            Err(NodeFailure::Dependency(name, message)) => {
                told.events.fail("dependencyFailedException", &json!({"message": message, "resourceName": name}))?;
            }
            // What is not simulated is refused as a whole, as everywhere.
            Err(NodeFailure::Refused(error)) if error.code == "NotImplemented" => return Err(error),
            Err(NodeFailure::Refused(ApiError { code, message, .. })) => {
                let known = EXCEPTIONS.iter().find(|(known, _)| *known == code);
                let kind = known.map_or("dependencyFailedException", |(_, kind)| *kind);
                told.events.fail(kind, &json!({ "message": message }))?;
            }
        }
        let headers = vec![("x-amz-bedrock-flow-execution-id", execution.clone())];
        Ok(BedrockAnswer::Events { frames: told.events.into_frames(), headers })
    })
}

/// The output of the flow's first node, and what it is given.
fn given(definition: &Definition, body: &Value) -> Result<((String, String), Value), ApiError> {
    let inputs = body.get("inputs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [input] = inputs else { return Err(invalid("`inputs` must have one input: that of the flow's input node")) };
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
    let node = definition.input().ok_or_else(|| invalid("The flow has no input node"))?;
    let (name, output) = (text("nodeName"), text("nodeOutputName"));
    if name != node.name {
        return Err(invalid(format!("`nodeName` is {name}, and the flow's input node is {}", node.name)));
    }
    let Some((output, kind)) = node.outputs.iter().find(|(known, _)| known == output) else {
        return Err(invalid(format!("The node {name} has no output {output}")));
    };
    let document = input.pointer("/content/document").cloned().unwrap_or_default();
    if !is_of(kind, &document) {
        return Err(invalid(format!("The flow's input must be of type {kind}")));
    }
    Ok(((node.name.clone(), output.clone()), document))
}

async fn carry_out(
    run: &FlowRun<'_>,
    definition: &Definition,
    values: &mut NodeOutputs,
    told: &mut FlowEvents,
    stamp: &str,
) -> Result<(), NodeFailure> {
    for node in definition.nodes.iter().filter(|node| node.kind != "Input") {
        // What nothing leads to is not run.
        if !definition.links.iter().any(|link| link.target.0 == node.name) {
            continue;
        }
        let taken = node.taken(&definition.links, values).map_err(NodeFailure::Invalid)?;
        told.taken(node, &taken, stamp)?;
        let given = run.node(node, &taken).await?;
        if node.kind == "Output" {
            let event = json!({"nodeName": node.name, "nodeType": "FlowOutputNode", "content": {"document": given}});
            told.events.push("flowOutputEvent", &event)?;
        }
        if let Some((output, _)) = node.outputs.first() {
            told.given(node, output, &given, stamp)?;
            values.insert((node.name.clone(), output.clone()), given);
        }
    }
    Ok(())
}

/// What the caller is told.
#[derive(Default)]
struct FlowEvents {
    events: Events,
    traces: bool,
}

impl FlowEvents {
    fn trace(&mut self, kind: &str, node: &FlowNode, fields: &[Value], stamp: &str) -> Result<(), ApiError> {
        if !self.traces {
            return Ok(());
        }
        let trace = json!({"nodeName": node.name, "timestamp": stamp, "fields": fields});
        self.events.push("flowTraceEvent", &json!({"trace": { kind: trace }}))
    }

    fn taken(&mut self, node: &FlowNode, taken: &[(NodeInput, Value)], stamp: &str) -> Result<(), ApiError> {
        let fields: Vec<Value> = taken
            .iter()
            .map(|(input, value)| json!({"nodeInputName": input.name, "type": input.kind, "content": {"document": value}}))
            .collect();
        self.trace("nodeInputTrace", node, &fields, stamp)
    }

    fn given(&mut self, node: &FlowNode, output: &str, value: &Value, stamp: &str) -> Result<(), ApiError> {
        let field = json!({"nodeOutputName": output, "content": {"document": value}});
        self.trace("nodeOutputTrace", node, &[field], stamp)
    }
}
