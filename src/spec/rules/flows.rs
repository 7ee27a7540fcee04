//! Flows: each node does one thing, is given what it needs, and something comes out at the end.

use crate::finding::code;
use std::collections::BTreeSet;

use super::context::Rules;
use super::knowledge::service_name;
use crate::spec::flow::{FLOW_INPUT, FlowStep, FlowType, FlowValue, flow_type};
use crate::spec::prompt::prompt_variables;
use crate::spec::types::{Engine, Flow, FlowNode};
use crate::spec::words::{cut, escape, suggest};

/// The most nodes and connections of a flow, and inputs of a node, by AWS::Bedrock::Flow. One node is the flow's input.
const MOST_NODES: usize = 39;
const MOST_CONNECTIONS: usize = 100;
const MOST_INPUTS: usize = 20;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, flow) in &spec.flows {
        let pointer = format!("/flows/{}", escape(name));
        if let Some(own) = &flow.name {
            service_name(rules, &format!("{pointer}/name"), own, 100);
        }
        if !rules.intact(&format!("{pointer}/nodes")) {
            continue;
        }
        size(rules, &pointer, flow);
        let mut whole = true;
        for (key, node) in &flow.nodes {
            whole &= self::node(rules, &format!("{pointer}/nodes/{}", escape(key)), name, flow, key, node);
        }
        if !flow.nodes.values().any(|node| matches!(node.step(), Some(FlowStep::Output(_)))) && whole {
            let message = "nothing comes out of the flow".to_owned();
            let help = "add a node such as `answer: { output: NODE }`";
            rules.error_at_key(code::S163, &format!("{pointer}/nodes"), message, help);
        }
        if whole {
            circle(rules, &pointer, flow);
        }
    }
}

fn size(rules: &mut Rules<'_>, pointer: &str, flow: &Flow) {
    let connections: usize = flow.nodes.values().map(|node| node.taken().len()).sum();
    for (what, count, most) in [("nodes", flow.nodes.len(), MOST_NODES), ("connections", connections, MOST_CONNECTIONS)]
    {
        if count > most {
            let message = format!("the flow has {count} {what}, and takes {most}");
            rules.error_at_key(code::S167, &format!("{pointer}/nodes"), message, "split it into several flows");
        }
    }
}

/// One node; whether its place in the flow is clear.
fn node(rules: &mut Rules<'_>, pointer: &str, flow_name: &str, flow: &Flow, key: &str, node: &FlowNode) -> bool {
    if key == FLOW_INPUT || !is_node_name(key) {
        let message = format!("`{}` cannot be the name of a node", cut(key));
        let help = "use letters, digits and single `_`, a letter first, between 2 and 50 characters; `input` is what the \
                    flow is given";
        rules.error_at_key(code::S164, pointer, message, help);
    }
    let Some(step) = node.step() else {
        let message = format!("the node `{}` does not do one thing", cut(key));
        let help = "say exactly one of `prompt`, `knowledge-base`, `function`, `agent` and `output`";
        rules.error_at_key(code::S160, pointer, message, help);
        return false;
    };
    if matches!(step, FlowStep::Output(_)) && !node.inputs.is_empty() {
        let message = "an output takes no `inputs`".to_owned();
        rules.error_at_key(code::S165, &format!("{pointer}/inputs"), message, "name the node after `output:` alone");
    }
    if node.model.is_some() && !matches!(step, FlowStep::KnowledgeBase(_)) {
        let message = "`model` goes with `knowledge-base`".to_owned();
        let help = "remove it: a prompt and an agent have a model of their own";
        rules.error_at_key(code::S160, &format!("{pointer}/model"), message, help);
    }
    let mut whole = true;
    for (input, value) in node.taken() {
        let at = match step {
            FlowStep::Output(_) => format!("{pointer}/output"),
            _ => format!("{pointer}/inputs/{}", escape(input)),
        };
        whole &= source(rules, &at, flow_name, flow, &step, input, value);
    }
    inputs(rules, pointer, key, node, &step);
    whole
}

