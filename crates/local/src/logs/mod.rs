//! CloudWatch Logs: groups, streams and their events.
//!
//! Groups are made by stacks (`AWS::Logs::LogGroup`) or by the API; functions write to them with the rights of their own
//! roles. Retention is kept and told; nothing expires.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions` | the permissions that operations need |
//! | `service` | one line an operation |
//! | `operations` | the operations |
//! | `read` | events: one stream's, or filtered over many |
//! | [`pattern`] | filter patterns |
//! | [`store`] | the tables |

mod actions;
mod operations;
pub mod pattern;
mod read;
mod service;
pub mod store;

pub use service::SERVICE;
pub use store::SCHEMA;
