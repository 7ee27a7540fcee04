//! Names that two stages of a use case cannot both have.

use crate::cfn::schema::Schemas;
use crate::finding::{Finding, code};
use crate::render::Rendered;
use crate::spec::{LoadedSpec, Piece, Reference, Text, USUAL_STAGE, escape};

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, findings: &mut Vec<Finding>) {
    let stage = rendered.tags.get("bedplate:stage").map_or(USUAL_STAGE, String::as_str);
    if stage == USUAL_STAGE {
        return;
    }
    for (pointer, name) in fixed_names(loaded) {
        findings.push(finding(name.source(), stage).at(loaded.place(&pointer)));
    }
    for (pointer, name) in fixed_raw_names(loaded) {
        findings.push(finding(name, stage).at(loaded.place(&pointer)));
    }
}

fn finding(name: &str, stage: &str) -> Finding {
    Finding::warning(
        code::R105,
        format!("another stage of this use case has the name `{name}` too, and an account and region takes it once"),
    )
    .help(format!("end it with `${{stage-suffix}}`, which is `-{stage}` here and empty for `{USUAL_STAGE}`"))
}

/// The names of one's own, by their places in the spec, that are the same in every stage. The names of APIs and user pools
/// need not differ.
fn fixed_names(loaded: &LoadedSpec) -> Vec<(String, &Text)> {
    let spec = &loaded.spec;
    let mut names: Vec<(String, &Text)> = Vec::new();
    macro_rules! named {
        ($($section:literal: $field:ident),* $(,)?) => {$(
            for (name, component) in &spec.$field {
                let own = component.name.as_ref();
                names.extend(own.map(|own| (format!("/{}/{}/name", $section, escape(name)), own)));
            }
        )*};
    }
    named! {
        "agents": agents, "buckets": buckets, "flows": flows, "functions": functions, "guardrails": guardrails,
        "knowledge-bases": knowledge_bases, "prompts": prompts, "roles": roles, "secrets": secrets, "tables": tables,
    }
    for (name, pool) in &spec.user_pools {
        names.extend(pool.domain.as_ref().map(|it| (format!("/user-pools/{}/domain", escape(name)), it)));
    }
    for (name, api) in &spec.apis {
        names.extend(api.domain.as_ref().map(|it| (format!("/apis/{}/domain/name", escape(name)), &it.name)));
    }
    names.retain(|(_, name)| name.pieces().is_ok_and(|pieces| !pieces.iter().any(varies)));
    names
}

/// Whether a piece of a text may be another one in another stage: a reference to the stage itself, or a parameter.
fn varies(piece: &Piece) -> bool {
    match piece {
        Piece::Literal(_) => false,
        Piece::Reference(it) => !matches!(it, Reference::Region | Reference::Account | Reference::Partition),
    }
}

/// The names written into raw resources, by their places in the spec: those that identify a resource of their type, or are
/// the type's own and cannot be changed.
fn fixed_raw_names(loaded: &LoadedSpec) -> Vec<(String, &str)> {
    let named = loaded.spec.resources.iter().filter_map(|(id, resource)| {
        let schema = Schemas::embedded().get(&resource.type_)?;
        let own = format!("{}Name", resource.type_.rsplit("::").next().unwrap_or_default());
        let kept = schema.create_only().iter().filter(|it| it.is_top() && (it.top() == own || it.top() == "Name"));
        let identifier = match schema.primary_identifier() {
            [identifier] if identifier.is_top() && identifier.top().ends_with("Name") => Some(identifier),
            _ => None,
        };
        identifier.into_iter().chain(kept).find_map(|key| {
            let pointer = format!("/resources/{}/Properties/{}", escape(id), key.top());
            let name = loaded.document.pointer(&pointer)?.as_str()?;
            let fixed = Text::from(name).pieces().is_ok_and(|pieces| !pieces.iter().any(varies));
            fixed.then_some((pointer, name))
        })
    });
    named.collect()
}
