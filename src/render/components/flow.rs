//! Flows, each with a role of its own, a version that is made anew whenever the flow changes, and an alias that moves to
//! the newest version.

use serde_json::{Value, json};

use super::knowledge_base::{invoke, trust};
use super::prompt::{inference, inference_places, model_id, version_id as prompt_version_id};
use crate::finding::{Finding, code};
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::digest;
use crate::render::expression::Expression;
use crate::render::grants::Asked;
use crate::render::ids::{flow_id, function_id, knowledge_base_id};
use crate::render::names::service_name;
use crate::render::references::{Ask, Kind, References};
use crate::spec::{FLOW_INPUT, Flow, FlowNode, FlowStep, FlowType, FlowValue, Reference, escape, flow_type};

/// Flows.
pub(super) const KIND: Kind = Kind {
    section: "flows",
    add: |assembly, references| {
        for (name, flow) in &references.spec().flows {
            let one = One { references, name, flow, pointer: format!("/flows/{}", escape(name)) };
            if let Err(finding) = one.add(assembly) {
                assembly.report(finding);
            }
        }
    },
    attribute: |_, name, attribute| {
        let id = flow_id(name);
        Some(match attribute {
            "" | "id" => Expression::attribute(id, "Id"),
            "arn" => Expression::attribute(id, "Arn"),
            "alias" => Expression::attribute(alias_id(name), "Id"),
            _ => return None,
        })
    },
    grant: |references, ask| match ask.verb {
        "invoke" => {
            let arn = Expression::attribute(alias_id(ask.name), "Arn");
            Ok(vec![Statement::allow(["bedrock:InvokeFlow"], [arn.value()])])
        }
        _ => Err(references.cannot(ask)),
    },
};

/// The longest name a flow takes.
const LONGEST_NAME: usize = 100;

fn version_id(name: &str) -> String {
    flow_id(name) + "Version"
}

fn alias_id(name: &str) -> String {
    flow_id(name) + "Alias"
}

/// One flow on its way to being rendered.
struct One<'a> {
    references: &'a References<'a>,
    name: &'a str,
    flow: &'a Flow,
    pointer: String,
}

