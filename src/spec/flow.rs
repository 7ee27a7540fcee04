//! What flows through a flow: the kinds of its nodes, what each is given and what it gives.

use super::types::{FlowNode, UseCase};

/// What the flow itself is given.
pub const FLOW_INPUT: &str = "input";

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowStep<'a> {
    /// Has a model answer a prompt, by the prompt's name.
    Prompt(&'a str),
    /// Asks a knowledge base, by its name.
    KnowledgeBase(&'a str),
    /// Calls a function, by its name.
    Function(&'a str),
    /// Asks an agent, by its name.
    Agent(&'a str),
    /// Gives a value back.
    Output(FlowValue<'a>),
}

/// Where a value comes from: a node, or a field of what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowValue<'a> {
    /// The node's name, or [`FLOW_INPUT`].
    pub node: &'a str,
    /// The field, where not all of it is meant.
    pub field: Option<&'a str>,
}

/// The type of a value in a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowType {
    /// Text.
    String,
    /// A mapping.
    Object,
    /// A list.
    Array,
}

impl<'a> FlowValue<'a> {
    /// Reads `node` or `node.field`.
    pub fn parse(text: &'a str) -> Self {
        match text.split_once('.') {
            Some((node, field)) => Self { node, field: Some(field) },
            None => Self { node: text, field: None },
        }
    }
}

impl FlowNode {
    /// What it does; none where it says nothing or more than one thing.
    pub fn step(&self) -> Option<FlowStep<'_>> {
        let steps = [
            self.prompt.as_deref().map(FlowStep::Prompt),
            self.knowledge_base.as_deref().map(FlowStep::KnowledgeBase),
            self.function.as_deref().map(FlowStep::Function),
            self.agent.as_deref().map(FlowStep::Agent),
            self.output.as_deref().map(|value| FlowStep::Output(FlowValue::parse(value))),
        ];
        let mut steps = steps.into_iter().flatten();
        steps.next().filter(|_| steps.next().is_none())
    }

    /// Its inputs by name, each with where its value comes from. That of an output is called `document`.
    pub fn taken(&self) -> Vec<(&str, FlowValue<'_>)> {
        if let Some(FlowStep::Output(value)) = self.step() {
            return vec![("document", value)];
        }
        self.inputs.iter().map(|(input, value)| (input.as_str(), FlowValue::parse(value))).collect()
    }
}

/// The type of what a node gives. What the flow is given and what a function answers can be either text or a mapping:
/// it is a mapping when some node takes a field of it.
pub fn flow_type(spec: &UseCase, flow: &str, node: &str) -> FlowType {
    let nodes = spec.flows.get(flow).map(|flow| &flow.nodes);
    let fields_taken = || {
        nodes
            .into_iter()
            .flat_map(|nodes| nodes.values())
            .flat_map(FlowNode::taken)
            .any(|(_, value)| value.node == node && value.field.is_some())
    };
    let step = nodes.and_then(|nodes| nodes.get(node));
    match step.and_then(FlowNode::step) {
        Some(FlowStep::KnowledgeBase(_)) if step.is_some_and(|it| it.model.is_none()) => FlowType::Array,
        Some(FlowStep::Function(_)) | None if fields_taken() => FlowType::Object,
        _ => FlowType::String,
    }
}
