//! Bedrock Agents Classic: a role, an agent, an alias, and the permission for the agent to call its functions.

use super::one::{Of, all, role_description, trust};
use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::grants::Asked;
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
        Some(guardrail) => assembly.keep(self::guardrail(of, guardrail)).map(Some),
        None => Some(None),
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
    let prepared = Expression::literal("The agent as prepared at ").then(Expression::attribute(&id, "PreparedAt"));
    let agents = Expression::arn("bedrock", Expression::literal("agent/*"));
    let data = PartialData::new(&of.pointer)
        .made("alias_id", &alias_id)
        .made("role_id", format!("{id}Role"))
        .said("name", "name", name)
        .said("alias", "alias", of.agent.alias.as_deref().unwrap_or(ALIAS))
        .said("description", "description", &of.agent.description)
        .said("model", "model", model.value())
        .said("instruction", "instruction", of.agent.instruction.trim())
        .said("idle", "idle", of.agent.idle.map(|idle| idle.0))
        .said("action_groups", "tools", ask_user || !tools.is_empty())
        .said("ask_user", "ask-user", ask_user)
        .parts("tools", "tools", tools)
        .parts("knowledge_bases", "knowledge-bases", knowledge_bases)
        .part("guardrail", guardrail)
        // An alias points to a version, and only an update of the alias makes one. When the agent was prepared changes
        // with whatever is updated of it, a replaced function or a parameter's new value included, which a digest of
        // the template would not show; it stays when nothing is.
        .made("alias_description", prepared.value())
        .made("role_description", role_description("the agent", of))
        // The agent's id is not known before it is made, and it is made with the role.
        .made("trust", trust("bedrock.amazonaws.com", [agents]).to_value())
        .policy("policy", "", &policy)
        .made("policy_name", "uses")
        .made("output_id", format!("{id}Id"))
        .made("output_alias", format!("{alias_id}Id"))
        .made("id", &id);
    assembly.add("agent", data);
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
        let data = PartialData::new(format!("{}/tools/{}", of.pointer, escape(name)))
            .made("id", format!("{id}{}Permission", pascal(name)))
            .said("function_id", "function", function_id(&tool.function))
            .made("agent_id", id);
        assembly.add("agent-tool", data);
    }
}

/// The role may have the model answer, search the knowledge bases and hold texts against the guardrail. To call the
/// functions it needs no right: their own policies let the agent in.
fn policy(of: &Of<'_>) -> Result<Asked, Finding> {
    let mut asked = Asked::default();
    asked.add(format!("{}/model", of.pointer), of.model_statements()?);
    for name in of.agent.knowledge_bases.keys() {
        let pointer = of.knowledge_pointer(name);
        let arn = of.other("knowledge-bases", name, "arn", &pointer)?;
        asked.add(pointer, [Statement::allow(["bedrock:Retrieve"], [arn.value()])]);
    }
    if let Some(name) = &of.agent.guardrail {
        let pointer = format!("{}/guardrail", of.pointer);
        let arn = of.other("guardrails", name, "arn", &pointer)?;
        asked.add(pointer, [Statement::allow(["bedrock:ApplyGuardrail"], [arn.value()])]);
    }
    Ok(asked)
}

fn guardrail(of: &Of<'_>, name: &str) -> Result<PartialData, Finding> {
    let pointer = format!("{}/guardrail", of.pointer);
    let attribute = |attribute: &str| of.other("guardrails", name, attribute, &pointer).map(|it| it.value());
    Ok(PartialData::new(&pointer).made("id", attribute("id")?).made("version", attribute("version")?))
}

fn knowledge_base(of: &Of<'_>, name: &str) -> Result<PartialData, Finding> {
    let pointer = of.knowledge_pointer(name);
    let id = of.other("knowledge-bases", name, "id", &pointer)?;
    let (use_, said) = of.use_of(name);
    Ok(PartialData::new(pointer).made("id", id.value()).said("use", &said, use_))
}

fn tool(of: &Of<'_>, name: &str, tool: &Tool) -> Result<PartialData, Finding> {
    let pointer = format!("{}/tools/{}", of.pointer, escape(name));
    let api = of.openapi(name, tool)?;
    let function_arn = of.other("functions", &tool.function, "arn", &format!("{pointer}/function"))?;
    let functions = tool
        .operations
        .iter()
        .map(|(name, operation)| function(&format!("{pointer}/operations/{}", escape(name)), name, operation));
    Ok(PartialData::new(&pointer)
        .made("name", name)
        .said("description", "description", &tool.description)
        .said("function_arn", "function", function_arn.value())
        .said("payload", "openapi", api.map(|api| api.payload))
        .parts("functions", "operations", functions))
}

fn function(pointer: &str, name: &str, operation: &Operation) -> PartialData {
    let parameters = operation.parameters.iter().map(|(name, it)| {
        let kind = match it.r#type {
            OperationType::String => "string",
            OperationType::Number => "number",
            OperationType::Integer => "integer",
            OperationType::Boolean => "boolean",
        };
        let parameter = PartialData::new(format!("{pointer}/parameters/{}", escape(name)))
            .said("Type", "type", kind)
            .said("Description", "description", &it.description)
            .said("Required", "optional", !it.optional);
        (name, parameter)
    });
    let function = PartialData::new(pointer)
        .made("Name", name)
        .said("Description", "description", &operation.description)
        .said("RequireConfirmation", "confirm", if operation.confirm { "ENABLED" } else { "DISABLED" });
    if operation.parameters.is_empty() {
        return function;
    }
    let parameters = parameters.fold(PartialData::new(format!("{pointer}/parameters")), |all, (name, parameter)| {
        all.part(name, Some(parameter))
    });
    function.part("Parameters", Some(parameters))
}
