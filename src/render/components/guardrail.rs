//! Guardrails, each with a version that is made anew whenever the guardrail changes: a version never changes itself.

use serde_json::Value;

use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
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
    let topics = guardrail.topics.iter().map(|(name, topic)| {
        PartialData::new(format!("{pointer}/topics/{}", escape(name)))
            .made("name", name)
            .said("definition", "definition", &topic.definition)
            .said("examples", "examples", &topic.examples)
    });
    let filters = guardrail.filters.iter().map(|(filter, strength)| {
        let strength = level(*strength);
        // An attack on the instruction is in what is asked; Bedrock takes no other strength for what is answered.
        let output = if *filter == ContentFilter::PromptAttack { "NONE" } else { strength };
        let kind = kind(*filter);
        PartialData::new(format!("{pointer}/filters/{}", kind.to_ascii_lowercase().replace('_', "-")))
            .made("type", kind)
            .made("input", strength)
            .made("output", output)
    });
    let personal_data = guardrail.personal_data.iter().map(|(kind, action)| {
        PartialData::new(format!("{pointer}/personal-data/{}", escape(kind)))
            .made("type", kind)
            .made("action", self::action(*action))
    });
    let patterns = guardrail.patterns.iter().map(|(name, pattern)| {
        PartialData::new(format!("{pointer}/patterns/{}", escape(name)))
            .made("name", name)
            .said("pattern", "matches", &pattern.matches)
            .said("action", "action", action(pattern.action))
            .said("description", "description", &pattern.description)
    });
    let thresholds = [("GROUNDING", "grounding", guardrail.grounding), ("RELEVANCE", "relevance", guardrail.relevance)];
    let grounding = thresholds.into_iter().filter_map(|(kind, key, threshold)| {
        Some(PartialData::new(format!("{pointer}/{key}")).made("type", kind).made("threshold", threshold?))
    });
    let blocked_output = match &guardrail.blocked_output {
        Some(text) => ("blocked-output", text),
        None => ("blocked-input", &guardrail.blocked_input),
    };
    let data = PartialData::new(&pointer)
        .made("id", &id)
        .said("name", "name", own_name.value())
        .said("description", "description", &guardrail.description)
        .said("blocked_input", "blocked-input", &guardrail.blocked_input)
        .said("blocked_output", blocked_output.0, blocked_output.1)
        .parts("topics", "topics", topics)
        .parts("filters", "filters", filters)
        .made("has_words", !guardrail.words.is_empty() || guardrail.profanity)
        .said("words", "words", &guardrail.words)
        .said("profanity", "profanity", guardrail.profanity)
        .made("has_data", !guardrail.personal_data.is_empty() || !guardrail.patterns.is_empty())
        .parts("personal_data", "personal-data", personal_data)
        .parts("patterns", "patterns", patterns)
        .parts("grounding", "", grounding)
        .made("output_id", format!("{id}Id"));
    let content = assembly.add_known("guardrail", data);
    let data = PartialData::new(pointer)
        .made("id", version_id(name))
        .made("guardrail_id", id)
        .made("description", format!("Content {}", digest::short(&Value::Object(content).to_string())))
        .made("output_id", version_id(name));
    assembly.add("guardrail-version", data);
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
