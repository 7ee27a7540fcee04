//! The nodes of a flow and how they are connected, as a template gives them. Source: Bedrock user guide, "Node types in a
//! flow".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::bedrock::answer::invalid;
use crate::ground::ApiError;
use crate::velocity::jsonpath;

/// The kinds of nodes that are simulated, with the one output each has; an output node has none.
const KINDS: &[&str] = &["Agent", "Input", "KnowledgeBase", "LambdaFunction", "Output", "Prompt"];

/// One input of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeInput {
    pub name: String,
    /// `String`, `Number`, `Boolean`, `Object` or `Array`.
    pub kind: String,
    /// A JSON path on `{"data": …}`.
    pub expression: String,
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FlowNode {
    pub name: String,
    /// For example `Prompt`.
    pub kind: String,
    /// What is configured for its kind.
    pub configuration: Value,
    pub inputs: Vec<NodeInput>,
    /// Name and type of each output.
    pub outputs: Vec<(String, String)>,
}

/// A connection: from an output of a node to an input of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub source: (String, String),
    pub target: (String, String),
}

/// A flow.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Definition {
    /// In an order in which each comes after what it takes from.
    pub nodes: Vec<FlowNode>,
    pub links: Vec<Link>,
}

/// What nodes gave, by node and output.
pub(super) type NodeOutputs = BTreeMap<(String, String), Value>;

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn entries<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Refuses what is there and not simulated.
fn not_simulated(what: &str) -> ApiError {
    ApiError::not_implemented("bedrock-agent-runtime", &format!("InvokeFlow with {what}"))
}

impl FlowNode {
    fn of(node: &Value) -> Result<Self, ApiError> {
        let (name, kind) = (text(node, "/Name"), text(node, "/Type"));
        if !KINDS.contains(&kind.as_str()) {
            return Err(not_simulated(&format!("a node of type {kind} ({name})")));
        }
        let configuration = node.pointer(&format!("/Configuration/{kind}")).cloned().unwrap_or_default();
        if let Some(own) =
            ["GuardrailConfiguration", "RerankingConfiguration", "PromptTemplate", "OrchestrationConfiguration"]
                .iter()
                .find(|own| configuration.get(**own).is_some_and(|value| !value.is_null()))
        {
            return Err(not_simulated(&format!("{own} of the node {name}")));
        }
        let input = |input: &Value| NodeInput {
            name: text(input, "/Name"),
            kind: text(input, "/Type"),
            expression: text(input, "/Expression"),
        };
        let output = |output: &Value| (text(output, "/Name"), text(output, "/Type"));
        let (inputs, outputs) =
            (entries(node, "Inputs").map(input).collect(), entries(node, "Outputs").map(output).collect());
        Ok(Self { name, kind, configuration, inputs, outputs })
    }

    /// What the node is given, once all of it is there.
    ///
    /// # Errors
    ///
    /// In words, when a value is not there or of another type.
    pub fn taken(&self, links: &[Link], given: &NodeOutputs) -> Result<Vec<(NodeInput, Value)>, String> {
        let mut taken = Vec::new();
        for input in &self.inputs {
            let link = links.iter().find(|link| link.target.0 == self.name && link.target.1 == input.name);
            let Some(value) = link.and_then(|link| given.get(&link.source)) else {
                return Err(format!("The input {} of the node {} is not connected.", input.name, self.name));
            };
            let whole = json!({ "data": value });
            let found = jsonpath::find(&whole, &input.expression)?.ok_or_else(|| {
                format!(
                    "The expression {} of the input {} of the node {} finds nothing in what the node is given.",
                    input.expression, input.name, self.name
                )
            })?;
            if !is_of(&input.kind, &found) {
                return Err(format!(
                    "The input {} of the node {} is of type {}, and what it is given is not: {}",
                    input.name,
                    self.name,
                    input.kind,
                    short(&found)
                ));
            }
            taken.push((input.clone(), found));
        }
        Ok(taken)
    }
}

/// Whether a value is of a type.
pub(super) fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "String" => value.is_string(),
        "Number" => value.is_number(),
        "Boolean" => value.is_boolean(),
        "Object" => value.is_object(),
        "Array" => value.is_array(),
        _ => false,
    }
}

