//! One agent of the spec, and what both engines make of it in the same way.

use crate::finding::{Finding, code};
use crate::iam::{Policy, Principal, Statement};
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::names::service_name;
use crate::render::references::{Ask, References};
use crate::spec::{Agent, OpenApi, Piece, Reference, Text, Tool, escape, read_openapi};

/// One agent of the spec, for both engines.
pub(super) struct Of<'a> {
    pub(super) references: &'a References<'a>,
    pub(super) name: &'a str,
    pub(super) agent: &'a Agent,
    pub(super) pointer: String,
}

impl Of<'_> {
    /// The name the agent has in its service: its own, or made from use case, stage and name.
    ///
    /// # Errors
    /// `R021` when its own holds a reference to anything but the stage: roles and policies are made for the name.
    pub(super) fn service_name(&self, most: usize) -> Result<String, Finding> {
        let stage = self.references.options.stage;
        let Some(text) = &self.agent.name else {
            return Ok(service_name(&[&self.references.spec().name, stage, self.name], most));
        };
        let name = self.known(text, &format!("{}/name", self.pointer))?;
        Ok(if name.len() > most { service_name(&[&name], most) } else { name })
    }

    fn known(&self, text: &Text, pointer: &str) -> Result<String, Finding> {
        let mut known = String::new();
        for piece in self.references.pieces(text, pointer)? {
            match piece {
                Piece::Literal(literal) => known.push_str(&literal),
                Piece::Reference(Reference::Stage) => known.push_str(self.references.options.stage),
                Piece::Reference(Reference::StageSuffix) => known.push_str(&self.references.options.stage_suffix()),
                Piece::Reference(_) => {
                    return Err(Finding::error(code::R021, "the name of an agent must be known when it is rendered")
                        .at(self.references.loaded.place(pointer))
                        .help("write it out, or use `${stage}`"));
                }
            }
        }
        Ok(known)
    }

    /// What another component of the spec gives.
    pub(super) fn other(
        &self,
        section: &str,
        name: &str,
        attribute: &str,
        pointer: &str,
    ) -> Result<Expression, Finding> {
        let reference = Reference::Component {
            section: section.to_owned(),
            name: name.to_owned(),
            attribute: (!attribute.is_empty()).then(|| attribute.to_owned()),
        };
        self.references.reference(&reference, pointer)
    }

    /// The id or ARN the agent's model is called by.
    pub(super) fn model(&self) -> Result<Expression, Finding> {
        self.other("models", &self.agent.model, "", &format!("{}/model", self.pointer))
    }

    /// The right to have the model answer, whole or bit by bit, and to look up the profile it is called through.
    pub(super) fn model_statements(&self) -> Result<Vec<Statement>, Finding> {
        let pointer = format!("{}/model", self.pointer);
        let mut statements = Vec::new();
        for verb in ["invoke", "stream"] {
            let ask = Ask { verb, name: &self.agent.model, rest: "", pointer: &pointer };
            let Some(models) = self.references.kind("models") else { return Err(self.references.cannot(&ask)) };
            statements.extend((models.grant)(self.references, &ask)?);
        }
        let arn = self.other("models", &self.agent.model, "arn", &pointer)?.value();
        if arn.to_string().contains("inference-profile") {
            statements.push(Statement::allow(["bedrock:GetInferenceProfile"], [arn]));
        }
        Ok(statements)
    }

    /// When to ask a knowledge base, and where that is said.
    pub(super) fn use_of(&self, knowledge_base: &str) -> (String, String) {
        let key = format!("{}/use", self.knowledge_pointer(knowledge_base));
        if let Some(own) = self.agent.knowledge_bases.get(knowledge_base).and_then(|it| it.r#use.clone()) {
            return (own, key);
        }
        let described = self.references.spec().knowledge_bases.get(knowledge_base);
        match described.and_then(|it| it.description.clone()) {
            Some(description) => (description, format!("/knowledge-bases/{}/description", escape(knowledge_base))),
            None => (format!("Questions that {knowledge_base} answers"), key),
        }
    }

    /// Where the agent names a knowledge base.
    pub(super) fn knowledge_pointer(&self, knowledge_base: &str) -> String {
        format!("{}/knowledge-bases/{}", self.pointer, escape(knowledge_base))
    }

    /// The OpenAPI description of a tool; none where the tool says its operations itself.
    ///
    /// # Errors
    /// `R130` when the file was not loaded with the spec, or is not what it was then.
    pub(super) fn openapi(&self, name: &str, tool: &Tool) -> Result<Option<OpenApi>, Finding> {
        let Some(path) = &tool.openapi else { return Ok(None) };
        let pointer = format!("{}/tools/{}/openapi", self.pointer, escape(name));
        let text = self.references.loaded.files.get(&pointer);
        let read = text.and_then(|text| read_openapi(text, path, self.agent.engine).0);
        read.map(Some).ok_or_else(|| {
            Finding::error(code::R130, format!("the OpenAPI description `{path}` was not read with the spec"))
                .at(self.references.loaded.place(&pointer))
                .help("load the spec from its file, so that what stands beside it is found")
        })
    }
}

/// A trust policy: the service, and it only for things of this account whose ARN has this form.
pub(super) fn trust(service: &str, sources: impl IntoIterator<Item = Expression>) -> Policy {
    let statement = Statement::allow(["sts:AssumeRole"], []).to(Principal::service(service)).when(
        "StringEquals",
        "aws:SourceAccount",
        Expression::reference("AWS::AccountId").value(),
    );
    let sourced = |statement: Statement, source: Expression| statement.when("ArnLike", "aws:SourceArn", source.value());
    Policy::of([sources.into_iter().fold(statement, sourced)])
}

/// IAM takes few characters in a description.
pub(super) fn role_description(what: &str, of: &Of<'_>) -> String {
    let text = format!("What {what} {} of {} may do", of.name, of.references.spec().name);
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect()
}

/// Everything that went well, or nothing when one part of it did not: all of what went wrong is kept.
pub(super) fn all<T>(
    assembly: &mut Assembly<'_>,
    results: impl IntoIterator<Item = Result<T, Finding>>,
) -> Option<Vec<T>> {
    let kept: Vec<Option<T>> = results.into_iter().map(|result| assembly.keep(result)).collect();
    kept.into_iter().collect()
}
