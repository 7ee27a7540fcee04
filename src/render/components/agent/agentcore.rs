//! Bedrock AgentCore: a gateway with a target for each tool and knowledge base, and a harness that uses it.

use serde_json::{Value, json};

use super::one::{Of, all, role_description, trust};
use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::grants::Asked;
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
    // A harness runs as a runtime of its own, and the service takes the role for both.
    let runs = [arn(format!("harness/{harness_name}-*")), arn(format!("runtime/harness_{harness_name}-*"))];
    let of_model = |key: &str| format!("/models/{}/inference/{key}", escape(&of.agent.model));
    let mut data = PartialData::new(&of.pointer)
        .made("role_id", format!("{id}Role"))
        .said("name", "name", harness_name)
        .said("model", "model", model.value())
        .said("max_tokens", &of_model("max-tokens"), inference.and_then(|it| it.max_tokens))
        // Zero is a value here, and nothing for a partial's `if`.
        .said("has_temperature", &of_model("temperature"), temperature.is_some())
        .said("temperature", &of_model("temperature"), temperature)
        .said("has_top_p", &of_model("top-p"), top_p.is_some())
        .said("top_p", &of_model("top-p"), top_p)
        .said("instruction", "instruction", of.agent.instruction.trim())
        .made("gateway_id", gateway_id)
        .made("targets", targets)
        .said("allowed_tools", "built-in", allowed_tools(&of.agent.built_in))
        .said("iterations", "limits/iterations", limits.iterations.unwrap_or(ITERATIONS))
        .said("tokens", "limits/tokens", limits.tokens.unwrap_or(TOKENS))
        .said("timeout", "limits/timeout", limits.timeout.map_or(TIMEOUT, |timeout| timeout.0))
        .said("idle", "idle", of.agent.idle.map(|idle| idle.0))
        .made("role_description", role_description("the agent", of))
        .made("trust", trust(SERVICE, runs).to_value())
        .policy("policy", "", &policy)
        .made("policy_name", "uses")
        .made("output_id", format!("{id}Arn"))
        .made("id", id);
    for index in 0..of.agent.built_in.len() {
        // The gateway's tools stand first.
        data = data.at(&format!("/allowed_tools/{}", index + 1), &format!("built-in/{index}"));
    }
    assembly.add("harness", data);
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
    let data = PartialData::new(&of.pointer)
        .made("role_id", role_id)
        .made("description", format!("The tools of the agent {} of {}", of.name, of.references.spec().name))
        .made("trust", trust(SERVICE, [arn(format!("gateway/{name}-*"))]).to_value())
        .policy("policy", "", &policy)
        .made("policy_name", "uses")
        .made("role_description", role_description("the gateway of the agent", of))
        .made("output_id", format!("{id}Url"))
        .said("name", "name", name)
        .made("id", id);
    assembly.add("gateway", data);
    let mut targets = Vec::new();
    for (partial, entries) in [("gateway-tool", tools), ("gateway-knowledge-base", knowledge_bases)] {
        for entry in entries {
            targets.push(entry.get("id").and_then(Value::as_str).unwrap_or_default().to_owned());
            assembly.add(partial, entry);
        }
    }
    Some(targets)
}

/// The gateway's role may call the tools' functions and search the knowledge bases.
fn gateway_policy(of: &Of<'_>) -> Result<Asked, Finding> {
    let mut asked = Asked::default();
    for (name, tool) in &of.agent.tools {
        let pointer = format!("{}/tools/{}/function", of.pointer, escape(name));
        let function = of.other("functions", &tool.function, "arn", &pointer)?;
        asked.add(pointer, [Statement::allow(["lambda:InvokeFunction"], [function.value()])]);
    }
    for (name, knowledge) in &of.agent.knowledge_bases {
        let pointer = of.knowledge_pointer(name);
        let arn = of.other("knowledge-bases", name, "arn", &pointer)?;
        let retrieve = Statement::allow(["bedrock:GetKnowledgeBase", "bedrock:Retrieve"], [arn.value()]);
        // It names no resource in IAM.
        let agentic = Statement::allow(["bedrock:AgenticRetrieveStream"], [json!("*")]);
        asked.add(pointer, std::iter::once(retrieve).chain(knowledge.agentic.then_some(agentic)));
    }
    Ok(asked)
}

fn tool_data(of: &Of<'_>, name: &str, tool: &Tool, gateway_id: &str, role_id: &str) -> Result<PartialData, Finding> {
    let pointer = format!("{}/tools/{}", of.pointer, escape(name));
    let described = |pointer: String, name: &str, description: &str, input: Value| {
        PartialData::new(pointer).made("Name", name).said("Description", "description", description).said(
            "InputSchema",
            "parameters",
            input,
        )
    };
    let (key, tools): (&str, Vec<PartialData>) = match of.openapi(name, tool)? {
        Some(api) => {
            let operations = api.operations.into_iter();
            let pointer = format!("{pointer}/openapi");
            ("openapi", operations.map(|it| described(pointer.clone(), &it.id, &it.description, it.input)).collect())
        }
        None => {
            let operations = tool.operations.iter().map(|(name, it)| {
                let pointer = format!("{pointer}/operations/{}", escape(name));
                let tool = described(pointer, name, &it.description, tool_schema_of(it));
                it.parameters.keys().map(|name| escape(name)).fold(tool, |tool, parameter| {
                    let (at, key) = (format!("/InputSchema/Properties/{parameter}"), format!("parameters/{parameter}"));
                    tool.at(&at, &key)
                        .at(&format!("{at}/Type"), &format!("{key}/type"))
                        .at(&format!("{at}/Description"), &format!("{key}/description"))
                })
            });
            ("operations", operations.collect())
        }
    };
    Ok(PartialData::new(&pointer)
        .made("gateway_id", gateway_id)
        .made("role_id", role_id)
        .said("function_id", "function", function_id(&tool.function))
        .made("name", name)
        .said("description", "description", &tool.description)
        .parts("tools", key, tools)
        .made("id", format!("{gateway_id}{}Target", pascal(name))))
}

fn knowledge_base_data(of: &Of<'_>, name: &str, gateway_id: &str) -> Result<PartialData, Finding> {
    let pointer = of.knowledge_pointer(name);
    let knowledge_base_id = of.other("knowledge-bases", name, "id", &pointer)?;
    let (use_, said) = of.use_of(name);
    Ok(PartialData::new(pointer)
        .made("id", format!("{gateway_id}{}KnowledgeTarget", pascal(name)))
        .made("gateway_id", gateway_id)
        .made("name", name)
        .said("description", &said, use_)
        .made("knowledge_base_id", knowledge_base_id.value())
        .said("agentic", "agentic", of.agent.knowledge_bases.get(name).is_some_and(|it| it.agentic)))
}

/// The role of the harness: to have the model answer, to use the gateway, and what every harness needs to run.
fn policy(of: &Of<'_>, harness: &str, gateway_id: Option<&str>) -> Result<Asked, Finding> {
    let mut asked = Asked::default();
    asked.add(format!("{}/model", of.pointer), of.model_statements()?);
    let mut statements = Vec::new();
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
    asked.add(&of.pointer, statements);
    Ok(asked)
}
