//! Agents: engines that close, tools of which to be wary, and what an engine leaves out of what the spec asks for.

use crate::facts::{self, Day};
use crate::finding::{Finding, code};
use crate::spec::{Agent, BuiltIn, Engine, LoadedSpec, escape};

pub(super) fn check(loaded: &LoadedSpec, today: Day, findings: &mut Vec<Finding>) {
    for (name, agent) in &loaded.spec.agents {
        let agent_check = AgentCheck { loaded, agent, pointer: format!("/agents/{}", escape(name)) };
        findings.extend(agent_check.model());
        match agent.engine {
            Engine::Classic => {
                findings.extend(agent_check.closed(today));
                findings.extend(agent_check.quotas());
                findings.extend(
                    agent_check.without_effect(&[("limits", agent_check.has_limits())], "Bedrock Agents Classic"),
                );
                findings.extend(agent_check.ignored_instruction());
            }
            Engine::Agentcore => {
                findings.extend(agent_check.shell());
                findings.extend(agent_check.without_effect(&[("alias", agent.alias.is_some())], "AgentCore"));
            }
        }
        findings.extend(agent_check.inference());
    }
}

struct AgentCheck<'a> {
    loaded: &'a LoadedSpec,
    agent: &'a Agent,
    pointer: String,
}

impl AgentCheck<'_> {
    /// An agent talks.
    fn model(&self) -> Option<Finding> {
        let model = self.loaded.spec.models.get(&self.agent.model)?;
        let fact = facts::models().get(&model.id).filter(|fact| fact.output != "text")?;
        let message = format!("`{}` does not answer with text: it gives back {}", model.id, fact.output);
        Some(
            Finding::error(code::B044, message)
                .at(self.loaded.place(&format!("{}/model", self.pointer)))
                .help("choose a text model, such as `amazon.nova-lite-v1:0`"),
        )
    }

    fn closed(&self, today: Day) -> Option<Finding> {
        let classic = facts::agents().classic.as_ref().filter(|classic| classic.closed_since <= today)?;
        let message = format!("Bedrock Agents Classic has taken no new customers since {}", classic.closed_since);
        Some(
            Finding::note(code::B040, message)
                .at(self.loaded.place(&format!("{}/engine", self.pointer)))
                .help("it works in accounts that had agents before; in any other, write `engine: agentcore`"),
        )
    }

    fn shell(&self) -> Option<Finding> {
        let index = self.agent.built_in.iter().position(|tool| *tool == BuiltIn::Shell)?;
        let message = "the agent has a shell: everyone who talks to it can have it run commands";
        Some(
            Finding::warning(code::B041, message)
                .at(self.loaded.place(&format!("{}/built-in/{index}", self.pointer)))
                .help("remove `shell`, unless its task is to run commands"),
        )
    }

    fn has_limits(&self) -> bool {
        let limits = &self.agent.limits;
        limits.iterations.is_some() || limits.tokens.is_some() || limits.timeout.is_some()
    }

    fn without_effect(&self, keys: &[(&str, bool)], engine: &str) -> Vec<Finding> {
        let said = keys.iter().filter(|(_, said)| *said);
        said.map(|(key, _)| {
            Finding::note(code::B042, format!("`{key}` means nothing to {engine}"))
                .at(self.loaded.key_place(&format!("{}/{key}", self.pointer)))
                .help("it may stay: the other engine goes by it")
        })
        .collect()
    }

    /// What is said of the model's answers and the engine has no place for.
    fn inference(&self) -> Option<Finding> {
        let inference = &self.loaded.spec.models.get(&self.agent.model)?.inference;
        let classic = self.agent.engine == Engine::Classic;
        let keys = [
            ("max-tokens", classic && inference.max_tokens.is_some()),
            ("temperature", classic && inference.temperature.is_some()),
            ("top-p", classic && inference.top_p.is_some()),
            ("top-k", inference.top_k.is_some()),
            ("stop", !inference.stop.is_empty()),
        ];
        let lost: Vec<String> = keys.iter().filter(|(_, lost)| *lost).map(|(key, _)| format!("`{key}`")).collect();
        let first = lost.first()?.trim_matches('`').to_owned();
        let message = format!("the agent does not go by {} of its model", lost.join(", "));
        let pointer = format!("/models/{}/inference/{first}", escape(&self.agent.model));
        Some(
            Finding::note(code::B043, message)
                .at(self.loaded.key_place(&pointer))
                .help("this engine has its own settings for it; other users of the model follow them"),
        )
    }

    fn quotas(&self) -> Vec<Finding> {
        let operations = self.agent.tools.iter().map(|(name, tool)| {
            let pointer = format!("{}/tools/{}/openapi", self.pointer, escape(name));
            let api = self.loaded.files.get(&pointer).zip(tool.openapi.as_ref());
            let count = api.and_then(|(text, path)| crate::spec::read_openapi(text, path, self.agent.engine).0);
            ("classic-operations", count.map_or(0, |api| api.operations.len()), pointer)
        });
        let own = [
            ("classic-action-groups", self.agent.tools.len(), format!("{}/tools", self.pointer)),
            ("classic-knowledge-bases", self.agent.knowledge_bases.len(), format!("{}/knowledge-bases", self.pointer)),
        ];
        let over = |(id, count, pointer): (&str, usize, String)| {
            let limit = facts::agents().limit(id).filter(|limit| count > limit.most)?;
            let message = format!("there are {count} {}, and a new account has room for {}", limit.what, limit.most);
            Some(
                Finding::warning(code::B045, message)
                    .at(self.loaded.place(&pointer))
                    .help("have the quota raised, or divide the agent's work"),
            )
        };
        own.into_iter().chain(operations).filter_map(over).collect()
    }

    /// With one knowledge base and nothing else, the engine's own prompts leave the instruction out.
    fn ignored_instruction(&self) -> Option<Finding> {
        let alone = self.agent.knowledge_bases.len() == 1 && self.agent.tools.is_empty();
        if !alone || self.agent.ask_user != Some(false) {
            return None;
        }
        let message = "an agent with one knowledge base and nothing else goes by no instruction";
        Some(
            Finding::warning(code::B046, message)
                .at(self.loaded.place(&format!("{}/instruction", self.pointer)))
                .help("remove `ask-user: false`, or give it a tool"),
        )
    }
}
