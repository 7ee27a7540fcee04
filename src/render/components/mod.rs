//! The values each kind of component gives its partial. One file a kind; what a component looks like in CloudFormation is
//! in `templates/`, not here.
//!
//! A kind says three things, and [`KINDS`] is the one table of them: how its components are rendered, what
//! `${section.name.attribute}` stands for, and what a grant on one of them allows.

mod agent;
mod alarm;
mod api;
mod bucket;
mod flow;
mod function;
mod guardrail;
mod knowledge_base;
mod layer;
mod model;
mod need;
mod network;
mod prompt;
mod resource;
mod role;
mod secret;
mod stack;
mod table;
mod template;
mod user_pool;

use std::collections::BTreeMap;

use super::assemble::Assembly;
use super::made_elsewhere;
use super::partials::Partials;
use super::provenance::Provenance;
use super::references::{Kind, References};
use super::rendered::{ArtifactParameter, RenderOptions, Rendered};
use crate::cfn::Template;
use crate::finding::{Finding, code};
use crate::spec::{LoadedSpec, UseCase};

pub use api::{HTTP_API_WAIT, REST_API_WAIT};
pub use function::{ALONE_TIMEOUT, BEHIND_API_TIMEOUT, DEFAULT_LOG_RETENTION, DEFAULT_MEMORY};

/// All kinds, in the order they are rendered.
pub(super) const KINDS: &[Kind] = &[
    model::KIND,
    network::KIND,
    bucket::KIND,
    table::KIND,
    secret::KIND,
    user_pool::KIND,
    guardrail::KIND,
    prompt::KIND,
    knowledge_base::KIND,
    layer::KIND,
    function::KIND,
    role::KIND,
    api::KIND,
    agent::KIND,
    flow::KIND,
    alarm::KIND,
    resource::KIND,
    need::KIND,
];

/// Renders every component of a spec and puts them together.
pub(super) fn render(
    loaded: &LoadedSpec,
    options: &RenderOptions<'_>,
    partials: &Partials,
) -> Result<Rendered, Vec<Finding>> {
    let references = References { loaded, options, kinds: KINDS };
    let spec = &loaded.spec;
    let mut assembly = Assembly::new(loaded, partials);
    let foreign = assembly.keep(made_elsewhere::packaged(loaded)).unwrap_or_default();
    let artifacts: Vec<ArtifactParameter> =
        layer::artifacts(spec).chain(function::artifacts(spec)).chain(foreign.artifacts).collect();

    stack::add(&mut assembly, &references, &artifacts);
    for kind in KINDS {
        (kind.add)(&mut assembly, &references);
    }
    template::add(&mut assembly, &references, foreign.value);
    stack::add_deployer(&mut assembly, &references);
    // Last, when it is known which outputs of others are taken.
    let needs = need::add(&mut assembly, &references);

    let (template, origins, provenance) = assembly.finish()?;
    if template.get("Resources").and_then(serde_json::Value::as_object).is_none_or(serde_json::Map::is_empty) {
        let finding = Finding::error(
            code::R025,
            format!("`{}` has nothing to deploy: a stack has at least one resource", spec.name),
        );
        return Err(vec![finding.at(loaded.place("/name")).help("add a bucket, a layer, a function or an API")]);
    }
    let template = read(loaded, options, &provenance, template)?;
    let tags = tags(spec, options);
    let capabilities = capabilities(&template);
    let (nested, findings) = (foreign.nested, foreign.findings);
    Ok(Rendered { template, origins, provenance, artifacts, needs, nested, findings, capabilities, tags })
}

/// The template of a value; where that is none, all that can be said of it.
fn read(
    loaded: &LoadedSpec,
    options: &RenderOptions<'_>,
    provenance: &Provenance,
    value: serde_json::Value,
) -> Result<Template, Vec<Finding>> {
    Template::from_value(value.clone()).map_err(|mut findings| {
        if let Some(rest) = Template::salvaged(value) {
            let region = options.region.or(loaded.spec.region.as_deref());
            findings.extend(crate::cfn::validate(&rest, region));
        }
        let placed = |finding: Finding| {
            let path = finding.template_path.as_deref();
            let place = path.and_then(|path| provenance.place(loaded, &format!("/{path}")));
            finding.at_known(place)
        };
        findings.into_iter().map(placed).collect()
    })
}

/// What CloudFormation wants acknowledged before it makes IAM resources.
fn capabilities(template: &Template) -> Vec<String> {
    let named = |type_: &str| match type_ {
        "AWS::IAM::Role" => Some("RoleName"),
        "AWS::IAM::ManagedPolicy" => Some("ManagedPolicyName"),
        "AWS::IAM::Policy" => Some("PolicyName"),
        "AWS::IAM::User" => Some("UserName"),
        "AWS::IAM::Group" => Some("GroupName"),
        "AWS::IAM::InstanceProfile" => Some("InstanceProfileName"),
        "AWS::IAM::AccessKey" | "AWS::IAM::UserToGroupAddition" => Some(""),
        _ => None,
    };
    let iam: Vec<bool> = template
        .resources()
        .filter_map(|resource| {
            let name = named(resource.type_)?;
            // An inline policy's name is within its role's, so it is not one of an account.
            Some(resource.type_ != "AWS::IAM::Policy" && resource.properties().is_some_and(|it| it.contains_key(name)))
        })
        .collect();
    // A macro, and the template of a nested stack, may hold resources of IAM with names, and transforms.
    let macros = template.transforms().iter().any(|name| *name != crate::cfn::template::LANGUAGE_EXTENSIONS);
    let nests = ["AWS::CloudFormation::Stack", "AWS::Serverless::Application"];
    let nested = template.resources().any(|resource| nests.contains(&resource.type_));
    let mut capabilities = Vec::new();
    if !iam.is_empty() || macros || nested {
        let any_named = iam.contains(&true) || macros || nested;
        capabilities.push(if any_named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" }.to_owned());
    }
    if template.value().get("Transform").is_some() || nested {
        capabilities.push("CAPABILITY_AUTO_EXPAND".to_owned());
    }
    capabilities
}

/// What the stack is marked with. No digest of the spec: CloudFormation hands a stack's tags down to everything in it, so
/// a tag that differs from one deploy to the next would change every resource each time.
fn tags(spec: &UseCase, options: &RenderOptions<'_>) -> BTreeMap<String, String> {
    let mut tags = spec.tags.clone();
    tags.insert("bedplate:use-case".to_owned(), spec.name.clone());
    tags.insert("bedplate:stage".to_owned(), options.stage.to_owned());
    tags
}
