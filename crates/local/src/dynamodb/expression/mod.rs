//! Expressions: read into data with their placeholders filled in, then carried out on items.
//! Source: "Expressions" in the DynamoDB developer guide.
//!
//! | file | holds |
//! | --- | --- |
//! | [`placeholders`] | `#name` and `:value`, and that none is unused |
//! | `tokens` | words and signs |
//! | `parser` | what all expressions share: the cursor, paths, words that are reserved |
//! | [`condition`], `reading` | conditions and filters: what they are and whether they hold, and reading them |
//! | [`key_condition`] | conditions on keys |
//! | [`update`], `apply` | updates: reading them, and carrying them out |
//! | [`path`] | document paths: looking up, projecting, overlaps |

mod apply;
pub mod condition;
pub mod key_condition;
mod parser;
pub mod path;
pub mod placeholders;
mod reading;
mod tokens;
pub mod update;

pub use condition::Condition;
pub use key_condition::{KeyCondition, RangeCondition};
pub use parser::projection;
pub use path::{Path, project};
pub use placeholders::Placeholders;
pub use update::Update;
