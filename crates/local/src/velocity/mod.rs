//! The part of the Velocity Template Language that API Gateway's mapping templates are written in. Pure: text and the
//! facts of a request in, text out.
//!
//! It follows Velocity 1.7, which API Gateway runs, and what API Gateway documents of its own: `$input`, `$util`,
//! `$context` and `$stageVariables`. `#macro`, `#define`, `#include`, `#parse` and `#evaluate` are refused by name, and so
//! is a method of Java's that is not known here. A template never runs away: what it loops over, how deep it nests and how
//! much it writes are bounded.
//!
//! | file | holds |
//! | --- | --- |
//! | [`syntax`] | what a template is made of |
//! | [`input`] | what a template is given, and why it may fail |
//! | [`parser`] | directives and text |
//! | [`expressions`] | references and expressions |
//! | [`value`] | values and how Java prints them |
//! | [`evaluate`] | directives and references at work |
//! | [`operators`] | arithmetic and comparison |
//! | [`methods`] | methods of texts, lists and maps |
//! | [`gateway`] | `$input` and `$util` |
//! | [`escape`] | escaping as `$util` does it |
//! | [`jsonpath`] | the paths of `$input.path` and `$input.json` |
//! | [`java_regex`] | regular expressions as Java reads them |

mod escape;
mod evaluate;
mod expressions;
mod gateway;
mod input;
pub mod java_regex;
pub mod jsonpath;
mod methods;
mod operators;
mod parser;
mod syntax;
mod value;

pub use evaluate::Rendered;
pub use input::{Input, MAX_OUTPUT, VelocityError};

/// A template that was read.
#[derive(Debug, Clone)]
pub struct Template {
    nodes: Vec<syntax::Node>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// With its line, for syntax that Velocity refuses too and for directives that are not known here.
    pub fn parse(text: &str) -> Result<Self, VelocityError> {
        Ok(Self { nodes: parser::parse(text)? })
    }

    /// Carries the template out.
    ///
    /// # Errors
    /// For a method that fails in Java too, one that is not known here, a payload that is no JSON where it is asked for
    /// as JSON, and a template that would run away.
    pub fn render(&self, input: &Input) -> Result<Rendered, VelocityError> {
        evaluate::render(&self.nodes, input)
    }
}

/// Reads a template and carries it out.
///
/// # Errors
/// Those of [`Template::parse`] and [`Template::render`].
pub fn render(text: &str, input: &Input) -> Result<Rendered, VelocityError> {
    Template::parse(text)?.render(input)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
