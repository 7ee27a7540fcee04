//! IAM policy documents as data: writing them in one canonical form, merging statements, deciding a request, and saying
//! what one document grants beyond another. Pure; knows no service and no spec.

#![warn(missing_docs, clippy::indexing_slicing)]

mod broadens;
mod evaluate;
mod pattern;
mod policy;

pub use broadens::{Broadening, broadens, listed, resource_text};
pub use evaluate::{Decision, Request, decide, evaluate};
pub use pattern::{covers, matches};
pub use policy::{Conditions, Effect, Policy, PolicyError, Principal, Statement};
