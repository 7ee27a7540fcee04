//! One knowledge base on its way to being rendered, and what its parts and flows have in common: roles and models.

use serde_json::{Value, json};

use crate::facts;
use crate::finding::{Finding, code};
use crate::iam::{Policy, Principal, Statement};
use crate::render::expression::Expression;
use crate::render::names::service_name;
use crate::render::references::{Ask, References};
use crate::spec::{KnowledgeBase, Reference};

/// The longest name a knowledge base and a data source take.
pub(super) const LONGEST_NAME: usize = 100;

/// One knowledge base on its way to being rendered.
pub(super) struct KnowledgeBaseContext<'a> {
    pub(super) references: &'a References<'a>,
    pub(super) name: &'a str,
    pub(super) base: &'a KnowledgeBase,
    pub(super) pointer: String,
    pub(super) id: String,
}

/// The embedding model of a knowledge base.
pub(super) struct Embedding {
    pub(super) arn: Value,
    /// Length of its vectors.
    pub(super) dimension: u32,
    /// Whether the model must be told the length.
    pub(super) told: bool,
}

/// Lets a service of Bedrock take a role, for resources of one kind of this account.
pub(in crate::render::components) fn trust(kind: &str) -> Policy {
    let arn = Expression::arn("bedrock", Expression::literal(format!("{kind}/*")));
    Policy::of([Statement::allow(["sts:AssumeRole"], [])
        .to(Principal::service("bedrock.amazonaws.com"))
        .when("StringEquals", "aws:SourceAccount", Expression::reference("AWS::AccountId").value())
        .when("ArnLike", "aws:SourceArn", arn.value())])
}

/// What a role needs to call a model. Through an inference profile Bedrock's own services look the profile up first.
pub(in crate::render::components) fn invoke(
    references: &References<'_>,
    model: &str,
    pointer: &str,
) -> Result<Vec<Statement>, Finding> {
    let ask = Ask { verb: "invoke", name: model, rest: "", pointer };
    let grant = references.kind("models").map(|kind| kind.grant);
    let mut statements = grant.map_or_else(|| Err(references.cannot(&ask)), |grant| grant(references, &ask))?;
    let spec = references.spec().models.get(model);
    if spec.is_some_and(|model| model.application_profile || facts::models().profile_of(&model.id).is_some()) {
        statements.push(Statement::allow(["bedrock:GetInferenceProfile"], [model_arn(references, model, pointer)?]));
    }
    Ok(statements)
}

/// The ARN of a model of the spec, or of the profile it is called through.
pub(super) fn model_arn(references: &References<'_>, model: &str, pointer: &str) -> Result<Value, Finding> {
    attribute(references, "models", model, "arn", pointer)
}

/// An attribute of another component.
pub(super) fn attribute(
    references: &References<'_>,
    section: &str,
    name: &str,
    attribute: &str,
    pointer: &str,
) -> Result<Value, Finding> {
    let reference = Reference::Component {
        section: section.to_owned(),
        name: name.to_owned(),
        attribute: Some(attribute.to_owned()),
    };
    references.reference(&reference, pointer).map(|it| it.value())
}

impl KnowledgeBaseContext<'_> {
    /// The logical id of its role.
    pub(super) fn role_id(&self) -> String {
        self.id.clone() + "Role"
    }

    /// The logical id of its role's policy.
    pub(super) fn policy_id(&self) -> String {
        self.id.clone() + "RolePolicy"
    }

    /// Its own name, or one made of use case, stage, name and a digest.
    pub(super) fn own_name(&self, digest: &str) -> Result<Value, Finding> {
        match &self.base.name {
            Some(text) => self.references.text(text, &format!("{}/name", self.pointer)).map(|name| name.value()),
            None => {
                let words = [self.references.spec().name.as_str(), self.references.options.stage, self.name];
                let name = service_name(&words, LONGEST_NAME - digest.len() - 1);
                Ok(json!(format!("{name}-{digest}")))
            }
        }
    }

    /// IAM takes few characters in a description, and names have only those.
    pub(super) fn role_description(&self) -> String {
        format!("What the knowledge base {} of {} may do", self.name, self.references.spec().name)
    }

    /// The embedding model; none for a managed knowledge base that is content with Bedrock's own.
    pub(super) fn embedding(&self) -> Result<Option<Embedding>, Finding> {
        let pointer = format!("{}/embedding", self.pointer);
        let Some(name) = &self.base.embedding else { return Ok(None) };
        let arn = model_arn(self.references, name, &pointer)?;
        let Some(model) = self.references.spec().models.get(name) else { return Ok(None) };
        let offered = facts::models().get(&model.id).map(|fact| fact.dimensions.as_slice()).unwrap_or_default();
        match model.dimensions.or_else(|| offered.first().copied()) {
            Some(dimension) => {
                // A model of one size is told none.
                let told = if offered.is_empty() { model.dimensions.is_some() } else { offered.len() > 1 };
                Ok(Some(Embedding { arn, dimension, told }))
            }
            None => Err(Finding::error(code::R120, format!("how long the vectors of `{}` are is not known", model.id))
                .at(self.references.loaded.place(&pointer))
                .help(format!(
                    "say it by `dimensions` of `models.{name}`; the index is made for vectors of one length"
                ))),
        }
    }
}