/// A value in a message.
pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 100 { text } else { text.chars().take(100).chain(['…']).collect() }
}

impl Definition {
    /// The definition among a flow's properties.
    ///
    /// # Errors
    ///
    /// What is not simulated, and nodes that wait for each other.
    pub fn of(properties: &Value) -> Result<Self, ApiError> {
        let Some(own) = properties.get("Definition").filter(|own| own.is_object()) else {
            return Err(not_simulated("a definition that is a text or an object in S3"));
        };
        let mut waiting: Vec<FlowNode> = entries(own, "Nodes").map(FlowNode::of).collect::<Result<_, _>>()?;
        let mut links = Vec::new();
        for link in entries(own, "Connections") {
            if text(link, "/Type") != "Data" {
                return Err(not_simulated("conditions"));
            }
            links.push(Link {
                source: (text(link, "/Source"), text(link, "/Configuration/Data/SourceOutput")),
                target: (text(link, "/Target"), text(link, "/Configuration/Data/TargetInput")),
            });
        }
        let mut nodes: Vec<FlowNode> = Vec::new();
        while !waiting.is_empty() {
            let done: BTreeSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
            let ready = |node: &FlowNode| {
                let mut sources = links.iter().filter(|link| link.target.0 == node.name).map(|link| &link.source.0);
                sources.all(|source| done.contains(source.as_str()))
            };
            let Some(at) = waiting.iter().position(ready) else {
                let names: Vec<&str> = waiting.iter().map(|node| node.name.as_str()).collect();
                return Err(invalid(format!("The flow has nodes that wait for each other: {}", names.join(", "))));
            };
            nodes.push(waiting.remove(at));
        }
        Ok(Self { nodes, links })
    }

    /// The node that takes what a flow is given.
    pub fn input(&self) -> Option<&FlowNode> {
        self.nodes.iter().find(|node| node.kind == "Input")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(nodes: &[(&str, &str, &[&str])]) -> Value {
        let node = |(name, kind, _): &(&str, &str, &[&str])| {
            json!({"Name": name, "Type": kind, "Inputs": [{"Name": "in", "Type": "String", "Expression": "$.data.x"}],
                "Outputs": [{"Name": "out", "Type": "Object"}]})
        };
        let links = nodes.iter().flat_map(|(name, _, sources)| {
            sources.iter().map(move |source| {
                json!({"Name": name, "Type": "Data", "Source": source, "Target": name,
                    "Configuration": {"Data": {"SourceOutput": "out", "TargetInput": "in"}}})
            })
        });
        json!({"Definition": {"Nodes": nodes.iter().map(node).collect::<Vec<_>>(), "Connections": links.collect::<Vec<_>>()}})
    }

    #[test]
    fn nodes_come_after_what_they_take_from() {
        let own = flow(&[("c", "Output", &["b"]), ("b", "Prompt", &["a"]), ("a", "Input", &[])]);
        let order: Vec<String> =
            Definition::of(&own).expect("a flow").nodes.into_iter().map(|node| node.name).collect();
        assert_eq!(order, ["a", "b", "c"]);
        let circle = Definition::of(&flow(&[("b", "Prompt", &["c"]), ("c", "Prompt", &["b"])])).expect_err("a circle");
        assert!(circle.message.contains("wait for each other: b, c"), "{circle}");
        let lex = Definition::of(&flow(&[("l", "Lex", &[])])).expect_err("not simulated");
        assert!(lex.message.contains("a node of type Lex (l)"), "{lex}");
    }

    #[test]
    fn values_are_found_by_their_expression_and_held_to_their_type() {
        let own = Definition::of(&flow(&[("a", "Input", &[]), ("b", "Prompt", &["a"])])).expect("a flow");
        let taken = |value: Value| {
            let given = NodeOutputs::from([(("a".to_owned(), "out".to_owned()), value)]);
            own.nodes[1].taken(&own.links, &given).map(|taken| taken[0].1.clone())
        };
        assert_eq!(taken(json!({"x": "text"})), Ok(json!("text")));
        assert!(taken(json!({"y": 1})).is_err_and(|why| why.contains("finds nothing")));
        assert!(taken(json!({"x": 4711})).is_err_and(|why| why.contains("is of type String") && why.contains("4711")));
    }
}