/// Letters and digits with single underscores between them, a letter first.
fn is_node_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (2..=50).contains(&name.len())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.contains("__")
}

/// Letters, digits and underscores, a letter first: what needs no quotes in a JSONPath, and leaves room for the rest of it.
fn is_field_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 50
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Where an input's value comes from; whether there is such a place.
fn source(
    rules: &mut Rules<'_>,
    pointer: &str,
    flow_name: &str,
    flow: &Flow,
    step: &FlowStep<'_>,
    input: &str,
    value: FlowValue<'_>,
) -> bool {
    let giver = flow.nodes.get(value.node);
    let gives_nothing = giver.is_some_and(|node| node.output.is_some());
    if (giver.is_none() && value.node != FLOW_INPUT) || gives_nothing {
        let message = match gives_nothing {
            true => format!("the output `{}` gives nothing to other nodes", cut(value.node)),
            false => format!("there is no node `{}` in the flow", cut(value.node)),
        };
        let givers = flow.nodes.iter().filter(|(_, node)| node.output.is_none()).map(|(name, _)| name.as_str());
        let help = suggest(value.node, givers.chain([FLOW_INPUT]), "values come from");
        rules.error(code::S161, pointer, message, help);
        return false;
    }
    if let Some(field) = value.field {
        let gives_fields = value.node == FLOW_INPUT || giver.is_some_and(|node| node.function.is_some());
        if !gives_fields {
            let message = format!("what `{}` gives has no fields", cut(value.node));
            rules.error(code::S168, pointer, message, "leave the field out: only `input` and functions give mappings");
        } else if !is_field_name(field) {
            let message = format!("`{}` cannot be the name of a field", cut(field));
            rules.error(
                code::S168,
                pointer,
                message,
                "use letters, digits and `_`, a letter first, and name no field of a field",
            );
        }
        return true;
    }
    let type_ = flow_type(rules.spec, flow_name, value.node);
    let wants_text = match step {
        FlowStep::Prompt(_) | FlowStep::KnowledgeBase(_) | FlowStep::Agent(_) => true,
        FlowStep::Function(_) | FlowStep::Output(_) => false,
    };
    // A prompt can be given the passages that were found: they are written into it.
    let passages = type_ == FlowType::Array && matches!(step, FlowStep::Prompt(_));
    if wants_text && type_ != FlowType::String && !passages {
        let what = if type_ == FlowType::Array { "a list of passages" } else { "a mapping" };
        let message = format!("`{}` needs text, and `{}` gives {what}", cut(input), cut(value.node));
        let help = match type_ {
            FlowType::Array => "give the knowledge base's node a `model`, so that it answers with text".to_owned(),
            _ => format!("take a field of it, such as `{}.text`, as other nodes do", value.node),
        };
        rules.error(code::S168, pointer, message, help);
    }
    true
}

