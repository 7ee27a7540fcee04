//! What a `${…}` of the spec stands for in CloudFormation.

use super::expression::Expression;
use super::names::pascal;
use super::{RenderOptions, models};
use crate::finding::Finding;
use crate::spec::{LoadedSpec, ParameterType, Piece, Reference, Text, UseCase};

/// Turns texts of one spec into expressions.
#[derive(Clone, Copy)]
pub(super) struct References<'a> {
    pub(super) loaded: &'a LoadedSpec,
    pub(super) options: &'a RenderOptions<'a>,
}

/// What an attribute of a component gives.
type Give = fn(&UseCase, &str, &str) -> Option<Expression>;

/// Every attribute of every kind of component; the empty name is what `${section.name}` alone gives.
const ATTRIBUTES: [(&str, &str, Give); 15] = [
    ("models", "", |spec, _, name| spec.models.get(name).map(|model| Expression::literal(&model.id))),
    ("models", "id", |spec, _, name| spec.models.get(name).map(|model| Expression::literal(&model.id))),
    ("models", "arn", |spec, _, name| spec.models.get(name).map(|model| models::arn(&model.id))),
    ("buckets", "", |_, _, name| Some(Expression::reference(bucket_id(name)))),
    ("buckets", "name", |_, _, name| Some(Expression::reference(bucket_id(name)))),
    ("buckets", "arn", |_, _, name| Some(Expression::attribute(bucket_id(name), "Arn"))),
    ("buckets", "domain", |_, _, name| Some(Expression::attribute(bucket_id(name), "RegionalDomainName"))),
    ("layers", "", |_, _, name| Some(Expression::reference(layer_id(name)))),
    ("layers", "arn", |_, _, name| Some(Expression::reference(layer_id(name)))),
    ("functions", "", |_, _, name| Some(Expression::reference(function_id(name)))),
    ("functions", "name", |_, _, name| Some(Expression::reference(function_id(name)))),
    ("functions", "arn", |_, _, name| Some(Expression::attribute(function_id(name), "Arn"))),
    ("apis", "", |_, stage, name| Some(api_url(name, stage))),
    ("apis", "url", |_, stage, name| Some(api_url(name, stage))),
    ("apis", "id", |_, _, name| Some(Expression::reference(api_id(name)))),
];

