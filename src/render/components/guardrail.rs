//! Guardrails, each with a version that is made anew whenever the guardrail changes: a version never changes itself.

use serde_json::{Value, json};

use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::digest;
use crate::render::expression::Expression;
use crate::render::ids::guardrail_id;
use crate::render::names::service_name;
use crate::render::references::{Kind, References};
use crate::spec::{ContentFilter, Guardrail, PersonalData, Strength, escape};

/// Guardrails.
pub(super) const KIND: Kind = Kind {
    section: "guardrails",
    add: |assembly, references| {
        for (name, guardrail) in &references.spec().guardrails {
            add(assembly, references, name, guardrail);
        }
    },
    attribute: |_, name, attribute| {
        let id = guardrail_id(name);
        Some(match attribute {
            "" | "id" => Expression::attribute(id, "GuardrailId"),
            "arn" => Expression::attribute(id, "GuardrailArn"),
            "version" => Expression::attribute(version_id(name), "Version"),
            _ => return None,
        })
    },
    grant: |references, ask| match ask.verb {
        "apply" => {
            let arn = Expression::attribute(guardrail_id(ask.name), "GuardrailArn");
            Ok(vec![Statement::allow(["bedrock:ApplyGuardrail"], [arn.value()])])
        }
        _ => Err(references.cannot(ask)),
    },
};

/// The longest name a guardrail takes.
const LONGEST_NAME: usize = 50;

fn version_id(name: &str) -> String {
    guardrail_id(name) + "Version"
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, guardrail: &Guardrail) {
    let pointer = format!("/guardrails/{}", escape(name));
    let own_name = match &guardrail.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))),
        None => {
            let words = [references.spec().name.as_str(), references.options.stage, name];
            Some(Expression::literal(service_name(&words, LONGEST_NAME)))
        }
    };
    let Some(own_name) = own_name else { return };
    let id = guardrail_id(name);
    let topics: Vec<Value> = guardrail
        .topics
        .iter()
        .map(|(name, topic)| json!({ "name": name, "definition": topic.definition, "examples": topic.examples }))
        .collect();
    let filters: Vec<Value> = guardrail
        .filters
        .iter()
        .map(|(filter, strength)| {
            let strength = level(*strength);
            // An attack on the instruction is in what is asked; Bedrock takes no other strength for what is answered.
            let output = if *filter == ContentFilter::PromptAttack { "NONE" } else { strength };
            json!({ "type": kind(*filter), "input": strength, "output": output })
        })
        .collect();
    let personal_data: Vec<Value> = guardrail
        .personal_data
        .iter()
        .map(|(kind, action)| json!({ "type": kind, "action": self::action(*action) }))
        .collect();
    let patterns: Vec<Value> = guardrail
        .patterns
        .iter()
        .map(|(name, pattern)| {
            json!({
                "name": name, "pattern": pattern.matches, "action": action(pattern.action),
                "description": pattern.description,
            })
        })
        .collect();
    let grounding: Vec<Value> = [("GROUNDING", guardrail.grounding), ("RELEVANCE", guardrail.relevance)]
        .into_iter()
        .filter_map(|(kind, threshold)| threshold.map(|threshold| json!({ "type": kind, "threshold": threshold })))
        .collect();
    let data = json!({
        "id": id,
        "name": own_name.value(),
        "description": guardrail.description,
        "blocked_input": guardrail.blocked_input,
        "blocked_output": guardrail.blocked_output.as_ref().unwrap_or(&guardrail.blocked_input),
        "topics": topics,
        "filters": filters,
        "has_words": !guardrail.words.is_empty() || guardrail.profanity,
        "words": guardrail.words,
        "profanity": guardrail.profanity,
        "has_data": !personal_data.is_empty() || !patterns.is_empty(),
        "personal_data": personal_data,
        "patterns": patterns,
        "grounding": grounding,
        "output_id": format!("{id}Id"),
    });
    let content = assembly.add("guardrail", &data, &pointer);
    let data = json!({
        "id": version_id(name),
        "guardrail_id": id,
        "description": format!("Content {}", digest::short(&Value::Object(content).to_string())),
        "output_id": version_id(name),
    });
    assembly.add("guardrail-version", &data, &pointer);
}

fn kind(filter: ContentFilter) -> &'static str {
    match filter {
        ContentFilter::Hate => "HATE",
        ContentFilter::Insults => "INSULTS",
        ContentFilter::Sexual => "SEXUAL",
        ContentFilter::Violence => "VIOLENCE",
        ContentFilter::Misconduct => "MISCONDUCT",
        ContentFilter::PromptAttack => "PROMPT_ATTACK",
    }
}

fn level(strength: Strength) -> &'static str {
    match strength {
        Strength::Low => "LOW",
        Strength::Medium => "MEDIUM",
        Strength::High => "HIGH",
    }
}

fn action(action: PersonalData) -> &'static str {
    match action {
        PersonalData::Block => "BLOCK",
        PersonalData::Anonymize => "ANONYMIZE",
    }
}
