//! Layers.

use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::layer_id;
use crate::render::references::{Kind, no_grant};
use crate::render::rendered::{ArtifactComponent, ArtifactParameter};
use crate::spec::{Architecture, Layer, UseCase};
use crate::spec::{escape, without_hashes};

/// Layers.
pub(super) const KIND: Kind = Kind {
    section: "layers",
    add: |assembly, references| {
        for (name, layer) in &references.spec().layers {
            add(assembly, name, layer);
        }
    },
    attribute: |_, name, attribute| match attribute {
        "" | "arn" => Some(Expression::reference(layer_id(name))),
        _ => None,
    },
    grant: no_grant,
};

/// What is packaged for the layers of a spec.
pub(super) fn artifacts(spec: &UseCase) -> impl Iterator<Item = ArtifactParameter> {
    spec.layers.keys().map(|name| artifact(name))
}

/// The parameter that says where the layer's zip is.
fn artifact(name: &str) -> ArtifactParameter {
    ArtifactParameter { parameter: layer_id(name) + "Key", component: ArtifactComponent::Layer(name.to_owned()) }
}

fn add(assembly: &mut Assembly<'_>, name: &str, layer: &Layer) {
    let names =
        || layer.requirements.iter().map(|requirement| without_hashes(requirement)).collect::<Vec<_>>().join(", ");
    let (described, description) = match (&layer.description, layer.requirements.len()) {
        (Some(description), _) => ("description", description.clone()),
        (None, 1) => ("requirements/0", names()),
        (None, _) => ("requirements", names()),
    };
    let data = PartialData::new(format!("/layers/{}", escape(name)))
        .made("id", layer_id(name))
        // Unique to the stack, as layers of one name are versions of one layer.
        .made("name", Expression::reference("AWS::StackName").text(format!("-{name}")).value())
        .said("description", described, description)
        .made("key_parameter", artifact(name).parameter)
        .said("runtimes", "runtimes", &layer.runtimes)
        .said("architecture", "architecture", architecture(layer.architecture));
    assembly.add("layer", data);
}

/// An architecture as Lambda writes it.
pub(super) fn architecture(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "arm64",
    }
}
