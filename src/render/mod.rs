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
//! | `references` | what `${…}` stands for |
//! | `expression` | text that CloudFormation puts together |
//! | `grants`, `models` | `uses:` → statements |
//! | `tree` | trees of values with references in them |
//! | `request` | the mapping template of an API's route |
//! | `assemble` | one template from what the partials give |
//! | `names`, `digest` | logical ids, names of services, and what marks a changed content |

mod assemble;
mod components;
mod digest;
mod encode;
mod expression;
mod grants;
mod models;
mod names;
mod partials;
mod references;
mod request;
mod tree;

use std::collections::BTreeMap;

use crate::cfn::Template;
use crate::finding::Finding;
use crate::spec::LoadedSpec;
use crate::suggestion::nearest_within;

pub use components::{
    ALONE_TIMEOUT, BEHIND_API_TIMEOUT, DEFAULT_LOG_RETENTION, DEFAULT_MEMORY, HTTP_API_WAIT, REST_API_WAIT,
};
pub use partials::Partials;

/// What a rendering is for.
#[derive(Debug, Clone, Copy)]
pub struct RenderOptions<'a> {
    /// The stage deployed to, such as `dev`.
    pub stage: &'a str,
    /// The region deployed to, when it is known; the template itself works in any.
    pub region: Option<&'a str>,
}

/// A rendered use case.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The CloudFormation template.
    pub template: Template,
    /// Logical id of a resource or parameter → JSON pointer into the spec of what it came from.
    pub origins: BTreeMap<String, String>,
    /// The parameters through which a deploy says where packaged code is; with any, the template also has `ArtifactBucket`.
    pub artifacts: Vec<ArtifactParameter>,
    /// Outputs of other use cases that come in through parameters.
    pub needs: Vec<NeededOutput>,
    /// What CloudFormation wants acknowledged, such as `CAPABILITY_IAM`.
    pub capabilities: Vec<String>,
    /// Tags of the stack: the spec's own and `bedplate:…`.
    pub tags: BTreeMap<String, String>,
}

/// A parameter that takes an output of another use case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededOutput {
    /// The CloudFormation parameter, such as `NeedsBankAccountsTableName`.
    pub parameter: String,
    /// The name under `needs`.
    pub alias: String,
    /// The other use case.
    pub use_case: String,
    /// Its stage.
    pub stage: String,
    /// The output.
    pub output: String,
}

/// A parameter that takes the key of a zip in the artifact bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactParameter {
    /// The CloudFormation parameter, such as `DesignCodeKey`.
    pub parameter: String,
    /// What the zip is of.
    pub component: ArtifactComponent,
}

/// A component that is packaged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArtifactComponent {
    /// A function's code, by the function's name.
    Function(String),
    /// A layer's packages, by the layer's name.
    Layer(String),
}

/// The CloudFormation parameter that names the bucket of all artifacts.
pub const ARTIFACT_BUCKET: &str = "ArtifactBucket";

/// Renders a spec.
///
/// # Errors
/// Every finding at once, each at its line of the spec or of the partial: `docs/findings.md` lists them under R.
pub fn render(loaded: &LoadedSpec, options: &RenderOptions<'_>, partials: &Partials) -> Result<Rendered, Vec<Finding>> {
    components::render(loaded, options, partials)
}

/// The parameters of the template made elsewhere that a spec names, by their logical ids.
pub fn template_parameters(loaded: &LoadedSpec) -> Vec<String> {
    components::template_names(loaded, "Parameters")
}

/// The nearest of some names, or all of them, as a help text.
fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    const MOST_LISTED: usize = 25;
    let known: Vec<&str> = known.map(String::as_str).collect();
    match nearest_within(name, known.iter().copied(), 2.max(name.chars().count() / 3)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => {
            let list: Vec<String> = known.iter().take(MOST_LISTED).map(|name| format!("`{name}`")).collect();
            let more = known.len().saturating_sub(MOST_LISTED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("there is {}{more}", list.join(", "))
        }
    }
}

/// A key as a segment of a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
