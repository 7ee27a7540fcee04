//! Finishers: what CloudFormation has no resource for, done once the stack is complete. Documents go into buckets, rows into
//! tables; what a plan says of them is worked out from what is there already, and so is what is done.
//!
//! A finisher can be repeated at any time: it does what is missing and nothing else. So a failure leaves the stack as it
//! is, and the next deploy does the rest.

mod contents;
mod documents;
mod finisher;
mod from_spec;
mod ingestion;
mod rows;

pub(super) use contents::{Content, carry_out, planned, read};
pub use finisher::Finisher;
pub(super) use from_spec::from_spec;
