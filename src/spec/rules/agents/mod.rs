//! Agents: names, instructions and times, what their engine can do, and the tools they are given.

mod texts;
mod tools;

use self::texts::text_of;
use crate::finding::code;
use crate::spec::rules::context::Rules;
use crate::spec::text::{Piece, Reference, Text};
use crate::spec::types::{Agent, Engine, Store};
use crate::spec::values::Seconds;
use crate::spec::words::{cut, escape};

/// Characters of an instruction that Bedrock Agents wants at least.
const INSTRUCTION: usize = 40;

/// Characters of a harness's name at most; the other engine takes more.
const NAME: usize = 40;

/// How to switch to the other engine, where the difference is one word.
const SWITCH: &str = "write `engine: classic`";

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, agent) in &spec.agents {
        let base = format!("/agents/{}", escape(name));
        if let Some(text) = &agent.name {
            agent_name(rules, &format!("{base}/name"), text, NAME);
        }
        if let Some(text) = &agent.alias {
            agent_name(rules, &format!("{base}/alias"), &Text::new(text), 100);
        }
        bounds(rules, &base, agent);
        engine(rules, &base, agent);
        knowledge(rules, &base, agent);
        tools::check(rules, &base, agent);
    }
    aliases(rules);
}

fn agent_name(rules: &mut Rules<'_>, pointer: &str, text: &Text, most: usize) {
    let mut known = String::new();
    for piece in text.pieces().unwrap_or_default() {
        match piece {
            Piece::Literal(literal) => known.push_str(&literal),
            // Some stage, which has the form of a name itself.
            Piece::Reference(Reference::Stage) => known.push('x'),
            // Nothing, for one stage.
            Piece::Reference(Reference::StageSuffix) => {}
            Piece::Reference(_) => {
                let message = "the name of an agent can hold no reference but `${stage}`".to_owned();
                return rules.error(code::S183, pointer, message, "write it out: roles and policies are made for it");
            }
        }
    }
    let letter = known.starts_with(|c: char| c.is_ascii_alphabetic());
    if !letter || known.len() > most || !crate::spec::openapi::is_operation_name(&known) {
        let message = format!("`{}` cannot be the name of an agent", cut(text.source()));
        let help = format!("use letters, digits and single hyphens, a letter first, at most {most} characters");
        rules.error(code::S183, pointer, message, help);
    }
}

fn bounds(rules: &mut Rules<'_>, base: &str, agent: &Agent) {
    let characters = agent.instruction.trim().chars().count();
    if characters < INSTRUCTION {
        let message = format!("the instruction has {characters} characters, and an agent needs at least {INSTRUCTION}");
        let help = "say who it is, what it does, and what it leaves alone";
        rules.error(code::S185, &format!("{base}/instruction"), message, help);
    }
    let described = agent.description.iter().map(|text| (format!("{base}/description"), text));
    let of_tools = agent.tools.iter().filter_map(|(name, tool)| {
        Some((format!("{base}/tools/{}/description", escape(name)), tool.description.as_ref()?))
    });
    let uses = agent
        .knowledge_bases
        .iter()
        .filter_map(|(name, it)| Some((format!("{base}/knowledge-bases/{}/use", escape(name)), it.r#use.as_ref()?)));
    for (pointer, text) in described.chain(of_tools).chain(uses) {
        text_of(rules, &pointer, text, 200);
    }
    let longest = match agent.engine {
        Engine::Classic => 5400,
        Engine::Agentcore => 1_209_600,
    };
    if let Some(Seconds(seconds)) = agent.idle.filter(|idle| !(60..=longest).contains(&idle.0)) {
        let message = format!("a conversation cannot be kept for {}", Seconds(seconds));
        let help = format!("this engine takes 1m to {}", Seconds(longest));
        rules.error(code::S186, &format!("{base}/idle"), message, help);
    }
    let limits = &agent.limits;
    let numbers =
        [("iterations", limits.iterations), ("tokens", limits.tokens), ("timeout", limits.timeout.map(|it| it.0))];
    for (key, _) in numbers.into_iter().filter(|(_, number)| *number == Some(0)) {
        let message = format!("with no {key} an agent answers nothing");
        rules.error(code::S186, &format!("{base}/limits/{key}"), message, "write at least 1");
    }
}

/// What the one engine does and the other cannot.
fn engine(rules: &mut Rules<'_>, base: &str, agent: &Agent) {
    match agent.engine {
        Engine::Agentcore => {
            if agent.guardrail.is_some() {
                let message = "a guardrail cannot be attached to an agent of AgentCore".to_owned();
                let help =
                    format!("{SWITCH}, or have the function that calls the agent hold its texts against the guardrail");
                rules.error(code::S184, &format!("{base}/guardrail"), message, help);
            }
            if agent.ask_user == Some(false) {
                let message = "an agent of AgentCore asks whenever something is missing".to_owned();
                let help = format!("remove `ask-user` and say in the instruction what not to ask, or {SWITCH}");
                rules.error(code::S184, &format!("{base}/ask-user"), message, help);
            }
        }
        Engine::Classic if !agent.built_in.is_empty() => {
            let message = "Bedrock Agents Classic has no tools of its own".to_owned();
            rules.error(code::S184, &format!("{base}/built-in"), message, "remove them, or write `engine: agentcore`");
        }
        Engine::Classic => {}
    }
}

fn knowledge(rules: &mut Rules<'_>, base: &str, agent: &Agent) {
    let spec = rules.spec;
    for (name, knowledge) in &agent.knowledge_bases {
        let pointer = format!("{base}/knowledge-bases/{}", escape(name));
        // One that is not there has a finding of its own.
        let Some(of) = spec.knowledge_bases.get(name) else { continue };
        if agent.engine == Engine::Agentcore && of.store != Store::Managed {
            let message =
                format!("AgentCore's gateway supports managed knowledge bases only, and `{}` is not one", cut(name));
            let help = format!("write `store: managed` for it, or {SWITCH} for the agent");
            rules.error_at_key(code::S184, &pointer, message, help);
        }
        if agent.engine == Engine::Classic && knowledge.agentic {
            let message = "Bedrock Agents Classic searches once for a question".to_owned();
            rules.error(code::S184, &format!("{pointer}/agentic"), message, "remove it, or write `engine: agentcore`");
        }
        if knowledge.r#use.is_none() && of.description.is_none() {
            let message = format!("nothing says when to ask `{}`", cut(name));
            let help = format!("add `use` here, or a `description` to `knowledge-bases.{}`", cut(name));
            rules.error_at_key(code::S187, &pointer, message, help);
        }
    }
}

/// `${agents.NAME.alias}` of an engine that has no aliases.
fn aliases(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    let texts = rules.marks.texts.clone();
    for mark in texts {
        for piece in mark.value.pieces().unwrap_or_default() {
            let Piece::Reference(Reference::Component { section, name, attribute }) = piece else { continue };
            let agentcore = spec.agents.get(&name).is_some_and(|agent| agent.engine == Engine::Agentcore);
            if section == "agents" && attribute.as_deref() == Some("alias") && agentcore {
                let message = format!("`agents.{}` is run by AgentCore, which has no aliases", cut(&name));
                let help = format!("use `${{agents.{}}}`, its ARN, or {SWITCH}", cut(&name));
                rules.error(code::S184, &mark.pointer, message, help);
            }
        }
    }
}