impl One<'_> {
    fn add(&self, assembly: &mut Assembly<'_>) -> Result<(), Finding> {
        let own_name = match &self.flow.name {
            Some(text) => self.references.text(text, &format!("{}/name", self.pointer))?,
            None => {
                let words = [self.references.spec().name.as_str(), self.references.options.stage, self.name];
                Expression::literal(service_name(&words, LONGEST_NAME))
            }
        };
        let given = json!([{ "Name": "document", "Type": written(self.type_of(FLOW_INPUT)) }]);
        let input = PartialData::new(&self.pointer)
            .made("name", FLOW_INPUT)
            .made("type", "Input")
            .made("configuration", json!({ "Input": {} }))
            .made("inputs", Value::Null)
            .made("outputs", given);
        let mut nodes = vec![input];
        let mut connections = Vec::new();
        let mut asked = Asked::default();
        // A version is a picture of all of it, so what it only refers to counts as well.
        let mut content = String::new();
        for (name, node) in &self.flow.nodes {
            let pointer = format!("{}/nodes/{}", self.pointer, escape(name));
            let Some(step) = node.step() else {
                return Err(Finding::error(code::R125, format!("the node `{name}` does not do one thing"))
                    .at(self.references.loaded.key_place(&pointer))
                    .help("say exactly one of `prompt`, `knowledge-base`, `function`, `agent` and `output`"));
            };
            nodes.push(self.node(name, node, &step, &pointer)?);
            let taken = node.taken().into_iter();
            connections.extend(taken.map(|(input, value)| self.connection(name, &step, &pointer, input, value)));
            asked.add(pointer.clone(), self.statements(node, &step, &pointer)?);
            for id in used(&step) {
                content.push_str(&assembly.resource(&id).map(Value::to_string).unwrap_or_default());
            }
        }
        let id = flow_id(self.name);
        let role_id = id.clone() + "Role";
        let data = PartialData::new(&self.pointer)
            .made("id", &id)
            .made("role_id", &role_id)
            .said("name", "name", own_name.value())
            .said("description", "description", &self.flow.description)
            .made("role_description", format!("What the flow {} of {} may do", self.name, self.references.spec().name))
            .made("trust", trust("flow").to_value())
            // A flow that only hands its input on needs no rights, and a policy without a statement is none.
            .policy("policy", "nodes", &asked)
            .made("policy_name", "uses")
            .parts("nodes", "nodes", nodes)
            .parts("connections", "nodes", connections)
            .made("output_id", format!("{id}Id"));
        let mut resources = assembly.add_known("flow", data);
        resources.remove(&role_id);
        let content = Value::Object(resources).to_string() + &content;
        let data = PartialData::new(&self.pointer)
            .made("version_id", version_id(self.name))
            .made("alias_id", alias_id(self.name))
            .made("flow_id", id)
            .made("description", format!("Content {}", digest::short(&content)))
            .made("alias", "live")
            .made("output_id", alias_id(self.name) + "Id");
        assembly.add("flow-version", data);
        Ok(())
    }

    fn type_of(&self, node: &str) -> FlowType {
        flow_type(self.references.spec(), self.name, node)
    }

    fn node(&self, name: &str, node: &FlowNode, step: &FlowStep<'_>, pointer: &str) -> Result<PartialData, Finding> {
        let inputs = node
            .taken()
            .into_iter()
            .map(|(input, value)| {
                let (type_, expression) = match value.field {
                    Some(field) => (FlowType::String, format!("$.data.{field}")),
                    None => (self.type_of(value.node), "$.data".to_owned()),
                };
                PartialData::new(input_pointer(step, pointer, input))
                    .made("Name", input_name(step, input))
                    .made("Type", written(type_))
                    .made("Expression", expression)
            })
            .collect::<Vec<_>>();
        let kind = match step {
            FlowStep::Prompt(_) => "Prompt",
            FlowStep::KnowledgeBase(_) => "KnowledgeBase",
            FlowStep::Function(_) => "LambdaFunction",
            FlowStep::Agent(_) => "Agent",
            FlowStep::Output(_) => "Output",
        };
        let outputs = match step {
            FlowStep::Output(_) => Value::Null,
            _ => json!([{ "Name": self.output_name(name), "Type": written(self.type_of(name)) }]),
        };
        let configuration = self.configuration(node, step, pointer)?;
        let within = |way: &str| format!("/configuration/{kind}/{way}");
        let data = PartialData::new(pointer)
            .made("name", name)
            .said("type", step_key(step), kind)
            .said("configuration", step_key(step), json!({ kind: configuration }))
            .at(&within("ModelId"), "model")
            .parts("inputs", "inputs", inputs)
            .said("outputs", step_key(step), outputs);
        Ok(match &node.model {
            Some(model) => inference_places(data, &within("InferenceConfiguration"), model),
            None => data,
        })
    }

    fn configuration(&self, node: &FlowNode, step: &FlowStep<'_>, pointer: &str) -> Result<Value, Finding> {
        Ok(match step {
            FlowStep::Prompt(name) => {
                let arn = Expression::attribute(prompt_version_id(name), "Arn").value();
                json!({ "SourceConfiguration": { "Resource": { "PromptArn": arn } } })
            }
            FlowStep::KnowledgeBase(name) => {
                let id = Expression::attribute(knowledge_base_id(name), "KnowledgeBaseId").value();
                let model = node.model.as_ref().and_then(|model| self.references.spec().models.get_key_value(model));
                let mut configuration = serde_json::Map::new();
                configuration.insert("KnowledgeBaseId".to_owned(), id);
                if let Some((name, model)) = model {
                    let id = model_id(self.references, name, &format!("{pointer}/model"))?;
                    configuration.insert("ModelId".to_owned(), id);
                    let inference = inference(&model.inference);
                    if !inference.is_null() {
                        configuration.insert("InferenceConfiguration".to_owned(), inference);
                    }
                }
                Value::Object(configuration)
            }
            FlowStep::Function(name) => {
                json!({ "LambdaArn": Expression::attribute(function_id(name), "Arn").value() })
            }
            FlowStep::Agent(name) => json!({ "AgentAliasArn": self.agent_alias(name, &format!("{pointer}/agent"))? }),
            FlowStep::Output(_) => json!({}),
        })
    }

    /// The ARN of an agent's alias, of the agent's id and the alias's.
    fn agent_alias(&self, agent: &str, pointer: &str) -> Result<Value, Finding> {
        let part = |attribute: &str| {
            let (section, name) = ("agents".to_owned(), agent.to_owned());
            self.references
                .reference(&Reference::Component { section, name, attribute: Some(attribute.to_owned()) }, pointer)
        };
        let resource = Expression::literal("agent-alias/").then(part("id")?).text("/").then(part("alias")?);
        Ok(Expression::arn("bedrock", resource).value())
    }

    fn connection(
        &self,
        node: &str,
        step: &FlowStep<'_>,
        pointer: &str,
        input: &str,
        value: FlowValue<'_>,
    ) -> PartialData {
        PartialData::new(input_pointer(step, pointer, input))
            .made("name", format!("{node}_{input}"))
            .made("source", value.node)
            .made("source_output", self.output_name(value.node))
            .made("target", node)
            .made("target_input", input_name(step, input))
    }

    /// The name of what a node gives: each kind of node has its own.
    fn output_name(&self, node: &str) -> &'static str {
        let given = self.flow.nodes.get(node);
        match given.and_then(FlowNode::step) {
            None => "document",
            Some(FlowStep::Prompt(_)) => "modelCompletion",
            Some(FlowStep::KnowledgeBase(_)) if given.is_some_and(|node| node.model.is_some()) => "outputText",
            Some(FlowStep::KnowledgeBase(_)) => "retrievalResults",
            Some(FlowStep::Function(_)) => "functionResponse",
            Some(FlowStep::Agent(_)) => "agentResponse",
            Some(FlowStep::Output(_)) => "document",
        }
    }

    /// What the flow's role needs for one node.
    fn statements(&self, node: &FlowNode, step: &FlowStep<'_>, pointer: &str) -> Result<Vec<Statement>, Finding> {
        let grant = |section: &str, verb: &str, name: &str, key: &str| {
            let pointer = format!("{pointer}/{key}");
            let ask = Ask { verb, name, rest: "", pointer: &pointer };
            match self.references.kind(section) {
                Some(kind) => (kind.grant)(self.references, &ask),
                None => Err(self.references.cannot(&ask)),
            }
        };
        Ok(match step {
            FlowStep::Prompt(name) => {
                let mut statements = grant("prompts", "render", name, "prompt")?;
                if let Some(prompt) = self.references.spec().prompts.get(*name) {
                    statements.extend(invoke(self.references, &prompt.model, &format!("{pointer}/prompt"))?);
                }
                statements
            }
            FlowStep::KnowledgeBase(name) => match &node.model {
                Some(model) => {
                    let mut statements = grant("knowledge-bases", "ask", name, "knowledge-base")?;
                    statements.extend(invoke(self.references, model, &format!("{pointer}/model"))?);
                    statements
                }
                None => grant("knowledge-bases", "retrieve", name, "knowledge-base")?,
            },
            FlowStep::Function(name) => grant("functions", "invoke", name, "function")?,
            FlowStep::Agent(name) => grant("agents", "invoke", name, "agent")?,
            FlowStep::Output(_) => Vec::new(),
        })
    }
}

