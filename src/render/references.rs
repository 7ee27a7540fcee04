//! What a `${…}` of the spec stands for in CloudFormation.

use super::RenderOptions;
use super::components::{Ask, kind, template_names};
use super::expression::Expression;
use super::names::pascal;
use crate::finding::Finding;
use crate::spec::{
    GRANTS, LoadedSpec, NETWORK_PARTS, Network, ParameterType, Piece, Reference, SECTIONS, Section, Text, UseCase,
};

/// Turns texts of one spec into expressions.
#[derive(Clone, Copy)]
pub(super) struct References<'a> {
    pub(super) loaded: &'a LoadedSpec,
    pub(super) options: &'a RenderOptions<'a>,
}

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
            Reference::Partition => Ok(Expression::reference("AWS::Partition")),
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
        let Some(names) = component_names(self, section) else {
            let sections: Vec<String> = SECTIONS.iter().map(|section| section.key.to_owned()).collect();
            return Err(self
                .unresolved(pointer, format!("there is no section `{section}` to refer to"))
                .help(super::did_you_mean(section, sections.iter())));
        };
        if !names.iter().any(|known| known == name) {
            return Err(self
                .unresolved(pointer, format!("there is no `{name}` under `{section}`"))
                .help(super::did_you_mean(name, names.iter())));
        }
        match kind(section).and_then(|kind| (kind.attribute)(self, name, attribute)) {
            Some(expression) => Ok(expression),
            None => {
                let known = Section::of(section).map_or(&[][..], |section| section.attributes);
                let known: Vec<String> = known.iter().map(|attribute| (*attribute).to_owned()).collect();
                Err(self
                    .unresolved(pointer, format!("`{section}.{name}` has no attribute `{attribute}`"))
                    .help(super::did_you_mean(attribute, known.iter())))
            }
        }
    }

    /// That a component cannot be used as a grant asks.
    pub(super) fn cannot(&self, ask: &Ask<'_>) -> Finding {
        let fitting = GRANTS.iter().find(|(verb, _)| *verb == ask.verb).map_or(&[][..], |(_, sections)| *sections);
        let fitting: Vec<String> = fitting.iter().map(|section| format!("`{section}.NAME`")).collect();
        Finding::error("R022", format!("`{}: …{}` is not something that can be granted", ask.verb, ask.name))
            .at(self.loaded.place(ask.pointer))
            .help(format!("`{}` goes with {}", ask.verb, fitting.join(", ")))
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
        names.extend(template_names(references.loaded, "Resources"));
    }
    known.then_some(names)
}

pub(super) fn bucket_id(name: &str) -> String {
    pascal(name) + "Bucket"
}

pub(super) fn table_id(name: &str) -> String {
    pascal(name) + "Table"
}

pub(super) fn secret_id(name: &str) -> String {
    pascal(name) + "Secret"
}

pub(super) fn layer_id(name: &str) -> String {
    pascal(name) + "Layer"
}

pub(super) fn function_id(name: &str) -> String {
    pascal(name) + "Function"
}

/// The application inference profile of a model that has one.
pub(super) fn profile_id(name: &str) -> String {
    pascal(name) + "ModelProfile"
}

pub(super) fn role_id(name: &str) -> String {
    pascal(name) + "Role"
}

/// The alias of a function that has one.
pub(super) fn alias_id(name: &str) -> String {
    function_id(name) + "Alias"
}

/// The ARN that callers of a function name: its alias's where it has one, else its own. A permission to call it is given
/// on the same ARN (`FunctionName` of `AWS::Lambda::Permission`), as is an IAM statement.
pub(super) fn function_target(references: &References<'_>, name: &str) -> Expression {
    match references.spec().functions.get(name).and_then(|function| function.alias.as_ref()) {
        Some(_) => Expression::reference(alias_id(name)),
        None => Expression::attribute(function_id(name), "Arn"),
    }
}

/// The VPC of the network.
pub(super) const NETWORK_VPC: &str = "NetworkVpc";

/// The security group of everything inside the network.
pub(super) const NETWORK_SECURITY_GROUP: &str = "NetworkSecurityGroup";

/// In how many availability zones a network that does not say has a subnet.
const DEFAULT_ZONES: u32 = 2;

/// The subnets of the network, one a zone.
pub(super) fn network_subnet_ids(network: &Network) -> Vec<String> {
    (1..=network.zones.unwrap_or(DEFAULT_ZONES)).map(|zone| format!("NetworkSubnet{zone}")).collect()
}

/// The network's endpoint for a service, such as `bedrock-runtime`.
pub(super) fn network_endpoint_id(service: &str) -> String {
    format!("Network{}Endpoint", pascal(service))
}

pub(super) fn api_id(name: &str) -> String {
    pascal(name) + "Api"
}

/// An agent of the engine classic.
pub(super) fn agent_id(name: &str) -> String {
    pascal(name) + "Agent"
}

/// The alias by which an agent of the engine classic is called.
pub(super) fn agent_alias_id(name: &str) -> String {
    pascal(name) + "AgentAlias"
}

/// An agent of the engine agentcore. Its id is another one than classic's: CloudFormation lets no resource become one of
/// another type, so a change of engines has to make a new one.
pub(super) fn harness_id(name: &str) -> String {
    pascal(name) + "Harness"
}

pub(super) fn guardrail_id(name: &str) -> String {
    pascal(name) + "Guardrail"
}

pub(super) fn prompt_id(name: &str) -> String {
    pascal(name) + "Prompt"
}

pub(super) fn knowledge_base_id(name: &str) -> String {
    pascal(name) + "KnowledgeBase"
}

pub(super) fn flow_id(name: &str) -> String {
    pascal(name) + "Flow"
}

pub(super) fn user_pool_id(name: &str) -> String {
    pascal(name) + "UserPool"
}

/// The logical id of an app that people sign in to.
pub(super) fn user_pool_client_id(pool: &str, client: &str) -> String {
    format!("{}{}Client", user_pool_id(pool), pascal(client))
}
