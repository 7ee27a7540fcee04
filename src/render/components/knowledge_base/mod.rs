//! Knowledge bases: a role, the store of the vectors, the knowledge base and its data sources.
//!
//! | file | its subject |
//! | --- | --- |
//! | `store` | what each store adds: resources, rights, and how the knowledge base is told of it |
//! | `source` | data sources, and the rights to read them |

mod source;
mod store;

use serde_json::{Value, json};

use crate::facts;
use crate::finding::Finding;
use crate::iam::{Policy, Principal, Statement};
use crate::render::assemble::Assembly;
use crate::render::digest;
use crate::render::expression::Expression;
use crate::render::ids::knowledge_base_id;
use crate::render::names::service_name;
use crate::render::references::{Ask, Kind, References};
use crate::spec::{KnowledgeBase, Reference, Store, escape};

/// Knowledge bases.
pub(super) const KIND: Kind = Kind {
    section: "knowledge-bases",
    add: |assembly, references| {
        for (name, base) in &references.spec().knowledge_bases {
            add(assembly, references, name, base);
        }
    },
    attribute: |_, name, attribute| {
        let id = knowledge_base_id(name);
        Some(match attribute {
            "" | "id" => Expression::attribute(id, "KnowledgeBaseId"),
            "arn" => Expression::attribute(id, "KnowledgeBaseArn"),
            _ => return None,
        })
    },
    grant,
};

/// The longest name a knowledge base and a data source take.
const LONGEST_NAME: usize = 100;

/// One knowledge base on its way to being rendered.
struct Base<'a> {
    references: &'a References<'a>,
    name: &'a str,
    base: &'a KnowledgeBase,
    pointer: String,
    id: String,
}

/// The embedding model of a knowledge base.
struct Embedding {
    arn: Value,
    /// Length of its vectors.
    dimension: u32,
    /// Whether the model must be told the length.
    told: bool,
}

fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let arn = Expression::attribute(knowledge_base_id(ask.name), "KnowledgeBaseArn");
    let retrieve = Statement::allow(["bedrock:Retrieve"], [arn.value()]);
    match ask.verb {
        "retrieve" => Ok(vec![retrieve]),
        // RetrieveAndGenerate takes no resource; what is searched is checked as `bedrock:Retrieve`, and what words the
        // answer as `bedrock:InvokeModel`.
        "ask" => Ok(vec![retrieve, Statement::allow(["bedrock:RetrieveAndGenerate"], [json!("*")])]),
        _ => Err(references.cannot(ask)),
    }
}

/// Lets a service of Bedrock take a role, for resources of one kind of this account.
pub(super) fn trust(kind: &str) -> Policy {
    let arn = Expression::arn("bedrock", Expression::literal(format!("{kind}/*")));
    Policy::of([Statement::allow(["sts:AssumeRole"], [])
        .to(Principal::service("bedrock.amazonaws.com"))
        .when("StringEquals", "aws:SourceAccount", Expression::reference("AWS::AccountId").value())
        .when("ArnLike", "aws:SourceArn", arn.value())])
}

/// What a role needs to call a model. Through an inference profile Bedrock's own services look the profile up first.
pub(super) fn invoke(references: &References<'_>, model: &str, pointer: &str) -> Result<Vec<Statement>, Finding> {
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
fn model_arn(references: &References<'_>, model: &str, pointer: &str) -> Result<Value, Finding> {
    attribute(references, "models", model, "arn", pointer)
}

/// An attribute of another component.
fn attribute(
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

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, base: &KnowledgeBase) {
    let pointer = format!("/knowledge-bases/{}", escape(name));
    let base = Base { references, name, base, pointer, id: knowledge_base_id(name) };
    if let Err(finding) = base.add(assembly) {
        assembly.report(finding);
    }
}

impl Base<'_> {
    fn role_id(&self) -> String {
        self.id.clone() + "Role"
    }

    fn policy_id(&self) -> String {
        self.id.clone() + "RolePolicy"
    }

    fn add(&self, assembly: &mut Assembly<'_>) -> Result<(), Finding> {
        let embedding = self.embedding()?;
        let stored = self.store(assembly, embedding.as_ref())?;
        let mut statements = self.reading()?;
        if let Some(model) = &self.base.embedding {
            statements.extend(invoke(self.references, model, &format!("{}/embedding", self.pointer))?);
        }
        statements.extend(stored.statements);
        let managed = self.base.store == Store::Managed;
        let embedding = match &embedding {
            Some(embedding) => json!({
                "arn": embedding.arn,
                "dimensions": embedding.told.then_some(embedding.dimension),
            }),
            None => Value::Null,
        };
        // Whatever can only be changed by making the knowledge base anew is a part of its name: the new one is made while
        // the old one is still there, and two cannot have the same.
        let content = json!([managed, embedding, stored.storage, stored.content]).to_string();
        let name = self.own_name(&digest::short(&content))?;
        let mut first = stored.first;
        first.push(self.policy_id());
        first.sort();
        let data = json!({
            "id": self.id,
            "role_id": self.role_id(),
            "policy_id": self.policy_id(),
            "name": name,
            "description": self.base.description,
            "role_description": self.role_description(),
            "trust": trust("knowledge-base").to_value(),
            "policy": Policy::of(statements).to_value(),
            "policy_name": "uses",
            "managed": managed,
            "embedding": embedding,
            "storage": stored.storage,
            "first": first,
            "output_id": format!("{}Id", self.id),
        });
        assembly.add("knowledge-base", &data, &self.pointer);
        for (name, source) in &self.base.sources {
            self.add_source(assembly, name, source)?;
        }
        Ok(())
    }

    fn own_name(&self, digest: &str) -> Result<Value, Finding> {
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
    fn role_description(&self) -> String {
        format!("What the knowledge base {} of {} may do", self.name, self.references.spec().name)
    }

    /// The embedding model; none for a managed knowledge base that is content with Bedrock's own.
    fn embedding(&self) -> Result<Option<Embedding>, Finding> {
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
            None => Err(Finding::error("R120", format!("how long the vectors of `{}` are is not known", model.id))
                .at(self.references.loaded.place(&pointer))
                .help(format!(
                    "say it by `dimensions` of `models.{name}`; the index is made for vectors of one length"
                ))),
        }
    }
}