/// The resources that a step only refers to, and that can change while their names stay.
fn used(step: &FlowStep<'_>) -> Vec<String> {
    match step {
        FlowStep::Prompt(name) => vec![prompt_version_id(name)],
        FlowStep::KnowledgeBase(name) => vec![knowledge_base_id(name)],
        _ => Vec::new(),
    }
}

/// The key of a node that says what it does.
fn step_key(step: &FlowStep<'_>) -> &'static str {
    match step {
        FlowStep::Prompt(_) => "prompt",
        FlowStep::KnowledgeBase(_) => "knowledge-base",
        FlowStep::Function(_) => "function",
        FlowStep::Agent(_) => "agent",
        FlowStep::Output(_) => "output",
    }
}

/// Where an input of the node at a place stands.
fn input_pointer(step: &FlowStep<'_>, node: &str, input: &str) -> String {
    match step {
        FlowStep::Output(_) => format!("{node}/output"),
        _ => format!("{node}/inputs/{}", escape(input)),
    }
}

/// The name of an input: knowledge bases and agents have one each, with a name of its own.
fn input_name(step: &FlowStep<'_>, input: &str) -> String {
    match step {
        FlowStep::KnowledgeBase(_) => "retrievalQuery".to_owned(),
        FlowStep::Agent(_) => "agentInputText".to_owned(),
        _ => input.to_owned(),
    }
}

fn written(type_: FlowType) -> &'static str {
    match type_ {
        FlowType::String => "String",
        FlowType::Object => "Object",
        FlowType::Array => "Array",
    }
}
