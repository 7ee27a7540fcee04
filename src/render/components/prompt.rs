//! Managed prompts, each with a version that is made anew whenever the prompt changes: a version never changes itself.

use serde_json::{Map, Value, json};

use crate::facts;
use crate::finding::{Finding, code};
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::digest;
use crate::render::expression::Expression;
use crate::render::ids::prompt_id;
use crate::render::names::service_name;
use crate::render::references::{Kind, References};
use crate::spec::{Inference, Prompt, Reference, escape, prompt_variables};

/// Prompts.
pub(super) const KIND: Kind = Kind {
    section: "prompts",
    add: |assembly, references| {
        for (name, prompt) in &references.spec().prompts {
            add(assembly, references, name, prompt);
        }
    },
    attribute: |_, name, attribute| {
        Some(match attribute {
            "" | "arn" => Expression::attribute(version_id(name), "Arn"),
            "id" => Expression::attribute(prompt_id(name), "Id"),
            "version" => Expression::attribute(version_id(name), "Version"),
            _ => return None,
        })
    },
    // Converse with a prompt's ARN is checked as `bedrock:RenderPrompt` on it, and as `bedrock:InvokeModel` on the prompt's
    // model: that is a grant of its own.
    grant: |references, ask| match ask.verb {
        "render" => {
            let arn = Expression::attribute(version_id(ask.name), "Arn");
            Ok(vec![Statement::allow(["bedrock:RenderPrompt"], [arn.value()])])
        }
        _ => Err(references.cannot(ask)),
    },
};

/// The longest name a prompt takes.
const LONGEST_NAME: usize = 100;

/// The logical id of a prompt's version.
pub(super) fn version_id(name: &str) -> String {
    prompt_id(name) + "Version"
}

/// What a program, or Bedrock itself, calls a model by.
///
/// # Errors
/// `R020` when there is no such model.
pub(super) fn model_id(references: &References<'_>, model: &str, pointer: &str) -> Result<Value, Finding> {
    let reference = Reference::Component { section: "models".to_owned(), name: model.to_owned(), attribute: None };
    references.reference(&reference, pointer).map(|id| id.value())
}

/// How a model answers, as prompts and flows write it; nothing where nothing is said.
pub(super) fn inference(inference: &Inference) -> Value {
    let mut text = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            text.insert(key.to_owned(), value);
        }
    };
    put("MaxTokens", inference.max_tokens.map(|it| json!(it)));
    put("Temperature", inference.temperature.map(|it| json!(it)));
    put("TopP", inference.top_p.map(|it| json!(it)));
    put("StopSequences", (!inference.stop.is_empty()).then(|| json!(inference.stop)));
    if text.is_empty() { Value::Null } else { json!({ "Text": text }) }
}

/// Data with the places of what [`inference`] gave, which is at a JSON pointer into it.
pub(super) fn inference_places(data: PartialData, within: &str, model: &str) -> PartialData {
    let inference = format!("/models/{}/inference", escape(model));
    let keys =
        [("MaxTokens", "max-tokens"), ("Temperature", "temperature"), ("TopP", "top-p"), ("StopSequences", "stop")];
    let data = data.at(within, &inference);
    keys.iter().fold(data, |data, (name, key)| data.at(&format!("{within}/Text/{name}"), &format!("{inference}/{key}")))
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, prompt: &Prompt) {
    let pointer = format!("/prompts/{}", escape(name));
    let own_name = match &prompt.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))),
        None => {
            let words = [references.spec().name.as_str(), references.options.stage, name];
            Some(Expression::literal(service_name(&words, LONGEST_NAME)))
        }
    };
    let model_pointer = format!("{pointer}/model");
    let model_id = assembly.keep(model_id(references, &prompt.model, &model_pointer));
    let more = assembly.keep(more_fields(references, prompt, &model_pointer));
    let (Some(own_name), Some(model_id), Some(more)) = (own_name, model_id, more) else { return };
    let Some(model) = references.spec().models.get(&prompt.model) else { return };
    let texts = prompt.system.as_deref().into_iter().chain([prompt.text.as_str()]);
    let variables = match prompt_variables(texts) {
        Ok(variables) => variables,
        Err(wrong) => {
            assembly.report(
                Finding::error(code::R123, format!("`{{{{{wrong}}}}}` is not a variable of a prompt"))
                    .at(references.loaded.place(&format!("{pointer}/text")))
                    .help("write `{{name}}` with letters and digits"),
            );
            return;
        }
    };
    let id = prompt_id(name);
    let data = PartialData::new(&pointer)
        .made("id", &id)
        .said("name", "name", own_name.value())
        .said("description", "description", &prompt.description)
        .said("model_id", "model", model_id)
        .made("inference", inference(&model.inference))
        .said("more", &format!("/models/{}/inference/top-k", escape(&prompt.model)), more)
        .said("system", "system", &prompt.system)
        .said("text", "text", &prompt.text)
        .said("variables", "text", variables);
    let content = assembly.add_known("prompt", inference_places(data, "/inference", &prompt.model));
    // A model that is called by another ARN is another content, though the prompt only refers to it.
    let content = format!("{}{}{}", Value::Object(content), model.id, model.application_profile);
    let data = PartialData::new(pointer)
        .made("id", version_id(name))
        .made("description", format!("Content {}", digest::short(&content)))
        .made("output_id", format!("{id}Arn"))
        .made("prompt_id", id);
    assembly.add("prompt-version", data);
}

/// Converse has no field of its own for `top-k`: each maker of models has one, under a name of their own.
fn more_fields(references: &References<'_>, prompt: &Prompt, pointer: &str) -> Result<Value, Finding> {
    let Some((name, model)) = references.spec().models.get_key_value(&prompt.model) else { return Ok(Value::Null) };
    let Some(top_k) = model.inference.top_k else { return Ok(Value::Null) };
    match facts::models().get(&model.id).map(|fact| fact.provider.as_str()) {
        Some("Anthropic") => Ok(json!({ "top_k": top_k })),
        Some("Amazon") => Ok(json!({ "inferenceConfig": { "topK": top_k } })),
        _ => Err(Finding::error(code::R122, format!("how `{name}` is told its `top-k` is not known"))
            .at(references.loaded.place(pointer))
            .help("leave `top-k` out of the model's `inference`, or use a model of Amazon or Anthropic")),
    }
}