impl<'a> References<'a> {
    /// The spec all of this is about.
    pub(super) fn spec(&self) -> &'a UseCase {
        &self.loaded.spec
    }

    /// A text of the spec as an expression; `pointer` is its place.
    ///
    /// # Errors
    /// `R020` for a reference to nothing, `R021` for one that has a meaning only elsewhere.
    pub(super) fn text(&self, text: &Text, pointer: &str) -> Result<Expression, Finding> {
        let mut whole = Expression::default();
        for piece in self.pieces(text, pointer)? {
            whole = whole.then(match piece {
                Piece::Literal(literal) => Expression::literal(literal),
                Piece::Reference(reference) => self.reference(&reference, pointer)?,
            });
        }
        Ok(whole)
    }

    /// A text of the spec taken apart.
    pub(super) fn pieces(&self, text: &Text, pointer: &str) -> Result<Vec<Piece>, Finding> {
        text.pieces().map_err(|error| {
            self.unresolved(pointer, format!("{error}")).help("write `${section.name}`, or `$${` for a literal `${`")
        })
    }

    /// One reference as an expression.
    pub(super) fn reference(&self, reference: &Reference, pointer: &str) -> Result<Expression, Finding> {
        match reference {
            Reference::Stage => Ok(Expression::literal(self.options.stage)),
            Reference::Region => Ok(Expression::reference("AWS::Region")),
            Reference::Account => Ok(Expression::reference("AWS::AccountId")),
            Reference::Parameter(name) => match self.spec().parameters.get(name) {
                Some(parameter) if parameter.r#type == ParameterType::List => Ok(Expression::list(pascal(name))),
                Some(_) => Ok(Expression::reference(pascal(name))),
                None => Err(self
                    .unresolved(pointer, format!("there is no parameter `{name}`"))
                    .help(super::did_you_mean(name, self.spec().parameters.keys()))),
            },
            Reference::Component { section, name, attribute } => {
                self.component(section, name, attribute.as_deref().unwrap_or_default(), pointer)
            }
            Reference::Query(_) | Reference::Header(_) | Reference::Path(_) | Reference::Body => {
                Err(Finding::error("R021", "what a request holds is known only in the `request` of a route")
                    .at(self.loaded.place(pointer))
                    .help("move it to the `request` of the route, where it becomes a field of the function's event"))
            }
        }
    }

    fn component(&self, section: &str, name: &str, attribute: &str, pointer: &str) -> Result<Expression, Finding> {
        let Some(names) = component_names(self.spec(), section) else {
            let sections: Vec<String> = SECTIONS.iter().map(|section| (*section).to_owned()).collect();
            return Err(self
                .unresolved(pointer, format!("there is no section `{section}` to refer to"))
                .help(super::did_you_mean(section, sections.iter())));
        };
        if !names.iter().any(|known| known == name) {
            return Err(self
                .unresolved(pointer, format!("there is no `{name}` under `{section}`"))
                .help(super::did_you_mean(name, names.iter())));
        }
        let stage = self.api_stage(section, name)?;
        let found = ATTRIBUTES.iter().find(|(of, called, _)| *of == section && *called == attribute);
        match found.and_then(|(_, _, give)| give(self.spec(), &stage, name)) {
            Some(expression) => Ok(expression),
            None => {
                let known: Vec<String> = ATTRIBUTES
                    .iter()
                    .filter(|(of, called, _)| *of == section && !called.is_empty())
                    .map(|(_, called, _)| (*called).to_owned())
                    .collect();
                Err(self
                    .unresolved(pointer, format!("`{section}.{name}` has no attribute `{attribute}`"))
                    .help(super::did_you_mean(attribute, known.iter())))
            }
        }
    }

    fn api_stage(&self, section: &str, name: &str) -> Result<String, Finding> {
        if section == "apis" { self.stage_of(name) } else { Ok(String::new()) }
    }

    /// The name of an API's stage: known here, because it is a part of URLs and of logical ids' meaning.
    pub(super) fn stage_of(&self, api: &str) -> Result<String, Finding> {
        let Some(text) = self.spec().apis.get(api).and_then(|api| api.stage.as_ref()) else {
            return Ok(self.options.stage.to_owned());
        };
        let pointer = format!("/apis/{}/stage", super::escape(api));
        let mut stage = String::new();
        for piece in self.pieces(text, &pointer)? {
            match piece {
                Piece::Literal(literal) => stage.push_str(&literal),
                Piece::Reference(Reference::Stage) => stage.push_str(self.options.stage),
                Piece::Reference(_) => {
                    return Err(Finding::error("R021", "the stage of an API must be known when it is rendered")
                        .at(self.loaded.place(&pointer))
                        .help("write it out, or use `${stage}`"));
                }
            }
        }
        Ok(stage)
    }

    fn unresolved(&self, pointer: &str, message: String) -> Finding {
        Finding::error("R020", message).at(self.loaded.place(pointer))
    }
}

/// The sections whose components can be referred to.
const SECTIONS: [&str; 5] = ["models", "buckets", "layers", "functions", "apis"];

/// The names under a section, when there is such a section.
pub(super) fn component_names(spec: &UseCase, section: &str) -> Option<Vec<String>> {
    Some(match section {
        "models" => spec.models.keys().cloned().collect(),
        "buckets" => spec.buckets.keys().cloned().collect(),
        "layers" => spec.layers.keys().cloned().collect(),
        "functions" => spec.functions.keys().cloned().collect(),
        "apis" => spec.apis.keys().cloned().collect(),
        _ => return None,
    })
}

pub(super) fn bucket_id(name: &str) -> String {
    pascal(name) + "Bucket"
}

pub(super) fn layer_id(name: &str) -> String {
    pascal(name) + "Layer"
}

pub(super) fn function_id(name: &str) -> String {
    pascal(name) + "Function"
}

pub(super) fn api_id(name: &str) -> String {
    pascal(name) + "Api"
}

/// The URL of an API's stage, without a slash at its end.
pub(super) fn api_url(name: &str, stage: &str) -> Expression {
    Expression::literal("https://")
        .then(Expression::reference(api_id(name)))
        .text(".execute-api.")
        .then(Expression::reference("AWS::Region"))
        .text(".")
        .then(Expression::reference("AWS::URLSuffix"))
        .text(format!("/{stage}"))
}
