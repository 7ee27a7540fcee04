//! Bedrock Agents Classic: a role, an agent, an alias, and the permission for the agent to call its functions.

use serde_json::{Map, Value, json};

use super::one::{Of, all, or_null, role_description, trust};
use crate::finding::Finding;
use crate::iam::{Policy, Statement};
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::ids::{agent_alias_id, agent_id, function_id};
use crate::render::names::pascal;
use crate::spec::{Operation, OperationType, Tool, escape};

/// Characters of an agent's name.
const NAME: usize = 100;

/// Name of the alias of an agent that says none.
const ALIAS: &str = "live";

pub(super) fn add(assembly: &mut Assembly<'_>, of: &Of<'_>) {
    let name = assembly.keep(of.service_name(NAME));
    let model = assembly.keep(of.model());
    let policy = assembly.keep(policy(of));
    let guardrail = match &of.agent.guardrail {
        Some(guardrail) => assembly.keep(self::guardrail(of, guardrail)),
        None => Some(Value::Null),
    };
    let tools = all(assembly, of.agent.tools.iter().map(|(name, tool)| self::tool(of, name, tool)));
    let knowledge_bases = all(assembly, of.agent.knowledge_bases.keys().map(|name| knowledge_base(of, name)));
    let (Some(name), Some(model), Some(policy), Some(guardrail), Some(tools), Some(knowledge_bases)) =
        (name, model, policy, guardrail, tools, knowledge_bases)
    else {
        return;
    };
    let id = agent_id(of.name);
    let alias_id = agent_alias_id(of.name);
    let ask_user = of.agent.ask_user.unwrap_or(true);
    let data = json!({
        "alias_id": alias_id,
        "role_id": format!("{id}Role"),
        "name": name,
        "alias": of.agent.alias.as_deref().unwrap_or(ALIAS),
        "description": of.agent.description,
        "model": model.value(),
        "instruction": of.agent.instruction.trim(),
        "idle": or_null(of.agent.idle.map(|idle| idle.0)),
        "action_groups": ask_user || !tools.is_empty(),
        "ask_user": ask_user,
        "tools": tools,
        "knowledge_bases": knowledge_bases,
        "guardrail": guardrail,
        // An alias points to a version, and only an update of the alias makes one. When the agent was prepared changes
        // with whatever is updated of it, a replaced function or a parameter's new value included, which a digest of
        // the template would not show; it stays when nothing is.
        "alias_description": Expression::literal("The agent as prepared at ")
            .then(Expression::attribute(&id, "PreparedAt")).value(),
        "role_description": role_description("the agent", of),
        // The agent's id is not known before it is made, and it is made with the role.
        "trust": trust("bedrock.amazonaws.com", [Expression::arn("bedrock", Expression::literal("agent/*"))]).to_value(),
        "policy": policy.to_value(),
        "policy_name": "uses",
        "output_id": format!("{id}Id"),
        "output_alias": format!("{alias_id}Id"),
        "id": id,
    });
    assembly.add("agent", &data, &of.pointer);
    permissions(assembly, of, &id);
}

/// One permission for each function, however many tools it serves.
fn permissions(assembly: &mut Assembly<'_>, of: &Of<'_>, id: &str) {
    let mut functions: Vec<&str> = Vec::new();
    for (name, tool) in &of.agent.tools {
        if functions.contains(&tool.function.as_str()) {
            continue;
        }
        functions.push(&tool.function);
        let data = json!({
            "id": format!("{id}{}Permission", pascal(name)),
            "function_id": function_id(&tool.function),
            "agent_id": id,
        });
        assembly.add("agent-tool", &data, &format!("{}/tools/{}", of.pointer, escape(name)));
    }
}

/// The role may have the model answer, search the knowledge bases and hold texts against the guardrail. To call the
/// functions it needs no right: their own policies let the agent in.
fn policy(of: &Of<'_>) -> Result<Policy, Finding> {
    let mut statements = of.model_statements()?;
    for name in of.agent.knowledge_bases.keys() {
        let pointer = format!("{}/knowledge-bases/{}", of.pointer, escape(name));
        let arn = of.other("knowledge-bases", name, "arn", &pointer)?;
        statements.push(Statement::allow(["bedrock:Retrieve"], [arn.value()]));
    }
    if let Some(name) = &of.agent.guardrail {
        let arn = of.other("guardrails", name, "arn", &format!("{}/guardrail", of.pointer))?;
        statements.push(Statement::allow(["bedrock:ApplyGuardrail"], [arn.value()]));
    }
    Ok(Policy::of(statements))
}

fn guardrail(of: &Of<'_>, name: &str) -> Result<Value, Finding> {
    let pointer = format!("{}/guardrail", of.pointer);
    let attribute = |attribute: &str| of.other("guardrails", name, attribute, &pointer).map(|it| it.value());
    Ok(json!({ "id": attribute("id")?, "version": attribute("version")? }))
}

fn knowledge_base(of: &Of<'_>, name: &str) -> Result<Value, Finding> {
    let pointer = format!("{}/knowledge-bases/{}", of.pointer, escape(name));
    let id = of.other("knowledge-bases", name, "id", &pointer)?;
    Ok(json!({ "id": id.value(), "use": of.use_of(name) }))
}

fn tool(of: &Of<'_>, name: &str, tool: &Tool) -> Result<Value, Finding> {
    let pointer = format!("{}/tools/{}/function", of.pointer, escape(name));
    let api = of.openapi(name, tool)?;
    let functions: Vec<Value> = tool.operations.iter().map(|(name, operation)| function(name, operation)).collect();
    Ok(json!({
        "name": name,
        "description": tool.description,
        "function_arn": of.other("functions", &tool.function, "arn", &pointer)?.value(),
        "payload": or_null(api.map(|api| api.payload)),
        "functions": functions,
    }))
}

fn function(name: &str, operation: &Operation) -> Value {
    let parameters: Map<String, Value> = operation
        .parameters
        .iter()
        .map(|(name, it)| {
            let kind = match it.r#type {
                OperationType::String => "string",
                OperationType::Number => "number",
                OperationType::Integer => "integer",
                OperationType::Boolean => "boolean",
            };
            (name.clone(), json!({ "Type": kind, "Description": it.description, "Required": !it.optional }))
        })
        .collect();
    let mut function = json!({
        "Name": name,
        "Description": operation.description,
        "RequireConfirmation": if operation.confirm { "ENABLED" } else { "DISABLED" },
    });
    if let (Some(function), false) = (function.as_object_mut(), parameters.is_empty()) {
        function.insert("Parameters".to_owned(), Value::Object(parameters));
    }
    function
}
