//! What comes from outside the language: other use cases, raw resources.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::text::Tree;

/// Another use case whose outputs are taken.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Need {
    /// Its name; the name under `needs` unless said.
    #[schemars(example = &"banking-agent")]
    pub use_case: Option<String>,
    /// Its stage; the one deployed to unless said.
    #[schemars(example = &"dev")]
    pub stage: Option<String>,
}

/// Where a template made elsewhere comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ForeignTemplate {
    /// A file beside the spec.
    File(String),
    /// A cloud assembly.
    Assembly(CloudAssembly),
}

/// The folder that `cdk synth` writes, with a stack of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CloudAssembly {
    /// The folder, beside the spec.
    #[schemars(example = &"cdk.out")]
    pub assembly: String,
    /// The stack, where there is more than one.
    #[schemars(example = &"SiteStack")]
    pub stack: Option<String>,
}

/// A finding of the check that is meant so.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Acceptance {
    /// Its code, one that can be accepted.
    #[schemars(regex(pattern = "^[A-Z][0-9]{3}$"), example = &"I006")]
    pub finding: String,
    /// The logical id of the resource it is about.
    #[schemars(regex(pattern = "^[A-Za-z0-9]{1,255}$"), example = &"WebsitePolicy")]
    pub resource: String,
    /// Why it is meant so.
    #[schemars(regex(pattern = "[^ ]"), length(max = 300), example = &"a website for everyone")]
    pub reason: String,
}

/// A CloudFormation resource as in a template; its texts may hold `${…}` references.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawResource {
    /// The type.
    #[serde(rename = "Type")]
    #[schemars(example = &"AWS::SQS::Queue")]
    pub type_: String,
    /// The properties.
    #[serde(rename = "Properties")]
    #[schemars(extend("examples" = [{ "QueueName": "jobs-${stage}" }]))]
    pub properties: Option<Tree>,
    /// Logical ids that must be there first.
    #[serde(default, rename = "DependsOn")]
    #[schemars(extend("examples" = [["PostersBucket"]]))]
    pub depends_on: Vec<String>,
    /// A condition of the spec's `template` under which it is made.
    #[serde(rename = "Condition")]
    #[schemars(example = &"InProduction")]
    pub condition: Option<String>,
    /// When it counts as made.
    #[serde(rename = "CreationPolicy")]
    #[schemars(extend("examples" = [{ "ResourceSignal": { "Timeout": "PT5M" } }]))]
    pub creation_policy: Option<Tree>,
    /// How it is updated.
    #[serde(rename = "UpdatePolicy")]
    #[schemars(extend("examples" = [{ "AutoScalingReplacingUpdate": { "WillReplace": true } }]))]
    pub update_policy: Option<Tree>,
    /// What tools know of it.
    #[serde(rename = "Metadata")]
    #[schemars(extend("examples" = [{ "team": "learning" }]))]
    pub metadata: Option<Tree>,
    /// What happens to it when the stack is deleted.
    #[serde(rename = "DeletionPolicy")]
    #[schemars(example = &"Delete")]
    pub deletion_policy: Option<String>,
    /// What becomes of the old one when it is replaced.
    #[serde(rename = "UpdateReplacePolicy")]
    #[schemars(example = &"Delete")]
    pub update_replace_policy: Option<String>,
}
