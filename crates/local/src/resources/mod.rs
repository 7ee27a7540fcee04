//! What a resource of a stack is, and one rule, fed by the provider schemas and `schemas/local/resources.json`, for all types
//! that have no behaviour of their own.
//!
//! A [`Handler`] works inside the transaction that also records the resource's new status, so a resource is never made
//! twice nor half made, whenever the process dies. [`resource_table`] is the table of all that exists: the data plane reads it.
//!
//! | file | holds |
//! | --- | --- |
//! | [`handler`] | the behaviour of a type, as a trait |
//! | [`work`] | what is worked on, and what comes of it |
//! | `generic`, `formats` | the rule for types without behaviour of their own |
//! | `naming`, `returns`, `fitting` | ids and attributes: as AWS documents them, else such as the schemas take |
//! | `kinds` | types that a function makes, or that are refused |
//! | [`provider`] | the provider schemas |
//! | `rules` | what services refuse although the schemas allow it |

mod fitting;
mod formats;
pub(crate) mod generic;
pub mod handler;
mod kinds;
mod naming;
pub mod provider;
mod returns;
mod rules;
pub mod work;

pub use crate::ground::resource_table::{self, Made, SCHEMA};
pub use formats::Formats;
pub use generic::{attributes_of, custom_name, invented_values, planned_id};
pub use handler::{Generic, Handler, Handlers};
pub use kinds::{is_custom, refused};
pub use rules::refuse_by_rules;
pub use work::{Failure, ResourceWork, Site};
