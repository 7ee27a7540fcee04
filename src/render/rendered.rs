//! What a rendering is given, and what it gives.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::provenance::Provenance;
use crate::cfn::Template;
use crate::finding::{Finding, Place, TemplatePlaces};
use crate::spec::{ElsewhereTemplate, LoadedSpec, USUAL_STAGE};

/// What a rendering is for.
#[derive(Debug, Clone, Copy)]
pub struct RenderOptions<'a> {
    /// The stage deployed to, such as `dev`.
    pub stage: &'a str,
    /// The region deployed to, when it is known; the template itself works in any.
    pub region: Option<&'a str>,
}

impl RenderOptions<'_> {
    /// What `${stage-suffix}` stands for: nothing for the stage that needs no name, else a hyphen and the stage.
    pub(super) fn stage_suffix(&self) -> String {
        if self.stage == USUAL_STAGE { String::new() } else { format!("-{}", self.stage) }
    }
}

/// A rendered use case.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The CloudFormation template.
    pub template: Template,
    /// Logical id of a resource or parameter → JSON pointer into the spec of what it came from.
    pub origins: BTreeMap<String, String>,
    /// Where in the spec each part of the template comes from.
    pub provenance: Provenance,
    /// The parameters through which a deploy says where packaged code is; with any, the template also has `ArtifactBucket`.
    pub artifacts: Vec<ArtifactParameter>,
    /// Outputs of other use cases that come in through parameters.
    pub needs: Vec<NeededOutput>,
    /// The templates nested in the one made elsewhere that come from local files.
    pub nested: Vec<NestedTemplate>,
    /// What is wrong with a template made elsewhere and keeps none of the rest from being judged.
    pub findings: Vec<Finding>,
    /// What CloudFormation wants acknowledged, such as `CAPABILITY_IAM`.
    pub capabilities: Vec<String>,
    /// Tags of the stack: the spec's own and `bedplate:…`.
    pub tags: BTreeMap<String, String>,
}

impl Rendered {
    /// The place, in the spec it was rendered from, of a part of the template: of the key that says it, or of what it is a
    /// part of. The path is as findings write it, such as `Resources/DesignFunction/Properties/Timeout`.
    pub fn place(&self, loaded: &LoadedSpec, path: &str) -> Option<Place> {
        self.provenance.place(loaded, &self.template.pointer(path, '/'))
    }

    /// The places of all parts of the template, for who no longer has the spec.
    pub fn places(&self, loaded: &LoadedSpec) -> TemplatePlaces {
        self.provenance.places(loaded, self.template.value())
    }
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
    /// What a template made elsewhere names by its path.
    Packaged(PackagedFile),
}

/// A file, folder or text that a template made elsewhere refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackagedFile {
    /// Whose it is, such as `template.Hello`.
    pub component: String,
    /// What is packaged.
    pub source: PackagedSource,
    /// How it is told of.
    pub shown: String,
}

/// What is packaged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackagedSource {
    /// A folder, as a zip.
    Folder(PathBuf),
    /// A file, in a zip.
    Zipped(PathBuf),
    /// A file as it is.
    File(PathBuf),
    /// A text.
    Text(String),
}

/// A template nested in one made elsewhere, as it is deployed.
#[derive(Debug, Clone)]
pub struct NestedTemplate {
    /// The template.
    pub template: Template,
    /// Where it comes from.
    pub source: ElsewhereTemplate,
}

impl NestedTemplate {
    /// The place of a part of it, by a path as findings write it.
    pub fn place(&self, path: &str) -> Option<Place> {
        let pointer = self.template.pointer(path, '/');
        let mut around = pointer.as_str();
        loop {
            if let Some(place) = self.source.place(around) {
                return Some(place);
            }
            (around, _) = around.rsplit_once('/')?;
        }
    }
}

/// The CloudFormation parameter that names the bucket of all artifacts.
pub const ARTIFACT_BUCKET: &str = "ArtifactBucket";

/// The parameter of the ARN of the user or role that deploys, where a template lets them into something by an access policy.
pub const DEPLOYER: &str = "DeployerArn";
