//! What a `${…}` of the spec stands for in CloudFormation, and what a kind of component says for that.

use super::assemble::Assembly;
use super::expression::Expression;
use super::ids::{alias_id, function_id};
use super::made_elsewhere;
use super::names::pascal;
use super::rendered::RenderOptions;
use super::words::did_you_mean;
use crate::finding::{Finding, code};
use crate::iam::Statement;
use crate::spec::{
    GRANTS, LoadedSpec, NETWORK_PARTS, ParameterType, Piece, Reference, SECTIONS, Section, Text, UseCase, escape,
};

/// A kind of component.
pub(super) struct Kind {
    /// The section of the spec its components stand under.
    pub(super) section: &'static str,
    /// Renders all components of the kind that a spec has.
    pub(super) add: fn(&mut Assembly<'_>, &References<'_>),
    /// What an attribute of a component gives; the empty one is what a program uses. The component is there.
    pub(super) attribute: fn(&References<'_>, name: &str, attribute: &str) -> Option<Expression>,
    /// The statements of a grant on a component that is there; none when it cannot be used that way.
    pub(super) grant: fn(&References<'_>, &Ask<'_>) -> Result<Vec<Statement>, Finding>,
}

/// A grant that asks for something of a component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    /// The verb, such as `read`.
    pub(super) verb: &'a str,
    /// The component's name.
    pub(super) name: &'a str,
    /// What follows the name after a slash, such as a prefix of object keys.
    pub(super) rest: &'a str,
    /// The grant's place in the spec.
    pub(super) pointer: &'a str,
}

/// Turns texts of one spec into expressions.
#[derive(Clone, Copy)]
pub(super) struct References<'a> {
    pub(super) loaded: &'a LoadedSpec,
    pub(super) options: &'a RenderOptions<'a>,
    /// All kinds of components, in the order they are rendered.
    pub(super) kinds: &'a [Kind],
}

impl<'a> References<'a> {
    /// The spec all of this is about.
    pub(super) fn spec(&self) -> &'a UseCase {
        &self.loaded.spec
    }

    /// The kind of a section.
    pub(super) fn kind(&self, section: &str) -> Option<&'a Kind> {
        self.kinds.iter().find(|kind| kind.section == section)
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
            Reference::StageSuffix => Ok(Expression::literal(self.options.stage_suffix())),
            Reference::Region => Ok(Expression::reference("AWS::Region")),
            Reference::Account => Ok(Expression::reference("AWS::AccountId")),
            Reference::Partition => Ok(Expression::reference("AWS::Partition")),
            Reference::Parameter(name) => match self.spec().parameters.get(name) {
                Some(parameter) if parameter.r#type == ParameterType::List => Ok(Expression::list(pascal(name))),
                Some(_) => Ok(Expression::reference(pascal(name))),
                None => Err(self
                    .unresolved(pointer, format!("there is no parameter `{name}`"))
                    .help(did_you_mean(name, self.spec().parameters.keys()))),
            },
            Reference::Component { section, name, attribute } => {
                self.component(section, name, attribute.as_deref().unwrap_or_default(), pointer)
            }
            Reference::Query(_) | Reference::Header(_) | Reference::Path(_) | Reference::Body => {
                Err(Finding::error(code::R021, "what a request holds is known only in the `request` of a route")
                    .at(self.loaded.place(pointer))
                    .help("move it to the `request` of the route, where it becomes a field of the function's event"))
            }
        }
    }

    fn component(&self, section: &str, name: &str, attribute: &str, pointer: &str) -> Result<Expression, Finding> {
        let Some(names) = component_names(self, section) else {
            let sections: Vec<String> = SECTIONS.iter().map(|section| section.key.to_owned()).collect();
            return Err(self
                .unresolved(pointer, format!("there is no section `{section}` to refer to"))
                .help(did_you_mean(section, sections.iter())));
        };
        if !names.iter().any(|known| known == name) {
            return Err(self
                .unresolved(pointer, format!("there is no `{name}` under `{section}`"))
                .help(did_you_mean(name, names.iter())));
        }
        match self.kind(section).and_then(|kind| (kind.attribute)(self, name, attribute)) {
            Some(expression) => Ok(expression),
            None => {
                let known = Section::of(section).map_or(&[][..], |section| section.attributes);
                let known: Vec<String> = known.iter().map(|attribute| (*attribute).to_owned()).collect();
                Err(self
                    .unresolved(pointer, format!("`{section}.{name}` has no attribute `{attribute}`"))
                    .help(did_you_mean(attribute, known.iter())))
            }
        }
    }

    /// That a component cannot be used as a grant asks.
    pub(super) fn cannot(&self, ask: &Ask<'_>) -> Finding {
        let fitting = GRANTS.iter().find(|(verb, _)| *verb == ask.verb).map_or(&[][..], |(_, sections)| *sections);
        let fitting: Vec<String> = fitting.iter().map(|section| format!("`{section}.NAME`")).collect();
        Finding::error(code::R022, format!("`{}: …{}` is not something that can be granted", ask.verb, ask.name))
            .at(self.loaded.place(ask.pointer))
            .help(format!("`{}` goes with {}", ask.verb, fitting.join(", ")))
    }

    /// The name of an API's stage: known here, because it is a part of URLs and of logical ids' meaning.
    pub(super) fn stage_of(&self, api: &str) -> Result<String, Finding> {
        let Some(text) = self.spec().apis.get(api).and_then(|api| api.stage.as_ref()) else {
            return Ok(self.options.stage.to_owned());
        };
        let pointer = format!("/apis/{}/stage", escape(api));
        let mut stage = String::new();
        for piece in self.pieces(text, &pointer)? {
            match piece {
                Piece::Literal(literal) => stage.push_str(&literal),
                Piece::Reference(Reference::Stage) => stage.push_str(self.options.stage),
                Piece::Reference(_) => {
                    return Err(Finding::error(code::R021, "the stage of an API must be known when it is rendered")
                        .at(self.loaded.place(&pointer))
                        .help("write it out, or use `${stage}`"));
                }
            }
        }
        Ok(stage)
    }

    fn unresolved(&self, pointer: &str, message: String) -> Finding {
        Finding::error(code::R020, message).at(self.loaded.place(pointer))
    }
}

/// For kinds that no grant goes with.
pub(super) fn no_grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    Err(references.cannot(ask))
}

/// The names under a section, when there is such a section.
pub(super) fn component_names(references: &References<'_>, section: &str) -> Option<Vec<String>> {
    let known = Section::of(section).is_some() || ["needs", "resources"].contains(&section);
    if section == "network" {
        let there = references.spec().network.is_some();
        return Some(NETWORK_PARTS.iter().filter(|_| there).map(|part| (*part).to_owned()).collect());
    }
    let names = references.loaded.document.get(section).and_then(serde_json::Value::as_object);
    let mut names: Vec<String> = names.map(|names| names.keys().cloned().collect()).unwrap_or_default();
    if section == "resources" {
        names.extend(made_elsewhere::names(references.loaded, "Resources"));
    }
    known.then_some(names)
}

/// The ARN that callers of a function name: its alias's where it has one, else its own. A permission to call it is given
/// on the same ARN (`FunctionName` of `AWS::Lambda::Permission`), as is an IAM statement.
pub(super) fn function_target(references: &References<'_>, name: &str) -> Expression {
    match references.spec().functions.get(name).and_then(|function| function.alias.as_ref()) {
        Some(_) => Expression::reference(alias_id(name)),
        None => Expression::attribute(function_id(name), "Arn"),
    }
}
