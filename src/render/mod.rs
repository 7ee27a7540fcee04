//! Spec → template: what each component becomes, what its role may do, how everything is called.
//!
//! Rendering is pure: the same spec, options and partials give the same bytes on every machine. Code comes in through
//! CloudFormation parameters, so a template does not change when code does.
//!
//! | file | its subject |
//! | --- | --- |
//! | `partials` | the Handlebars partials: loading, refusing unsafe ones, rendering one |
//! | `encode` | the one way a value enters a partial |
//! | `components/` | the values each kind of component gives its partial |
//! | `data` | those values, and where in the spec each stands |
//! | `provenance` | where in the spec each part of the template comes from |
//! | `references` | what `${…}` stands for, by what each kind of component says |
//! | `made_elsewhere` | the template of another tool that becomes part of this one |
//! | `packaged` | what that template names locally, as what is deployed |
//! | `expression` | text that CloudFormation puts together |
//! | `grants`, `models` | `uses:` → statements |
//! | `tree` | trees of values with references in them |
//! | `request` | the mapping template of an API's route |
//! | `assemble` | one template from what the partials give |
//! | `names`, `ids`, `digest` | names of services, logical ids, and what marks a changed content |
//! | `rendered` | what a rendering is given and gives |

mod assemble;
mod components;
mod data;
mod digest;
mod encode;
mod expression;
mod grants;
mod ids;
mod made_elsewhere;
mod models;
mod names;
mod packaged;
mod partials;
mod provenance;
mod references;
mod rendered;
mod request;
mod tree;
mod words;

use crate::finding::Finding;
use crate::spec::LoadedSpec;

pub use components::{
    ALONE_TIMEOUT, BEHIND_API_TIMEOUT, DEFAULT_LOG_RETENTION, DEFAULT_MEMORY, HTTP_API_WAIT, REST_API_WAIT,
};
pub use partials::Partials;
pub use provenance::Provenance;
pub use rendered::{
    ARTIFACT_BUCKET, ArtifactComponent, ArtifactParameter, DEPLOYER, NeededOutput, NestedTemplate, PackagedFile,
    PackagedSource, RenderOptions, Rendered,
};

/// Renders a spec.
///
/// # Errors
/// Every finding at once, each at its line of the spec or of the partial: `docs/findings.md` lists them under R.
pub fn render(loaded: &LoadedSpec, options: &RenderOptions<'_>, partials: &Partials) -> Result<Rendered, Vec<Finding>> {
    components::render(loaded, options, partials)
}

/// The parameters of the template made elsewhere that a spec names, by their logical ids.
pub fn template_parameters(loaded: &LoadedSpec) -> Vec<String> {
    made_elsewhere::names(loaded, "Parameters")
}
