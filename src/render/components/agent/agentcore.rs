//! Bedrock AgentCore: a gateway with a target for each tool and knowledge base, and a harness that uses it.

use serde_json::{Value, json};

use super::one::{Of, all, or_null, role_description, trust};
use crate::finding::Finding;
use crate::iam::{Policy, Statement};
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::ids::{function_id, harness_id};
use crate::render::names::{pascal, service_name};
use crate::spec::{BuiltIn, Tool, escape, tool_schema_of};

/// Characters of a harness's name, and of a gateway's.
const HARNESS_NAME: usize = 40;
const GATEWAY_NAME: usize = 48;

/// The most one question may cost where the spec says nothing: rounds, tokens of all answers, seconds.
const ITERATIONS: u32 = 10;
const TOKENS: u32 = 4096;
const TIMEOUT: u32 = 120;

const SERVICE: &str = "bedrock-agentcore.amazonaws.com";

/// All tools of the gateway, by the name that the harness has for it. An agent without tools has none of that name: the
/// list must not be empty, for then every tool would do, the shell among them.
const GATEWAY_TOOLS: &str = "@gateway/*";

pub(super) fn add(assembly: &mut Assembly<'_>, of: &Of<'_>) {
    let Some(name) = assembly.keep(of.service_name(HARNESS_NAME)) else { return };
    let gateway_id =
        (!of.agent.tools.is_empty() || !of.agent.knowledge_bases.is_empty()).then(|| pascal(of.name) + "Gateway");
    let targets = match &gateway_id {
        Some(id) => gateway(assembly, of, id, &name),
        None => Some(Vec::new()),
    };
    let harness_name = name.replace('-', "_");
    let model = assembly.keep(of.model());
    let policy = assembly.keep(policy(of, &harness_name, gateway_id.as_deref()));
    let (Some(targets), Some(model), Some(policy)) = (targets, model, policy) else { return };
    let id = harness_id(of.name);
    let inference = of.references.spec().models.get(&of.agent.model).map(|model| &model.inference);
    let (temperature, top_p) = (inference.and_then(|it| it.temperature), inference.and_then(|it| it.top_p));
    let limits = &of.agent.limits;
    let data = json!({
        "role_id": format!("{id}Role"),
        "name": harness_name,
        "model": model.value(),
        "max_tokens": inference.and_then(|it| it.max_tokens),
        // Zero is a value here, and nothing for a partial's `if`.
        "has_temperature": temperature.is_some(),
        "temperature": temperature,
        "has_top_p": top_p.is_some(),
        "top_p": top_p,
        "instruction": of.agent.instruction.trim(),
        "gateway_id": gateway_id,
        "targets": targets,
        "allowed_tools": allowed_tools(&of.agent.built_in),
        "iterations": limits.iterations.unwrap_or(ITERATIONS),
        "tokens": limits.tokens.unwrap_or(TOKENS),
        "timeout": limits.timeout.map_or(TIMEOUT, |timeout| timeout.0),
        "idle": or_null(of.agent.idle.map(|idle| idle.0)),
        "role_description": role_description("the agent", of),
        // A harness runs as a runtime of its own, and the service takes the role for both.
        "trust": trust(SERVICE, [
            arn(format!("harness/{harness_name}-*")),
            arn(format!("runtime/harness_{harness_name}-*")),
        ]).to_value(),
        "policy": policy.to_value(),
        "policy_name": "uses",
        "output_id": format!("{id}Arn"),
        "id": id,
    });
    assembly.add("harness", &data, &of.pointer);
}

fn arn(resource: String) -> Expression {
    Expression::arn("bedrock-agentcore", Expression::literal(resource))
}

fn allowed_tools(built_in: &[BuiltIn]) -> Vec<&'static str> {
    let named = |built_in: &BuiltIn| match built_in {
        BuiltIn::Shell => "shell",
        BuiltIn::FileOperations => "file_operations",
    };
    std::iter::once(GATEWAY_TOOLS).chain(built_in.iter().map(named)).collect()
}

/// The gateway with its targets, whose ids are given back.
fn gateway(assembly: &mut Assembly<'_>, of: &Of<'_>, id: &str, name: &str) -> Option<Vec<String>> {
    let role_id = format!("{id}Role");
    let policy = assembly.keep(gateway_policy(of));
    let tools = all(assembly, of.agent.tools.iter().map(|(name, tool)| tool_data(of, name, tool, id, &role_id)));
    let knowledge_bases = all(assembly, of.agent.knowledge_bases.keys().map(|name| knowledge_base_data(of, name, id)));
    let (Some(policy), Some(tools), Some(knowledge_bases)) = (policy, tools, knowledge_bases) else { return None };
    // A gateway's name has no underscores, and its ARN has the name in lower case.
    let name = service_name(&[&name.to_ascii_lowercase()], GATEWAY_NAME);
    let data = json!({
        "role_id": role_id,
        "description": format!("The tools of the agent {} of {}", of.name, of.references.spec().name),
        "trust": trust(SERVICE, [arn(format!("gateway/{name}-*"))]).to_value(),
        "policy": policy.to_value(),
        "policy_name": "uses",
        "role_description": role_description("the gateway of the agent", of),
        "output_id": format!("{id}Url"),
        "name": name,
        "id": id,
    });
    assembly.add("gateway", &data, &of.pointer);
    let mut targets = Vec::new();
    for (partial, section, entries) in
        [("gateway-tool", "tools", tools), ("gateway-knowledge-base", "knowledge-bases", knowledge_bases)]
    {
        for entry in entries {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            targets.push(text("id").to_owned());
            assembly.add(partial, &entry, &format!("{}/{section}/{}", of.pointer, escape(text("name"))));
        }
    }
    Some(targets)
}

