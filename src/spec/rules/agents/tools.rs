//! The tools of an agent: what they are called, what they can be asked, and whether the engine takes that.

use super::texts::text_of;
use crate::finding::code;
use crate::spec::openapi::{is_operation_name, read_openapi};
use crate::spec::rules::context::Rules;
use crate::spec::seeds::beside;
use crate::spec::types::{Agent, Engine, Operation, Tool};
use crate::spec::words::{cut, escape};

/// Characters of a tool's name that a model is given: the length of `toolSpec.name` in Bedrock's Converse.
const TOOL_NAME: usize = 64;

/// What a gateway puts between the name of a tool and that of an operation.
const BETWEEN: usize = 3;

pub(super) fn check(rules: &mut Rules<'_>, base: &str, agent: &Agent) {
    for (name, tool) in &agent.tools {
        let pointer = format!("{base}/tools/{}", escape(name));
        if name.contains("--") {
            let message = format!("`{}` cannot be the name of a tool", cut(name));
            rules.error_at_key(code::S181, &pointer, message, "write one hyphen between words");
        }
        if agent.knowledge_bases.contains_key(name) {
            let message = format!("`{}` is a knowledge base of this agent too, and both become tools", cut(name));
            rules.error_at_key(code::S181, &pointer, message, "call the tool otherwise");
        }
        match (&tool.openapi, tool.operations.is_empty()) {
            (Some(path), true) => openapi(rules, &pointer, agent, name, path),
            (None, false) => operations(rules, &pointer, agent, name, tool),
            (Some(_), false) => {
                let message = "a tool is described once, by an OpenAPI file or by `operations`".to_owned();
                rules.error_at_key(code::S180, &format!("{pointer}/operations"), message, "keep one of the two");
            }
            (None, true) => {
                let message = format!("nothing says what `{}` can be asked", cut(name));
                rules.error_at_key(code::S180, &pointer, message, "add `operations`, or `openapi` with a file");
            }
        }
    }
}

fn openapi(rules: &mut Rules<'_>, base: &str, agent: &Agent, tool: &str, path: &str) {
    let pointer = format!("{base}/openapi");
    // A file that could not be read has a finding of its own.
    let Some(text) = rules.files.get(&pointer) else { return };
    let (api, findings) = read_openapi(text, &beside(rules.file, path), agent.engine);
    if !rules.is_full() {
        rules.findings.extend(findings);
    }
    for operation in api.iter().flat_map(|api| &api.operations) {
        qualified(rules, &pointer, agent, tool, &operation.id);
    }
}

fn operations(rules: &mut Rules<'_>, base: &str, agent: &Agent, tool: &str, of: &Tool) {
    for (name, operation) in &of.operations {
        let pointer = format!("{base}/operations/{}", escape(name));
        if is_operation_name(name) {
            qualified(rules, &pointer, agent, tool, name);
        } else {
            let message = format!("`{}` cannot be the name of an operation", cut(name));
            rules.error_at_key(code::S182, &pointer, message, NAMES);
        }
        self::operation(rules, &pointer, agent, operation);
    }
}

const NAMES: &str = "use letters and digits, with single `-` or `_` between them, at most 100";

fn operation(rules: &mut Rules<'_>, base: &str, agent: &Agent, operation: &Operation) {
    text_of(rules, &format!("{base}/description"), &operation.description, 1200);
    for (name, parameter) in &operation.parameters {
        let pointer = format!("{base}/parameters/{}", escape(name));
        if !is_operation_name(name) {
            let message = format!("`{}` cannot be the name of a parameter", cut(name));
            rules.error_at_key(code::S182, &pointer, message, NAMES);
        }
        text_of(rules, &format!("{pointer}/description"), &parameter.description, 500);
    }
    if operation.confirm && agent.engine == Engine::Agentcore {
        let message = "AgentCore does not ask for confirmation before a gateway's tool is called".to_owned();
        let help = "have the function itself wait for the user's confirmation, or write `engine: classic`";
        rules.error(code::S184, &format!("{base}/confirm"), message, help);
    }
}

/// A gateway calls each operation by the name of its tool and its own.
fn qualified(rules: &mut Rules<'_>, pointer: &str, agent: &Agent, tool: &str, operation: &str) {
    let length = tool.len() + BETWEEN + operation.len();
    if agent.engine == Engine::Agentcore && length > TOOL_NAME {
        let message = format!("`{}` and `{}` come to a name of {length} characters", cut(tool), cut(operation));
        let help = format!("a model takes {TOOL_NAME}: shorten the tool's name or the operation's");
        rules.error(code::S181, pointer, message, help);
    }
}
