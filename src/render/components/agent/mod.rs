//! Agents. A spec's agent becomes one of Bedrock Agents Classic or a harness of AgentCore with a gateway, by its `engine`.

mod agentcore;
mod classic;
mod one;

use self::one::Of;
use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::expression::Expression;
use crate::render::ids::{agent_alias_id, agent_id, harness_id};
use crate::render::references::{Ask, Kind, References};
use crate::spec::{Engine, escape};

/// Agents.
pub(super) const KIND: Kind = Kind {
    section: "agents",
    add: |assembly, references| {
        for (name, agent) in &references.spec().agents {
            let of = Of { references, name, agent, pointer: format!("/agents/{}", escape(name)) };
            match agent.engine {
                Engine::Classic => classic::add(assembly, &of),
                Engine::Agentcore => agentcore::add(assembly, &of),
            }
        }
    },
    attribute,
    grant,
};

/// What a program needs to call an agent: the ARN of a harness, the ids of an agent and of its alias.
fn attribute(references: &References<'_>, name: &str, attribute: &str) -> Option<Expression> {
    let agent = references.spec().agents.get(name)?;
    let (id, attribute) = match (agent.engine, attribute) {
        (Engine::Classic, "" | "id") => (agent_id(name), "AgentId"),
        (Engine::Classic, "arn") => (agent_id(name), "AgentArn"),
        (Engine::Classic, "alias") => (agent_alias_id(name), "AgentAliasId"),
        (Engine::Agentcore, "" | "arn") => (harness_id(name), "Arn"),
        (Engine::Agentcore, "id") => (harness_id(name), "HarnessId"),
        _ => return None,
    };
    Some(Expression::attribute(id, attribute))
}

/// A classic agent is called by its alias. A harness runs as a runtime, so calling it takes the right to both, on its own
/// ARN.
fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let agent = references.spec().agents.get(ask.name).filter(|_| ask.verb == "invoke" && ask.rest.is_empty());
    let Some(agent) = agent else { return Err(references.cannot(ask)) };
    Ok(vec![match agent.engine {
        Engine::Classic => {
            let alias = Expression::attribute(agent_alias_id(ask.name), "AgentAliasArn");
            Statement::allow(["bedrock:InvokeAgent"], [alias.value()])
        }
        Engine::Agentcore => {
            let harness = Expression::attribute(harness_id(ask.name), "Arn");
            let actions = ["bedrock-agentcore:InvokeAgentRuntime", "bedrock-agentcore:InvokeHarness"];
            Statement::allow(actions, [harness.value()])
        }
    }])
}
