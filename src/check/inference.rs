//! Whether models do what prompts, flows and parsers ask of them.

use crate::facts;
use crate::finding::{Finding, code};
use crate::spec::{LoadedSpec, escape};

pub(super) fn check(loaded: &LoadedSpec, findings: &mut Vec<Finding>) {
    for (name, model) in &loaded.spec.models {
        let Some(fact) = facts::models().get(&model.id) else { continue };
        let pointer = format!("/models/{}/inference", escape(name));
        let inference = &model.inference;
        let sampling = [
            ("temperature", inference.temperature.is_some()),
            ("top-p", inference.top_p.is_some()),
            ("top-k", inference.top_k.is_some()),
        ];
        for (key, _) in sampling.into_iter().filter(|(_, said)| *said && fact.sampling == Some(false)) {
            findings.push(
                Finding::error(code::B028, format!("`{}` takes no `{key}`: every call with one is refused", model.id))
                    .at(loaded.key_place(&format!("{pointer}/{key}")))
                    .help("remove it; say in the prompt how such a model should answer"),
            );
        }
    }
    for (name, pointer) in asked_for_text(loaded) {
        let Some(model) = loaded.spec.models.get(name) else { continue };
        let Some(fact) = facts::models().get(&model.id).filter(|fact| fact.output != "text") else { continue };
        findings.push(
            Finding::error(
                code::B022,
                format!("`{}` does not answer with text: it gives back {}", model.id, fact.output),
            )
            .at(loaded.place(&pointer))
            .help("choose a text model, such as `amazon.nova-lite-v1:0`"),
        );
    }
}

/// The models that are to answer with text, and where that is said.
fn asked_for_text(loaded: &LoadedSpec) -> Vec<(&str, String)> {
    let spec = &loaded.spec;
    let mut asked: Vec<(&str, String)> = spec
        .prompts
        .iter()
        .map(|(name, prompt)| (prompt.model.as_str(), format!("/prompts/{}/model", escape(name))))
        .collect();
    for (name, flow) in &spec.flows {
        for (key, node) in &flow.nodes {
            let pointer = format!("/flows/{}/nodes/{}/model", escape(name), escape(key));
            asked.extend(node.model.as_deref().map(|model| (model, pointer)));
        }
    }
    for (name, base) in &spec.knowledge_bases {
        let pointer = format!("/knowledge-bases/{}", escape(name));
        for (key, source) in &base.sources {
            let model = source.parsing.as_ref().and_then(|parsing| parsing.model.as_deref());
            asked.extend(model.map(|model| (model, format!("{pointer}/sources/{}/parsing/model", escape(key)))));
        }
        let graph = base.neptune_analytics.as_ref().map(|graph| graph.model.as_str());
        asked.extend(graph.map(|model| (model, format!("{pointer}/neptune-analytics/model"))));
    }
    asked
}
