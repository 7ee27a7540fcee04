//! What belongs to a function and goes by its name.

use crate::render::ids::function_id;
use crate::render::names::pascal;
use crate::render::rendered::{ArtifactComponent, ArtifactParameter};

/// The parameter that says where the function's zip is.
pub(super) fn artifact(name: &str) -> ArtifactParameter {
    ArtifactParameter { parameter: pascal(name) + "CodeKey", component: ArtifactComponent::Function(name.to_owned()) }
}

/// The log group.
pub(super) fn logs_id(name: &str) -> String {
    function_id(name) + "Logs"
}

/// The queue of events that failed.
pub(super) fn dead_letter_id(name: &str) -> String {
    function_id(name) + "DeadLetters"
}