/// The gateway's role may call the tools' functions and search the knowledge bases.
fn gateway_policy(of: &Of<'_>) -> Result<Policy, Finding> {
    let mut statements = Vec::new();
    for (name, tool) in &of.agent.tools {
        let pointer = format!("{}/tools/{}/function", of.pointer, escape(name));
        let function = of.other("functions", &tool.function, "arn", &pointer)?;
        statements.push(Statement::allow(["lambda:InvokeFunction"], [function.value()]));
    }
    for (name, knowledge) in &of.agent.knowledge_bases {
        let pointer = format!("{}/knowledge-bases/{}", of.pointer, escape(name));
        let arn = of.other("knowledge-bases", name, "arn", &pointer)?;
        statements.push(Statement::allow(["bedrock:GetKnowledgeBase", "bedrock:Retrieve"], [arn.value()]));
        if knowledge.agentic {
            // It names no resource in IAM.
            statements.push(Statement::allow(["bedrock:AgenticRetrieveStream"], [json!("*")]));
        }
    }
    Ok(Policy::of(statements))
}

fn tool_data(of: &Of<'_>, name: &str, tool: &Tool, gateway_id: &str, role_id: &str) -> Result<Value, Finding> {
    let described = |name: &str, description: &str, input: Value| json!({ "Name": name, "Description": description, "InputSchema": input });
    let tools: Vec<Value> = match of.openapi(name, tool)? {
        Some(api) => api.operations.into_iter().map(|it| described(&it.id, &it.description, it.input)).collect(),
        None => tool.operations.iter().map(|(name, it)| described(name, &it.description, tool_schema_of(it))).collect(),
    };
    let id = format!("{gateway_id}{}Target", pascal(name));
    Ok(json!({
        "permission_id": format!("{gateway_id}{}Permission", pascal(name)),
        "gateway_id": gateway_id,
        "role_id": role_id,
        "function_id": function_id(&tool.function),
        "name": name,
        "description": tool.description,
        "tools": tools,
        "id": id,
    }))
}

fn knowledge_base_data(of: &Of<'_>, name: &str, gateway_id: &str) -> Result<Value, Finding> {
    let pointer = format!("{}/knowledge-bases/{}", of.pointer, escape(name));
    Ok(json!({
        "id": format!("{gateway_id}{}KnowledgeTarget", pascal(name)),
        "gateway_id": gateway_id,
        "name": name,
        "description": of.use_of(name),
        "knowledge_base_id": of.other("knowledge-bases", name, "id", &pointer)?.value(),
        "agentic": of.agent.knowledge_bases.get(name).is_some_and(|it| it.agentic),
    }))
}

/// The role of the harness: to have the model answer, to use the gateway, and what every harness needs to run.
fn policy(of: &Of<'_>, harness: &str, gateway_id: Option<&str>) -> Result<Policy, Finding> {
    let mut statements = of.model_statements()?;
    if let Some(id) = gateway_id {
        let gateway = Expression::attribute(id, "GatewayArn");
        statements.push(Statement::allow(["bedrock-agentcore:InvokeGateway"], [gateway.value()]));
    }
    // Without a token of its own identity it finds no tool of the gateway, and says nothing of it.
    let directory = "workload-identity-directory/default";
    statements.push(Statement::allow(
        ["bedrock-agentcore:GetWorkloadAccessToken", "bedrock-agentcore:GetWorkloadAccessTokenForJWT"],
        [arn(directory.to_owned()).value(), arn(format!("{directory}/workload-identity/harness_{harness}-*")).value()],
    ));
    let logs = |group: &str| Expression::arn("logs", Expression::literal(format!("log-group:{group}"))).value();
    statements.push(Statement::allow(
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [logs(&format!("/aws/bedrock-agentcore/runtimes/harness_{harness}-*"))],
    ));
    statements.push(Statement::allow(["logs:DescribeLogGroups"], [logs("*")]));
    // The harness fetches its own image when a conversation begins, from a registry of AWS's whose account is not known.
    statements.push(Statement::allow(["ecr-public:GetAuthorizationToken", "ecr:GetAuthorizationToken"], [json!("*")]));
    statements.push(Statement::allow(["sts:GetServiceBearerToken"], [json!("*")]).when(
        "StringEquals",
        "sts:AWSServiceName",
        json!("ecr-public.amazonaws.com"),
    ));
    let image = Expression::literal("arn:")
        .then(Expression::reference("AWS::Partition"))
        .text(":ecr:")
        .then(Expression::reference("AWS::Region"))
        .text(":*:repository/harness-*");
    statements.push(Statement::allow(
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        [image.value()],
    ));
    Ok(Policy::of(statements))
}
