//! What a deployment would do and why: pure data, made from what is wanted and what was observed. It reads change sets
//! and templates, asks nobody and prints nothing.

mod change_set_values;
mod data_loss;
mod expiry;
mod grants;
mod lost_protection;
mod observed;
mod offline;
mod policies;
mod public;
mod resolved;
mod risk_kinds;
mod risks;
mod types;
mod values;

pub use data_loss::{holds_data, losses};
pub use observed::from_change_set;
pub use offline::{between, for_new_stack};
pub use risk_kinds::{Risk, RiskKind};
pub use risks::of_content;
pub use types::*;
pub use values::Secrets;