/// Whether a node is given what it needs, by name.
fn inputs(rules: &mut Rules<'_>, pointer: &str, key: &str, node: &FlowNode, step: &FlowStep<'_>) {
    if node.inputs.len() > MOST_INPUTS {
        let message = format!("`{}` has {} inputs, and takes {MOST_INPUTS}", cut(key), node.inputs.len());
        rules.error_at_key(code::S167, &format!("{pointer}/inputs"), message, "take several values as fields of one");
    }
    let spec = rules.spec;
    let wanted: BTreeSet<&str> = match step {
        FlowStep::Prompt(name) => {
            let Some(prompt) = spec.prompts.get(*name) else { return };
            let texts = prompt.system.as_deref().into_iter().chain([prompt.text.as_str()]);
            let Ok(variables) = prompt_variables(texts) else { return };
            variables
        }
        FlowStep::KnowledgeBase(_) => BTreeSet::from(["query"]),
        FlowStep::Agent(name) => {
            if spec.agents.get(*name).is_some_and(|agent| agent.engine != Engine::Classic) {
                let message = format!("a flow cannot ask the agent `{}`, which runs on AgentCore", cut(name));
                let help = "give the agent `engine: classic`, or let a function of the flow ask it";
                rules.error(code::S166, &format!("{pointer}/agent"), message, help);
            }
            BTreeSet::from(["text"])
        }
        FlowStep::Function(_) => {
            for input in node.inputs.keys().filter(|input| !is_node_name(input)) {
                let message = format!("`{}` cannot be the name of an input", cut(input));
                let help = "use letters, digits and single `_`, a letter first, between 2 and 50 characters";
                rules.error_at_key(code::S164, &format!("{pointer}/inputs/{}", escape(input)), message, help);
            }
            if node.inputs.is_empty() {
                let message = format!("nothing leads to the node `{}`", cut(key));
                rules.error_at_key(code::S165, pointer, message, "give it `inputs`, such as `inputs: { text: input }`");
            }
            return;
        }
        FlowStep::Output(_) => return,
    };
    for input in node.inputs.keys().filter(|input| !wanted.contains(input.as_str())) {
        let help = match wanted.is_empty() {
            true => "its prompt has no variables; write `{{name}}` in the prompt's text for each".to_owned(),
            false => suggest(input, wanted.iter().copied(), "it takes"),
        };
        let message = format!("`{}` takes no input `{}`", cut(key), cut(input));
        rules.error_at_key(code::S165, &format!("{pointer}/inputs/{}", escape(input)), message, help);
    }
    let missing: Vec<String> =
        wanted.iter().filter(|name| !node.inputs.contains_key(**name)).map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        let message = format!("`{}` is not given {}", cut(key), missing.join(", "));
        rules.error_at_key(code::S165, pointer, message, "add it under `inputs`, with the node its value comes from");
    } else if wanted.is_empty() {
        let message = format!("nothing leads to the node `{}`", cut(key));
        let help = "a node of a flow is reached by its inputs; write a `{{variable}}` into its prompt's text";
        rules.error_at_key(code::S165, pointer, message, help);
    }
    for variable in wanted.iter().filter(|_| matches!(step, FlowStep::Prompt(_))) {
        if !is_node_name(variable) {
            let message = format!("the variable `{}` of the prompt cannot be an input of a flow's node", cut(variable));
            let help = "call it by letters, digits and single `_`, a letter first, between 2 and 50 characters";
            rules.error(code::S164, &format!("{pointer}/prompt"), message, help);
        }
    }
}

/// Nodes that wait for one another.
fn circle(rules: &mut Rules<'_>, pointer: &str, flow: &Flow) {
    let mut left: BTreeSet<&str> = flow.nodes.keys().map(String::as_str).collect();
    loop {
        let ready: Vec<&str> = left
            .iter()
            .copied()
            .filter(|name| {
                let taken = flow.nodes.get(*name).map(FlowNode::taken).unwrap_or_default();
                taken.iter().all(|(_, value)| !left.contains(value.node))
            })
            .collect();
        if ready.is_empty() {
            break;
        }
        for name in ready {
            left.remove(name);
        }
    }
    // What merely waits for a circle is not one of its nodes: they are those that some other one left waits for.
    let waited: BTreeSet<&str> = left
        .iter()
        .filter_map(|name| flow.nodes.get(*name))
        .flat_map(FlowNode::taken)
        .map(|(_, value)| value.node)
        .collect();
    let names: Vec<String> =
        left.iter().filter(|name| waited.contains(**name)).map(|name| format!("`{name}`")).collect();
    if let Some(first) = left.iter().find(|name| waited.contains(**name)) {
        let message = format!("the nodes {} wait for one another", names.join(", "));
        let help = "let one of them take its value from `input` or from a node outside the circle";
        rules.error_at_key(code::S162, &format!("{pointer}/nodes/{}", escape(first)), message, help);
    }
}
