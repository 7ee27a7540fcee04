//! CloudFormation as data: the template, its intrinsic functions, the graph of its resources, the provider schemas, and
//! what follows from them; and what all of that is read with: YAML with positions, and findings. Nothing here does I/O, and
//! nothing panics on any template.

#![warn(missing_docs, clippy::indexing_slicing)]

pub mod agent_api;
pub mod change_set;
pub mod dependency_order;
pub mod diff;
pub mod finding;
pub mod graph;
pub mod intrinsics;
pub mod schema;
pub mod service_rules;
pub mod template;
pub mod unique_names;
pub mod validate;
pub mod yaml;

pub use diff::{ResourceChange, diff};
pub use graph::ResourceGraph;
pub use intrinsics::{Answer, Problem, Resolver, resolve};
pub use schema::{ResourceSchema, Schemas};
pub use template::{Output, Parameter, Resource, Template};
pub use validate::validate;
