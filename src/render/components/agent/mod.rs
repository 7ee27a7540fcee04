//! Agents. A spec's agent becomes one of Bedrock Agents Classic or a harness of AgentCore with a gateway, by its `engine`.

mod agentcore;
mod classic;

use serde_json::Value;

use super::{Ask, Kind, kind};
use crate::finding::Finding;
use crate::iam::{Policy, Principal, Statement};
use crate::render::assemble::Assembly;
use crate::render::escape;
use crate::render::expression::Expression;
use crate::render::names::service_name;
use crate::render::references::{References, agent_alias_id, agent_id, harness_id};
use crate::spec::{Agent, Engine, OpenApi, Piece, Reference, Text, Tool, read_openapi};

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

/// One agent of the spec, for both engines.
struct Of<'a> {
    references: &'a References<'a>,
    name: &'a str,
    agent: &'a Agent,
    pointer: String,
}

impl Of<'_> {
    /// The name the agent has in its service: its own, or made from use case, stage and name.
    ///
    /// # Errors
    /// `R021` when its own holds a reference to anything but the stage: roles and policies are made for the name.
    fn service_name(&self, most: usize) -> Result<String, Finding> {
        let stage = self.references.options.stage;
        let Some(text) = &self.agent.name else {
            return Ok(service_name(&[&self.references.spec().name, stage, self.name], most));
        };
        let name = self.known(text, &format!("{}/name", self.pointer))?;
        Ok(if name.len() > most { service_name(&[&name], most) } else { name })
    }

    fn known(&self, text: &Text, pointer: &str) -> Result<String, Finding> {
        let mut known = String::new();
        for piece in self.references.pieces(text, pointer)? {
            match piece {
                Piece::Literal(literal) => known.push_str(&literal),
                Piece::Reference(Reference::Stage) => known.push_str(self.references.options.stage),
                Piece::Reference(_) => {
                    return Err(Finding::error("R021", "the name of an agent must be known when it is rendered")
                        .at(self.references.loaded.place(pointer))
                        .help("write it out, or use `${stage}`"));
                }
            }
        }
        Ok(known)
    }

    /// What another component of the spec gives.
    fn other(&self, section: &str, name: &str, attribute: &str, pointer: &str) -> Result<Expression, Finding> {
        let reference = Reference::Component {
            section: section.to_owned(),
            name: name.to_owned(),
            attribute: (!attribute.is_empty()).then(|| attribute.to_owned()),
        };
        self.references.reference(&reference, pointer)
    }

    /// The id or ARN the agent's model is called by.
    fn model(&self) -> Result<Expression, Finding> {
        self.other("models", &self.agent.model, "", &format!("{}/model", self.pointer))
    }

    /// The right to have the model answer, whole or bit by bit, and to look up the profile it is called through.
    fn model_statements(&self) -> Result<Vec<Statement>, Finding> {
        let pointer = format!("{}/model", self.pointer);
        let mut statements = Vec::new();
        for verb in ["invoke", "stream"] {
            let ask = Ask { verb, name: &self.agent.model, rest: "", pointer: &pointer };
            let Some(models) = kind("models") else { return Err(self.references.cannot(&ask)) };
            statements.extend((models.grant)(self.references, &ask)?);
        }
        let arn = self.other("models", &self.agent.model, "arn", &pointer)?.value();
        if arn.to_string().contains("inference-profile") {
            statements.push(Statement::allow(["bedrock:GetInferenceProfile"], [arn]));
        }
        Ok(statements)
    }

    /// When to ask a knowledge base.
    fn use_of(&self, knowledge_base: &str) -> String {
        let own = self.agent.knowledge_bases.get(knowledge_base).and_then(|it| it.r#use.clone());
        let description = || self.references.spec().knowledge_bases.get(knowledge_base)?.description.clone();
        own.or_else(description).unwrap_or_else(|| format!("Questions that {knowledge_base} answers"))
    }

    /// The OpenAPI description of a tool; none where the tool says its operations itself.
    ///
    /// # Errors
    /// `R130` when the file was not loaded with the spec, or is not what it was then.
    fn openapi(&self, name: &str, tool: &Tool) -> Result<Option<OpenApi>, Finding> {
        let Some(path) = &tool.openapi else { return Ok(None) };
        let pointer = format!("{}/tools/{}/openapi", self.pointer, escape(name));
        let text = self.references.loaded.files.get(&pointer);
        let read = text.and_then(|text| read_openapi(text, path, self.agent.engine).0);
        read.map(Some).ok_or_else(|| {
            Finding::error("R130", format!("the OpenAPI description `{path}` was not read with the spec"))
                .at(self.references.loaded.place(&pointer))
                .help("load the spec from its file, so that what stands beside it is found")
        })
    }
}

/// A trust policy: the service, and it only for things of this account whose ARN has this form.
fn trust(service: &str, sources: impl IntoIterator<Item = Expression>) -> Policy {
    let statement = Statement::allow(["sts:AssumeRole"], []).to(Principal::service(service)).when(
        "StringEquals",
        "aws:SourceAccount",
        Expression::reference("AWS::AccountId").value(),
    );
    let sourced = |statement: Statement, source: Expression| statement.when("ArnLike", "aws:SourceArn", source.value());
    Policy::of([sources.into_iter().fold(statement, sourced)])
}

/// IAM takes few characters in a description.
fn role_description(what: &str, of: &Of<'_>) -> String {
    let text = format!("What {what} {} of {} may do", of.name, of.references.spec().name);
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect()
}

/// Everything that went well, or nothing when one part of it did not: all of what went wrong is kept.
fn all<T>(assembly: &mut Assembly<'_>, results: impl IntoIterator<Item = Result<T, Finding>>) -> Option<Vec<T>> {
    let kept: Vec<Option<T>> = results.into_iter().map(|result| assembly.keep(result)).collect();
    kept.into_iter().collect()
}

/// A value, or JSON's nothing.
fn or_null<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, Into::into)
}
